//! What follows a delegated submission: claim, withdrawal, outcome, and a client that only reads.

use serde_json::{Value, json};
use sernixa_engine::{Principal, Request, Role};
use sernixa_protocol::ApprovalStep;

use super::{Given, House, OTHER_SECRET, Stepped, admin, key_of, merged, only, wide};
use crate::support::{Answered, CLAIM, Draft, OTHER_CLAIM, Waiting, reviewer};

/// Something of the worker's that was approved.
fn approved(house: &House) -> (Given, Waiting) {
    let root = house.root("orchestrator");
    let token = house.child(&root, "worker");
    let waiting = house.waiting(&token, &Draft::high());
    house.bench.approve(&reviewer(), &waiting.id);
    (root, waiting)
}

/// Every way in which a step is not signed as its request was.
fn badly_signed(house: &House, good: &Stepped) -> Vec<(Value, &'static str)> {
    let changed = |change: &dyn Fn(&mut Stepped)| {
        let mut step = Stepped {
            nonce: house.nonce(),
            ..good.clone()
        };
        change(&mut step);
        step.members()
    };
    let mut cases = vec![
        (json!({}), "invalid_signature"),
        (
            changed(&|step| step.secret = "wrong".into()),
            "invalid_signature",
        ),
        // Another key of the ring, rightly used: not the one that signed the request.
        (
            changed(&|step| (step.key_id, step.secret) = ("k2".into(), OTHER_SECRET.into())),
            "invalid_signature",
        ),
        (
            changed(&|step| step.key_id = "unknown".into()),
            "invalid_signature",
        ),
        (
            changed(&|step| step.approval_id = "apr_0".into()),
            "invalid_signature",
        ),
        (
            changed(&|step| step.body_hash = "0".repeat(64)),
            "invalid_signature",
        ),
        (
            changed(&|step| {
                step.step = if step.step == ApprovalStep::CLAIM {
                    ApprovalStep::OUTCOME
                } else {
                    ApprovalStep::CLAIM
                };
            }),
            "invalid_signature",
        ),
        (
            changed(&|step| step.claim_id = Some(OTHER_CLAIM.into())),
            "invalid_signature",
        ),
        (changed(&|step| step.timestamp -= 301), "stale_timestamp"),
        (changed(&|step| step.timestamp += 301), "stale_timestamp"),
        (
            changed(&|step| step.nonce = "nonce".into()),
            "invalid_nonce",
        ),
    ];
    let mut algorithm = good.members();
    algorithm["algorithm"] = json!("none");
    cases.push((algorithm, "invalid_signature"));
    cases
}

#[test]
fn a_signed_claim_by_the_same_key_and_agent_starts_it() {
    let house = House::new();
    let (_, waiting) = approved(&house);
    assert_eq!(house.claim(&key_of("worker"), &waiting, CLAIM).status, 200);
    house
        .claim(&key_of("worker"), &waiting, OTHER_CLAIM)
        .is(409, "already_claimed");
}

#[test]
fn a_claim_that_is_not_signed_as_its_request_was_is_refused_and_audited() {
    let house = House::new();
    let (_, waiting) = approved(&house);
    let good = house.step(ApprovalStep::CLAIM, &waiting, Some(CLAIM));
    for (signature, word) in badly_signed(&house, &good) {
        house
            .claim_with(&key_of("worker"), &waiting, CLAIM, &signature)
            .is(403, word);
        let event = house.bench.events().pop().unwrap();
        assert_eq!(
            (&event["event_type"], &event["decision"]),
            (&json!("claim_refused"), &json!(word))
        );
    }
    // Half a signature is a mistake of the client's.
    let mut half = good.members();
    half.as_object_mut().unwrap().remove("nonce");
    house
        .claim_with(&key_of("worker"), &waiting, CLAIM, &half)
        .is(422, "invalid_request");
    assert_eq!(
        house
            .claim_with(&key_of("worker"), &waiting, CLAIM, &good.members())
            .status,
        200
    );
}

