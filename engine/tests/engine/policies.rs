//! What a policy can do, and what it cannot.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sernixa_engine::{
    Digest, Engine, Policy, ProceedVerdict, Question, Request, RequestVerdict, Verdict,
};

use crate::support::{Bench, CLAIM, Draft, agent, reviewer};

/// A policy that always says the same.
pub(crate) struct Fixed {
    digest: u8,
    /// `None`: it panics.
    request: Option<RequestVerdict>,
    proceed: ProceedVerdict,
}

impl Fixed {
    pub(crate) fn permitting(digest: u8) -> Arc<dyn Policy> {
        Self::of(digest, RequestVerdict::Permit, ProceedVerdict::Proceed)
    }

    pub(crate) fn reviewing(digest: u8) -> Arc<dyn Policy> {
        Self::of(digest, RequestVerdict::Permit, ProceedVerdict::Review)
    }

    pub(crate) fn denying(digest: u8, reason: &'static str) -> Arc<dyn Policy> {
        Self::of(
            digest,
            RequestVerdict::Deny(reason.into()),
            ProceedVerdict::Proceed,
        )
    }

    pub(crate) fn of(
        digest: u8,
        request: RequestVerdict,
        proceed: ProceedVerdict,
    ) -> Arc<dyn Policy> {
        Arc::new(Self {
            digest,
            request: Some(request),
            proceed,
        })
    }

    pub(crate) fn panicking(digest: u8) -> Arc<dyn Policy> {
        Arc::new(Self {
            digest,
            request: None,
            proceed: ProceedVerdict::Proceed,
        })
    }
}

impl Policy for Fixed {
    fn digest(&self) -> Digest {
        Digest([self.digest; 32])
    }

    fn verdict(&self, question: &Question<'_>) -> Verdict {
        let Some(request) = self.request.clone() else {
            // Without the hook's noise, as any bug in a policy would be one.
            std::panic::resume_unwind(Box::new("a bug"))
        };
        Verdict {
            request,
            proceed: self.proceed,
            digest: self.digest(),
            delegation_depth: question.subject.delegation_depth,
            grounds: None,
        }
    }
}

/// A policy that is another one at every look.
struct Restless(AtomicU8);

impl Policy for Restless {
    fn digest(&self) -> Digest {
        Digest([self.0.fetch_add(1, Ordering::Relaxed); 32])
    }

    fn verdict(&self, question: &Question<'_>) -> Verdict {
        Verdict {
            request: RequestVerdict::Permit,
            proceed: ProceedVerdict::Proceed,
            digest: self.digest(),
            delegation_depth: question.subject.delegation_depth,
            grounds: None,
        }
    }
}

#[test]
fn low_risk_reads_proceed_and_the_rest_is_reviewed() {
    let bench = Bench::service();
    for risk in ["low", "medium", "high", "critical"] {
        for class in ["read", "READ", "update", "execute", "Custom"] {
            let expected = if risk == "low" && class.eq_ignore_ascii_case("read") {
                200
            } else {
                202
            };
            let answer = bench.submit(&agent(), &Draft::new(risk, class).body());
            assert_eq!(answer.status, expected, "{risk} {class}");
        }
    }
}

#[test]
fn what_a_policy_denies_is_blocked_with_its_reason() {
    let bench = Bench::service();
    bench
        .engine
        .replace_policy(Fixed::denying(7, "no payments on Fridays"));
    let answer = bench.submit(&agent(), &Draft::read().body());
    answer.is(403, "blocked");
    assert_eq!(answer.reason(), "no payments on Fridays");
    let evidence = &answer.body["detail"]["evidence"];
    assert_eq!(evidence["rule"], "policy");
    assert_eq!(evidence["policy_digest"], "07".repeat(32));
    assert_eq!(evidence["receipt"]["seq"], 1);
    let events = bench.events();
    assert_eq!(events[0]["event_type"], "submission_blocked");
    assert_eq!(events[0]["reason"], "no payments on Fridays");
}

#[test]
fn a_policy_that_errs_or_breaks_is_a_no() {
    let bench = Bench::service();
    let error = Fixed::of(1, RequestVerdict::Error, ProceedVerdict::Proceed);
    for (policy, reason) in [
        (error, "policy_error"),
        (Fixed::panicking(2), "engine_error"),
        (
            Fixed::of(3, RequestVerdict::Broken, ProceedVerdict::Proceed),
            "engine_error",
        ),
    ] {
        bench.engine.replace_policy(policy);
        let answer = bench.submit(&agent(), &Draft::read().body());
        answer.is(403, "blocked");
        assert_eq!(answer.reason(), reason);
        assert_eq!(bench.events().last().unwrap()["reason"], reason);
    }
}

