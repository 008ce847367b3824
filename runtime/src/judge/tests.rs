//! The decision tables, row by row.

use serde_json::{Value, json};
use sernixa_protocol::RiskLevel;

use super::*;
use crate::config::Base;
use crate::error::Error;
use crate::transport::{Answer, Fault};

const HASH: &str = "2340015fcb0521c1aa416c7a55c754901757496bca2520997d1afd59cf71350b";

fn terms(risk: RiskLevel, rules: Rules) -> Terms<'static> {
    Terms {
        risk,
        request_id: "req-1",
        body_hash: HASH,
        rules,
    }
}

fn low() -> Terms<'static> {
    terms(RiskLevel::Low, Rules::default())
}

fn high() -> Terms<'static> {
    terms(RiskLevel::High, Rules::default())
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer::json(status, body.to_string())
}

/// The verdict as a word: `run`, `wait`, or the error's kind.
fn word(verdict: &Result<Judged, Error>) -> &'static str {
    match verdict {
        Ok(Judged::Run(_)) => "run",
        Ok(Judged::Wait(_)) => "wait",
        Err(error) => kind(error),
    }
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Blocked(_) => "Blocked",
        Error::Rejected(_) => "Rejected",
        Error::Expired(_) => "Expired",
        Error::Timeout(_) => "Timeout",
        Error::Replay(_) => "Replay",
        Error::Signature(_) => "Signature",
        Error::DelegationScope(_) => "DelegationScope",
        Error::RateLimit(_) => "RateLimit",
        Error::Authentication(_) => "Authentication",
        Error::Api(_) => "Api",
        Error::Failed(_) => "Failed",
        Error::Configuration(_) | Error::Validation(_) => "not from an answer",
    }
}

