//! Policies that change under a running service, as its operator sees it.

use serde_json::Value;

use crate::support::asked::Asked;
use crate::support::house::House;
use crate::support::until;

#[test]
fn a_broken_policy_leaves_the_old_ones_in_force_and_readiness_and_log_say_so() {
    let house = House::production();
    let agent = house.key("agent", "ann", &[]);
    let mut serve = house.serve();
    let agent = serve.caller(&agent);
    let policy = || -> Value { agent.get("/ready").json()["checks"]["policy"].clone() };
    let before = policy();
    assert_eq!(before["status"], "ok");
    agent.submit(&Asked::harmless("look")).expect(200);

    // One file that cannot be loaded, among those that can.
    house.write_policy("late.cedar", "forbid (principal, action, nonsense");
    let after = until("it is told", || Some(policy()).filter(|now| *now != before));
    assert_eq!(after["status"], "stale");
    assert_eq!(after["digest"], before["digest"]);
    until("it is logged", || {
        let log = serve.log();
        let told = log.lines().find(|line| line.contains("stay in force"))?;
        assert!(told.contains("late.cedar:1:"), "{told}");
        Some(())
    });
    // What was allowed still is, what waited still waits, what was forbidden still is.
    agent.submit(&Asked::harmless("look")).expect(200);
    agent.submit(&Asked::new("pay")).expect(202);
    house.forbid("look-up");

    // Mended, the whole folder counts, with what came meanwhile.
    house.write_policy(
        "late.cedar",
        "@id(\"late\") forbid (principal, action == Sernixa::Action::\"request\", \
         resource == Sernixa::Tool::\"pay-invoice\");",
    );
    until("the new policy is in force", || {
        (agent.submit(&Asked::new("pay")).status == 403).then_some(())
    });
    assert_eq!(policy()["status"], "ok");
    assert_ne!(policy()["digest"], before["digest"]);
}
