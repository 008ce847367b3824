//! Promise 5: high and critical risk run after a person's yes, and after nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use sernixa::embedded::engine::{
    BuiltInPolicy, Policy, ProceedVerdict, Question, Settings, Verdict,
};
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Action, Client, Error, RiskLevel};

use super::case::Setup;
use super::rig::{self, action};
use crate::support::reply::Reply;
use crate::support::server::Server;

const GRAVE: [RiskLevel; 2] = [RiskLevel::High, RiskLevel::Critical];

#[tokio::test]
async fn no_immediate_allow_of_a_service_opens_a_grave_call() {
    for word in ["accepted", "approved", "auto_approved", "executed"] {
        let answer = json!({"status": word, "decision": "approved", "decided_by": "a person"});
        let server = Server::start(move |_| Reply::json(200, answer.to_string()));
        let client = rig::client(&server.url(), &Setup::plain());
        for risk in GRAVE {
            let action = action("grave", risk);
            let result: Result<(), Error> = client
                .run_async(&action, || async { unreachable!("{word}") })
                .await;
            assert!(matches!(result, Err(Error::Api(_))), "{word}: {result:?}");
            let result: Result<(), Error> = tokio::task::spawn_blocking({
                let client = client.clone();
                move || client.run(&action, || unreachable!("{word}"))
            })
            .await
            .unwrap();
            assert!(matches!(result, Err(Error::Api(_))), "{word}: {result:?}");
        }
        // The same answer opens what need not be decided by a person.
        client
            .run(&action("light", RiskLevel::Medium), || Ok::<_, Error>(()))
            .unwrap();
    }
}

/// A policy that would let everything run.
struct Generous;

impl Policy for Generous {
    fn digest(&self) -> sernixa::embedded::engine::Digest {
        BuiltInPolicy.digest()
    }

    fn verdict(&self, question: &Question<'_>) -> Verdict {
        Verdict {
            proceed: ProceedVerdict::Proceed,
            ..BuiltInPolicy.verdict(question)
        }
    }
}

/// Asks a reviewer who says yes `yes` times, then no; counts how often the person was asked.
fn embedded(engine: Engine, yes: usize) -> (Client, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let client = Client::builder()
        .environment(|_| None)
        .engine(engine)
        .reviewer({
            let asked = Arc::clone(&asked);
            move |_: &Record| {
                if asked.fetch_add(1, Ordering::SeqCst) < yes {
                    Decision::approve()
                } else {
                    Decision::reject("not this time")
                }
            }
        })
        .build()
        .unwrap();
    (client, asked)
}

fn change(risk: RiskLevel) -> Action {
    action("change", risk).arguments(vec![("node".to_owned(), json!("db-1"))])
}

fn run(client: &Client, risk: RiskLevel) -> Result<(), Error> {
    let ran = AtomicUsize::new(0);
    let result = client.run(&change(risk), || {
        ran.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    assert_eq!(ran.into_inner(), usize::from(result.is_ok()));
    result
}

#[test]
fn a_policy_that_allows_everything_leaves_the_grave_to_a_person() {
    let engine = Engine::builder()
        .settings(Settings::local())
        .policy(Arc::new(Generous))
        .build()
        .unwrap();
    let (client, asked) = embedded(engine, 0);
    for risk in [RiskLevel::Low, RiskLevel::Medium] {
        run(&client, risk).unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "this policy does allow");
    for risk in GRAVE {
        let error = run(&client, risk).unwrap_err();
        assert!(matches!(error, Error::Rejected(_)), "{error}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    client.close_blocking();
}

#[test]
fn memory_never_stands_in_for_a_person_on_the_grave() {
    // Three approvals by a person make a memory; four here, to be sure.
    for risk in GRAVE {
        let (client, asked) = embedded(Engine::in_memory(), 4);
        for _ in 0..4 {
            run(&client, risk).unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 4, "each was asked");
        let error = run(&client, risk).unwrap_err();
        assert!(matches!(error, Error::Rejected(_)), "{error}");
        client.close_blocking();
    }
    // The same at medium risk is remembered: the test would notice a memory.
    let (client, asked) = embedded(Engine::in_memory(), 3);
    for _ in 0..6 {
        run(&client, RiskLevel::Medium).unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    client.close_blocking();
}
