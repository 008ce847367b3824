//! What a readiness document says of runtime evidence (PROTOCOL 6, 0.2.0's rules): a pure function
//! of the answer. What is not ready never passes, which the reference lets through.

use sernixa_protocol::json::Node;

use crate::error::{Error, Refusal};
use crate::judge;
use crate::transport::Answer;

/// Why a run may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// A Flight Recorder is enabled.
    FlightRecorder,
    /// None is, and the service is a demonstration.
    LocalDemo,
}

/// Judges the answer to `GET /ready`, which came from an engine inside this process or from a
/// service.
///
/// # Errors
/// `Api` for what is no readiness document, `Configuration` for one that does not show what is
/// needed.
pub(super) fn judge(answer: &Answer, inside: bool) -> Result<Evidence, Error> {
    // Not JSON, or JSON of two meanings.
    let document = judge::strict(answer)?;
    let ready = document.root();
    if !ready.is_object() {
        return Err(lacking(
            answer,
            "enforce_ebpf needs a readiness document, and /ready sent JSON that is no object",
        ));
    }
    let checks = member(Some(ready), "checks");
    if answer.status != 200 {
        return Err(match ready.get("checks") {
            // A failure, or a redirect, that has nothing to do with readiness.
            None => {
                let message = "enforce_ebpf needs a readiness document, and /ready sent a failure";
                Error::Api(Refusal::new(message).code(answer.status).boxed())
            }
            // It says itself that it is not ready.
            Some(_) => not_ready(answer),
        });
    }
    if !ready.get("status").is_some_and(|status| status.is("ready")) {
        return Err(not_ready(answer));
    }
    let snapshot = member(member(checks, "configuration"), "snapshot");
    // JSON true and nothing else.
    let enabled = |place| {
        let flag = member(place, "flight_recorder").and_then(|recorder| recorder.get("enabled"));
        flag.is_some_and(|flag| flag.as_bool() == Some(true))
    };
    if enabled(checks) || enabled(snapshot) {
        return Ok(Evidence::FlightRecorder);
    }
    if mode(ready, snapshot).is_some_and(|mode| mode.is("local_demo")) {
        return Ok(Evidence::LocalDemo);
    }
    Err(lacking(
        answer,
        if inside {
            "enforce_ebpf needs a Flight Recorder, and an engine in this process has none; ask a \
             service that has one (SERNIXA_BASE_URL)"
        } else {
            "enforce_ebpf needs a Flight Recorder, and /ready shows none that is enabled; enable \
             it at the service"
        },
    ))
}

/// No answer came at all. What the client itself lacks stays what it is.
pub(super) fn unanswered(error: Error) -> Error {
    if matches!(error, Error::Configuration(_)) {
        return error;
    }
    let message = "enforce_ebpf needs /ready to confirm a Flight Recorder before the run, and no \
                   answer came; see the source of this error";
    Error::Configuration(Refusal::new(message).caused_by(error).boxed())
}

/// A member that is an object.
fn member<'d>(of: Option<Node<'d>>, name: &str) -> Option<Node<'d>> {
    of?.get(name).filter(Node::is_object)
}

/// The mode at the top, else in the snapshot: an absent, null or empty one counts as unsaid.
fn mode<'d>(ready: Node<'d>, snapshot: Option<Node<'d>>) -> Option<Node<'d>> {
    let said = ready
        .get("runtime_mode")
        .filter(|mode| !mode.is_null() && !mode.is(""));
    said.or_else(|| snapshot?.get("runtime_mode"))
}

fn not_ready(answer: &Answer) -> Error {
    lacking(
        answer,
        "enforce_ebpf needs a service that is ready, and /ready says that it is not; try again \
         when it is",
    )
}

fn lacking(answer: &Answer, message: &'static str) -> Error {
    let refusal = Refusal::new(message);
    Error::Configuration(match answer.status {
        // The document is at fault, not the answer.
        200 => refusal.boxed(),
        status => refusal.code(status).boxed(),
    })
}
