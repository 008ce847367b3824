//! The real Python SDKs, 0.2.0 and 0.6.9, against a production service: what their callers see is
//! the exception of the reference, and a refused function has not run. (0.2.0 runs it on any
//! answer below 400 but 202, PROTOCOL 27.1.)

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::house::{House, SIGNING_KEY_ID, SIGNING_SECRET};
use crate::support::{python, reviewer::Reviewer};

/// A case of `tests/python/clients.py`: its name, how it ends, the reason's beginning, how often
/// the body ran.
type Case = (&'static str, &'static str, &'static str, i64);

const BOTH_DOORS: &[Case] = &[
    ("allowed", "returned", "", 1),
    ("approved", "returned", "", 1),
    ("critical approved", "returned", "", 1),
    ("rejected", "SernixaRejectedError", "seen by a test", 0),
    ("blocked", "SernixaBlockedError", "", 0),
    ("expired", "SernixaExpiredError", "", 0),
    ("timed out", "SernixaTimeoutError", "", 0),
    ("wrong key", "SernixaBlockedError", "", 0),
];

const SCOPE: &str = "SernixaDelegationScopeError";

const ONCE: &[Case] = &[
    ("delegated", "returned", "", 1),
    ("delegated critical", "returned", "", 1),
    ("delegated twice", "returned", "", 1),
    ("within the tools", "returned", "", 1),
    (
        "wrong secret",
        "SernixaSignatureError",
        "invalid_signature",
        0,
    ),
    (
        "malformed nonce",
        "SernixaSignatureError",
        "invalid_nonce",
        0,
    ),
    ("replayed nonce", "SernixaReplayError", "replayed_nonce", 0),
    ("old timestamp", "SernixaReplayError", "stale_timestamp", 0),
    (
        "future timestamp",
        "SernixaReplayError",
        "stale_timestamp",
        0,
    ),
    ("out of scope by risk", SCOPE, "out_of_scope", 0),
    ("out of scope by class", SCOPE, "out_of_scope", 0),
    ("out of scope by sensitivity", SCOPE, "out_of_scope", 0),
    ("out of scope by tool", SCOPE, "out_of_scope", 0),
    ("wrong delegatee", SCOPE, "mismatched_delegatee", 0),
    ("unknown agent", SCOPE, "unknown_agent", 0),
    ("revoked", SCOPE, "revoked_token", 0),
    ("revoked above", SCOPE, "revoked_token", 0),
    ("expired token", SCOPE, "expired_token", 0),
    ("no such token", SCOPE, "invalid_chain", 0),
    ("broken chain", SCOPE, "invalid_chain", 0),
    ("broadened child", "SernixaApiError", "", 0),
    ("unsigned", "SernixaConfigurationError", "", 0),
    ("gate allows", "returned", "", 0),
    ("gate asks", "returned", "", 0),
    ("gate asks at critical", "returned", "", 0),
    ("gate blocks", "SernixaBlockedError", "", 0),
    ("memory of a function: taught", "returned", "", 3),
    ("memory of a function", "SernixaTimeoutError", "", 0),
    ("memory of a boundary: taught", "returned", "", 3),
    ("memory of a boundary", "SernixaTimeoutError", "", 0),
    (
        "memory of a boundary without arguments",
        "SernixaTimeoutError",
        "",
        0,
    ),
    ("readiness", "returned", "", 0),
];

#[test]
fn sdk_0_2_0_sees_what_the_reference_promises_it() {
    check("sdk-0.2.0");
}

#[test]
fn sdk_0_6_9_sees_what_the_reference_promises_it() {
    check("sdk-0.6.9");
}

fn check(environment: &str) {
    let Some(environment) = python::environment(environment) else {
        return;
    };
    let cases = run(&environment);
    let doors = BOTH_DOORS.iter().flat_map(|(name, outcome, reason, runs)| {
        ["sync", "async"].map(|door| (format!("{name} {door}"), *outcome, *reason, *runs))
    });
    let once = ONCE
        .iter()
        .map(|&(name, outcome, reason, runs)| (name.to_owned(), outcome, reason, runs));
    let mut wrong = Vec::new();
    let mut expected = 0;
    for (name, outcome, reason, runs) in doors.chain(once) {
        expected += 1;
        let Some(case) = cases.get(&name) else {
            wrong.push(format!("{name}: it said nothing"));
            continue;
        };
        let said = case["reason"].as_str().unwrap_or_default();
        if case["outcome"] != outcome || case["ran"] != runs || !said.starts_with(reason) {
            wrong.push(format!(
                "{name}: expected {outcome} {reason} {runs}; got {case}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(cases.len(), expected, "{:?}", cases.keys());

    let value = |name: &str| &cases[name]["value"];
    assert_eq!(value("readiness"), "ready");
    assert_eq!(value("gate allows")["status"], "accepted");
    assert_eq!(
        value("gate allows")["dispatch_mode"],
        "caller_owned_after_allowed"
    );
    for waiting in ["gate asks", "gate asks at critical"] {
        assert_eq!(value(waiting)["status"], "pending_review");
        assert!(value(waiting)["approval_id"].is_string());
    }
    assert_eq!(cases["gate blocks"]["status_code"], 403);
    // What the reference drops of a refusal it keeps in `evidence` (PROTOCOL 0.3).
    for (name, case) in &cases {
        if case["outcome"] == SCOPE {
            let word = &case["evidence"]["status"];
            assert_eq!(word, &case["reason"], "{name}: {case}");
        }
    }
}

/// Runs `tests/python/clients.py` against a production service, and one that expires quickly.
fn run(environment: &std::path::Path) -> BTreeMap<String, Value> {
    let house = House::production();
    let agent = house.key("agent", "ann", &["worker-agent", "helper-agent"]);
    let root = house.key("admin", "olga", &[]);
    let reviewer = house.key("reviewer", "rita", &[]);
    let serve = house.serve();

    let hasty = House::production().ttl("2s");
    let hasty_key = hasty.key("agent", "ann", &[]);
    let hasty_serve = hasty.serve();

    let broken = house.broken_token(&serve.caller(&root));
    let _reviewer = Reviewer::start(serve.caller(&reviewer));
    let setting = json!({
        "url": serve.url(),
        "hasty_url": hasty_serve.url(),
        "agent_key": agent,
        "root_key": root,
        "hasty_key": hasty_key,
        "signing_key_id": SIGNING_KEY_ID,
        "signing_secret": SIGNING_SECRET,
        "broken_token": broken,
    });
    let output = python::script(
        environment,
        "clients.py",
        house.path(),
        &setting.to_string(),
    );
    output
        .lines()
        .map(|line| {
            let case: Value = serde_json::from_str(line).unwrap();
            (case["case"].as_str().unwrap().to_owned(), case)
        })
        .collect()
}
