//! Runs one case against the real client over loopback, and holds it against the predicate.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use sernixa::boundary::{McpInvocation, mcp_call_gate};
use sernixa::{Action, Client, Error, RiskLevel};

use super::case::{Case, Expected, Setup, expect};
use super::explore::Tally;
use super::predicate::{Kind, Seen};
use super::shot::{Shot, TIMEOUT, Values};
use crate::support::reply::Reply;
use crate::support::server::{Request, Server};

/// What the server is to do now, and what it heard.
#[derive(Default)]
struct Stage {
    case: Option<Case>,
    values: Values,
    number: usize,
    heard: Vec<Request>,
    submissions: usize,
    records: usize,
    claims: usize,
}

/// A server, and the clients that talk to it.
pub struct Rig {
    server: Server,
    stage: Arc<Mutex<Stage>>,
    clients: BTreeMap<(bool, bool, usize), Client>,
    runtime: tokio::runtime::Runtime,
}

impl Rig {
    pub fn new() -> Self {
        let stage = Arc::new(Mutex::new(Stage::default()));
        let server = Server::start({
            let stage = Arc::clone(&stage);
            move |request| lock(&stage).answer(request)
        });
        lock(&stage).values.trap = format!("{}/trap/api/actions/execute", server.url());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        Self {
            server,
            stage,
            clients: BTreeMap::new(),
            runtime,
        }
    }

    /// A client for these settings, used again.
    fn client(&mut self, setup: &Setup) -> Client {
        let key = (
            setup.accept_immediate_high_risk,
            setup.require_claim,
            setup.max_retries,
        );
        let url = self.server.url();
        self.clients
            .entry(key)
            .or_insert_with(|| client(&url, setup))
            .clone()
    }

    /// Runs cases in turn; several meet one fresh client.
    pub fn check_in_turn(&mut self, cases: &[Case], tally: &Tally) -> Result<(), String> {
        if cases.len() > 1 {
            self.clients.clear();
        }
        let mut once_offered = false;
        for case in cases {
            let setup = Setup {
                once_offered,
                ..case.setup.clone()
            };
            let case = Case {
                setup,
                ..case.clone()
            };
            once_offered |= self.check(&case, 3, tally)?;
        }
        // An offer leaves its mark on a client.
        if once_offered {
            self.clients.clear();
        }
        Ok(())
    }

    /// Runs the case; `Err` says where client and predicate differ. Adds the rows it met to `tally`.
    /// `true`: claims were offered.
    fn check(&mut self, case: &Case, again: usize, tally: &Tally) -> Result<bool, String> {
        let number = {
            let mut stage = lock(&self.stage);
            let trap = std::mem::take(&mut stage.values.trap);
            let number = stage.number + 1;
            let values = Values {
                trap,
                approval_id: format!("ap-{number}"),
                ..Values::default()
            };
            *stage = Stage {
                case: Some(case.clone()),
                values,
                number,
                ..Stage::default()
            };
            number
        };
        self.server.take_requests();
        let client = self.client(&case.setup);
        let ran = AtomicUsize::new(0);
        let action = action(&format!("case-{number}"), case.setup.risk);
        let body = || ran.fetch_add(1, Ordering::SeqCst);
        let begun = Instant::now();
        let gate = mcp_call_gate(&client, format!("case-{number}")).risk(case.setup.risk);
        let call = McpInvocation::new("db", "read");
        let runtime = &self.runtime;
        let result: Result<usize, Error> = match (case.setup.call_gate, case.setup.asynchronous) {
            (false, false) => client.run(&action, || Ok(body())),
            (false, true) => runtime.block_on(client.run_async(&action, || async { Ok(body()) })),
            (true, false) => gate.invoke(&call, || Ok(body())),
            (true, true) => runtime.block_on(gate.invoke_async(&call, || async { Ok(body()) })),
        };
        let (values, heard) = {
            let stage = lock(&self.stage);
            (stage.values.clone(), stage.heard.clone())
        };
        let expected = expect(case, &values);
        tally.add(&expected.rows);
        match compare(&expected, &result, ran.load(Ordering::SeqCst), &heard) {
            Ok(()) => Ok(expected.offered),
            // Nothing was to be late, yet something was: this machine is too busy to tell. What
            // differs without that is never forgiven, and this neither for ever.
            Err(_) if begun.elapsed() >= TIMEOUT && !expected.late && again > 0 => {
                self.check(case, again - 1, tally)
            }
            Err(difference) => Err(format!(
                "{difference}\nexpected {expected:?}\ngot {result:?}\nheard {}",
                Heard(&heard)
            )),
        }
    }
}