#[test]
fn a_stolen_id_and_hash_without_the_token_start_nothing() {
    let house = House::new();
    let (_, mut waiting) = approved(&house);
    waiting.token = "0".repeat(64);
    house
        .claim(&key_of("worker"), &waiting, CLAIM)
        .is(409, "invalid_claim_token");
}

#[test]
fn an_agent_that_lost_its_binding_claims_nothing() {
    let house = House::new();
    let (_, waiting) = approved(&house);
    let unbound = key_of("worker").acting_as(only(&["helper"]));
    house
        .claim(&unbound, &waiting, CLAIM)
        .is(403, "unknown_agent");
}

#[test]
fn the_retry_of_a_lost_claim_answer_wins_and_its_nonce_serves_nothing_else() {
    let house = House::new();
    let (_, waiting) = approved(&house);
    let step = house.step(ApprovalStep::CLAIM, &waiting, Some(CLAIM));
    let first = house.claim_with(&key_of("worker"), &waiting, CLAIM, &step.members());
    assert_eq!(first.status, 200);
    // The same bytes again, and the same claim signed anew.
    assert_eq!(
        house.claim_with(&key_of("worker"), &waiting, CLAIM, &step.members()),
        first
    );
    assert_eq!(house.claim(&key_of("worker"), &waiting, CLAIM), first);
    // Its nonce for another claim, rightly signed.
    let other = Stepped {
        claim_id: Some(OTHER_CLAIM.into()),
        ..step.clone()
    };
    house
        .claim_with(&key_of("worker"), &waiting, OTHER_CLAIM, &other.members())
        .is(403, "replayed_nonce");
    // And for a submission.
    let token = house.root("worker");
    let mut signing = house.sign(&token, &Draft::read());
    signing.nonce.clone_from(&step.nonce);
    house
        .bench
        .submit(&key_of("worker"), &signing.body())
        .is(403, "replayed_nonce");
    // The other way round: a submission's nonce in a step.
    let mut signing = house.sign(&token, &Draft::high());
    signing.nonce = house.nonce();
    let next = house
        .bench
        .submit(&key_of("worker"), &signing.body())
        .waiting();
    house.bench.approve(&reviewer(), &next.id);
    let step = Stepped {
        nonce: signing.nonce,
        ..house.step(ApprovalStep::CLAIM, &next, Some(CLAIM))
    };
    house
        .claim_with(&key_of("worker"), &next, CLAIM, &step.members())
        .is(403, "replayed_nonce");
}

#[test]
fn a_claim_after_the_revocation_of_any_link_is_refused() {
    for link in 0..3 {
        let house = House::new();
        let root = house.root("orchestrator");
        let middle = house.child(&root, "worker");
        let last = house.child(&middle, "helper");
        let waiting = house.waiting(&last, &Draft::high());
        house.bench.approve(&reviewer(), &waiting.id);
        house.revoke(&admin(), [&root, &middle, &last][link]);
        let answer = house.claim(&key_of("helper"), &waiting, CLAIM);
        answer.is(409, "revoked_token");
        assert_eq!(house.bench.look(&waiting.id)["execution"], "none");
    }
}

#[test]
fn a_claim_after_the_expiry_of_a_link_is_refused() {
    let house = House::new();
    let token = house.issue(
        &admin(),
        &merged(wide("admin", "worker"), &json!({"expires_in_seconds": 60})),
    );
    let waiting = house.waiting(&token, &Draft::high());
    house.bench.approve(&reviewer(), &waiting.id);
    house.bench.pass(60_000);
    house
        .claim(&key_of("worker"), &waiting, CLAIM)
        .is(409, "expired_token");
}

#[test]
fn a_claim_that_was_answered_is_answered_again_after_revocation() {
    let house = House::new();
    let (root, waiting) = approved(&house);
    let first = house.claim(&key_of("worker"), &waiting, CLAIM);
    house.revoke(&admin(), &root);
    // It may be running already: the retry of the lost answer hears what the first one said.
    assert_eq!(house.claim(&key_of("worker"), &waiting, CLAIM), first);
}

