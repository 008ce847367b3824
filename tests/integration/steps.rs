//! What follows a delegated submission is signed like it: claim, withdrawal and outcome (TRIED B1.1).

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sernixa::delegation::Delegation;
use sernixa::{Error, RiskLevel};

use crate::support::service::{OUTCOMES, SUBMIT, Says, Service, action};

const SECRET: &str = "a secret of the test";

fn delegation() -> Delegation {
    Delegation::new("worker", "dgt_1")
        .key_id("key-7")
        .signing_secret(SECRET.to_owned())
}

/// Checks the signature with an HMAC of the test's own, and returns the nonce.
#[track_caller]
fn signed(step: &str, sent: &Value, body_hash: &Value) -> String {
    let canonical = sernixa::protocol::canonical_json(&json!({
        "schema_version": "sernixa.approval_step.v1",
        "step": step,
        "approval_id": "apr-1",
        "body_hash": body_hash,
        "claim_id": sent.get("claim_id").unwrap_or(&Value::Null),
        "timestamp": sent["timestamp"],
        "nonce": sent["nonce"],
        "key_id": "key-7",
        "algorithm": "HMAC-SHA256",
    }));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(canonical.as_bytes());
    let mut signature = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}").unwrap();
    }
    assert_eq!(sent["signature"], signature, "{step}");
    assert_eq!(
        (&sent["key_id"], &sent["algorithm"]),
        (&json!("key-7"), &json!("HMAC-SHA256"))
    );
    sent["nonce"].as_str().unwrap().to_owned()
}

#[test]
fn a_delegated_claim_and_its_outcome_are_signed_each_with_a_nonce_of_its_own() {
    let service = Service::full(Says::Pending);
    service.decide("approved");
    let client = service.client();
    delegation().run_blocking(|| {
        client
            .run(&action(RiskLevel::High), || Ok::<_, Error>(()))
            .unwrap();
    });
    // The scope is left; what follows is signed all the same.
    client.close_blocking();
    let submitted = service.server.wait_for("POST", SUBMIT, 1).json();
    let hash = &submitted["body_hash"];
    let claim = service
        .server
        .wait_for("POST", &Service::path("/claim"), 1)
        .json();
    let outcomes = service.server.wait_for("POST", OUTCOMES, 1).json();
    let nonces = [
        submitted["nonce"].as_str().unwrap().to_owned(),
        signed("claim", &claim, hash),
        signed("outcome", &outcomes["outcomes"][0], hash),
    ];
    assert!(nonces[0] != nonces[1] && nonces[1] != nonces[2] && nonces[0] != nonces[2]);
}

#[test]
fn a_delegated_withdrawal_is_signed() {
    let service = Service::full(Says::Pending);
    let client = service
        .builder()
        .poll_timeout(std::time::Duration::ZERO)
        .build()
        .unwrap();
    let error = delegation().run_blocking(|| {
        client
            .authorize_blocking(&action(RiskLevel::High))
            .unwrap_err()
    });
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert_eq!(error.approval_id(), Some("apr-1"));
    let hash = &service.server.wait_for("POST", SUBMIT, 1).json()["body_hash"];
    let withdrawn = service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1)
        .json();
    signed("withdraw", &withdrawn, hash);
    client.close_blocking();
}

#[test]
fn outside_a_delegation_no_step_is_signed() {
    let service = Service::full(Says::Pending);
    service.decide("approved");
    let client = service.client();
    client
        .run(&action(RiskLevel::High), || Ok::<_, Error>(()))
        .unwrap();
    client.close_blocking();
    let claim = service
        .server
        .wait_for("POST", &Service::path("/claim"), 1)
        .json();
    let mut members: Vec<_> = claim.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["body_hash", "claim_id", "claim_token"]);
}
