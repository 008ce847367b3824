//! Delegation scopes: who carries them, what is signed, and what happens without a secret.

use std::future::Future;

use serde_json::Value;
use sernixa::delegation::{Delegation, Scope, TokenRequest};
use sernixa::protocol::Envelope;
use sernixa::testing::TestGate;
use sernixa::{Client, Error, OperationClass, RiskLevel};

use crate::support::reply::Reply;
use crate::support::server::Server;
use crate::support::service::{SUBMIT, Says, Service, action};

const SECRET: &str = "a signing secret of this test";

#[sernixa::intercept(
    intent_id = "delegated",
    risk_level = "low",
    operation_class = "read",
    data_sensitivity = "internal",
    systems_touched = ["db"]
)]
fn governed() -> Result<(), Error> {
    Ok(())
}

#[sernixa::intercept(
    intent_id = "delegated",
    risk_level = "low",
    operation_class = "read",
    data_sensitivity = "internal",
    systems_touched = ["db"]
)]
async fn governed_async() -> Result<(), Error> {
    Ok(())
}

fn worker() -> Delegation {
    Delegation::new("worker-agent", "dgt_123")
        .chain_id("chn_123")
        .runtime_id("runtime-1")
        .service_identity("spiffe://local/worker")
        .signing_secret(SECRET)
        .key_id("test-key")
}

/// The agents of all submissions of the gate, in order.
fn agents(gate: &TestGate) -> Vec<Option<String>> {
    let submissions = gate.submissions();
    submissions
        .iter()
        .map(|one| one.agent_id().map(str::to_owned))
        .collect()
}

fn gate() -> TestGate {
    TestGate::new().approve("delegated").approve("integration")
}

#[test]
fn every_field_is_sent_and_the_signature_verifies() {
    let service = Service::full(Says::Allowed);
    let client = service.client();
    worker()
        .run_blocking(|| client.run(&action(RiskLevel::Low), || Ok::<_, Error>(())))
        .unwrap();
    client.close_blocking();
    let [request] = service
        .server
        .requests_to("POST", SUBMIT)
        .try_into()
        .unwrap();
    let body = request.json();
    let text = |key: &str| body[key].as_str();
    assert_eq!(text("agent_id"), Some("worker-agent"));
    assert_eq!(body["workload_identity"], Value::Null, "sent, and null");
    assert!(body.as_object().unwrap().contains_key("workload_identity"));
    let envelope = Envelope {
        schema_version: Envelope::SCHEMA_VERSION,
        intent_id: text("intent_id").unwrap(),
        action_id: text("action_id").unwrap(),
        agent_id: "worker-agent",
        runtime_id: Some("runtime-1"),
        runtime_identity: None,
        service_identity: Some("spiffe://local/worker"),
        workload_identity: None,
        delegation_token_id: "dgt_123",
        delegation_chain_id: Some("chn_123"),
        timestamp: body["timestamp"].as_i64().unwrap(),
        nonce: text("nonce").unwrap(),
        operation_class: Some("read"),
        data_sensitivity: Some("internal"),
        body_hash: text("body_hash").unwrap(),
        key_id: "test-key",
        algorithm: Envelope::ALGORITHM,
    };
    envelope.verify(SECRET, text("signature").unwrap()).unwrap();
    let metadata = body["metadata"].as_object().unwrap();
    let hash = sernixa::protocol::body_hash(envelope.intent_id, envelope.action_id, metadata);
    assert_eq!(envelope.body_hash, hash);
}

#[test]
fn outside_a_scope_none_of_the_delegated_fields_is_there() {
    let service = Service::full(Says::Allowed);
    let client = service.client();
    client
        .run(&action(RiskLevel::Low), || Ok::<_, Error>(()))
        .unwrap();
    client.close_blocking();
    let [request] = service
        .server
        .requests_to("POST", SUBMIT)
        .try_into()
        .unwrap();
    for field in [
        "agent_id",
        "delegation_token_id",
        "signature",
        "key_id",
        "body_hash",
        "runtime_id",
    ] {
        assert!(request.json().get(field).is_none(), "{field}");
    }
}

#[test]
fn the_steps_after_a_delegated_submission_are_signed_too() {
    let service = Service::full(Says::Pending);
    service.decide("approved");
    let client = service.client();
    worker()
        .run_blocking(|| client.run(&action(RiskLevel::High), || Ok::<_, Error>(())))
        .unwrap();
    client.close_blocking();
    let claim = service
        .server
        .requests_to("POST", &Service::path("/claim"))
        .pop()
        .unwrap()
        .json();
    assert_eq!(claim["key_id"], "test-key");
    assert_eq!(claim["algorithm"], "HMAC-SHA256");
    assert_eq!(claim["signature"].as_str().unwrap().len(), 64);
    assert_eq!(claim["nonce"].as_str().unwrap().len(), 32);
}