fn withdraw(house: &House, waiting: &Waiting, signature: &Value) -> Answered {
    let body = merged(json!({"claim_token": waiting.token}), signature).to_string();
    house.bench.handle(
        &key_of("worker"),
        Request::Withdraw {
            approval_id: &waiting.id,
            body: &body,
        },
    )
}

#[test]
fn a_withdrawal_is_signed_too() {
    let house = House::new();
    let token = house.root("worker");
    let waiting = house.waiting(&token, &Draft::high());
    let good = house.step(ApprovalStep::WITHDRAW, &waiting, None);
    for (signature, word) in badly_signed(&house, &good) {
        withdraw(&house, &waiting, &signature).is(403, word);
        assert_eq!(
            house.bench.event_types().last().unwrap(),
            "withdraw_refused"
        );
    }
    assert_eq!(house.bench.look(&waiting.id)["status"], "pending_review");
    let done = withdraw(&house, &waiting, &good.members());
    assert_eq!(
        (done.status, &done.body["status"]),
        (200, &json!("expired"))
    );
    assert_eq!(
        withdraw(&house, &waiting, &good.members()).status,
        200,
        "its retry"
    );
}

#[test]
fn an_outcome_is_signed_too_and_its_signature_serves_no_other() {
    let house = House::new();
    let (_, waiting) = approved(&house);
    house.claim(&key_of("worker"), &waiting, CLAIM);
    let report = |outcome: &str, signature: &Value| {
        let report = json!({"approval_id": waiting.id, "claim_token": waiting.token,
            "outcome": outcome, "duration_ms": 5});
        house
            .bench
            .report(&key_of("worker"), merged(report, signature))
    };
    let good = house.step(ApprovalStep::OUTCOME, &waiting, None);
    for (signature, word) in badly_signed(&house, &good) {
        assert_eq!(report("succeeded", &signature), word);
        assert_eq!(house.bench.event_types().last().unwrap(), "outcome_refused");
    }
    assert_eq!(house.bench.look(&waiting.id)["execution"], "claimed");
    assert_eq!(report("outcome_unknown", &good.members()), "recorded");
    // Caught on its way and sent with another word: the signed text does not hold the word, but
    // the nonce is bound to it.
    assert_eq!(report("succeeded", &good.members()), "replayed_nonce");
    assert_eq!(
        report("outcome_unknown", &good.members()),
        "recorded",
        "its retry"
    );
    let again = house.step(ApprovalStep::OUTCOME, &waiting, None);
    assert_eq!(report("succeeded", &again.members()), "recorded");
}

#[test]
fn the_signature_of_one_round_serves_no_other() {
    let house = House::new();
    let (_, waiting) = approved(&house);
    house.claim(&key_of("worker"), &waiting, CLAIM);
    let good = house.step(ApprovalStep::OUTCOME, &waiting, None);
    let told = |digit: &str| {
        let digest = format!("hmac-sha256:{}", digit.repeat(64));
        let report = json!({"approval_id": waiting.id, "claim_token": waiting.token,
            "outcome": "continued", "input_digest": digest});
        let report = merged(report, &good.members());
        house.bench.report(&key_of("worker"), report)
    };
    assert_eq!(told("a"), "recorded");
    assert_eq!(told("b"), "replayed_nonce");
    assert_eq!(told("a"), "recorded", "its retry");
}

#[test]
fn what_ran_at_once_under_a_delegation_reports_signed_as_well() {
    let house = House::new();
    let token = house.root("worker");
    let answer = house.submit(&token, &Draft::read());
    let allowed = Waiting {
        id: answer.id().to_owned(),
        token: String::new(),
        body_hash: answer.body["body_hash"].as_str().unwrap().to_owned(),
    };
    let report =
        json!({"approval_id": allowed.id, "request_id": "a".repeat(32), "outcome": "succeeded"});
    assert_eq!(
        house.bench.report(&key_of("worker"), report.clone()),
        "invalid_signature"
    );
    let step = house.step(ApprovalStep::OUTCOME, &allowed, None).members();
    assert_eq!(
        house.bench.report(&key_of("worker"), merged(report, &step)),
        "recorded"
    );
}

