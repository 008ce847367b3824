//! A submission whose wait is the caller's to show, bound or leave: `Client::submit`.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, SystemTime};

use serde_json::json;
use sernixa::embedded::engine::{
    AuditQuery, ChangeKind, Moment, Principal, Request, Role, Timestamp,
};
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::testing::{ManualClock, TestGate};
use sernixa::{Client, Clock as _, Continuation, Error, Pending, Permit, RiskLevel, Submitted};

use crate::support::latch::{Latch, PATIENCE};
use crate::support::reply::Reply;
use crate::support::server::Server;
use crate::support::service::{OUTCOMES, SUBMIT, Says, Service, action};

fn submit(client: &Client, action: &sernixa::Action) -> Result<Submitted, Error> {
    pollster::block_on(client.submit(action))
}

fn pending(client: &Client, action: &sernixa::Action) -> Pending {
    match submit(client, action).unwrap() {
        Submitted::Pending(pending) => pending,
        Submitted::Allowed(permit) => panic!("{permit:?}"),
    }
}

fn resumable() -> sernixa::Action {
    action(RiskLevel::High)
        .arguments(Vec::new())
        .resume_key("month-end")
}

#[test]
fn an_allow_is_told_as_a_permit() {
    let service = Service::full(Says::Allowed);
    let client = service.client();
    match submit(&client, &action(RiskLevel::Low)).unwrap() {
        Submitted::Allowed(permit) => {
            assert_eq!(permit.approval_id(), Some("apr-1"));
            permit.succeeded();
        }
        Submitted::Pending(pending) => panic!("{pending:?}"),
    }
    assert_eq!(service.outcomes(1), ["succeeded"]);
    client.close_blocking();
}

#[test]
fn what_waits_is_told_at_once_with_all_that_a_caller_can_say_of_it() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let waits = pending(&client, &action(RiskLevel::High));
    assert_eq!(waits.approval_id(), "apr-1");
    let expires = waits.expires_at().unwrap();
    assert!(expires > SystemTime::now() + Duration::from_hours(1));
    // The service would resume, but no key was sent.
    assert!(!waits.can_resume());
    let shown = format!("{waits:?}");
    assert!(
        shown.contains("apr-1") && !shown.contains("token"),
        "{shown}"
    );
    service.decide("approved");
    let permit = pollster::block_on(waits.decided()).unwrap();
    assert_eq!(permit.approval_id(), Some("apr-1"));
    permit.succeeded();
    assert_eq!(service.outcomes(1), ["succeeded"]);
    client.close_blocking();
}

#[test]
fn a_call_can_resume_only_where_a_key_was_sent_and_the_service_offers_it_and_else_is_withdrawn() {
    for (capabilities, key, can) in [
        (&["claim", "withdraw", "resume"][..], true, true),
        (&["claim", "withdraw"], true, false),
        (&[], true, false),
        (&["claim", "withdraw", "resume"], false, false),
    ] {
        let service = Service::with(Says::Pending, capabilities);
        let client = service.builder().binding_key("a binding key of the test");
        let client = client.build().unwrap();
        let asked = if key {
            resumable()
        } else {
            action(RiskLevel::High)
        };
        let waits = pending(&client, &asked);
        assert_eq!(waits.can_resume(), can, "{capabilities:?}");
        drop(waits);
        client.close_blocking();
        // What nobody can take up again is not left to a reviewer, where that can be helped.
        let requests = service.server.requests();
        let withdrawn = requests.iter().filter(|r| r.path().ends_with("/withdraw"));
        let expected = !can && capabilities.contains(&"withdraw");
        assert_eq!(withdrawn.count(), usize::from(expected), "{capabilities:?}");
    }
}

