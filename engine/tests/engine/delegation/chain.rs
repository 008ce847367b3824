//! The chain from the token that is used up to its root: what ends or breaks one link, ends all
//! below it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sernixa_engine::audit::{TokenFault, TokenFaultKind, verify_delegations};
use sernixa_engine::{DelegationToken, Digest, Timestamp, TokenId};

use super::{CLAIM_KEY, Given, House, admin, key_of, merged, wide};
use crate::support::Draft;

/// Orchestrator, worker and helper, each by leave of the one before.
fn three(house: &House) -> [Given; 3] {
    let root = house.root("orchestrator");
    let middle = house.child(&root, "worker");
    let last = house.child(&middle, "helper");
    [root, middle, last]
}

#[test]
fn revoking_any_link_revokes_all_that_narrow_it_and_nothing_else() {
    for revoked in 0..3 {
        let house = House::new();
        let chain = three(&house);
        let sibling = house.child(&chain[0], "a1");
        house.revoke(&admin(), &chain[revoked]);
        for (at, token) in chain.iter().enumerate() {
            let answer = house.submit(token, &Draft::read());
            if at >= revoked {
                answer.is(403, "revoked_token");
            } else {
                assert_eq!(answer.status, 200);
            }
        }
        let expected = if revoked == 0 { 403 } else { 200 };
        assert_eq!(house.submit(&sibling, &Draft::read()).status, expected);
        // No child comes from it either.
        let mut ask = wide("helper", "a2");
        ask["parent_token_id"] = json!(chain[2].id);
        house.ask(&key_of("helper"), &ask).is(403, "revoked_token");
    }
}

#[test]
fn a_token_expires_at_its_second() {
    let house = House::new();
    let token = house.issue(
        &admin(),
        &merged(wide("admin", "worker"), &json!({"expires_in_seconds": 10})),
    );
    house.bench.pass(9_999);
    assert_eq!(house.submit(&token, &Draft::read()).status, 200);
    house.bench.pass(1);
    house
        .submit(&token, &Draft::read())
        .is(403, "expired_token");
    let mut ask = wide("worker", "helper");
    ask["parent_token_id"] = json!(token.id);
    house.ask(&key_of("worker"), &ask).is(403, "expired_token");
}

#[test]
fn a_chain_has_at_most_eight_tokens() {
    let house = House::new();
    let mut last = house.root("a1");
    for depth in 2..=8 {
        last = house.child(&last, &format!("a{depth}"));
        assert_eq!(last.answer["depth"], depth);
    }
    assert_eq!(house.submit(&last, &Draft::read()).status, 200);
    let mut ask = wide("a8", "a9");
    ask["parent_token_id"] = json!(last.id);
    house.ask(&key_of("a8"), &ask).is(403, "invalid_chain");
}

/// What someone does to a row.
type Edit = fn(&mut DelegationToken);

#[test]
fn an_edited_row_is_not_what_was_signed() {
    let edits: [(&str, Edit); 7] = [
        ("its text", |token| {
            let text = token.payload.replace("\"critical\"", "\"low\"");
            assert_ne!(text, *token.payload);
            token.payload = text.into();
        }),
        ("its signature", |token| token.signature = Digest([1; 32])),
        ("its expiry", |token| {
            token.expires_at = Timestamp::from_millis(u64::MAX);
        }),
        ("its time", |token| {
            token.issued_at = Timestamp::from_millis(1);
        }),
        ("its parent", |token| token.parent = None),
        ("no text at all", |token| token.payload = "".into()),
        ("another's text", |token| token.payload = "{}".into()),
    ];
    for edited in 0..3 {
        for (what, edit) in &edits {
            let house = House::new();
            let chain = three(&house);
            let mut row = house.stored(&chain[edited].id);
            edit(&mut row);
            if row == house.stored(&chain[edited].id) {
                // A root has no parent to lose.
                assert_eq!((edited, *what), (0, "its parent"));
                continue;
            }
            house.overwrite(&row);
            let answer = house.submit(&chain[2], &Draft::read());
            answer.is(403, "invalid_chain");
            let status = |id: &str| -> Value {
                let list = house.list(&admin());
                list.iter().find(|token| token["token_id"] == id).unwrap()["status"].clone()
            };
            assert_eq!(status(&chain[2].id), "invalid", "{what} of link {edited}");
            // It can still be taken back.
            assert_eq!(house.revoke(&admin(), &chain[edited]).status, 200);
        }
    }
}

#[test]
fn a_row_under_another_name_is_not_that_token() {
    let house = House::new();
    let (own, other) = (house.root("worker"), house.root("orchestrator"));
    let mut row = house.stored(&other.id);
    row.id = house.stored(&own.id).id;
    house.overwrite(&row);
    house.submit(&own, &Draft::read()).is(403, "invalid_chain");
}

