//! Promise 3, once, with processes: one approval starts one execution, whoever holds it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use sernixa::Error;

use crate::support::asked::{Asked, Waiting, unique};
use crate::support::client::Caller;
use crate::support::house::{House, SIGNING_KEY_ID, SIGNING_SECRET, root_token};
use crate::support::proxy::Proxy;
use crate::support::reviewer::Reviewer;
use crate::support::worker::{Worker, work};
use crate::support::{rounds, sdk, until};

/// The variables that tell a worker whom to ask.
const URL: &str = "SERNIXA_TEST_ADDRESS";
const KEY: &str = "SERNIXA_TEST_KEY";

fn caller_of_this_worker() -> Caller {
    Caller {
        address: std::env::var(URL).unwrap().parse().unwrap(),
        key: std::env::var(KEY).unwrap(),
    }
}

fn workers(test: &str, caller: &Caller) -> [Worker; 2] {
    let address = caller.address.to_string();
    [(); 2].map(|()| Worker::start(test, &[(URL, &address), (KEY, &caller.key)]))
}

#[test]
#[ignore = "a process that another test starts"]
fn worker_that_claims() {
    work(|line| {
        let caller = caller_of_this_worker();
        let [id, token, body_hash] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let waiting = Waiting {
            id: id.into(),
            token: token.into(),
            body_hash: body_hash.into(),
            receipt: String::new(),
        };
        let answer = caller.claim(&waiting, &unique());
        match answer.status {
            200 => "claimed".into(),
            _ => answer.word(),
        }
    });
}

#[test]
fn two_processes_claim_one_approval_and_one_wins_each_time() {
    let house = House::production();
    let (agent, reviewer) = (
        house.key("agent", "ann", &[]),
        house.key("reviewer", "rita", &[]),
    );
    let serve = house.serve();
    let (agent, reviewer) = (serve.caller(&agent), serve.caller(&reviewer));
    let mut workers = workers("claims::worker_that_claims", &agent);
    let mut wins = [0, 0];
    for round in 0..rounds(200, 1_000) {
        let waiting = agent.ask(&Asked::new("pay once").with("round", round));
        reviewer.approve(&waiting.id);
        let line = format!("{} {} {}", waiting.id, waiting.token, waiting.body_hash);
        // Whoever is told first has a lead, so they take turns.
        let (first, second) = if round % 2 == 0 { (0, 1) } else { (1, 0) };
        workers[first].tell(&line);
        workers[second].tell(&line);
        let said = [workers[0].hear(), workers[1].hear()];
        let won = said.iter().position(|said| said == "claimed");
        let Some(won) = won else {
            panic!("nobody won round {round}: {said:?}");
        };
        assert_eq!(said[1 - won], "already_claimed", "round {round}");
        wins[won] += 1;
    }
    assert!(
        wins.iter().all(|wins| *wins > 0),
        "it was no race: {wins:?}"
    );
}

#[test]
#[ignore = "a process that another test starts"]
fn worker_that_runs() {
    let mut made = None;
    work(|line| {
        let client = made.get_or_insert_with(|| {
            let caller = caller_of_this_worker();
            sdk::builder(caller.address, &caller.key).build().unwrap()
        });
        let action = sdk::payment(line).resume_key(line);
        match client.run(&action, || Ok::<_, Error>(())) {
            Ok(()) => "ran".into(),
            Err(Error::Replay(refusal)) => {
                format!("replay {}", refusal.reason().unwrap_or_default())
            }
            Err(error) => format!("{error:?}"),
        }
    });
}