#[test]
fn another_key_of_the_same_agent_does_none_of_it() {
    let house = House::new();
    let (_, waiting) = approved(&house);
    let other = Principal::new("acme", "other-key")
        .with(Role::Agent)
        .with(Role::Reviewer)
        .acting_as(only(&["worker"]));
    house
        .claim(&other, &waiting, CLAIM)
        .is(409, "invalid_claim_token");
}

/// Both Python SDKs read the record until it says `approved`, and start.
#[test]
fn a_client_that_never_claims_finds_it_blocked_once_its_delegation_has_ended() {
    let house = House::new();
    let plain = || Draft::high().meta("policy_surface", "python_sdk");
    let read = |waiting: &Waiting| {
        house.bench.handle(
            &key_of("worker"),
            Request::Record {
                approval_id: &waiting.id,
            },
        )
    };
    let token = house.root("worker");
    let (first, second) = (
        house.waiting(&token, &plain()),
        house.waiting(&token, &plain()),
    );
    for waiting in [&first, &second] {
        house.bench.approve(&reviewer(), &waiting.id);
    }
    assert_eq!(read(&first).body["execution"], "delivered");
    house.revoke(&admin(), &token);
    let blocked = read(&second);
    assert_eq!(blocked.body["status"], "blocked");
    assert_eq!(blocked.body["execution"], "none");
    assert!(
        blocked.body["decision_reason"]
            .as_str()
            .unwrap()
            .contains("revoked")
    );
    assert_eq!(
        blocked.body["decided_by"], "rita",
        "the decision stays in the record"
    );
    assert_eq!(
        house.bench.event_types().last().unwrap(),
        "approval_blocked"
    );
    // What has started is not called back.
    assert_eq!(read(&first).body["status"], "approved");
    house
        .claim(&key_of("worker"), &second, CLAIM)
        .is(409, "blocked");
    // And the audit bears out every approval as it stands.
    let report = sernixa_engine::audit::verify_approvals(&*house.store).unwrap();
    assert_eq!((report.checked, report.faults.len()), (2, 0));
}

#[test]
fn a_delegation_that_is_taken_off_an_approval_is_found_in_the_audit() {
    use sernixa_engine::{Approval, Subject};

    let house = House::new();
    let root = house.root("orchestrator");
    let token = house.child(&root, "worker");
    let waiting = house.waiting(&token, &Draft::high());
    let stored = house.store.approvals(None, 1).unwrap().remove(0);
    assert_eq!(stored.id.to_string(), waiting.id);
    let faults = |approval: &Approval| {
        let put = &mut |state: &mut dyn sernixa_engine::State| state.put_approval(approval);
        house.store.transact(put).unwrap();
        let report = sernixa_engine::audit::verify_approvals(&*house.store).unwrap();
        report.faults.len()
    };
    assert_eq!(faults(&stored), 0);
    let edits: [fn(&mut Subject); 6] = [
        |subject| subject.delegation_token_id = None,
        |subject| subject.delegation_chain_id = None,
        |subject| subject.delegation_depth = 0,
        |subject| subject.agent_id = Some("another".into()),
        |subject| subject.signing_key_id = Some("another".into()),
        // Whoever delegated could then decide.
        |subject| subject.delegator_owners = Box::default(),
    ];
    for (at, edit) in edits.into_iter().enumerate() {
        let mut subject = Subject::clone(&stored.subject);
        edit(&mut subject);
        let mut edited = stored.clone();
        edited.subject = std::sync::Arc::new(subject);
        assert_eq!(faults(&edited), 1, "edit {at}");
    }
}