/// With the key, even: what was issued wrongly is found when it is used.
#[test]
fn a_broadened_child_is_found_although_its_signature_holds() {
    let changes = [
        (
            "scope",
            json!({"max_risk_level": "critical", "allowed_operation_classes": ["read", "delete"],
            "allowed_data_sensitivities": ["internal", "PII"], "resources": {}}),
        ),
        ("expires_at_ms", json!(u64::MAX)),
        ("depth", json!(9)),
        ("depth", json!(1)),
        ("delegator_agent_id", json!("somebody")),
        ("chain_id", json!("chn_00000000000000000000000000000000")),
        ("parent_digest", json!("0".repeat(64))),
        ("root_human_session_id", json!("ses_other")),
        ("schema_version", json!("sernixa.delegation_token.v2")),
        ("organisation", json!("other")),
        ("token_id", json!("dgt_00000000000000000000000000000000")),
    ];
    for (member, value) in changes {
        let house = House::new();
        let [_, middle, last] = three(&house);
        assert_eq!(house.submit(&last, &Draft::read()).status, 200);
        let mut row = house.stored(&middle.id);
        let mut payload: Value = serde_json::from_str(&row.payload).unwrap();
        payload[member] = value;
        resign(&mut row, &payload);
        if member == "expires_at_ms" {
            row.expires_at = Timestamp::from_millis(u64::MAX);
        }
        house.overwrite(&row);
        house
            .submit(&middle, &Draft::read())
            .is(403, "invalid_chain");
        // Nor does its own child follow from it any more: that names the digest of the old text.
        house.submit(&last, &Draft::read()).is(403, "invalid_chain");
    }
}

/// A control: what the test signs, the engine takes.
#[test]
fn a_token_signed_again_as_it_was_is_the_same_token() {
    let house = House::new();
    let [_, _, last] = three(&house);
    let mut row = house.stored(&last.id);
    let before = row.clone();
    let payload = row.payload.clone();
    row.signature = signature(&payload);
    assert_eq!(row, before);
    house.overwrite(&row);
    assert_eq!(house.submit(&last, &Draft::read()).status, 200);
}

#[test]
fn a_chain_that_never_ends_is_no_chain() {
    let house = House::new();
    let [root, middle, last] = three(&house);
    let mut row = house.stored(&root.id);
    let mut payload: Value = serde_json::from_str(&row.payload).unwrap();
    payload["parent_token_id"] = json!(last.id);
    payload["parent_digest"] =
        json!(Digest::of(house.stored(&last.id).payload.as_bytes()).to_string());
    resign(&mut row, &payload);
    row.parent = Some(house.stored(&last.id).id);
    house.overwrite(&row);
    for token in [&root, &middle, &last] {
        house.submit(token, &Draft::read()).is(403, "invalid_chain");
    }
}

#[test]
fn a_missing_link_breaks_the_chain() {
    let house = House::new();
    let [_, middle, last] = three(&house);
    // As good as gone: it belongs to somebody else now.
    let mut row = house.stored(&middle.id);
    row.organisation = "other".into();
    house.overwrite(&row);
    house.submit(&last, &Draft::read()).is(403, "invalid_chain");
}

/// What the signature of a token does not hold, the audit does.
#[test]
fn a_revocation_that_was_undone_and_a_token_that_nobody_issued_are_found_by_the_audit() {
    let house = House::new();
    let [root, middle, last] = three(&house);
    house.revoke(&admin(), &root);
    let faults = || verify_delegations(&*house.store, "acme").unwrap();
    assert_eq!(faults(), []);
    let fault = |token: &Given, kind| TokenFault {
        token_id: TokenId::parse(&token.id).unwrap(),
        kind,
    };
    let mut row = house.stored(&root.id);
    row.revoked_at = None;
    house.overwrite(&row);
    assert_eq!(faults(), [fault(&root, TokenFaultKind::Restored)]);
    house.revoke(&admin(), &root);
    assert_eq!(faults(), []);

    let mut row = house.stored(&middle.id);
    let payload: Value = serde_json::from_str(&row.payload).unwrap();
    resign(&mut row, &merged(payload, &json!({"reason": "another"})));
    house.overwrite(&row);
    assert_eq!(faults(), [fault(&middle, TokenFaultKind::OtherToken)]);

    let mut row = house.stored(&last.id);
    row.id = TokenId([7; 16]);
    house.overwrite(&row);
    let unknown = TokenFault {
        token_id: row.id,
        kind: TokenFaultKind::NoEvent,
    };
    assert!(faults().contains(&unknown));
    assert!(
        verify_delegations(&*house.store, "other")
            .unwrap()
            .is_empty()
    );
}

fn resign(row: &mut DelegationToken, payload: &Value) {
    row.payload = payload.to_string().into();
    row.signature = signature(&row.payload);
}

/// As the engine signs: HMAC under a key derived from the claim key.
fn signature(payload: &str) -> Digest {
    let mac = |key: &[u8], text: &[u8]| -> [u8; 32] {
        let mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
        mac.chain_update(text).finalize().into_bytes().into()
    };
    let key = mac(&CLAIM_KEY, b"sernixa.delegation.token.key.v1");
    Digest(mac(&key, payload.as_bytes()))
}
