//! Delegation with the embedded engine: tokens made, used, narrowed and taken back in one process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sernixa::delegation::{Delegation, Scope, Token, TokenRequest};
use sernixa::embedded::engine::{
    Agents, Engine, Keyring, Moment, Principal, Request, SecretRule, Settings, SigningKey,
    Timestamp,
};
use sernixa::embedded::{Decision, Record, Reviewer};
use sernixa::{Action, Client, ClientBuilder, DataSensitivity, Error, OperationClass, RiskLevel};

use crate::support::service::action;

const SECRET: &str = "a signing secret of this test";

/// A client of `embedded:` that signs, and verifies, with its configured secret.
fn client(reviewer: impl Reviewer) -> Client {
    let builder = signing().base_url("embedded:");
    builder.reviewer(reviewer).build().unwrap()
}

fn signing() -> ClientBuilder {
    Client::builder()
        .environment(|_| None)
        .request_signing_secret(SECRET)
}

/// Nobody is asked.
fn nobody(_: &Record) -> Decision {
    panic!("nobody is asked")
}

fn scope(risk: RiskLevel) -> Scope {
    Scope::new()
        .max_risk_level(risk)
        .operation_class(&OperationClass::Read)
        .data_sensitivity(&DataSensitivity::Internal)
}

fn root(client: &Client, delegatee: &str, risk: RiskLevel) -> Token {
    let request = TokenRequest::new("person", delegatee, scope(risk));
    client.create_delegation_token_blocking(request).unwrap()
}

fn acting(agent: &str, token: &Token) -> Delegation {
    Delegation::new(agent, token.token_id()).chain_id(token.chain_id().unwrap())
}

fn call(client: &Client, delegation: &Delegation, action: &Action) -> Result<&'static str, Error> {
    delegation.run_blocking(|| client.run(action, || Ok("ran")))
}

#[test]
fn a_token_is_made_used_and_narrowed_in_one_process() {
    let client = client(nobody);
    let token = root(&client, "orchestrator", RiskLevel::Medium);
    assert_eq!(token.status(), Some("active"));
    let request = TokenRequest::new("orchestrator", "worker", scope(RiskLevel::Low));
    let child = client
        .create_delegation_token_blocking(request.parent_token_id(token.token_id()))
        .unwrap();
    assert_eq!(child.chain_id(), token.chain_id());
    assert_eq!(child.answer()["depth"], 2);
    for (agent, token) in [("orchestrator", &token), ("worker", &child)] {
        let ran = call(&client, &acting(agent, token), &action(RiskLevel::Low)).unwrap();
        assert_eq!(ran, "ran");
    }
    let outside = call(
        &client,
        &acting("worker", &child),
        &action(RiskLevel::Medium),
    );
    let error = outside.unwrap_err();
    assert!(
        matches!(error, Error::DelegationScope(_)) && error.is_scope(),
        "{error}"
    );
    client.close_blocking();
}

#[tokio::test]
async fn the_async_door_does_the_same() {
    let client = client(nobody);
    let request = TokenRequest::new("person", "worker", scope(RiskLevel::Low));
    let token = client.create_delegation_token(request).await.unwrap();
    let action = action(RiskLevel::Low);
    let run = client.run_async(&action, || async { Ok::<_, Error>("ran") });
    assert_eq!(acting("worker", &token).run(run).await.unwrap(), "ran");
    client.close().await;
}

#[test]
fn a_person_approves_what_a_delegated_worker_asked_and_sees_who_asks() {
    let seen = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&seen);
    let client = client(move |asked: &Record| {
        let shown: serde_json::Value =
            serde_json::from_str(&asked.json(sernixa::embedded::engine::Detail::Listed)).unwrap();
        *noted.lock().unwrap() = Some(shown);
        Decision::approve()
    });
    let token = root(&client, "worker", RiskLevel::High);
    // Approved, claimed with a signed step, run.
    let ran = call(&client, &acting("worker", &token), &action(RiskLevel::High));
    assert_eq!(ran.unwrap(), "ran");
    let shown = seen.lock().unwrap().take().unwrap();
    assert_eq!(shown["agent_id"], "worker");
    assert_eq!(shown["delegation_chain_id"].as_str(), token.chain_id());
    client.close_blocking();
}

#[test]
fn what_the_engine_cannot_verify_or_must_refuse_ends_in_the_right_error() {
    let client = client(nobody);
    let token = root(&client, "worker", RiskLevel::Low);
    let read = action(RiskLevel::Low);
    let wrong_secret = acting("worker", &token).signing_secret("another secret of this test");
    let error = call(&client, &wrong_secret, &read).unwrap_err();
    assert!(matches!(error, Error::Signature(_)), "{error}");
    let unknown_key = acting("worker", &token).key_id("k9");
    let error = call(&client, &unknown_key, &read).unwrap_err();
    assert!(matches!(error, Error::Signature(_)), "{error}");
    for stranger in [
        acting("another", &token),
        acting("worker", &token).chain_id("chn_other"),
        Delegation::new("worker", "dgt_123"),
    ] {
        let error = call(&client, &stranger, &read).unwrap_err();
        assert!(matches!(error, Error::DelegationScope(_)), "{error}");
        assert!(!error.is_scope(), "{error}");
    }
    let broader = TokenRequest::new("worker", "helper", scope(RiskLevel::High));
    let error = client
        .create_delegation_token_blocking(broader.parent_token_id(token.token_id()))
        .unwrap_err();
    assert!(error.to_string().contains("max_risk_level"), "{error}");
    client.close_blocking();
}

