//! What a policy reads of a delegation: that there is one, how deep it is, and which agent asks.

use std::sync::Arc;

use serde_json::json;

use super::{House, key_of};
use crate::cedar::{ASK, METADATA, load};
use crate::support::Draft;

/// A house under these policies.
fn under(policies: &[&str]) -> House {
    let house = House::new();
    let set = load(policies, METADATA).unwrap_or_else(|error| panic!("{error}"));
    house.bench.engine.replace_policy(Arc::new(set));
    house
}

#[test]
fn a_policy_tells_delegated_requests_from_others_and_by_their_depth() {
    let house = under(&[
        ASK,
        r#"@id("delegated-reads") permit (principal, action == Sernixa::Action::"proceed", resource)
           when { context.delegated && context.delegation_depth == 1 };"#,
        r#"@id("no-third-hand") forbid (principal, action == Sernixa::Action::"request", resource)
           when { context.delegation_depth > 2 };"#,
    ]);
    let draft = Draft::read();
    let plain = house.bench.submit(&key_of("worker"), &draft.body());
    assert_eq!(plain.status, 202, "{}", plain.body);

    let first = house.root("worker");
    assert_eq!(house.submit(&first, &draft).status, 200);
    let second = house.child(&first, "helper");
    assert_eq!(house.submit(&second, &draft).status, 202);
    let third = house.child(&second, "a1");
    let refused = house.submit(&third, &draft);
    refused.is(403, "blocked");
    assert_eq!(
        refused.body["detail"]["evidence"]["policies"],
        json!(["no-third-hand"])
    );
}

#[test]
fn a_policy_names_the_agent_that_acts_and_nobody_of_its_name() {
    let house = under(&[
        ASK,
        r#"@id("worker-reads") permit (principal == Sernixa::Agent::"worker",
           action == Sernixa::Action::"proceed", resource);"#,
    ]);
    let draft = Draft::read();
    let worker = house.root("worker");
    assert_eq!(house.submit(&worker, &draft).status, 200);
    let helper = house.root("helper");
    assert_eq!(house.submit(&helper, &draft).status, 202);
    // The same key without a delegation, also where its owner is called like the agent.
    let namesake = key_of("worker").owned_by("worker");
    for caller in [key_of("worker"), namesake] {
        let plain = house.bench.submit(&caller, &draft.body());
        assert_eq!(plain.status, 202, "{}", plain.body);
    }
}
