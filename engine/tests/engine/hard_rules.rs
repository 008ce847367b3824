//! Promise 5: what is grave is approved by a person, whatever policies and histories say.

use std::sync::Arc;

use proptest::prelude::*;
use sernixa_engine::{Policy, ProceedVerdict, RequestVerdict};

use crate::policies::Fixed;
use crate::support::{Bench, Draft, MINUTE, agent, reviewer};

#[derive(Clone, Debug)]
enum Happening {
    /// A grave call, resumed or retried perhaps.
    Ask {
        risk: &'static str,
        nonce: Option<u8>,
        resume: bool,
        digest: u8,
    },
    /// A harmless one with the same nonce and arguments.
    AskHarmless {
        nonce: Option<u8>,
        digest: u8,
    },
    Approve(usize),
    Reject(usize),
    Pass(u64),
    Policy(u8, RequestVerdict, ProceedVerdict),
    Breaks(u8),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let risk = prop::sample::select(vec!["high", "critical", "HIGH", "Critical"]);
    let request = prop_oneof![
        4 => Just(RequestVerdict::Permit),
        1 => Just(RequestVerdict::Deny("no".into())),
        1 => Just(RequestVerdict::Error),
    ];
    let proceed = prop_oneof![
        4 => Just(ProceedVerdict::Proceed),
        1 => Just(ProceedVerdict::Review),
        1 => Just(ProceedVerdict::Error),
    ];
    let nonce = prop::option::of(0..3_u8);
    let happening = prop_oneof![
        6 => (risk, nonce.clone(), any::<bool>(), 0..2_u8).prop_map(|(risk, nonce, resume, digest)| {
            Happening::Ask { risk, nonce, resume, digest }
        }),
        2 => (nonce, 0..2_u8).prop_map(|(nonce, digest)| Happening::AskHarmless { nonce, digest }),
        6 => any::<usize>().prop_map(Happening::Approve),
        1 => any::<usize>().prop_map(Happening::Reject),
        1 => (0..20 * MINUTE).prop_map(Happening::Pass),
        2 => (any::<u8>(), request, proceed).prop_map(|(d, r, p)| Happening::Policy(d, r, p)),
        1 => any::<u8>().prop_map(Happening::Breaks),
    ];
    prop::collection::vec(happening, 1..60)
}

fn draft(risk: &str, class: &str, nonce: Option<u8>, digest: u8) -> Draft {
    let draft = Draft::new(risk, class).digest(digest);
    nonce.map_or(draft.clone(), |nonce| draft.nonce(nonce))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn high_and_critical_are_never_approved_without_a_person(history in happenings()) {
        let bench = Bench::service();
        bench.engine.replace_policy(Fixed::permitting(0));
        let mut waiting = Vec::new();
        for happening in history {
            match happening {
                Happening::Ask { risk, nonce, resume, digest } => {
                    let draft = draft(risk, "read", nonce, digest);
                    let draft = if resume { draft.resume("k") } else { draft };
                    let answer = bench.submit(&agent(), &draft.body());
                    prop_assert!(matches!(answer.status, 202 | 403), "{:?}", answer);
                    if answer.status == 202 {
                        waiting.push(answer.waiting().id);
                    }
                }
                Happening::AskHarmless { nonce, digest } => {
                    bench.submit(&agent(), &draft("low", "read", nonce, digest).body());
                }
                Happening::Approve(which) | Happening::Reject(which) if !waiting.is_empty() => {
                    let id = &waiting[which % waiting.len()];
                    let word = if matches!(happening, Happening::Approve(_)) {
                        "approved"
                    } else {
                        "rejected"
                    };
                    let body = format!(r#"{{"decision":"{word}","reason":"seen"}}"#);
                    bench.handle(
                        &reviewer(),
                        sernixa_engine::Request::Decide { approval_id: id, body: &body },
                    );
                }
                Happening::Approve(_) | Happening::Reject(_) => {}
                Happening::Pass(millis) => bench.pass(millis),
                Happening::Policy(digest, request, proceed) => {
                    bench.engine.replace_policy(Fixed::of(digest, request, proceed));
                }
                Happening::Breaks(digest) => {
                    bench.engine.replace_policy(Fixed::panicking(digest));
                }
            }
        }
        // No grave approval stands as approved without a person's decision.
        for event in bench.events() {
            let grave = matches!(event["risk_level"].as_str(), Some("high" | "critical"));
            prop_assert!(!(grave && event["decision"] == "auto_approved"), "{}", event);
        }
    }
}

#[test]
fn a_policy_that_lets_everything_proceed_is_no_way_around_a_person() {
    let bench = Bench::service();
    let everything: Arc<dyn Policy> = Fixed::permitting(1);
    bench.engine.replace_policy(everything);
    for (risk, status) in [
        ("low", 200),
        ("medium", 200),
        ("high", 202),
        ("critical", 202),
    ] {
        let answer = bench.submit(&agent(), &Draft::new(risk, "read").body());
        assert_eq!(answer.status, status, "{risk}");
    }
}
