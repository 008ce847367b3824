//! How long a call is held, with a service that is slow at the wrong time.

use std::sync::Mutex;

use axum::Json;
use axum::extract::Path;
use axum::routing::{get, post};
use serde_json::{Value, json};
use sernixa::embedded::{self, Record};
use sernixa::testing::ManualClock;
use tokio::sync::Notify;

use super::super::*;
use super::rig::*;

/// A service whose only approval is given, and which takes its time over the claim.
struct Slow {
    body_hash: Mutex<String>,
    claiming: Notify,
    go_on: Notify,
    outcomes: Mutex<Vec<Value>>,
}

impl Slow {
    fn submitted(&self, asked: &Value) -> Value {
        let text = |name: &str| asked[name].as_str().unwrap();
        let metadata = asked["metadata"].as_object().unwrap();
        let hash = sernixa_protocol::body_hash(text("intent_id"), text("action_id"), metadata);
        self.body_hash.lock().unwrap().clone_from(&hash);
        json!({
            "status": "pending_review", "approval_id": "apr-1", "claim_token": "token",
            "body_hash": hash, "request_id": text("request_id"),
            "capabilities": ["claim", "outcome", "withdraw", "resume"],
        })
    }

    fn record(&self, id: &str) -> Value {
        json!({"approval_id": id, "body_hash": *self.body_hash.lock().unwrap(), "status": "approved"})
    }

    async fn claimed(&self, asked: &Value) -> Value {
        self.claiming.notify_one();
        self.go_on.notified().await;
        let hash = self.body_hash.lock().unwrap();
        json!({
            "status": "claimed", "approval_id": "apr-1", "claim_id": asked["claim_id"],
            "body_hash": *hash,
        })
    }
}

/// The service, and its address.
async fn serve() -> (Arc<Slow>, String) {
    let slow = Arc::new(Slow {
        body_hash: Mutex::default(),
        claiming: Notify::new(),
        go_on: Notify::new(),
        outcomes: Mutex::default(),
    });
    let on = || Arc::clone(&slow);
    let (submits, records, claims, ends) = (on(), on(), on(), on());
    let submit = async move |Json(asked): Json<Value>| {
        (
            axum::http::StatusCode::ACCEPTED,
            Json(submits.submitted(&asked)),
        )
    };
    let record = async move |Path(id): Path<String>| Json(records.record(&id));
    let claim = async move |Json(asked): Json<Value>| Json(claims.claimed(&asked).await);
    let end = async move |Json(told): Json<Value>| {
        ends.outcomes.lock().unwrap().push(told);
        Json(json!({"results": []}))
    };
    let router = axum::Router::new()
        .route("/api/actions/execute", post(submit))
        .route("/api/approvals/{id}", get(record))
        .route("/api/approvals/{id}/claim", post(claim))
        .route("/api/approvals/outcomes", post(end));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Ends with the test's runtime.
    drop(tokio::spawn(async { axum::serve(listener, router).await }));
    (slow, url)
}

#[tokio::test]
async fn a_yes_that_is_being_claimed_when_the_hold_is_over_lets_the_call_through() {
    for hold in [Duration::ZERO, Duration::from_secs(45)] {
        let (slow, url) = serve().await;
        let clock = ManualClock::starting_at(1_778_000_000);
        let rig = Rig::new().hold(hold);
        let gate = rig.gate_with(Client::builder().base_url(url).clock(clock.clone()));
        let past_the_hold = async {
            slow.claiming.notified().await;
            // The client's time passes, and everybody else's.
            clock.advance(Duration::from_mins(2));
            tokio::time::pause();
            tokio::time::advance(Duration::from_mins(2)).await;
            tokio::time::resume();
            slow.go_on.notify_one();
        };
        let request = old(&write());
        let (verdict, ()) = tokio::join!(gate.call(request, &*rig.server), past_the_hold);
        forwarded(verdict).answer(&json!({"content": []}));
        gate.core.settings.client.close().await;
        let outcomes = slow.outcomes.lock().unwrap();
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0]["outcomes"][0]["outcome"], "succeeded");
    }
}

#[tokio::test]
async fn without_a_hold_a_call_is_answered_without_any_time_and_takes_up_what_was_approved_before()
{
    let mut rig = Rig::new();
    rig.hold = Duration::ZERO;
    // It stands still: whoever waits for a moment waits for ever.
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let clock = ManualClock::starting_at(now);
    let client = || {
        let engine = rig.engine.clone();
        let client = Client::builder().engine(engine).clock(clock.clone());
        client.reviewer(|_: &Record| embedded::Decision::leave())
    };
    let gate = rig.gate_with(client());
    let call = async |gate: &ToolGate| {
        let call = gate.call(old(&write()), &*rig.server);
        let told = tokio::time::timeout(Duration::from_secs(30), call).await;
        told.expect("it is answered without a moment's wait")
    };
    assert_eq!(status(call(&gate).await), "pending_review");
    rig.approve();
    let next = rig.gate_with(client());
    forwarded(call(&next).await).answer(&json!({"content": []}));
    // One approval is one call.
    assert_eq!(status(call(&gate).await), "pending_review");
}