#[test]
fn two_processes_of_the_sdk_resume_one_approval_and_one_runs_each_time() {
    let house = House::production();
    let (agent, reviewer) = (
        house.key("agent", "ann", &[]),
        house.key("reviewer,auditor", "rita", &[]),
    );
    let serve = house.serve();
    let (agent, reviewer) = (serve.caller(&agent), serve.caller(&reviewer));
    let mut workers = workers("claims::worker_that_runs", &agent);
    for round in 0..rounds(20, 200) {
        let intent = format!("round {round}");
        for worker in &mut workers {
            worker.tell(&intent);
        }
        // Both hold the approval once the second submission has taken up the first one's.
        let id = until("both wait", || {
            let events = reviewer.get("/api/audit/events?limit=1&event_type=approval_resumed");
            let id = events.json()[0]["approval_id"]
                .as_str()
                .map(str::to_owned)?;
            (reviewer.record(&id)["intent_id"] == intent.as_str()).then_some(id)
        });
        reviewer.approve(&id);
        let said = workers.each_mut().map(Worker::hear);
        let ran = said.iter().filter(|said| *said == "ran").count();
        assert_eq!(ran, 1, "{said:?}");
        assert!(
            said.iter().any(|said| said.starts_with("replay")),
            "{said:?}"
        );
    }
}

#[test]
fn a_lost_claim_answer_is_asked_for_again_and_the_body_runs_once() {
    let house = House::production();
    let (agent, reviewer) = (
        house.key("agent", "ann", &[]),
        house.key("reviewer", "rita", &[]),
    );
    let serve = house.serve();
    let _reviewer = Reviewer::start(serve.caller(&reviewer));
    let proxy = Proxy::losing(serve.address, "/claim", 2);
    let client = sdk::builder(proxy.address, &agent).build().unwrap();
    let mut runs = 0;
    let ran = client.run(&sdk::payment("approve.lost"), || {
        runs += 1;
        Ok::<_, Error>(())
    });
    ran.unwrap();
    assert_eq!((runs, proxy.seen()), (1, 3));
}

#[test]
fn a_lost_submission_answer_makes_no_second_request() {
    let house = House::production();
    let (agent, reviewer) = (
        house.key("agent", "ann", &[]),
        house.key("reviewer", "rita", &[]),
    );
    let serve = house.serve();
    let _reviewer = Reviewer::start(serve.caller(&reviewer));
    let proxy = Proxy::losing(serve.address, "/api/actions/execute", 2);
    let client = sdk::builder(proxy.address, &agent).build().unwrap();
    client
        .run(&sdk::payment("approve.lost"), || Ok::<_, Error>(()))
        .unwrap();
    assert_eq!(proxy.seen(), 3);
    let asked = serve.caller(&house.key("auditor", "otto", &[]));
    let asked = asked.get("/api/audit/events?event_type=submission_pending_review&limit=100");
    assert_eq!(asked.json().as_array().unwrap().len(), 1, "{}", asked.body);
}

