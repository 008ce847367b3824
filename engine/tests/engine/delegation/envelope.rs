//! The envelope: its signature, its time and its nonce, and the order of all checks.

use serde_json::json;
use sernixa_engine::{Principal, Role};

use super::{House, OTHER_SECRET, Signing, admin, key_of, merged, only, wide};
use crate::support::Draft;

/// A submission of the worker's that would be let through.
fn good(house: &House) -> (super::Given, Signing) {
    let token = house.root("worker");
    let signing = house.sign(&token, &Draft::read());
    (token, signing)
}

fn refused(house: &House, body: &str, word: &str) {
    house.bench.submit(&key_of("worker"), body).is(403, word);
    let event = house.bench.events().pop().unwrap();
    assert_eq!(event["event_type"], "submission_blocked");
    assert_eq!(event["decision"], word, "it is in the audit");
}

#[test]
fn a_signed_request_of_the_delegatee_is_judged_and_says_whom_it_was_for() {
    let house = House::new();
    let root = house.root("orchestrator");
    let token = house.child(&root, "worker");
    let mut signing = house.sign(&token, &Draft::high());
    signing.chain = Some(token.chain().to_owned());
    let answer = house.bench.submit(&key_of("worker"), &signing.body());
    let record = house.bench.look(&answer.waiting().id);
    assert_eq!(record["agent_id"], "worker");
    assert_eq!(record["delegation_chain_id"], root.chain());
    let event = house.bench.events().pop().unwrap();
    assert_eq!(event["delegation_token_id"], token.id);
    assert_eq!(event["delegation_depth"], 2);
    assert_eq!(event["signing_key_id"], "k1");
}

#[test]
fn whatever_is_signed_cannot_be_changed() {
    let house = House::new();
    let (_, signing) = good(&house);
    let honest = signing.value();
    for (member, value) in [
        ("signature", json!("0".repeat(64))),
        ("signature", json!("")),
        (
            "signature",
            json!(honest["signature"].as_str().unwrap().to_uppercase()),
        ),
        ("key_id", json!("k2")),
        ("key_id", json!("unknown")),
        ("algorithm", json!("none")),
        ("algorithm", json!("hmac-sha256")),
        ("body_hash", json!("0".repeat(64))),
        ("agent_id", json!("helper")),
        ("delegation_token_id", json!("dgt_0")),
        ("delegation_chain_id", json!("chn_0")),
        ("runtime_id", json!("r")),
        ("runtime_identity", json!("r")),
        ("service_identity", json!(null)),
        ("workload_identity", json!("w")),
        ("timestamp", json!(signing.timestamp + 1)),
        ("nonce", json!("0".repeat(32))),
        ("intent_id", json!("other")),
        ("action_id", json!("other")),
    ] {
        let body = merged(honest.clone(), &json!({member: value})).to_string();
        refused(&house, &body, "invalid_signature");
    }
    let mut metadata = honest.clone();
    metadata["metadata"]["extra"] = json!(1);
    refused(&house, &metadata.to_string(), "invalid_signature");
    let other = Signing {
        secret: OTHER_SECRET.into(),
        ..signing.clone()
    };
    refused(&house, &other.body(), "invalid_signature");
    assert_eq!(
        house
            .bench
            .submit(&key_of("worker"), &honest.to_string())
            .status,
        200
    );
}

#[test]
fn half_an_envelope_is_no_envelope() {
    let house = House::new();
    let (_, signing) = good(&house);
    for member in [
        "agent_id",
        "delegation_token_id",
        "key_id",
        "signature",
        "timestamp",
        "nonce",
    ] {
        let mut body = signing.value();
        body.as_object_mut().unwrap().remove(member);
        house
            .bench
            .submit(&key_of("worker"), &body.to_string())
            .is(422, "invalid_request");
    }
}

#[test]
fn a_timestamp_more_than_300_seconds_off_is_stale() {
    let house = House::new();
    let (token, _) = good(&house);
    for (off, word) in [
        (-301, "stale_timestamp"),
        (301, "stale_timestamp"),
        (i64::MIN / 2, "stale_timestamp"),
        (i64::MAX / 2, "stale_timestamp"),
    ] {
        let mut signing = house.sign(&token, &Draft::read());
        signing.timestamp = signing.timestamp.saturating_add(off);
        refused(&house, &signing.body(), word);
    }
    for off in [-300, 300] {
        let mut signing = house.sign(&token, &Draft::read());
        signing.timestamp += off;
        assert_eq!(
            house
                .bench
                .submit(&key_of("worker"), &signing.body())
                .status,
            200
        );
    }
}