#[test]
fn without_a_secret_or_with_a_short_one_nothing_is_sent() {
    let service = Service::full(Says::Allowed);
    let client = service.builder().environment(|_| None).build().unwrap();
    for broken in [
        Delegation::new("worker", "dgt_1"),
        Delegation::new("worker", "dgt_1").signing_secret("fifteen bytes.."),
        Delegation::new(" ", "dgt_1").signing_secret(SECRET),
        Delegation::new("worker", "").signing_secret(SECRET),
    ] {
        let mut ran = false;
        let error = broken
            .run_blocking(|| {
                client.run(&action(RiskLevel::Low), || {
                    ran = true;
                    Ok::<_, Error>(())
                })
            })
            .unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{error}");
        assert!(!ran);
    }
    client.close_blocking();
    assert!(service.server.requests().is_empty());
}

#[test]
fn the_configured_secret_and_key_id_sign_where_the_delegation_has_none() {
    let service = Service::full(Says::Allowed);
    let client = service
        .builder()
        .request_signing_secret(SECRET)
        .request_signing_key_id("configured")
        .build()
        .unwrap();
    let bare = Delegation::new("worker", "dgt_1");
    bare.run_blocking(|| client.run(&action(RiskLevel::Low), || Ok::<_, Error>(())))
        .unwrap();
    client.close_blocking();
    let [request] = service
        .server
        .requests_to("POST", SUBMIT)
        .try_into()
        .unwrap();
    assert_eq!(request.json()["key_id"], "configured");
}

#[test]
fn a_client_that_requires_delegation_sends_nothing_outside_a_scope() {
    let service = Service::full(Says::Allowed);
    let client = service.builder().require_delegation(true).build().unwrap();
    let call = || client.run(&action(RiskLevel::Low), || Ok::<_, Error>(()));
    let error = call().unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    assert!(error.to_string().contains("Delegation::carry"), "{error}");
    let acting = worker();
    acting.run_blocking(|| {
        // A plain spawn loses the scope.
        let lost = std::thread::scope(|scope| scope.spawn(call).join().unwrap());
        assert!(matches!(lost, Err(Error::Configuration(_))));
        call().unwrap();
    });
    assert!(call().is_err(), "and after the scope it is gone");
    client.close_blocking();
    assert_eq!(service.server.requests_to("POST", SUBMIT).len(), 1);
}

#[test]
fn scopes_nest_and_end() {
    let gate = gate();
    gate.scope(|| {
        governed().unwrap();
        Delegation::new("outer", "dgt_1").run_blocking(|| {
            governed().unwrap();
            Delegation::new("inner", "dgt_2").run_blocking(|| governed().unwrap());
            governed().unwrap();
        });
        governed().unwrap();
    });
    let expected = [None, Some("outer"), Some("inner"), Some("outer"), None];
    assert_eq!(
        agents(&gate),
        expected.map(|agent| agent.map(str::to_owned))
    );
    assert!(Delegation::current().is_none());
}

#[test]
fn a_panic_leaves_the_scope() {
    let panicked = std::panic::catch_unwind(|| worker().run_blocking(|| panic!("on purpose")));
    assert!(panicked.is_err());
    assert!(Delegation::current().is_none());
}

/// The scope holds while a future is polled, however it is driven.
async fn calls(gate: TestGate) {
    gate.run(async {
        governed_async().await.unwrap();
        let a = Delegation::new("a", "dgt_a").run(async {
            governed_async().await.unwrap();
            tokio::task::yield_now().await;
            governed_async().await.unwrap();
        });
        let b = Delegation::new("b", "dgt_b").run(async {
            tokio::task::yield_now().await;
            governed_async().await.unwrap();
        });
        // Two scopes in one task, polled in turn.
        both(a, b).await;
        governed_async().await.unwrap();
    })
    .await;
}

