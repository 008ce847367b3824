//! Services behind the gate.

#![cfg(feature = "tower")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use sernixa::testing::TestGate;
use sernixa::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel};
use sernixa_agents::tower::{GovernLayer, Governed};
use tower::{Layer as _, Service, ServiceExt as _};

/// Counts what reaches it, and demands to be asked for readiness before each call.
#[derive(Clone, Default)]
struct Files {
    seen: Arc<Seen>,
    ready: bool,
}

#[derive(Default)]
struct Seen {
    looked: AtomicUsize,
    called: AtomicUsize,
    broken: AtomicBool,
}

impl Service<&'static str> for Files {
    type Response = String;
    type Error = Error;
    type Future = Ready<Result<String, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.seen.looked.fetch_add(1, Ordering::Relaxed);
        if self.seen.broken.load(Ordering::Relaxed) {
            // Any error of the service's own.
            return Poll::Ready(Err(Client::builder()
                .base_url("no URL")
                .build()
                .unwrap_err()));
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, path: &'static str) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called before it was ready"
        );
        self.seen.called.fetch_add(1, Ordering::Relaxed);
        ready(Ok(format!("contents of {path}")))
    }
}

fn fetch(path: &&'static str) -> Action {
    Action::new("fetch")
        .risk(RiskLevel::Medium)
        .class(OperationClass::Read)
        .sensitivity(DataSensitivity::Internal)
        .systems(["files"])
        .arguments(vec![("path".into(), (*path).into())])
}

type Fetch = fn(&&'static str) -> Action;

fn governed(gate: &TestGate, files: &Files) -> Governed<Files, Fetch> {
    let layer = GovernLayer::new(&gate.client().unwrap(), fetch as Fetch);
    layer.layer(files.clone())
}

#[tokio::test]
async fn an_approved_request_reaches_the_service_once() {
    let (gate, files) = (TestGate::new().approve("fetch"), Files::default());
    let mut service = governed(&gate, &files);
    for path in ["a", "b"] {
        let answer = service.ready().await.unwrap().call(path).await.unwrap();
        assert_eq!(answer, format!("contents of {path}"));
    }
    assert_eq!(files.seen.called.load(Ordering::Relaxed), 2);
    let asked = gate.submissions();
    assert_eq!(asked.len(), 2, "each request is asked for");
    assert_ne!(asked[0].body_hash(), asked[1].body_hash());
}

#[tokio::test]
async fn a_refused_request_does_not_touch_the_service() {
    let (gate, files) = (TestGate::new().refuse("fetch", "no"), Files::default());
    let error = governed(&gate, &files).oneshot("a").await.unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    // What cannot be asked is refused, too.
    let layer = GovernLayer::new(&gate.client().unwrap(), |_: &&'static str| Action::new(" "));
    let error = layer.layer(files.clone()).oneshot("a").await.unwrap_err();
    assert!(matches!(error, Error::Validation(_)), "{error}");
    assert_eq!(files.seen.called.load(Ordering::Relaxed), 0);
    assert_eq!(files.seen.looked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_refusal_may_be_an_answer_of_the_service() {
    let gate = TestGate::new().refuse("fetch", "no");
    let inner =
        tower::service_fn(|path: &'static str| async move { Ok::<_, Infallible>(path.to_owned()) });
    let layer = GovernLayer::new(&gate.client().unwrap(), fetch)
        .refused_by(|refusal| Ok(format!("403 {}", refusal.reason().unwrap_or_default())));
    let answer = layer.layer(inner).oneshot("a").await.unwrap();
    assert_eq!(answer, "403 no");
    gate.approve("fetch");
    assert_eq!(layer.layer(inner).oneshot("a").await.unwrap(), "a");
}

#[tokio::test]
async fn a_request_that_waits_holds_no_place_in_the_service() {
    let (gate, files) = (TestGate::new(), Files::default());
    let held = gate.hold("fetch");
    // One at a time: a place held while waiting would keep the second request out.
    let limited = tower::limit::ConcurrencyLimit::new(files.clone(), 1);
    let layer = GovernLayer::new(&gate.client().unwrap(), fetch);
    let service = layer.layer(limited);
    let waiting: Vec<_> = ["a", "b", "c"]
        .map(|path| tokio::spawn(service.clone().oneshot(path)))
        .into();
    while held.waiting() < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(files.seen.looked.load(Ordering::Relaxed), 0);
    held.approve();
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    assert_eq!(files.seen.called.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_request_that_is_dropped_while_it_waits_never_reaches_the_service() {
    let (gate, files) = (TestGate::new(), Files::default());
    let held = gate.hold("fetch");
    let waiting = tokio::spawn(governed(&gate, &files).oneshot("a"));
    while held.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    while held.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    held.approve();
    assert_eq!(files.seen.called.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_service_that_cannot_become_ready_says_so_itself() {
    let (gate, files) = (TestGate::new().approve("fetch"), Files::default());
    files.seen.broken.store(true, Ordering::Relaxed);
    let error = governed(&gate, &files).oneshot("a").await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    assert_eq!(files.seen.called.load(Ordering::Relaxed), 0);
}
