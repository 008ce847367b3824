//! An action that was allowed and goes on in another call, or another process.

use serde_json::json;
use sernixa::embedded::engine::{AuditQuery, ChangeKind, Moment, Principal, Request, Timestamp};
use sernixa::{Client, Continuation, Error, Permit, RiskLevel, Submitted};

use super::{allowed, engine, leaving, submit};
use crate::support::service::{OUTCOMES, Says, Service, action};

#[test]
fn an_action_that_goes_on_in_another_call_ends_as_continued_and_the_record_and_audit_say_so() {
    let (engine, next, _subscription) = engine();
    let client = leaving(&engine);
    let permit = allowed(&client);
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
    let permit = allowed(&client);
    let goes_on = permit.continued().unwrap();
    client.close_blocking();
    let error = pollster::block_on(client.continue_permit(goes_on, &digest('a'))).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
}

#[test]
fn where_nobody_takes_reports_there_is_nothing_to_go_on_with() {
    let service = Service::with(Says::Allowed, &["claim"]);
    let client = service.client();
    let permit = allowed(&client);
    assert!(permit.continued().is_none());
    client.close_blocking();
}
