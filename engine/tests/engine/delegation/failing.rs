//! A store that fails in the middle: never an allow, never half a token.

use std::sync::Arc;

use serde_json::{Value, json};
use sernixa_engine::Settings;

use super::{Given, House, admin, key_of, wide};
use crate::failing_store::Failing;
use crate::support::{CLAIM, Draft, reviewer};

fn house() -> (House, Arc<Failing>) {
    let store = Arc::new(Failing::new());
    let house = House::on(Arc::<Failing>::clone(&store), Settings::default());
    (house, store)
}

fn chain(house: &House) -> (Given, Given) {
    let root = house.root("orchestrator");
    let child = house.child(&root, "worker");
    (root, child)
}

/// What the list and the audit show; engine errors are noted where the store can.
fn picture(house: &House) -> (Vec<Value>, Vec<Value>) {
    let mut events = house.bench.events();
    events.retain(|event| event["event_type"] != "engine_error");
    (house.list(&admin()), events)
}

#[test]
fn a_failure_at_any_access_of_a_delegated_submission_is_a_no_and_uses_up_nothing() {
    for (draft, status) in [(Draft::read(), 200), (Draft::high(), 202)] {
        for panics in [false, true] {
            let mut failures = 0;
            for accesses in 0.. {
                let (house, store) = house();
                let (_, child) = chain(&house);
                let body = house.sign(&child, &draft).body();
                let before = picture(&house);
                store.fail_after(accesses, panics);
                let answer = house.bench.submit(&key_of("worker"), &body);
                store.fail_after(usize::MAX, false);
                if answer.status == status {
                    break;
                }
                failures += 1;
                answer.is(403, "blocked");
                assert_eq!(answer.reason(), "engine_error");
                assert_eq!(picture(&house), before, "after {accesses} accesses");
                let retry = house.bench.submit(&key_of("worker"), &body);
                assert_eq!(retry.status, status);
            }
            assert!(failures > 10, "the store was asked {failures} times only");
        }
    }
}

#[test]
fn a_failure_at_any_access_of_issuing_revoking_or_claiming_changes_nothing() {
    for step in ["issue", "revoke", "claim"] {
        for panics in [false, true] {
            let mut failures = 0;
            for accesses in 0.. {
                let (house, store) = house();
                let (root, child) = chain(&house);
                let waiting = house.waiting(&child, &Draft::high());
                house.bench.approve(&reviewer(), &waiting.id);
                let before = (picture(&house), house.bench.look(&waiting.id));
                let mut ask = wide("orchestrator", "helper");
                ask["parent_token_id"] = json!(root.id);
                store.fail_after(accesses, panics);
                let answer = match step {
                    "issue" => house.ask(&key_of("orchestrator"), &ask),
                    "revoke" => house.revoke(&admin(), &root),
                    _ => house.claim(&key_of("worker"), &waiting, CLAIM),
                };
                store.fail_after(usize::MAX, false);
                if matches!(answer.status, 200 | 201) {
                    break;
                }
                failures += 1;
                answer.is(503, "engine_error");
                let after = (picture(&house), house.bench.look(&waiting.id));
                assert_eq!(after, before, "{step} after {accesses} accesses");
            }
            assert!(failures > 3, "the store was asked {failures} times only");
        }
    }
}
