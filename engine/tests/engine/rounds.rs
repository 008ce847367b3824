//! Actions that go on, round by round, and what the audit says of them afterwards; on any store.

use serde_json::{Value, json};
use sernixa_engine::audit::{Event, Receipt};
use sernixa_engine::{Principal, Role};

use crate::support::{Bench, CLAIM, Draft, agent, reviewer};

/// Three actions that are told something more than once while they go on: one that was claimed, one
/// that ran at once, and one that ended then. Each report stands in the audit, the same one again too,
/// and the chain of them holds, with its receipts.
pub(crate) fn note_rounds(bench: &Bench) {
    let mut told = Vec::new();
    let mut tell = |proof: &Value, nth: char| {
        let digest = format!("hmac-sha256:{}", nth.to_string().repeat(64));
        let mut report = proof.clone();
        report["outcome"] = "continued".into();
        report["input_digest"] = digest.as_str().into();
        assert_eq!(bench.report(&agent(), report), "recorded");
        told.push(digest);
    };
    let claimed = || {
        let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
        bench.approve(&reviewer(), &waiting.id);
        assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
        json!({"approval_id": waiting.id, "claim_token": waiting.token})
    };
    let at_once = bench.submit(&agent(), &Draft::read().top("request_id", "r-1").body());
    let at_once = json!({"approval_id": at_once.id(), "request_id": "r-1"});
    let (goes_on, ended) = (claimed(), claimed());
    // The first brings it to `continued`; what follows is only noted. In turn, so that the last event
    // about an approval is not the one before in the chain.
    for nth in ['a', 'b', 'b', 'a'] {
        for proof in [&at_once, &goes_on, &ended] {
            tell(proof, nth);
        }
    }
    let mut end = ended.clone();
    end["outcome"] = "succeeded".into();
    assert_eq!(bench.report(&agent(), end), "recorded");

    let digests: Vec<String> = bench
        .events()
        .iter()
        .filter_map(|event| event["input_digest"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(digests, told, "each report is an event, in order");
    for (proof, stands) in [
        (&at_once, "continued"),
        (&goes_on, "continued"),
        (&ended, "succeeded"),
    ] {
        let id = proof["approval_id"].as_str().unwrap();
        assert_eq!(bench.look(id)["execution"], stands);
    }
    let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
    let events = bench.engine.audit(&auditor, 0, 100).unwrap();
    let receipts: Vec<Receipt> = events.iter().map(Event::receipt).collect();
    let report = bench.engine.verify_audit(&auditor, &receipts).unwrap();
    assert!(report.is_valid(), "{report:?}");
    assert_eq!(report.events, events.len() as u64);
}
