//! Promise 1: whatever comes instead of an answer on the allow-list, the body does not begin.

use proptest::collection::vec;
use proptest::prelude::*;

use super::documents::{self, right_pending, text};
use super::rig::{Case, Setup, explore};
use super::shot::Shot;

/// Ends every wait with a yes, so that a case in which the client should have stopped shows.
fn approved() -> Shot {
    Shot::json(
        200,
        r#"{"status":"approved","approval_id":"{approval_id}","body_hash":"{body_hash}"}"#,
    )
}

fn claimed() -> Shot {
    Shot::json(200, text(&documents::claimed()))
}

#[test]
fn the_body_runs_exactly_when_the_answer_to_the_submission_is_on_the_allow_list() {
    let cases = || {
        (
            Setup::any(),
            prop::bool::weighted(0.05),
            documents::submission(),
        )
            .prop_map(|(setup, require_claim, shot)| Case {
                setup: Setup {
                    require_claim,
                    ..setup
                },
                submissions: vec![shot],
                records: vec![approved()],
                claims: vec![claimed()],
            })
    };
    explore(
        3_000,
        16,
        cases,
        &[
            "submission: 200 → runs",
            "submission: 200 → waits",
            "submission: 200 → Blocked",
            "submission: 200 → Rejected",
            "submission: 200 → Expired",
            "submission: 200 → Failed",
            "submission: 200 → Replay",
            "submission: 200 → Api",
            "submission: 202 → waits",
            "submission: 202 → Api",
            "submission: 401 → Signature",
            "submission: 401 → Replay",
            "submission: 401 → DelegationScope",
            "submission: 401 → Authentication",
            "submission: 401 → Api",
            "submission: 403 → Signature",
            "submission: 403 → Replay",
            "submission: 403 → DelegationScope",
            "submission: 403 → Blocked",
            "submission: 403 → Api",
            "submission: 429 → RateLimit",
            "submission: 3xx → Api",
            "submission: 5xx → Api",
            "submission: other → Api",
            "submission: broken → Api",
            "submission: late → Timeout",
            "submission: too large → Api",
            "record: 200 → opens",
            "claim: 200 → runs",
        ],
    );
}

#[test]
fn the_body_runs_exactly_when_the_last_answer_after_the_retries_is_on_the_allow_list() {
    let retryable = || {
        prop_oneof![
            4 => prop::sample::select(&[429_u16, 500, 502, 503, 504][..]).prop_map(|status| {
                let mut shot = Shot::json(status, r#"{"status":"accepted"}"#);
                shot.headers.push(("Retry-After".to_owned(), b"0".to_vec()));
                shot
            }),
            1 => documents::submission(),
        ]
    };
    let cases = move || {
        (
            Setup::any(),
            1..=2_usize,
            vec(retryable(), 0..=2),
            documents::submission(),
        )
            .prop_map(|(setup, max_retries, mut submissions, last)| {
                submissions.push(last);
                Case {
                    setup: Setup {
                        max_retries,
                        ..setup
                    },
                    submissions,
                    records: vec![approved()],
                    claims: vec![claimed()],
                }
            })
    };
    explore(
        600,
        16,
        cases,
        &[
            "submission: 200 → runs",
            "submission: 200 → Api",
            "submission: 5xx → Api",
        ],
    );
}

#[test]
fn while_waiting_the_body_runs_exactly_when_the_record_is_an_approval_of_this_call() {
    let pending = || {
        prop_oneof![
            3 => Just(text(&right_pending(false))),
            1 => Just(text(&right_pending(true))),
            1 => Just(br#"{"approval_id":"{approval_id}"}"#.to_vec()),
        ]
    };
    let cases = move || {
        (Setup::any(), pending(), vec(documents::record(), 1..=2)).prop_map(
            |(setup, pending, mut records)| {
                records.push(approved());
                Case {
                    setup,
                    submissions: vec![Shot::json(202, pending)],
                    records,
                    claims: vec![claimed()],
                }
            },
        )
    };
    explore(
        2_000,
        48,
        cases,
        &[
            "record: 200 → opens",
            "record: 200 → keeps waiting",
            "record: 200 → Rejected",
            "record: 200 → Blocked",
            "record: 200 → Expired",
            "record: 200 → Failed",
            "record: 200 → Api",
            "record: 401 → Authentication",
            "record: 403 → DelegationScope",
            "record: 404 → Api",
            "record: 410 → Api",
            "record: 429 → keeps waiting",
            "record: 5xx → keeps waiting",
            "record: broken → keeps waiting",
            "record: late → keeps waiting",
            "record: 3xx → Api",
            "record: other → Api",
        ],
    );
}
