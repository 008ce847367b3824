//! The embedded engine and its reviewers.

use std::io::{Cursor, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sernixa::embedded::{Decision, Engine, Record, Reviewer, TerminalReviewer};
use sernixa::{Action, Client, Clock, DataSensitivity, Error, OperationClass, RiskLevel, Sleep};

fn client(reviewer: impl Reviewer) -> Client {
    Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .reviewer(reviewer)
        .build()
        .unwrap()
}

fn action(risk: RiskLevel) -> Action {
    Action::new("restart")
        .risk(risk)
        .class(OperationClass::Execute)
        .sensitivity(DataSensitivity::Internal)
        .systems(["cluster"])
        .summary("restart web-1")
        .metadata([("node", "web-1")])
        .arguments(vec![("node".into(), "web-1".into())])
}

fn run(client: &Client, action: &Action) -> Result<&'static str, Error> {
    client.run(action, || Ok("ran"))
}

#[test]
fn a_low_risk_read_runs_without_a_person() {
    let client = client(|_: &Record| -> Decision { panic!("nobody is asked") });
    let read = action(RiskLevel::Low).class(OperationClass::Read);
    assert_eq!(run(&client, &read).unwrap(), "ran");
    client.close_blocking();
}

#[test]
fn a_closure_reviews_what_the_engine_leaves_to_a_person() {
    let client = client(|asked: &Record| match asked.summary() {
        Some("restart web-1") => Decision::approve_because("planned"),
        _ => Decision::reject("not planned"),
    });
    assert_eq!(run(&client, &action(RiskLevel::High)).unwrap(), "ran");
    let other = action(RiskLevel::High).summary("restart db-1");
    let error = run(&client, &other).unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    assert_eq!(error.reason(), Some("not planned"));
    assert!(error.approval_id().is_some());
    client.close_blocking();
}

#[test]
fn any_number_of_calls_may_be_allowed_in_flight() {
    let client = Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .reviewer(|_: &Record| Decision::approve())
        .max_async_in_flight(usize::MAX)
        .build()
        .unwrap();
    assert_eq!(run(&client, &action(RiskLevel::High)).unwrap(), "ran");
    client.close_blocking();
}

#[test]
fn with_nobody_to_ask_the_answer_is_a_rejection_that_says_so() {
    // Under the test runner neither stdin nor stderr is a terminal.
    let client = Client::builder()
        .environment(|name| (name == "SERNIXA_BASE_URL").then(|| "embedded:".into()))
        .build()
        .unwrap();
    let error = run(&client, &action(RiskLevel::Medium)).unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    assert!(
        error.to_string().contains("nobody can decide here"),
        "{error}"
    );
    client.close_blocking();
}

#[test]
fn a_reviewer_that_panics_has_rejected_and_reviews_on() {
    let client = client(|asked: &Record| match asked.risk_level() {
        RiskLevel::Critical => panic!("on purpose"),
        _ => Decision::approve(),
    });
    let error = run(&client, &action(RiskLevel::Critical)).unwrap_err();
    assert_eq!(error.reason(), Some("the reviewer panicked"));
    assert!(run(&client, &action(RiskLevel::High)).is_ok());
    client.close_blocking();
}

#[test]
fn two_pending_calls_are_asked_one_after_the_other() {
    let busy = Arc::new(Mutex::new(()));
    let asked = Arc::new(Mutex::new(0));
    let client = {
        let (busy, asked) = (busy, asked.clone());
        client(move |_: &Record| {
            let _alone = busy.try_lock().expect("nobody else is being asked");
            *asked.lock().unwrap() += 1;
            Decision::approve()
        })
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| run(&client, &action(RiskLevel::High)).unwrap());
        }
    });
    assert_eq!(*asked.lock().unwrap(), 8);
    client.close_blocking();
}

/// A reviewer that says what it is asked, and decides as it is told.
fn told() -> (
    impl Reviewer,
    Receiver<String>,
    std::sync::mpsc::Sender<Decision>,
) {
    let (asked, asks) = channel();
    let (decides, decisions) = channel();
    let decisions = Mutex::new(decisions);
    let asked = Mutex::new(asked);
    let reviewer = move |record: &Record| {
        let summary = record.summary().unwrap_or_default().to_owned();
        asked.lock().unwrap().send(summary).unwrap();
        decisions
            .lock()
            .unwrap()
            .recv()
            .unwrap_or_else(|_| Decision::reject("gone"))
    };
    (reviewer, asks, decides)
}