#[test]
fn a_policy_that_cannot_tell_whether_to_proceed_asks_a_person() {
    let bench = Bench::service();
    let policy = Fixed::of(1, RequestVerdict::Permit, ProceedVerdict::Error);
    bench.engine.replace_policy(policy);
    let waiting = bench.submit(&agent(), &Draft::read().body()).waiting();
    let reason = bench.look(&waiting.id)["reason"].clone();
    assert_eq!(reason, "the policy could not tell, so a person decides");
}

#[test]
fn a_verdict_of_a_set_that_is_gone_is_never_used() {
    let bench = Bench::service();
    bench
        .engine
        .replace_policy(Arc::new(Restless(AtomicU8::new(0))));
    let answer = bench.submit(&agent(), &Draft::read().body());
    answer.is(403, "blocked");
    assert_eq!(answer.reason(), "engine_error");
    assert_eq!(bench.event_types(), ["engine_error"]);
}

/// A policy that cannot even say which one it is.
struct Nameless;

impl Policy for Nameless {
    fn digest(&self) -> Digest {
        std::panic::resume_unwind(Box::new("a bug"))
    }

    fn verdict(&self, question: &Question<'_>) -> Verdict {
        Verdict {
            request: RequestVerdict::Permit,
            proceed: ProceedVerdict::Proceed,
            digest: Digest([0; 32]),
            delegation_depth: question.subject.delegation_depth,
            grounds: None,
        }
    }
}

#[test]
fn a_policy_that_breaks_inside_the_transaction_is_a_no_too() {
    let bench = Bench::service();
    bench.engine.replace_policy(Arc::new(Nameless));
    let answer = bench.submit(&agent(), &Draft::read().nonce(1).body());
    answer.is(403, "blocked");
    assert_eq!(answer.reason(), "engine_error");
    bench.engine.replace_policy(Fixed::permitting(1));
    assert_eq!(
        bench
            .submit(&agent(), &Draft::read().nonce(1).body())
            .status,
        200
    );
}

/// A policy that was asked about another delegation.
struct Mistaken;

impl Policy for Mistaken {
    fn digest(&self) -> Digest {
        Digest([5; 32])
    }

    fn verdict(&self, _: &Question<'_>) -> Verdict {
        Verdict {
            request: RequestVerdict::Permit,
            proceed: ProceedVerdict::Proceed,
            digest: self.digest(),
            delegation_depth: 3,
            grounds: None,
        }
    }
}

#[test]
fn a_verdict_for_another_delegation_depth_is_never_used() {
    let bench = Bench::service();
    bench.engine.replace_policy(Arc::new(Mistaken));
    bench
        .submit(&agent(), &Draft::read().body())
        .is(403, "blocked");
}

#[test]
fn memory_never_overrules_what_a_policy_denies() {
    let bench = Bench::service();
    let draft = Draft::medium().digest(1);
    for _ in 0..3 {
        let waiting = bench.submit(&agent(), &draft.body()).waiting();
        bench.approve(&reviewer(), &waiting.id);
    }
    assert_eq!(bench.submit(&agent(), &draft.body()).status, 200);
    bench
        .engine
        .replace_policy(Fixed::denying(1, "not any more"));
    bench.submit(&agent(), &draft.body()).is(403, "blocked");
}

#[test]
fn a_denied_request_resumes_nothing() {
    let bench = Bench::service();
    let draft = Draft::high().digest(1).resume("k");
    bench.submit(&agent(), &draft.body()).waiting();
    bench
        .engine
        .replace_policy(Fixed::denying(1, "not any more"));
    bench.submit(&agent(), &draft.body()).is(403, "blocked");
}