#[test]
fn a_nonce_that_is_none_is_invalid() {
    let house = House::new();
    let (token, _) = good(&house);
    for nonce in [
        "",
        "00",
        &"0".repeat(31),
        &"g".repeat(32),
        &"A".repeat(32),
        &"0".repeat(33),
    ] {
        let mut signing = house.sign(&token, &Draft::read());
        signing.nonce = nonce.into();
        refused(&house, &signing.body(), "invalid_nonce");
    }
}

#[test]
fn both_secrets_of_a_rotation_count_until_the_old_one_is_taken_away() {
    let house = House::new();
    let (token, signing) = good(&house);
    assert_eq!(
        house
            .bench
            .submit(&key_of("worker"), &signing.body())
            .status,
        200
    );
    let mut newer = house.sign(&token, &Draft::read());
    (newer.key_id, newer.secret) = ("k2".into(), OTHER_SECRET.into());
    assert_eq!(
        house.bench.submit(&key_of("worker"), &newer.body()).status,
        200
    );
}

/// Each request has every fault from its own on; the first in the order of DESIGN 9 is answered.
#[test]
fn the_checks_come_in_the_order_of_the_contract() {
    let house = House::new();
    let caller = key_of("worker").acting_as(only(&["helper"]));
    let ended = house.issue(
        &admin(),
        &merged(
            wide("admin", "orchestrator"),
            &json!({"expires_in_seconds": 60}),
        ),
    );
    house.revoke(&admin(), &ended);
    let revoked = house.root("orchestrator");
    house.revoke(&admin(), &revoked);
    let other = house.root("orchestrator");
    let own = house.issue(&admin(), &{
        let mut ask = wide("admin", "worker");
        ask["scope"]["max_risk_level"] = json!("low");
        ask
    });
    house.bench.pass(61_000);

    // A secret in the metadata is looked for last: delegation comes before the DLP floor.
    let draft = Draft::high().meta("note", "AKIAIOSFODNN7EXAMPLE");
    let used = house.nonce();
    let mut first = house.sign(&own, &Draft::read());
    first.nonce.clone_from(&used);
    house.bench.submit(&key_of("worker"), &first.body());

    let mut signing = house.sign(&own, &draft);
    signing.token = "dgt_unknown".into();
    signing.nonce = "none".into();
    signing.timestamp -= 10_000;
    signing.secret = "wrong".into();
    let check = |signing: &Signing, caller: &Principal, word: &str| {
        let answer = house.bench.submit(caller, &signing.body());
        answer.is(403, word);
    };
    check(&signing, &caller, "invalid_signature");
    signing.secret = super::SECRET.into();
    check(&signing, &caller, "stale_timestamp");
    signing.timestamp += 10_000;
    check(&signing, &caller, "invalid_nonce");
    signing.nonce = used;
    check(&signing, &caller, "replayed_nonce");
    let fresh = |signing: &mut Signing| signing.nonce = house.nonce();
    fresh(&mut signing);
    check(&signing, &caller, "invalid_chain");
    fresh(&mut signing);
    signing.token = ended.id;
    signing.chain = Some("chn_of_another".into());
    check(&signing, &caller, "invalid_chain");
    fresh(&mut signing);
    signing.chain = None;
    check(&signing, &caller, "expired_token");
    fresh(&mut signing);
    signing.token = revoked.id;
    check(&signing, &caller, "revoked_token");
    fresh(&mut signing);
    signing.token = other.id;
    check(&signing, &caller, "mismatched_delegatee");
    fresh(&mut signing);
    signing.token = own.id.clone();
    check(&signing, &caller, "unknown_agent");
    fresh(&mut signing);
    check(&signing, &key_of("worker"), "out_of_scope");
    fresh(&mut signing);
    let low = Draft::read().meta("note", "AKIAIOSFODNN7EXAMPLE");
    signing.body = serde_json::from_str(&low.body()).unwrap();
    let answer = house.bench.submit(&key_of("worker"), &signing.body());
    answer.is(403, "blocked");
    assert_eq!(answer.reason(), "dlp_floor");
    // Before all of it: role and contract.
    let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
    house
        .bench
        .submit(&auditor, &signing.body())
        .is(403, "forbidden");
}