#[test]
fn a_claim_is_refused_by_name() {
    let house = House::production().claim_by("1s");
    let (agent, reviewer) = (
        house.key("agent", "ann", &[]),
        house.key("reviewer", "rita", &[]),
    );
    let thief = house.key("agent", "theo", &[]);
    let serve = house.serve();
    let (agent, reviewer, thief) = (
        serve.caller(&agent),
        serve.caller(&reviewer),
        serve.caller(&thief),
    );
    let ask = || agent.ask(&Asked::new("pay"));
    let mut said = BTreeMap::new();

    let waiting = ask();
    said.insert(
        "before the decision",
        agent.claim(&waiting, &unique()).expect(409).word(),
    );

    let waiting = ask();
    reviewer.decide(&waiting.id, "rejected").expect(200);
    said.insert(
        "after a rejection",
        agent.claim(&waiting, &unique()).expect(409).word(),
    );

    let waiting = ask();
    reviewer.approve(&waiting.id);
    let without = Waiting {
        token: "0".repeat(64),
        ..waiting.clone()
    };
    said.insert(
        "with a stolen id and hash",
        agent.claim(&without, &unique()).expect(409).word(),
    );
    let path = format!("/api/approvals/{}/claim", waiting.id);
    let nothing = json!({"claim_id": unique(), "body_hash": waiting.body_hash});
    let bare = agent.post(&path, &nothing);
    assert!(matches!(bare.status, 400 | 409 | 422), "{}", bare.body);
    let foreign = thief.claim(&waiting, &unique());
    assert!(matches!(foreign.status, 404 | 409), "{}", foreign.body);
    let other_body = Waiting {
        body_hash: "0".repeat(64),
        ..waiting.clone()
    };
    said.insert(
        "for another body",
        agent.claim(&other_body, &unique()).expect(409).word(),
    );
    // None of these spoilt it.
    let claim_id = unique();
    agent.claim(&waiting, &claim_id).expect(200);
    agent.claim(&waiting, &claim_id).expect(200);
    said.insert(
        "a second time",
        agent.claim(&waiting, &unique()).expect(409).word(),
    );

    let waiting = ask();
    reviewer.approve(&waiting.id);
    std::thread::sleep(Duration::from_millis(1_200));
    said.insert(
        "after claim_by",
        agent.claim(&waiting, &unique()).expect(409).word(),
    );

    let expected = BTreeMap::from([
        ("before the decision", "pending_review"),
        ("after a rejection", "rejected"),
        ("with a stolen id and hash", "invalid_claim_token"),
        ("for another body", "body_mismatch"),
        ("a second time", "already_claimed"),
        ("after claim_by", "expired"),
    ]);
    let said: BTreeMap<_, _> = said
        .iter()
        .map(|(case, word)| (*case, word.as_str()))
        .collect();
    assert_eq!(said, expected);
}

#[test]
fn a_claim_after_the_policy_forbade_the_action_is_refused() {
    let house = House::production();
    let (agent, reviewer) = (
        house.key("agent", "ann", &[]),
        house.key("reviewer", "rita", &[]),
    );
    let serve = house.serve();
    let (agent, reviewer) = (serve.caller(&agent), serve.caller(&reviewer));
    let waiting = agent.ask(&Asked::new("pay"));
    reviewer.approve(&waiting.id);
    house.forbid("pay-invoice");
    // It is in force once new requests are refused.
    until("the new policy is in force", || {
        (agent.submit(&Asked::new("pay")).status == 403).then_some(())
    });
    assert_eq!(
        agent.claim(&waiting, &unique()).expect(409).word(),
        "policy_changed"
    );
}

#[test]
fn a_claim_after_the_delegation_was_revoked_is_refused() {
    let house = House::production();
    let agent = house.key("agent", "ann", &["worker-agent"]);
    let (admin, reviewer) = (
        house.key("admin", "olga", &[]),
        house.key("reviewer", "rita", &[]),
    );
    let serve = house.serve();
    let (admin, reviewer) = (serve.caller(&admin), serve.caller(&reviewer));
    let token = root_token(&admin, "worker-agent");
    let delegation = sernixa::delegation::Delegation::new("worker-agent", &token)
        .signing_secret(SIGNING_SECRET)
        .key_id(SIGNING_KEY_ID);
    let client = sdk::builder(serve.address, &agent).build().unwrap();
    let mut ran = false;
    let ended = std::thread::scope(|scope| {
        let call = scope.spawn(|| {
            delegation.run_blocking(|| {
                client.run(&sdk::payment("ignore.revoked"), || {
                    ran = true;
                    Ok::<_, Error>(())
                })
            })
        });
        let id = until("it waits", || {
            let pending = reviewer.get("/api/approvals/pending").json();
            pending[0]["approval_id"].as_str().map(str::to_owned)
        });
        let revoked = admin.post(
            &format!("/api/delegations/{token}/revoke"),
            &json!({"reason": "no longer"}),
        );
        revoked.expect(200);
        reviewer.decide(&id, "approved");
        call.join().unwrap()
    });
    let error = ended.unwrap_err();
    assert!(
        matches!(error, Error::DelegationScope(_)) && error.is_revoked(),
        "{error:?}"
    );
    assert!(!ran);
}