/// An engine of the test's own, that verifies with the clients' default key id.
fn engine() -> Engine {
    let key = SigningKey::new(
        "local-request-key-v1",
        SECRET.as_bytes(),
        "local",
        Agents::Any,
        SecretRule::Strong,
    );
    Engine::builder()
        .settings(Settings::local())
        .keyring(Keyring::new().with(key.unwrap()).unwrap())
        .build()
        .unwrap()
}

fn revoke(engine: &Engine, token: &str) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = Timestamp::from_millis(u64::try_from(now.unwrap().as_millis()).unwrap());
    let request = Request::RevokeDelegation { token_id: token };
    let answer = engine.handle(&Principal::local(), request, &Moment::new(now, [1; 32]));
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn what_was_approved_does_not_start_once_its_delegation_was_revoked() {
    let (engine, wanted) = (engine(), Arc::new(Mutex::new(String::new())));
    let (deciding, token) = (engine.clone(), Arc::clone(&wanted));
    let client = signing()
        .engine(engine)
        .reviewer(move |_: &Record| {
            // Taken back while the reviewer reads.
            revoke(&deciding, &token.lock().unwrap());
            Decision::approve()
        })
        .build()
        .unwrap();
    let token = root(&client, "worker", RiskLevel::High);
    token.token_id().clone_into(&mut wanted.lock().unwrap());
    let error = call(&client, &acting("worker", &token), &action(RiskLevel::High)).unwrap_err();
    assert!(
        matches!(error, Error::DelegationScope(_)) && error.is_revoked(),
        "{error}"
    );
    assert!(error.approval_id().is_some());
    client.close_blocking();
}

#[test]
fn outcome_and_withdrawal_of_a_delegated_call_are_signed_as_the_engine_wants_them() {
    let engine = engine();
    let client = signing()
        .engine(engine.clone())
        .reviewer(|_: &Record| Decision::leave())
        .poll_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let token = root(&client, "worker", RiskLevel::High);
    let worker = acting("worker", &token);
    call(&client, &worker, &action(RiskLevel::Low)).unwrap();
    let late = call(&client, &worker, &action(RiskLevel::High)).unwrap_err();
    assert!(matches!(late, Error::Timeout(_)), "{late}");
    client.close_blocking();
    let events = engine.audit(&Principal::local(), 0, 100).unwrap();
    let words: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    for word in ["outcome_recorded", "approval_withdrawn"] {
        assert!(words.contains(&word), "{words:?}");
    }
    for word in ["outcome_refused", "withdraw_refused", "claim_refused"] {
        assert!(!words.contains(&word), "{words:?}");
    }
}

#[test]
fn a_delegated_call_goes_on_only_in_a_scope_that_signs_for_it() {
    let engine = engine();
    let client = signing()
        .engine(engine.clone())
        .reviewer(nobody)
        .build()
        .unwrap();
    let token = root(&client, "worker", RiskLevel::High);
    let worker = acting("worker", &token);
    let low = action(RiskLevel::Low);
    let begin = || worker.run_blocking(|| client.authorize_blocking(&low).unwrap());
    let digest = format!("hmac-sha256:{}", "a".repeat(64));
    let goes_on = begin().continued().unwrap();
    let outside = pollster::block_on(client.continue_permit(goes_on, &digest)).unwrap_err();
    assert_eq!(outside.reason(), Some("invalid_signature"), "{outside}");
    let goes_on = begin().continued().unwrap();
    let told = worker.run_blocking(|| client.continue_permit(goes_on, &digest));
    pollster::block_on(told).unwrap().succeeded();
    let events = engine.audit(&Principal::local(), 0, 100).unwrap();
    let words: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    let last = &words[words.len() - 3..];
    assert_eq!(last, ["outcome_recorded"; 3], "{words:?}");
    client.close_blocking();
}

#[test]
fn a_token_of_a_file_serves_every_client_on_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("embedded:{}", folder.path().join("approvals.db").display());
    let open = || {
        signing()
            .base_url(url.clone())
            .reviewer(nobody)
            .build()
            .unwrap()
    };
    let first = open();
    let token = root(&first, "worker", RiskLevel::Low);
    first.close_blocking();
    let later = open();
    let worker = acting("worker", &token);
    assert_eq!(
        call(&later, &worker, &action(RiskLevel::Low)).unwrap(),
        "ran"
    );
    later.close_blocking();
}
