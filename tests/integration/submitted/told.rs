//! What a submission tells at once: a permit, something to wait for, or an error.

use std::time::{Duration, SystemTime};

use serde_json::json;
use sernixa::embedded::engine::ChangeKind;
use sernixa::testing::TestGate;
use sernixa::{Client, Error, Permit, RiskLevel};

use super::{allowed, bound, engine, leaving, of, pending, resumable, submit};
use crate::support::reply::Reply;
use crate::support::server::Server;
use crate::support::service::{SUBMIT, Says, Service, action};

#[test]
fn an_allow_is_told_as_a_permit() {
    let service = Service::full(Says::Allowed);
    let client = service.client();
    let permit = allowed(&client);
    assert_eq!(permit.approval_id(), Some("apr-1"));
    permit.succeeded();
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
        let client = bound(&service);
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
        let client = of(&server);
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
        let client = of(&server);
        let waits = pending(&client, &action(RiskLevel::High));
        assert_eq!(waits.expires_at().is_some(), said);
        drop(waits);
        client.close_blocking();
    }
}

#[test]
fn an_embedded_submission_is_told_and_withdrawn_as_over_http() {
    let (engine, next, _subscription) = engine();
    let client = leaving(&engine);
    allowed(&client).succeeded();
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