fn submitted(terms: &Terms<'_>, status: u16, body: &Value) -> &'static str {
    word(&submission(terms, &answer(status, body)))
}

#[test]
fn a_submission_runs_waits_or_ends_by_status_and_word() {
    let rows = [
        (200, "accepted", "run"),
        (200, "approved", "run"),
        (200, "auto_approved", "run"),
        (200, "executed", "run"),
        (200, "blocked", "Blocked"),
        (200, "rejected", "Rejected"),
        (200, "expired", "Expired"),
        (200, "failed", "Failed"),
        (200, "ACCEPTED", "Api"),
        (200, "accepted ", "Api"),
        (200, "", "Api"),
        (200, "pending", "Api"),
        (201, "accepted", "Api"),
        (202, "accepted", "Api"),
        (204, "accepted", "Api"),
        (302, "accepted", "Api"),
        (400, "accepted", "Api"),
        (401, "accepted", "Authentication"),
        (403, "accepted", "Blocked"),
        (409, "replayed_nonce", "Api"),
        (429, "accepted", "RateLimit"),
        (500, "accepted", "Api"),
    ];
    for (status, said, expected) in rows {
        assert_eq!(
            submitted(&low(), status, &json!({"status": said})),
            expected,
            "{status} {said}"
        );
    }
    for odd in [
        json!(null),
        json!(1),
        json!(true),
        json!(["accepted"]),
        json!({}),
    ] {
        assert_eq!(submitted(&low(), 200, &json!({"status": odd})), "Api");
    }
    assert_eq!(submitted(&low(), 200, &json!({})), "Api");
}

#[test]
fn only_strict_json_that_says_so_is_read() {
    let texts: [&[u8]; 12] = [
        b"",
        b"null",
        b"[]",
        b"\"accepted\"",
        b"{",
        b"<html>",
        b"{\"status\":\"accepted\"} x",
        b"{\"status\":\"accepted\"}{\"status\":\"accepted\"}",
        b"{\"status\":\"blocked\",\"status\":\"accepted\"}",
        b"{\"status\":\"accepted\",\"stat\\u0075s\":\"accepted\"}",
        b"{\"status\":\"accepted\",\"x\":[{\"a\":1,\"a\":1}]}",
        b"{\"status\":\"accepted\",\"x\":\"\xff\"}",
    ];
    for text in texts {
        let answer = Answer::json(200, text.to_vec());
        assert_eq!(
            word(&submission(&low(), &answer)),
            "Api",
            "{}",
            text.escape_ascii()
        );
    }
    let mut other = answer(200, &json!({"status": "accepted"}));
    other.json = false;
    assert_eq!(word(&submission(&low(), &other)), "Api");
}

#[test]
fn an_allow_must_not_contradict_itself_nor_belong_to_another_call() {
    let with = |name: &str, value: Value| json!({"status": "accepted", name: value});
    let rows = [
        ("decision", json!(null), "run"),
        ("decision", json!("auto_approved"), "run"),
        ("decision", json!("approved"), "run"),
        ("decision", json!("accepted"), "run"),
        ("decision", json!("rejected"), "Api"),
        ("decision", json!("pending_review"), "Api"),
        ("decision", json!(""), "Api"),
        ("decision", json!(true), "Api"),
        ("request_id", json!("req-1"), "run"),
        ("request_id", json!(null), "run"),
        ("request_id", json!("req-2"), "Api"),
        ("request_id", json!(1), "Api"),
        ("body_hash", json!(HASH), "run"),
        ("body_hash", json!(null), "run"),
        ("body_hash", json!("00"), "Api"),
        ("approval_id", json!(".."), "run"),
        ("capabilities", json!(null), "run"),
        ("capabilities", json!([]), "run"),
        ("capabilities", json!(["later"]), "run"),
        ("capabilities", json!("claim"), "Api"),
        ("capabilities", json!(["claim", 1]), "Api"),
        ("capabilities", json!({"claim": true}), "Api"),
    ];
    for (name, value, expected) in rows {
        assert_eq!(
            submitted(&low(), 200, &with(name, value.clone())),
            expected,
            "{name} {value}"
        );
    }
}

#[test]
fn at_high_and_critical_risk_nothing_is_allowed_at_once_unless_the_user_says_so() {
    let trusting = Rules {
        accept_immediate_high_risk: true,
        ..Rules::default()
    };
    for risk in [RiskLevel::High, RiskLevel::Critical] {
        for said in ["accepted", "approved", "auto_approved", "executed"] {
            let body = json!({"status": said});
            assert_eq!(
                submitted(&terms(risk, Rules::default()), 200, &body),
                "Api",
                "{said}"
            );
            assert_eq!(
                submitted(&terms(risk, trusting), 200, &body),
                "run",
                "{said}"
            );
        }
    }
}

#[test]
fn a_wait_needs_a_usable_id() {
    let long = "x".repeat(200);
    for id in ["a", "...", "a/b", "é", " ", long.as_str()] {
        assert_eq!(
            submitted(&high(), 202, &json!({"approval_id": id})),
            "wait",
            "{id}"
        );
        let in_200 = json!({"status": "pending_review", "approval_id": id});
        assert_eq!(submitted(&high(), 200, &in_200), "wait", "{id}");
    }
    let too_long = format!("{long}x");
    for id in [
        json!(""),
        json!("."),
        json!(".."),
        json!(too_long),
        json!(7),
        json!(null),
    ] {
        assert_eq!(
            submitted(&high(), 202, &json!({"approval_id": id})),
            "Api",
            "{id}"
        );
    }
    assert_eq!(submitted(&high(), 202, &json!({})), "Api");
    let foreign = json!({"approval_id": "a", "body_hash": "00"});
    assert_eq!(submitted(&high(), 202, &foreign), "Api");
}

#[test]
fn claims_come_with_a_token_and_never_go_away() {
    let wait = |more: Value| {
        let mut body = json!({"approval_id": "a", "capabilities": ["claim"], "claim_token": "t"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    assert_eq!(submitted(&high(), 202, &wait(json!({}))), "wait");
    for token in [json!(null), json!(1), json!(["t"])] {
        assert_eq!(
            submitted(&high(), 202, &wait(json!({"claim_token": token}))),
            "Api"
        );
    }
    let before = Rules {
        claims_before: true,
        ..Rules::default()
    };
    let required = Rules {
        require_claim: true,
        ..Rules::default()
    };
    let without = wait(json!({"capabilities": ["outcome"]}));
    let allow = json!({"status": "accepted", "capabilities": ["outcome"]});
    assert_eq!(submitted(&low(), 202, &without), "wait");
    assert_eq!(submitted(&low(), 200, &allow), "run");
    for rules in [before, required] {
        let strict = terms(RiskLevel::Low, rules);
        assert_eq!(submitted(&strict, 202, &without), "Api");
        assert_eq!(submitted(&strict, 200, &allow), "Api");
        assert_eq!(submitted(&strict, 202, &wait(json!({}))), "wait");
        let allow = json!({"status": "accepted", "capabilities": ["claim"]});
        assert_eq!(submitted(&strict, 200, &allow), "run");
    }
    let executed = json!({"status": "executed", "capabilities": ["claim"]});
    assert_eq!(submitted(&low(), 200, &executed), "Replay");
}

#[test]
fn a_401_or_403_is_read_by_its_word() {
    let rows = [
        ("invalid_signature", "Signature"),
        ("invalid_nonce", "Signature"),
        ("replayed_nonce", "Replay"),
        ("stale_timestamp", "Replay"),
        ("out_of_scope", "DelegationScope"),
        ("mismatched_delegatee", "DelegationScope"),
        ("unknown_agent", "DelegationScope"),
        ("expired_token", "DelegationScope"),
        ("revoked_token", "DelegationScope"),
        ("invalid_chain", "DelegationScope"),
    ];
    for (said, expected) in rows {
        for status in [401, 403] {
            let body = json!({"detail": {"status": said, "reason": "r"}});
            assert_eq!(
                submitted(&low(), status, &body),
                expected,
                "{status} {said}"
            );
        }
        let beside = json!({"status": said});
        assert_eq!(
            submitted(&low(), 403, &beside),
            "Blocked",
            "{said} beside detail"
        );
    }
    let doubled = Answer::json(403, r#"{"detail":{"status":"blocked","status":"blocked"}}"#);
    assert_eq!(word(&submission(&low(), &doubled)), "Api");
    let mut page = Answer::json(403, "<html>");
    page.json = false;
    assert_eq!(word(&submission(&low(), &page)), "Blocked");
    assert_eq!(
        submitted(&low(), 403, &json!({"request_id": "req-2"})),
        "Api"
    );
}

#[test]
fn a_plain_refusal_keeps_word_reason_evidence_and_status_code() {
    let body = json!({"detail": {"status": "dlp_floor", "reason": "a key", "evidence": {"at": 1}}});
    let error = submission(&low(), &answer(403, &body)).unwrap_err();
    assert_eq!(error.refusal().status(), Some("dlp_floor"));
    assert_eq!(error.reason(), Some("a key"));
    assert_eq!(error.evidence(), Some(&json!({"at": 1})));
    assert_eq!(error.status_code(), Some(403));
    let text = submission(&low(), &answer(403, &json!({"detail": "no"}))).unwrap_err();
    assert_eq!(text.reason(), Some("no"));
}

fn ticket(bound: bool) -> Ticket {
    Ticket {
        approval_id: ApprovalId::new("apr").unwrap(),
        claim_token: Some("t".to_owned().into()),
        bound,
        attached: None,
        expires_at: None,
        offers: Offers::default(),
    }
}

fn looked(terms: &Terms<'_>, status: u16, body: &Value) -> &'static str {
    match record(terms, &ticket(true), &answer(status, body)) {
        Ok(Looked::Open) => "open",
        Ok(Looked::Pending) => "pending",
        Ok(Looked::Trouble(_)) => "trouble",
        Err(error) => {
            assert_eq!(error.approval_id(), Some("apr"), "{error}");
            kind(&error)
        }
    }
}

#[test]
fn a_record_opens_ends_or_goes_on_waiting() {
    let of = |status: &Value| json!({"approval_id": "apr", "body_hash": HASH, "status": status});
    let rows = [
        (json!("approved"), "open", "open"),
        (json!("auto_approved"), "open", "Api"),
        (json!("executed"), "open", "Api"),
        (json!("rejected"), "Rejected", "Rejected"),
        (json!("blocked"), "Blocked", "Blocked"),
        (json!("expired"), "Expired", "Expired"),
        (json!("failed"), "Failed", "Failed"),
        (json!("pending_review"), "pending", "pending"),
        (json!("APPROVED"), "pending", "pending"),
        (json!("accepted"), "pending", "pending"),
        (json!(["approved"]), "pending", "pending"),
        (json!(null), "pending", "pending"),
    ];
    for (status, at_low, at_high) in rows {
        assert_eq!(looked(&low(), 200, &of(&status)), at_low, "{status}");
        assert_eq!(looked(&high(), 200, &of(&status)), at_high, "{status}");
    }
    let approved = of(&json!("approved"));
    for status in [429, 500, 501, 503, 599] {
        assert_eq!(looked(&low(), status, &approved), "trouble", "{status}");
    }
    let ends = [
        (401, "Authentication"),
        (403, "Blocked"),
        (404, "Api"),
        (410, "Api"),
    ];
    for (status, expected) in ends {
        assert_eq!(looked(&low(), status, &json!({})), expected, "{status}");
    }
    for status in [201, 202, 204, 302, 400, 418] {
        assert_eq!(looked(&low(), status, &approved), "Api", "{status}");
    }
}

#[test]
fn a_record_must_be_of_our_approval_and_of_our_body_to_the_end() {
    let rows = [
        (json!({"status": "approved", "body_hash": HASH}), "Api"),
        (
            json!({"status": "approved", "approval_id": "other", "body_hash": HASH}),
            "Api",
        ),
        (
            json!({"status": "approved", "approval_id": "apr", "body_hash": "00"}),
            "Api",
        ),
        (
            json!({"status": "approved", "approval_id": "apr", "body_hash": null}),
            "Api",
        ),
        (json!({"status": "approved", "approval_id": "apr"}), "Api"),
        (json!({"status": "pending", "approval_id": "apr"}), "Api"),
    ];
    for (body, expected) in rows {
        assert_eq!(looked(&low(), 200, &body), expected, "{body}");
    }
    // A service that never said a hash need not begin to.
    let body = json!({"status": "approved", "approval_id": "apr"});
    let unbound = record(&low(), &ticket(false), &answer(200, &body));
    assert_eq!(unbound.unwrap(), Looked::Open);
    let doubled = Answer::json(
        200,
        r#"{"approval_id":"apr","status":"pending","status":"approved"}"#,
    );
    assert_eq!(
        kind(&record(&low(), &ticket(false), &doubled).unwrap_err()),
        "Api"
    );
}

fn claimed(status: u16, body: &Value) -> &'static str {
    match claim(&high(), &ticket(true), "claim-1", &answer(status, body)) {
        Ok(()) => "run",
        Err(error) => {
            assert_eq!(error.approval_id(), Some("apr"), "{error}");
            kind(&error)
        }
    }
}

#[test]
fn only_our_own_claim_starts_the_body() {
    let whole = json!({
        "status": "claimed", "approval_id": "apr", "claim_id": "claim-1", "body_hash": HASH,
        "receipt": {"seq": 1, "hash": "00"},
    });
    assert_eq!(claimed(200, &whole), "run");
    for name in ["status", "approval_id", "claim_id", "body_hash"] {
        for odd in [json!(null), json!("other"), json!(1)] {
            let mut body = whole.clone();
            body[name] = odd;
            assert_eq!(claimed(200, &body), "Api", "{body}");
        }
        let mut body = whole.clone();
        body.as_object_mut().unwrap().remove(name);
        assert_eq!(claimed(200, &body), "Api", "{body}");
    }
    for status in [201, 202, 204, 302, 404, 410, 500, 503] {
        assert_eq!(claimed(status, &whole), "Api", "{status}");
    }
    assert_eq!(claimed(429, &whole), "RateLimit");
    assert_eq!(claimed(401, &json!({})), "Authentication");
    assert_eq!(claimed(403, &json!({})), "Blocked");
}

#[test]
fn a_conflict_about_a_claim_is_read_by_its_word() {
    let rows = [
        ("invalid_claim_token", "Replay"),
        ("superseded", "Replay"),
        ("already_claimed", "Replay"),
        ("body_mismatch", "Api"),
        ("expired", "Expired"),
        ("revoked_token", "DelegationScope"),
        ("expired_token", "DelegationScope"),
        ("policy_changed", "Blocked"),
        ("rejected", "Rejected"),
        ("blocked", "Blocked"),
        ("claimed", "Api"),
    ];
    for (said, expected) in rows {
        let body = json!({"detail": {"status": said, "reason": "r"}});
        assert_eq!(claimed(409, &body), expected, "{said}");
        assert_eq!(
            claimed(409, &json!({"status": said})),
            "Api",
            "{said} beside detail"
        );
    }
    assert_eq!(claimed(409, &json!([])), "Api");
}

#[test]
fn without_an_answer_the_error_says_whether_it_may_have_arrived_and_what_to_do() {
    let default = Base::Http {
        url: "http://localhost:8000/".parse().unwrap(),
        is_default: true,
    };
    let refused = fault(
        Step::Submitting,
        &default,
        Fault::Unreachable("refused".into()),
        false,
    );
    assert!(refused.is_retryable() && !refused.may_have_been_submitted());
    let text = refused.to_string();
    assert!(
        text.contains("start one") && text.contains("embedded:"),
        "{text}"
    );
    let late = fault(Step::Submitting, &default, Fault::Timeout, false);
    assert!(matches!(late, Error::Timeout(_)));
    assert!(late.is_retryable() && late.may_have_been_submitted());
    let broken = fault(
        Step::Submitting,
        &default,
        Fault::Interrupted("reset".into()),
        false,
    );
    assert!(broken.is_retryable() && broken.may_have_been_submitted());
    let at_last = fault(
        Step::Submitting,
        &default,
        Fault::Unreachable("refused".into()),
        true,
    );
    assert!(at_last.may_have_been_submitted());
    let huge = fault(Step::Submitting, &default, Fault::TooLarge, false);
    assert!(matches!(huge, Error::Api(_)) && !huge.is_retryable());
}

#[test]
fn nothing_of_an_answer_is_printed_by_accident() {
    let verdict = submission(
        &high(),
        &answer(202, &json!({"approval_id": "a", "claim_token": "marker"})),
    );
    assert!(!format!("{verdict:?}").contains("marker"));
}
