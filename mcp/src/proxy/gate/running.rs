//! A call that was let through: how it ended, and what its server still asks.

use std::sync::Arc;

use bytes::Bytes;
use sernixa::{Continuation, Permit};

use super::answer::{Decision, Shape, Structured};
use super::seal::{Carried, Kind, Sealed};
use super::{Core, ROUNDS, splice};
use crate::message::{Code, Message};
use crate::proxy::off_worker::off_worker;
use crate::proxy::seam::{Generation, Started};

/// A call that runs.
pub(super) struct Running {
    pub(super) core: Arc<Core>,
    /// What its end is reported through. `None` for a retry where nobody takes reports.
    pub(super) permit: Option<Permit>,
    pub(super) approval: String,
    pub(super) call: String,
    /// How often its server asked for input before.
    pub(super) round: u8,
    pub(super) generation: Generation,
    pub(super) structured: Structured,
}

/// How a server's answer ends a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Succeeded,
    Failed,
    /// It asks for input.
    Asks,
    /// It began something that goes on: a task, or what later versions know.
    GoesOn,
}

impl Started for Running {
    fn answered(mut self: Box<Self>, answer: &Message) -> Bytes {
        let permit = self.permit.take();
        match end(answer, self.generation) {
            End::Succeeded => {
                if let Some(permit) = permit {
                    permit.succeeded();
                }
            }
            End::Failed => {
                if let Some(permit) = permit {
                    permit.failed();
                }
            }
            // Whether it comes to an end, and which, is not known here.
            End::GoesOn => drop(permit),
            End::Asks if self.round >= ROUNDS => {
                // It comes to no end that anybody hears of.
                drop(permit);
                return self.too_many(answer);
            }
            End::Asks => {
                let continuation = permit.and_then(|permit| off_worker(|| permit.continued()));
                return self.sealed(answer, continuation.as_ref());
            }
        }
        answer.bytes().clone()
    }

    fn lost(self: Box<Self>) {
        // Nobody knows how it ended: that is what dropping the permit says.
        drop(self);
    }

    fn not_started(mut self: Box<Self>) {
        if let Some(permit) = self.permit.take() {
            permit.not_started();
        }
    }
}

impl Running {
    /// Nobody is asked for ever.
    fn too_many(&self, answer: &Message) -> Bytes {
        let text = format!(
            "The server asked for input more than {ROUNDS} times in one call. Whether it did \
             anything is not known. Calling again asks for approval anew."
        );
        let decision = Decision {
            status: "failed",
            reason: Some("too many rounds of input_required"),
            approval_id: (!self.approval.is_empty()).then_some(&self.approval),
            ..Decision::default()
        };
        let shape = Shape::new(answer.id(), self.generation);
        shape.refusal(&text, &decision, self.structured)
    }

    /// The server's `input_required` with its state inside ours.
    fn sealed(&self, answer: &Message, continuation: Option<&Continuation>) -> Bytes {
        self.with_state(answer, continuation).unwrap_or_else(|| {
            let message = "the server's requestState cannot be carried: it is no text, or too long";
            Shape::new(answer.id(), self.generation).error(Code::Internal, message)
        })
    }

    fn with_state(&self, answer: &Message, continuation: Option<&Continuation>) -> Option<Bytes> {
        let upstream = answer.look(|root| match root.get("result")?.get("requestState") {
            None => Some(None),
            Some(state) => Some(Some(state.as_str()?.into_owned())),
        })??;
        let mut sealed = Sealed::new(Kind::Continued, &self.approval, &self.call, self.round + 1);
        sealed.upstream = upstream;
        sealed.reports = continuation.map(Carried::new);
        let state = self.core.seal(&sealed)?;
        let text = std::str::from_utf8(answer.bytes()).ok()?;
        // Base64: nothing in it to be escaped.
        let state = format!("\"{state}\"");
        splice::member(text, &["result"], "requestState", Some(&state)).map(Bytes::from)
    }
}

fn end(answer: &Message, generation: Generation) -> End {
    answer
        .look(|root| {
            let Some(result) = root.get("result") else {
                return End::Failed;
            };
            let kind = result.get("resultType");
            if generation == Generation::Stateless {
                match kind {
                    Some(kind) if kind.is("input_required") => return End::Asks,
                    Some(kind) if !kind.is("complete") => return End::GoesOn,
                    _ => {}
                }
            }
            let failed = result
                .get("isError")
                .is_some_and(|failed| failed.as_bool() != Some(false));
            if failed {
                End::Failed
            } else if result.get("task").is_some() {
                End::GoesOn
            } else {
                End::Succeeded
            }
        })
        // It was read before.
        .unwrap_or(End::GoesOn)
}