#[test]
fn refusals_and_odd_answers_are_errors_and_never_something_to_wait_for() {
    for (status, body) in [
        (200, "{}"),
        (200, r#"{"status":"pending_review"}"#),
        (202, "{}"),
        (202, r#"{"approval_id":".."}"#),
        (202, r#"{"approval_id":"a","approval_id":"b"}"#),
        (202, r#"{"approval_id":"a","capabilities":["claim"]}"#),
        (202, r#"{"approval_id":"a","capabilities":"resume"}"#),
        (202, r#"{"approval_id":"a","request_id":"of another"}"#),
        (302, "{}"),
        (403, r#"{"detail":{"status":"blocked","reason":"no"}}"#),
    ] {
        let server = Server::start(move |_| Reply::json(status, body));
        let client = Client::builder()
            .environment(|_| None)
            .base_url(server.url())
            .build()
            .unwrap();
        let error = submit(&client, &action(RiskLevel::Low)).unwrap_err();
        let fits = match status {
            403 => matches!(error, Error::Blocked(_)),
            _ => matches!(error, Error::Api(_)),
        };
        assert!(fits, "{status} {body}: {error}");
        client.close_blocking();
    }
}

#[test]
fn an_end_that_no_service_names_or_that_cannot_be_read_is_no_end() {
    for (expires_at, said) in [
        (json!("2999-01-01T00:00:00Z"), true),
        (json!("tomorrow"), false),
        (json!(4_102_444_800_u64), false),
        (json!(null), false),
    ] {
        let server = Server::start(move |request| {
            if request.path() == SUBMIT {
                let body = json!({"approval_id": "a", "expires_at": expires_at});
                return Reply::json(202, body.to_string());
            }
            Reply::json(200, r#"{"approval_id":"a","status":"pending"}"#)
        });
        let client = Client::builder()
            .environment(|_| None)
            .base_url(server.url())
            .build()
            .unwrap();
        let waits = pending(&client, &action(RiskLevel::High));
        assert_eq!(waits.expires_at().is_some(), said);
        drop(waits);
        client.close_blocking();
    }
}

#[test]
fn one_that_nobody_asks_about_any_more_is_withdrawn() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    drop(pending(&client, &action(RiskLevel::High)));
    let withdrawn = service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    assert_eq!(withdrawn.json()["claim_token"], "token-apr-1");
    client.close_blocking();
}

#[test]
fn one_whose_decision_is_not_awaited_to_the_end_is_withdrawn() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let mut decided = Box::pin(pending(&client, &action(RiskLevel::High)).decided());
    let mut context = Context::from_waker(Waker::noop());
    assert!(decided.as_mut().poll(&mut context).is_pending());
    drop(decided);
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    client.close_blocking();
}

#[test]
fn a_submission_dropped_while_it_is_under_way_is_finished_and_withdrawn() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let held = service.hold(SUBMIT);
    let mut call = Box::pin(client.submit(&action(RiskLevel::High)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending());
    service.server.wait_for("POST", SUBMIT, 1);
    drop(call);
    held.open();
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    client.close_blocking();
}

struct Rung(Latch);

impl Wake for Rung {
    fn wake(self: Arc<Self>) {
        self.0.open();
    }
}

#[test]
fn one_that_was_told_to_wait_and_never_looked_is_withdrawn() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let told = Latch::new();
    let waker = Waker::from(Arc::new(Rung(told.clone())));
    let mut call = Box::pin(client.submit(&action(RiskLevel::High)));
    assert!(
        call.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    told.wait();
    drop(call);
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    client.close_blocking();
}

#[test]
fn one_approved_and_dropped_before_its_permit_was_read_reports_that_it_did_not_start() {
    let service = Service::full(Says::Pending);
    service.decide("approved");
    let client = service.client();
    let waits = pending(&client, &action(RiskLevel::High));
    service.server.wait_for("POST", &Service::path("/claim"), 1);
    drop(waits);
    assert_eq!(service.outcomes(1), ["not_started"]);
    client.close_blocking();
}

#[test]
fn the_wait_is_bounded_by_poll_timeout_even_where_nobody_awaits_it() {
    let service = Service::full(Says::Pending);
    let client = service
        .builder()
        .poll_timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let waits = pending(&client, &action(RiskLevel::High));
    // The driver gives up by itself.
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    let error = pollster::block_on(waits.decided()).unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert_eq!(error.approval_id(), Some("apr-1"));
    client.close_blocking();
}

#[test]
fn an_approval_that_is_being_claimed_when_the_wait_is_over_is_not_left() {
    for asked in [action(RiskLevel::High), resumable()] {
        let clock = ManualClock::starting_at(1_778_000_000);
        let service = Service::full(Says::Pending);
        let client = service
            .builder()
            .binding_key("a binding key of the test")
            .clock(clock.clone());
        let client = client.build().unwrap();
        let held = service.hold("/claim");
        service.decide("approved");
        let waits = pending(&client, &asked.wait_at_most(Duration::from_secs(1)));
        service.server.wait_for("POST", &Service::path("/claim"), 1);
        clock.advance(Duration::from_mins(1));
        let mut decided = Box::pin(waits.decided());
        let polled = decided
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        held.open();
        let permit = pollster::block_on(decided).unwrap();
        assert_eq!(permit.approval_id(), Some("apr-1"));
        permit.succeeded();
        client.close_blocking();
        assert_eq!(service.outcomes(1), ["succeeded"]);
    }
}

#[test]
fn an_action_may_wait_for_less_than_its_client_and_says_that_nobody_decided() {
    for (asked, withdrawn) in [(action(RiskLevel::High), 1), (resumable(), 0)] {
        let clock = ManualClock::starting_at(1_778_000_000);
        let service = Service::full(Says::Pending);
        let client = service
            .builder()
            .binding_key("a binding key of the test")
            .clock(clock.clone());
        let client = client.build().unwrap();
        let waits = pending(&client, &asked.wait_at_most(Duration::from_secs(3)));
        let mut decided = Box::pin(waits.decided());
        wait_until(|| clock.sleepers() > 0);
        clock.advance(Duration::from_millis(2_900));
        let polled = decided
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        wait_until(|| clock.sleepers() > 0);
        clock.advance(Duration::from_millis(100));
        let error = pollster::block_on(decided).unwrap_err();
        assert!(error.is_undecided(), "{error}");
        assert_eq!(error.approval_id(), Some("apr-1"));
        let said = error.to_string();
        assert!(
            said.contains("within 3 s (as long as this action waits)"),
            "{said}"
        );
        client.close_blocking();
        let requests = service.server.requests();
        let left = requests.iter().filter(|r| r.path().ends_with("/withdraw"));
        assert_eq!(left.count(), withdrawn);
    }
}

#[test]
fn an_action_waits_no_longer_than_its_client() {
    let service = Service::full(Says::Pending);
    let client = service.builder().poll_timeout(Duration::ZERO);
    let client = client.build().unwrap();
    let asked = action(RiskLevel::High).wait_at_most(Duration::from_hours(1));
    let error = client.authorize_blocking(&asked).unwrap_err();
    assert!(error.is_undecided(), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("within 0 s (SERNIXA_POLL_TIMEOUT_SECONDS)"),
        "{said}"
    );
    client.close_blocking();
}

#[test]
fn a_claim_that_is_not_answered_in_time_is_no_wait_that_ended_undecided() {
    let service = Service::full(Says::Pending);
    let client = service
        .builder()
        .max_retries(0)
        .timeout(Duration::from_millis(300));
    let client = client.build().unwrap();
    let held = service.hold("/claim");
    service.decide("approved");
    let asked = action(RiskLevel::High).wait_at_most(Duration::from_secs(15));
    let error = client.authorize_blocking(&asked).unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert!(!error.is_undecided() && error.may_have_been_submitted());
    held.open();
    client.close_blocking();
    assert_eq!(service.outcomes(1), ["not_started"]);
}

#[test]
fn closing_the_client_withdraws_what_is_pending_and_ends_it_with_an_error() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let waits = pending(&client, &action(RiskLevel::High));
    client.close_blocking();
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    let error = pollster::block_on(waits.decided()).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
}

/// An engine whose approvals the test decides, and its changes.
fn engine() -> (Engine, impl Fn() -> ChangeKind, impl Drop) {
    let engine = Engine::in_memory();
    let (sender, changes) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let subscription = engine.subscribe(Box::new(move |change| {
        let _ = sender.lock().unwrap().send(change.kind());
    }));
    let next = move || changes.recv_timeout(PATIENCE).unwrap();
    (engine, next, Box::new(subscription))
}

fn leaving(engine: &Engine) -> Client {
    Client::builder()
        .environment(|_| None)
        .binding_key("a binding key of the test")
        .engine(engine.clone())
        .reviewer(|_: &Record| Decision::leave())
        .build()
        .unwrap()
}

#[test]
fn an_embedded_submission_is_told_and_withdrawn_as_over_http() {
    let (engine, next, _subscription) = engine();
    let client = leaving(&engine);
    match submit(&client, &action(RiskLevel::Low)).unwrap() {
        Submitted::Allowed(permit) => permit.succeeded(),
        Submitted::Pending(pending) => panic!("{pending:?}"),
    }
    assert_eq!(next(), ChangeKind::Outcome);
    let waits = pending(&client, &action(RiskLevel::High));
    assert_eq!(next(), ChangeKind::Asked);
    assert!(waits.expires_at().unwrap() > SystemTime::now());
    assert!(!waits.can_resume());
    drop(waits);
    assert_eq!(next(), ChangeKind::Expired);
    client.close_blocking();
}

#[test]
fn with_a_resume_key_it_stays_and_the_next_submission_takes_it_up() {
    let (engine, next, _subscription) = engine();
    let client = leaving(&engine);
    let first = pending(&client, &resumable());
    assert_eq!(next(), ChangeKind::Asked);
    assert!(first.can_resume());
    let id = first.approval_id().to_owned();
    drop(first);
    let second = pending(&client, &resumable());
    assert_eq!((second.approval_id(), next()), (&*id, ChangeKind::Resumed));
    client.close_blocking();
}

#[test]
fn only_waiters_whose_approvals_outlive_them_say_that_they_wait() {
    for (capabilities, key, target) in [
        (
            &["claim", "withdraw", "resume"][..],
            true,
            "/api/approvals/apr-1?waiting=true",
        ),
        (&["claim", "withdraw"], true, "/api/approvals/apr-1"),
        (
            &["claim", "withdraw", "resume"],
            false,
            "/api/approvals/apr-1",
        ),
    ] {
        let service = Service::with(Says::Pending, capabilities);
        let client = service.builder().binding_key("a binding key of the test");
        let client = client.build().unwrap();
        let asked = if key {
            resumable()
        } else {
            action(RiskLevel::High)
        };
        let waits = pending(&client, &asked);
        let looked = service.server.wait_for("GET", "/api/approvals/apr-1", 1);
        assert_eq!(looked.target, target, "{capabilities:?} {key}");
        drop(waits);
        client.close_blocking();
    }
}

#[test]
fn an_embedded_waiter_is_noticed_every_half_minute_until_it_leaves() {
    let clock = ManualClock::starting_at(1_778_000_000);
    let engine = Engine::in_memory();
    let client = Client::builder()
        .environment(|_| None)
        .binding_key("a binding key of the test")
        .engine(engine.clone())
        .reviewer(|_: &Record| Decision::leave())
        .clock(clock.clone())
        .build()
        .unwrap();
    let waits = pending(&client, &resumable());
    let seen = || {
        let moment = Moment::new(Timestamp::from_millis(clock.unix_millis()), [7; 32]);
        let auditor = Principal::new("local", "a-test").with(Role::Auditor);
        let waiting = engine.pending(&auditor, 9, &moment).unwrap();
        waiting[0].waiter_seen_at().unwrap().millis() / 1_000 - 1_778_000_000
    };
    assert_eq!(seen(), 0);
    for look in 1..=4 {
        // The waiter sleeps until its next look, and the reviewer's desk does not.
        wait_until(|| clock.sleepers() > 0);
        clock.advance(Duration::from_secs(30));
        wait_until(|| seen() == look * 30);
    }
    drop(waits);
    wait_until(|| clock.sleepers() == 0);
    clock.advance(Duration::from_secs(121));
    assert_eq!(seen(), 120);
    client.close_blocking();
}

fn wait_until(done: impl Fn() -> bool) {
    let end = std::time::Instant::now() + PATIENCE;
    while !done() {
        assert!(std::time::Instant::now() < end, "it never happens");
        std::thread::yield_now();
    }
}

#[test]
fn of_two_that_hold_one_approval_the_earlier_ends_as_superseded() {
    let (engine, _, _subscription) = engine();
    let client = leaving(&engine);
    let first = pending(&client, &resumable());
    let second = pending(&client, &resumable());
    let error = pollster::block_on(first.decided()).unwrap_err();
    assert!(matches!(error, Error::Replay(_)), "{error}");
    let mut waits = Box::pin(second.decided());
    let polled = waits.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
    client.close_blocking();
}

#[test]
fn an_action_that_goes_on_in_another_call_ends_as_continued_and_the_record_and_audit_say_so() {
    let (engine, next, _subscription) = engine();
    let client = leaving(&engine);
    let Submitted::Allowed(permit) = submit(&client, &action(RiskLevel::Low)).unwrap() else {
        panic!("a low-risk read proceeds");
    };
    let id = permit.approval_id().unwrap().to_owned();
    let goes_on = permit.continued().unwrap();
    assert_eq!(goes_on.approval_id(), id);
    assert_eq!(next(), ChangeKind::Outcome);
    let moment = Moment::new(Timestamp::from_millis(4_000_000_000_000), [7; 32]);
    let ask = |request| {
        let answer = engine.handle(&Principal::local(), request, &moment);
        serde_json::from_str::<serde_json::Value>(&answer.body).unwrap()
    };
    let record = ask(Request::Record { approval_id: &id });
    assert_eq!(record["execution"], "continued", "{record}");
    let events = ask(Request::AuditEvents(AuditQuery::default()));
    assert!(events.to_string().contains("continued"), "{events}");
    // What it is told, and how it ends.
    let digest = digest('a');
    let permit = pollster::block_on(client.continue_permit(goes_on, &digest)).unwrap();
    let record = ask(Request::Record { approval_id: &id });
    assert_eq!(record["execution"], "continued", "{record}");
    let events = ask(Request::AuditEvents(AuditQuery::default()));
    assert!(events.to_string().contains(&digest), "{events}");
    assert_eq!(permit.approval_id(), Some(&*id));
    permit.succeeded();
    assert_eq!(next(), ChangeKind::Outcome);
    let record = ask(Request::Record { approval_id: &id });
    assert_eq!(record["execution"], "succeeded", "{record}");
    client.close_blocking();
}

fn digest(digit: char) -> String {
    format!("hmac-sha256:{}", digit.to_string().repeat(64))
}

/// A call of a service that allows at once, or once a person approved; it runs and goes on.
fn going_on(service: &Service, client: &Client) -> Continuation {
    let permit = match submit(client, &action(RiskLevel::Low)).unwrap() {
        Submitted::Allowed(permit) => permit,
        Submitted::Pending(waits) => {
            service.decide("approved");
            pollster::block_on(waits.decided()).unwrap()
        }
    };
    permit.continued().unwrap()
}

/// The outcome that was reported last.
fn last_report(service: &Service, n: usize) -> serde_json::Value {
    service.outcomes(n);
    let requests = service.server.requests();
    let last = requests.iter().rfind(|sent| sent.path() == OUTCOMES);
    let outcomes = last.unwrap().json();
    let outcomes = outcomes["outcomes"].as_array().unwrap();
    outcomes.last().unwrap().clone()
}

#[test]
fn what_goes_on_is_taken_up_by_another_process_says_what_it_is_told_and_how_it_ends() {
    for (says, proof) in [
        (Says::Pending, "claim_token"),
        (Says::Allowed, "request_id"),
    ] {
        let service = Service::full(says);
        let client = service.client();
        let kept = going_on(&service, &client).expose_secret();
        client.close_blocking();
        let begun = last_report(&service, 1);
        assert_eq!(begun["outcome"], "continued");
        assert!(begun.get("input_digest").is_none());

        let client = service.client();
        let goes_on = Continuation::from_secret(&kept).unwrap();
        let told = client.continue_permit(goes_on, &digest('a'));
        let permit = pollster::block_on(told).unwrap();
        // It is not a matter of some time soon: it stands when the permit is given.
        let round = last_report(&service, 2);
        assert_eq!(
            round,
            json!({"approval_id": "apr-1", proof: begun[proof], "outcome": "continued",
                "input_digest": digest('a')})
        );
        let goes_on = permit.continued().unwrap();
        let told = client.continue_permit(goes_on, &digest('b'));
        pollster::block_on(told).unwrap().failed();
        client.close_blocking();
        let ended = last_report(&service, 5);
        assert_eq!(
            (&ended["outcome"], &ended[proof]),
            (&json!("failed"), &begun[proof])
        );
    }
}

#[test]
fn what_goes_on_and_is_lost_or_goes_nowhere_ends_as_unknown() {
    for end in [drop::<Permit>, Permit::not_started] {
        let service = Service::full(Says::Allowed);
        let client = service.client();
        let goes_on = going_on(&service, &client);
        let told = client.continue_permit(goes_on, &digest('a'));
        end(pollster::block_on(told).unwrap());
        client.close_blocking();
        let words = service.outcomes(3);
        assert_eq!(words.last().unwrap(), "outcome_unknown", "{words:?}");
    }
}

#[test]
fn nothing_goes_on_unless_the_service_says_that_it_recorded_what_it_is_told() {
    for word in [
        "invalid_claim_token",
        "not_found",
        "already_reported",
        "",
        "recorded\u{1b}",
    ] {
        let service = Service::full(Says::Pending);
        let client = service.client();
        let goes_on = going_on(&service, &client);
        service.take_outcomes_as(word);
        let told = client.continue_permit(goes_on, &digest('a'));
        let error = pollster::block_on(told).unwrap_err();
        assert!(matches!(error, Error::Api(_)), "{word}: {error}");
        assert_eq!(error.approval_id(), Some("apr-1"));
        assert!(!error.to_string().contains('\u{1b}'));
        client.close_blocking();
    }
    // A service that is gone.
    let service = Service::full(Says::Pending);
    let client = service.builder().max_retries(0).build().unwrap();
    let goes_on = going_on(&service, &client);
    drop(service);
    let told = client.continue_permit(goes_on, &digest('a'));
    let error = pollster::block_on(told).unwrap_err();
    assert!(
        matches!(error, Error::Api(_) | Error::Timeout(_)),
        "{error}"
    );
    client.close_blocking();
}

#[test]
fn a_closed_client_goes_on_with_nothing() {
    let (engine, _, _subscription) = engine();
    let client = leaving(&engine);
    let Submitted::Allowed(permit) = submit(&client, &action(RiskLevel::Low)).unwrap() else {
        panic!("a low-risk read proceeds");
    };
    let goes_on = permit.continued().unwrap();
    client.close_blocking();
    let error = pollster::block_on(client.continue_permit(goes_on, &digest('a'))).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
}

#[test]
fn where_nobody_takes_reports_there_is_nothing_to_go_on_with() {
    let service = Service::with(Says::Allowed, &["claim"]);
    let client = service.client();
    let Submitted::Allowed(permit) = submit(&client, &action(RiskLevel::Low)).unwrap() else {
        panic!("it was allowed");
    };
    assert!(permit.continued().is_none());
    client.close_blocking();
}

#[test]
fn tools_are_visible_as_the_service_says_and_none_is_hidden_where_it_does_not_say() {
    let tools: Vec<String> = (0..450).map(|n| format!("mcp.tool-{n}")).collect();
    let tools: Vec<(&str, &str)> = tools.iter().map(|tool| (&**tool, "mcp:files")).collect();
    let server = Server::start(|request| {
        if request.path() != "/api/mcp/tools/visible" {
            return Reply::json(404, "{}");
        }
        let asked = request.json();
        let visible: Vec<bool> = asked["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["action_id"] != "mcp.tool-201" && tool["intent_id"] == "mcp:files")
            .collect();
        Reply::json(
            200,
            json!({"visible": visible, "policy_digest": ""}).to_string(),
        )
    });
    let client = Client::builder().environment(|_| None);
    let client = client.base_url(server.url()).build().unwrap();
    let visible = pollster::block_on(client.visible_tools(&tools))
        .unwrap()
        .unwrap();
    let hidden: Vec<usize> = (0..450).filter(|n| !visible[*n]).collect();
    assert_eq!((visible.len(), hidden), (450, vec![201]));
    assert_eq!(
        pollster::block_on(client.visible_tools(&[])).unwrap(),
        Some(Vec::new())
    );
    // Whom a delegated call acts as, the service is not asked.
    let delegation = sernixa::delegation::Delegation::new("agent", "token");
    let delegation = delegation.signing_secret("a secret of sixteen");
    let asked = delegation.run(client.visible_tools(&tools));
    assert_eq!(pollster::block_on(asked).unwrap(), None);
    client.close_blocking();

    let service = Service::full(Says::Pending);
    let client = service.client();
    assert_eq!(
        pollster::block_on(client.visible_tools(&tools)).unwrap(),
        None
    );
    client.close_blocking();
    let embedded = Client::embedded(Engine::in_memory()).unwrap();
    let visible = pollster::block_on(embedded.visible_tools(&tools)).unwrap();
    assert_eq!(visible, Some(vec![true; 450]));
    assert_eq!(
        pollster::block_on(embedded.offers("resume")).unwrap(),
        Some(true)
    );
    assert_eq!(
        pollster::block_on(embedded.offers("events")).unwrap(),
        Some(false)
    );
    embedded.close_blocking();
}

#[test]
fn a_test_gate_holds_a_submission_until_it_is_decided() {
    let gate = TestGate::new();
    let held = gate.hold("integration");
    let decided: Result<Permit, Error> = gate.scope(|| {
        let client = Client::builder().environment(|_| None).build().unwrap();
        let waits = pending(&client, &action(RiskLevel::High));
        held.approve();
        pollster::block_on(waits.decided())
    });
    decided.unwrap().succeeded();
}

#[test]
fn a_report_that_nobody_waits_for_goes_with_the_next_decision_or_in_time_or_at_the_end() {
    let clock = ManualClock::starting_at(1_778_000_000);
    let engine = Engine::in_memory();
    let client = Client::builder()
        .environment(|_| None)
        .engine(engine.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let allowed = || {
        let Submitted::Allowed(permit) = submit(&client, &action(RiskLevel::Low)).unwrap() else {
            panic!("a low-risk read proceeds");
        };
        let id = permit.approval_id().unwrap().to_owned();
        (permit.reported_later(), id)
    };
    let said = |id: &str| {
        let moment = Moment::new(Timestamp::from_millis(clock.unix_millis()), [7; 32]);
        let asked = Request::Record { approval_id: id };
        let answer = engine.handle(&Principal::local(), asked, &moment);
        let record: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        record["execution"].as_str().unwrap().to_owned()
    };

    let (first, first_id) = allowed();
    first.succeeded();
    wait_until(|| clock.sleepers() > 0);
    assert_eq!(said(&first_id), "none");
    let (second, second_id) = allowed();
    wait_until(|| said(&first_id) == "succeeded");

    second.failed();
    wait_until(|| {
        clock.advance(Duration::from_millis(100));
        said(&second_id) == "failed"
    });

    let (third, third_id) = allowed();
    let (fourth, fourth_id) = allowed();
    drop(third);
    client.close_blocking();
    assert_eq!(said(&third_id), "outcome_unknown");
    fourth.succeeded();
    assert_eq!(said(&fourth_id), "succeeded");
}