async fn both(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut a_done, mut b_done) = (false, false);
    std::future::poll_fn(move |context| {
        a_done = a_done || a.as_mut().poll(context).is_ready();
        b_done = b_done || b.as_mut().poll(context).is_ready();
        if a_done && b_done {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

fn assert_in_turn(gate: &TestGate) {
    let mut seen: Vec<_> = agents(gate)
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect();
    assert_eq!(
        (
            seen.first().map(String::as_str),
            seen.last().map(String::as_str)
        ),
        (Some(""), Some(""))
    );
    seen.sort();
    assert_eq!(seen, ["", "", "a", "a", "b"]);
}

#[test]
fn the_scope_holds_under_any_executor() {
    let under_tokio = gate();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(calls(under_tokio.clone()));
    assert_in_turn(&under_tokio);

    let current_thread = gate();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(calls(current_thread.clone()));
    assert_in_turn(&current_thread);

    let under_smol = gate();
    smol::block_on(calls(under_smol.clone()));
    assert_in_turn(&under_smol);

    let bare = gate();
    pollster::block_on(calls(bare.clone()));
    assert_in_turn(&bare);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_spawn_loses_the_scope_and_carry_takes_it_along() {
    let gate = gate();
    let acting = Delegation::new("worker", "dgt_1");
    acting
        .run(async {
            tokio::spawn(gate.carry(governed_async()))
                .await
                .unwrap()
                .unwrap();
            let current = Delegation::current().unwrap();
            let carried = current.carry(gate.carry(governed_async()));
            tokio::spawn(carried).await.unwrap().unwrap();
            let closure = current.carry_fn(gate.carry_fn(governed));
            tokio::task::spawn_blocking(closure).await.unwrap().unwrap();
        })
        .await;
    let expected = [None, Some("worker"), Some("worker")];
    assert_eq!(
        agents(&gate),
        expected.map(|agent| agent.map(str::to_owned))
    );
}

#[test]
fn a_call_is_made_in_the_scope_it_was_prepared_in() {
    // The future is made outside and polled inside: the scope that counts is the one it is in when
    // its body, and so the submission, begins.
    let gate = gate();
    let later = governed_async();
    pollster::block_on(gate.run(Delegation::new("worker", "dgt_1").run(later))).unwrap();
    assert_eq!(agents(&gate), [Some("worker".to_owned())]);
}

fn token_request() -> TokenRequest {
    let scope = Scope::new()
        .max_risk_level(RiskLevel::Medium)
        .operation_class(&OperationClass::Read);
    TokenRequest::new("planner", "worker", scope)
}

#[tokio::test]
async fn a_token_is_created_and_used() {
    let server = Server::start(|request| {
        assert_eq!(
            (request.method.as_str(), request.path()),
            ("POST", "/api/delegations")
        );
        assert_eq!(request.json().as_object().unwrap().len(), 8);
        Reply::json(
            201,
            r#"{"token_id":"dgt_9","chain_id":"chn_9","status":"active"}"#,
        )
    });
    let client = Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .build()
        .unwrap();
    let token = client
        .create_delegation_token(token_request())
        .await
        .unwrap();
    assert_eq!(
        (token.token_id(), token.chain_id(), token.status()),
        ("dgt_9", Some("chn_9"), Some("active"))
    );
    client.close().await;
}

#[test]
fn a_token_that_nobody_answered_for_may_have_been_made() {
    for (reply, may_be) in [
        (Reply::hang(), true),
        (Reply::close_unanswered(), true),
        (Reply::json(403, "{}"), false),
    ] {
        let server = Server::start(move |_| reply.clone());
        let client = Client::builder()
            .environment(|_| None)
            .base_url(server.url())
            .timeout(std::time::Duration::from_millis(300))
            .max_retries(0)
            .build()
            .unwrap();
        let error = client
            .create_delegation_token_blocking(token_request())
            .unwrap_err();
        assert_eq!(error.may_have_been_submitted(), may_be, "{error}");
        let ready = client.readiness_blocking().unwrap_err();
        assert!(!ready.may_have_been_submitted(), "{ready}");
        client.close_blocking();
    }
}

#[tokio::test]
async fn a_token_request_that_cannot_be_meant_is_not_sent() {
    let server = Server::start(|_| panic!("nothing is sent"));
    let client = Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .build()
        .unwrap();
    let never = token_request().expires_in(std::time::Duration::ZERO);
    let error = client.create_delegation_token(never).await.unwrap_err();
    assert!(matches!(error, Error::Validation(_)), "{error}");
    client.close().await;
    assert!(server.requests().is_empty());
}

#[test]
fn an_embedded_engine_without_signing_keys_refuses_delegated_calls() {
    let client = Client::builder()
        .environment(|_| None)
        .engine(sernixa::embedded::Engine::in_memory())
        .build()
        .unwrap();
    let mut ran = false;
    let error = worker()
        .run_blocking(|| {
            client.run(&action(RiskLevel::Low), || {
                ran = true;
                Ok::<_, Error>(())
            })
        })
        .unwrap_err();
    assert!(matches!(error, Error::Signature(_)), "{error}");
    assert!(!ran);
    client.close_blocking();
}