#[test]
fn after_a_policy_change_a_claim_needs_the_new_policys_leave() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    for forbidding in [
        Fixed::denying(1, "not any more"),
        Fixed::of(2, RequestVerdict::Error, ProceedVerdict::Proceed),
        Fixed::panicking(3),
    ] {
        bench.engine.replace_policy(forbidding);
        bench
            .claim(&agent(), &waiting, CLAIM)
            .is(409, "policy_changed");
        assert_eq!(bench.look(&waiting.id)["execution"], "none");
    }
    // A yes to `request` is enough: a person has answered `proceed`.
    bench.engine.replace_policy(Fixed::reviewing(4));
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
    let events = bench.events();
    let rechecked = &events[events.len() - 2];
    assert_eq!(rechecked["event_type"], "policy_rechecked");
    assert_eq!(rechecked["policy_digest"], "04".repeat(32));
}

#[test]
fn after_a_policy_change_a_client_that_only_polls_needs_the_new_policys_leave() {
    let polling = || Draft::high().without("policy_surface");
    let read = |bench: &Bench, id: &str| {
        let request = Request::Record { approval_id: id };
        bench.handle(&agent(), request).body
    };
    for forbidding in [
        Fixed::denying(1, "not any more"),
        Fixed::of(2, RequestVerdict::Error, ProceedVerdict::Proceed),
        Fixed::panicking(3),
    ] {
        let bench = Bench::service();
        let waiting = bench.submit(&agent(), &polling().body()).waiting();
        bench.engine.replace_policy(forbidding);
        bench.approve(&reviewer(), &waiting.id);
        for _ in 0..2 {
            let record = read(&bench, &waiting.id);
            assert_eq!(record["status"], "blocked");
            assert_eq!(record["execution"], "none");
        }
        let events = bench.events();
        assert_eq!(events.last().unwrap()["event_type"], "approval_blocked");
        assert_eq!(events.last().unwrap()["decision"], "policy_changed");
    }
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &polling().body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    bench.engine.replace_policy(Fixed::reviewing(4));
    let record = read(&bench, &waiting.id);
    assert_eq!(record["status"], "approved");
    assert_eq!(record["execution"], "delivered");
    let types = bench.event_types();
    assert!(types.contains(&"policy_rechecked".to_owned()), "{types:?}");
}

#[test]
fn a_claim_under_the_same_policy_asks_nobody() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
    assert!(!bench.event_types().contains(&"policy_rechecked".to_owned()));
}

#[test]
fn a_restless_policy_starts_nothing_and_is_told_apart_from_a_no() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    bench
        .engine
        .replace_policy(Arc::new(Restless(AtomicU8::new(1))));
    bench
        .claim(&agent(), &waiting, CLAIM)
        .is(503, "engine_error");
    let record = bench.handle(
        &agent(),
        Request::Record {
            approval_id: &waiting.id,
        },
    );
    assert_eq!(record.body["execution"], "none");
}

#[test]
fn a_reason_of_a_policys_own_is_a_text_like_any_other() {
    let bench = Bench::service();
    let reason: Cow<'static, str> = "quote \" and \u{1b}[31m".into();
    let policy = Fixed::of(
        1,
        RequestVerdict::Deny(reason.clone()),
        ProceedVerdict::Review,
    );
    bench.engine.replace_policy(policy);
    assert_eq!(
        bench.submit(&agent(), &Draft::read().body()).reason(),
        reason
    );
}

/// Policies compare words in lower case, however they were sent.
#[test]
fn a_policy_reads_class_and_sensitivity_folded() {
    struct OnlyPii;

    impl Policy for OnlyPii {
        fn digest(&self) -> Digest {
            Digest([9; 32])
        }

        fn verdict(&self, question: &Question<'_>) -> Verdict {
            let is_pii =
                question.operation_class() == "export" && question.data_sensitivity() == "pii";
            Verdict {
                request: if is_pii {
                    RequestVerdict::Deny("no personal data".into())
                } else {
                    RequestVerdict::Permit
                },
                proceed: ProceedVerdict::Review,
                digest: self.digest(),
                delegation_depth: question.subject.delegation_depth,
                grounds: None,
            }
        }
    }

    let engine = Engine::builder().policy(Arc::new(OnlyPii)).build().unwrap();
    let bench = Bench::new(engine);
    for (class, sensitivity) in [("export", "PII"), ("EXPORT", "pii"), ("Export", "Pii")] {
        let body = Draft::new("medium", class)
            .meta("data_sensitivity", sensitivity)
            .body();
        bench.submit(&agent(), &body).is(403, "blocked");
    }
    let other = Draft::new("medium", "export").body();
    assert_eq!(bench.submit(&agent(), &other).status, 202);
}