#[tokio::test]
async fn a_call_that_was_dropped_while_it_waited_is_not_asked_any_more() {
    let (reviewer, asks, decides) = told();
    let engine = Engine::in_memory();
    let (withdraws, ends) = channel();
    let withdraws = Mutex::new(withdraws);
    let _subscription = engine.subscribe(Box::new(move |change| {
        if change.kind() == sernixa::embedded::engine::ChangeKind::Expired {
            withdraws
                .lock()
                .unwrap()
                .send(change.record().reason().to_owned())
                .unwrap();
        }
    }));
    let client = Client::builder()
        .environment(|_| None)
        .engine(engine)
        .reviewer(reviewer)
        .build()
        .unwrap();
    let first = action(RiskLevel::High).summary("first");
    let second = action(RiskLevel::High).summary("second");
    let third = action(RiskLevel::High).summary("third");
    let ask = |action: Action| {
        let client = client.clone();
        tokio::spawn(async move {
            client
                .authorize(&action)
                .await
                .map(sernixa::Permit::succeeded)
        })
    };
    let first = ask(first);
    assert_eq!(next(&asks).await, "first");
    // The reviewer is busy; both of these lie on the desk, and the second is given up.
    let mut dropped = Box::pin(client.authorize(&second));
    let waits = std::future::poll_fn(|context| {
        std::task::Poll::Ready(dropped.as_mut().poll(context).is_pending())
    });
    assert!(waits.await);
    drop(dropped);
    assert_eq!(next(&ends).await, "withdrawn");
    let third = ask(third);
    decides.send(Decision::approve()).unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(next(&asks).await, "third", "the second was withdrawn");
    decides.send(Decision::approve()).unwrap();
    third.await.unwrap().unwrap();
    client.close().await;
}