impl Stage {
    fn answer(&mut self, request: &Request) -> Reply {
        let segments: Vec<_> = request.target.split('/').skip(1).collect();
        let submits = segments == ["api", "actions", "execute"]
            || segments == ["api", "mcp", "tools", "call"];
        if submits && request.json()["intent_id"] != format!("case-{}", self.number) {
            return Reply::close_unanswered(); // its client gave up long ago
        }
        // Where events are offered, whoever waits asks for them beside the record. They never come;
        // an allow does, which starts nothing. (Streams as such: `events`.)
        if segments == ["api", "approvals", "events"] {
            return Shot::json(200, r#"{"status":"approved","decision":"approved"}"#)
                .reply(&self.values);
        }
        self.heard.push(request.clone());
        let next = |count: &mut usize| {
            *count += 1;
            *count - 1
        };
        let case = self.case.clone().expect("a case");
        let shot = match (request.method.as_str(), segments.as_slice()) {
            ("POST", _) if submits => {
                let body = request.json();
                self.values.request_id = text(&body, "request_id");
                self.values.body_hash = body_hash(&body);
                let shot = Case::nth(&case.submissions, next(&mut self.submissions));
                // Records and claims speak of the approval that was given, however odd its id.
                let answer =
                    serde_json::from_slice(&self.values.fill(&shot.body)).unwrap_or(Value::Null);
                if let Some(id) = answer["approval_id"].as_str() {
                    id.clone_into(&mut self.values.approval_id);
                }
                shot
            }
            ("GET", ["api", "approvals", _]) => Case::nth(&case.records, next(&mut self.records)),
            ("POST", ["api", "approvals", _, "claim"]) => {
                self.values.claim_id = text(&request.json(), "claim_id");
                Case::nth(&case.claims, next(&mut self.claims))
            }
            ("POST", ["api", "approvals", "outcomes"] | ["api", "approvals", _, "withdraw"]) => {
                Shot::json(200, "{}")
            }
            // Whoever follows a redirect or walks up a path finds an allow, and `compare` finds out.
            _ => Shot::json(200, r#"{"status":"accepted"}"#),
        };
        shot.reply(&self.values)
    }
}

fn text(body: &Value, key: &str) -> String {
    body[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} is text"))
        .to_owned()
}

/// PROTOCOL 22, of the submission that came; of a tool call, some hash: it is the service's to say.
pub fn body_hash(submission: &Value) -> String {
    let metadata = submission["metadata"].as_object().expect("an object");
    let action = match submission["action_id"] {
        Value::Null => "tool_name",
        _ => "action_id",
    };
    sernixa::protocol::body_hash(
        &text(submission, "intent_id"),
        &text(submission, action),
        metadata,
    )
}

fn compare(
    expected: &Expected,
    result: &Result<usize, Error>,
    ran: usize,
    heard: &[Request],
) -> Result<(), String> {
    let check = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    let runs = usize::from(expected.refused.is_none());
    check(
        ran == runs,
        "THE BODY RAN WHEN IT MUST NOT, or the other way round",
    )?;
    check(
        result.is_ok() == (runs == 1),
        "the result does not tell whether the body ran",
    )?;

    let paths: Vec<_> = heard
        .iter()
        .map(|r| (r.method.as_str(), r.path()))
        .collect();
    let to = |method: &str, suffix: &str| -> Vec<&Request> {
        heard
            .iter()
            .filter(|r| r.method == method && r.path().ends_with(suffix))
            .collect()
    };
    check(
        !paths
            .iter()
            .any(|(_, path)| path.split('/').any(|part| part == "trap")),
        "a redirect or a path was followed",
    )?;
    let submitted: Vec<_> = ["/api/actions/execute", "/api/mcp/tools/call"]
        .iter()
        .flat_map(|path| to("POST", path))
        .collect();
    // An answer that is too long may be judged by its status or not at all: not counted.
    if !matches!(expected.last, Some(Seen::TooLarge)) {
        check(
            submitted.len() == expected.submissions,
            "not the attempts that were expected",
        )?;
    }
    check(
        submitted.iter().all(|r| r.body == submitted[0].body),
        "a retry sent other bytes",
    )?;

    let id = expected
        .pending
        .as_ref()
        .map(|pending| encoded(&pending.approval_id));
    for (method, path) in &paths {
        if path.starts_with("/api/approvals/") && !path.ends_with("/outcomes") {
            let id = id
                .as_deref()
                .ok_or("an approval was asked for that nobody gave")?;
            let known = ["", "/claim", "/withdraw"]
                .iter()
                .any(|end| path[15..] == format!("{id}{end}"));
            check(
                known,
                &format!("{method} {path} is not about approval {id}"),
            )?;
        }
    }
    let claims = to("POST", "/claim");
    if !matches!(expected.last, Some(Seen::TooLarge)) {
        check(
            claims.len() == expected.claims,
            "not the claims that were expected",
        )?;
    }
    check(
        claims.iter().all(|r| r.body == claims[0].body),
        "a retried claim sent other bytes",
    )?;

    let Err(error) = result else { return Ok(()) };
    check(Kind::of(error) == expected.refused, "another error")?;
    if let Some(pending) = &expected.pending {
        check(
            error.approval_id() == Some(&pending.approval_id),
            "the error lost the approval id",
        )?;
    }
    let status = match &expected.last {
        Some(Seen::Answer(answer)) => Some(answer.status),
        _ => None,
    };
    check(
        error.status_code().is_none() || error.status_code() == status,
        "another status code",
    )?;
    if expected.pending.is_none() {
        let broken = matches!(expected.last, Some(Seen::Broken));
        let busy = matches!(status, Some(500 | 502 | 503 | 504));
        check(
            !(broken || busy) || error.is_retryable(),
            "this may be tried again",
        )?;
        let late = matches!(expected.last, Some(Seen::Late));
        check(
            !late || error.may_have_been_submitted(),
            "this may have been submitted",
        )?;
    }
    check(!error.to_string().contains('\n'), "more than one line")
}

/// Percent-encoded as one path segment: everything but RFC 3986's unreserved characters.
fn encoded(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    id.bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client that is quick about everything.
pub fn client(url: &str, setup: &Setup) -> Client {
    Client::builder()
        .environment(|_| None)
        .base_url(url)
        .poll_interval(Duration::from_millis(50))
        .poll_timeout(Duration::from_mins(1))
        .timeout(TIMEOUT)
        .max_retries(u32::try_from(setup.max_retries).unwrap())
        .accept_immediate_high_risk(setup.accept_immediate_high_risk)
        .require_claim(setup.require_claim)
        .build()
        .unwrap()
}

pub fn action(intent: &str, risk: RiskLevel) -> Action {
    Action::new(intent.to_owned())
        .risk(risk)
        .class(sernixa::OperationClass::Read)
        .sensitivity(sernixa::DataSensitivity::Internal)
        .systems(["db"])
}

struct Heard<'a>(&'a [Request]);

impl fmt::Display for Heard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|r| writeln!(f, "  {} {}", r.method, r.target))
    }
}
