//! The claim: one approval starts one execution.

use sernixa_engine::Request;

use crate::support::{Bench, CLAIM, Draft, OTHER_CLAIM, agent, reviewer};

#[test]
fn an_approved_request_is_claimed_once() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    let claimed = bench.claim(&agent(), &waiting, CLAIM);
    assert_eq!(claimed.status, 200, "{}", claimed.body);
    assert_eq!(claimed.body["status"], "claimed");
    bench
        .claim(&agent(), &waiting, OTHER_CLAIM)
        .is(409, "already_claimed");
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM), claimed);
    let record = bench.handle(
        &agent(),
        Request::Record {
            approval_id: &waiting.id,
        },
    );
    assert_eq!(record.body["execution"], "claimed");
}