async fn next(asks: &Receiver<String>) -> String {
    loop {
        match asks.try_recv() {
            Ok(ask) => return ask,
            Err(std::sync::mpsc::TryRecvError::Empty) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn what_a_reviewer_leaves_is_decided_through_the_engine() {
    use sernixa::embedded::engine::{self, Moment, Principal, Timestamp};

    let engine = Engine::in_memory();
    let client = Client::builder()
        .environment(|_| None)
        .engine(engine.clone())
        .reviewer(|_: &Record| Decision::leave())
        .build()
        .unwrap();
    let (asked, asks) = channel();
    let asked = Mutex::new(asked);
    let _subscription = engine.subscribe(Box::new(move |change| {
        if change.kind() == engine::ChangeKind::Asked {
            asked.lock().unwrap().send(change.approval_id()).unwrap();
        }
    }));
    let call = std::thread::spawn({
        let client = client.clone();
        move || run(&client, &action(RiskLevel::High))
    });
    let id = asks.recv().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let millis = u64::try_from(now.as_millis()).unwrap();
    let moment = Moment::new(Timestamp::from_millis(millis), [9; 32]);
    engine
        .decide(
            &Principal::local(),
            id,
            engine::Decision::Approve,
            "seen elsewhere",
            &moment,
        )
        .unwrap();
    assert_eq!(call.join().unwrap().unwrap(), "ran");
    client.close_blocking();
}

#[test]
fn a_reviewer_that_asks_for_review_is_told_no_instead_of_waiting_for_itself() {
    let inner: Arc<Mutex<Option<Client>>> = Arc::default();
    let refused = Arc::new(Mutex::new(None));
    let client = {
        let (inner, refused) = (inner.clone(), refused.clone());
        client(move |_: &Record| {
            let client = inner.lock().unwrap().take();
            if let Some(client) = client {
                let nested = run(&client, &action(RiskLevel::High).summary("nested"));
                *refused.lock().unwrap() = nested.err();
            }
            Decision::approve()
        })
    };
    *inner.lock().unwrap() = Some(client.clone());
    assert_eq!(run(&client, &action(RiskLevel::High)).unwrap(), "ran");
    let refused = refused.lock().unwrap().take().unwrap();
    assert!(
        refused.to_string().contains("would wait for itself"),
        "{refused}"
    );
    client.close_blocking();
}

/// A terminal with these answers: what it showed, and how the call ended.
fn at_the_terminal(answers: &'static str) -> (String, Result<&'static str, Error>) {
    let shown = Shown::default();
    let terminal = TerminalReviewer::on(Cursor::new(answers), shown.clone());
    let client = client(terminal);
    let ended = run(&client, &action(RiskLevel::High));
    client.close_blocking();
    (shown.text(), ended)
}

#[derive(Clone, Default)]
pub(crate) struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_terminal_shows_what_is_asked_and_takes_yes() {
    for answers in ["y\n", "yes\n\n", "Y\nlooks right to me\n"] {
        let (shown, ended) = at_the_terminal(answers);
        assert_eq!(ended.unwrap(), "ran");
        for part in [
            "restart web-1",
            "restart",
            "high",
            "execute",
            "cluster",
            "- node: web-1",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        assert!(shown.contains("Approved."), "{shown}");
    }
}

#[test]
fn the_terminal_takes_no_and_a_reason() {
    for (answers, reason) in [
        ("n\n", "rejected at the terminal"),
        ("\n", "rejected at the terminal"),
        ("no\nnot during the sale\n", "not during the sale"),
        ("n\nx\nfrozen until Monday\n", "frozen until Monday"),
    ] {
        let (_, ended) = at_the_terminal(answers);
        let error = ended.unwrap_err();
        assert!(matches!(error, Error::Rejected(_)), "{error}");
        assert_eq!(error.reason(), Some(reason), "{answers:?}");
    }
}

#[test]
fn no_answer_at_the_terminal_is_a_rejection_that_says_so() {
    let (_, ended) = at_the_terminal("");
    assert_eq!(
        ended.unwrap_err().reason(),
        Some("the terminal gave no answer")
    );
}

#[test]
fn an_unclear_answer_is_asked_for_again_and_is_never_a_yes() {
    let (shown, ended) = at_the_terminal("maybe\ny\n");
    assert!(shown.contains("Please answer y or n."), "{shown}");
    assert_eq!(ended.unwrap(), "ran");
    let (_, ended) = at_the_terminal("yy\nsure\nok\ny\n");
    assert_eq!(
        ended.unwrap_err().reason(),
        Some("the terminal gave no clear answer")
    );
}

#[test]
fn an_endless_line_is_no_answer_and_its_rest_is_not_the_next_one() {
    let endless: &'static str = Box::leak(format!("{}y\n", "n".repeat(100_000)).into_boxed_str());
    let (_, ended) = at_the_terminal(endless);
    assert_eq!(
        ended.unwrap_err().reason(),
        Some("the terminal gave no answer")
    );
}

#[test]
fn a_terminal_that_cannot_be_written_rejects() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let client = client(TerminalReviewer::on(Cursor::new("y\n"), Broken));
    let error = run(&client, &action(RiskLevel::High)).unwrap_err();
    assert!(
        error
            .reason()
            .unwrap()
            .contains("could not be read or written"),
        "{error}"
    );
    client.close_blocking();
}

#[test]
fn an_engine_and_a_base_url_together_are_refused() {
    let both = Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .base_url("http://localhost:8000")
        .build();
    assert!(matches!(both, Err(Error::Configuration(_))));
    let lost = Client::builder()
        .environment(|_| None)
        .reviewer(|_: &Record| Decision::approve())
        .build();
    assert!(
        matches!(lost, Err(Error::Configuration(_))),
        "a service decides, not the reviewer"
    );
}

/// The system's clock, but for one panic on the reviewer's thread.
#[derive(Debug)]
struct Stumbling {
    start: std::time::Instant,
    stumbled: AtomicBool,
}

impl Clock for Stumbling {
    fn unix_millis(&self) -> u64 {
        let reviews = std::thread::current().name() == Some("sernixa-reviewer");
        assert!(
            !reviews || self.stumbled.swap(true, Ordering::SeqCst),
            "a bug, for the test"
        );
        1_778_000_000_000 + u64::try_from(self.start.elapsed().as_millis()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[test]
fn a_panic_beside_the_reviewer_ends_that_review_with_a_no_and_the_next_is_held() {
    let client = Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .clock(Stumbling {
            start: std::time::Instant::now(),
            stumbled: AtomicBool::new(false),
        })
        .reviewer(|_: &Record| Decision::approve())
        .build()
        .unwrap();
    let error = run(&client, &action(RiskLevel::High)).unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    assert_eq!(error.reason(), Some("something panicked around the review"));
    assert_eq!(run(&client, &action(RiskLevel::High)).unwrap(), "ran");
    client.close_blocking();
}
