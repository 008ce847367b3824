//! The life cycle against the reference model of the engine's tests: on a file, and on a file that
//! two processes share.

use std::io::stdin;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};
use serde_json::{Value, json};
use sernixa_engine::audit::verify_approvals;
use sernixa_engine::{Engine, Moment, Principal, Request, Role, Timestamp};
use sernixa_store::SqliteStore;

use crate::model::{check, commands};
use crate::process::{Process, cases, engine, file, say};
use crate::support::{Answered, Bench};

fn config(regular: u32) -> Config {
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..Config::with_cases(cases(regular))
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn an_engine_on_a_file_does_what_the_design_says(commands in commands()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        check(Bench::new(engine(&path)), &commands);
        // Wherever an approval came to stand, the audit says so.
        let store = SqliteStore::open_read_only(&path).unwrap();
        let report = verify_approvals(&store).unwrap();
        prop_assert!(report.faults.is_empty(), "{report:?}");
    }
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn two_processes_on_a_file_do_what_the_design_says(
        commands in commands(),
        coin in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let here = Bench::new(engine(&path));
        let other = Process::start("life_cycle::other_process", &path);
        let bench = here.shared_with(Box::new(move |caller, request, moment| {
            let seed = moment.entropy.clone().draw_secret();
            let tossed = seed[0] ^ coin.to_be_bytes()[usize::from(seed[1] % 8)];
            let heads = tossed.count_ones() % 2 == 0;
            heads.then(|| told(&other.ask(&question(caller, request, moment))))
        }));
        check(bench, &commands);
    }
}

/// A request as a line.
fn question(caller: &Principal, request: Request<'_>, moment: &Moment) -> String {
    let (kind, id, body) = match request {
        Request::Submit { body } => ("submit", "", body),
        Request::Record { approval_id } => ("record", approval_id, ""),
        Request::Decide { approval_id, body } => ("decide", approval_id, body),
        Request::Claim { approval_id, body } => ("claim", approval_id, body),
        Request::Withdraw { approval_id, body } => ("withdraw", approval_id, body),
        Request::Outcomes { body } => ("outcomes", "", body),
        other => panic!("{other:?} is not asked here"),
    };
    let roles = Role::ALL.into_iter().filter(|role| caller.has(*role));
    json!({
        "key": &**caller.key(), "owner": &**caller.owner(),
        "roles": roles.map(Role::as_str).collect::<Vec<_>>(),
        "kind": kind, "id": id, "body": body, "now": moment.now.millis(),
        // Other ids than those of this process, and the same ones in every run.
        "seed": moment.entropy.clone().draw_secret(),
    })
    .to_string()
}

fn told(line: &str) -> Answered {
    let (status, body) = line.split_once(' ').unwrap();
    Answered {
        status: status.parse().unwrap(),
        body: serde_json::from_str(body).unwrap(),
    }
}

/// Not a test of its own: answers requests from stdin, line by line.
#[test]
#[ignore = "started by the test of two processes"]
fn other_process() {
    let engine = Arc::new(engine(&file()));
    for line in stdin().lines() {
        say(&answer(
            &engine,
            &serde_json::from_str(&line.unwrap()).unwrap(),
        ));
    }
}

fn answer(engine: &Engine, asked: &Value) -> String {
    let text = |name: &str| asked[name].as_str().unwrap();
    let caller = Principal::new("acme", text("key")).owned_by(text("owner"));
    let caller = asked["roles"]
        .as_array()
        .unwrap()
        .iter()
        .fold(caller, |caller, role| {
            caller.with(Role::parse(role.as_str().unwrap()).unwrap())
        });
    let (approval_id, body) = (text("id"), text("body"));
    let request = match text("kind") {
        "submit" => Request::Submit { body },
        "record" => Request::Record { approval_id },
        "decide" => Request::Decide { approval_id, body },
        "claim" => Request::Claim { approval_id, body },
        "withdraw" => Request::Withdraw { approval_id, body },
        _ => Request::Outcomes { body },
    };
    let seed: Vec<u8> = serde_json::from_value(asked["seed"].clone()).unwrap();
    let now = Timestamp::from_millis(asked["now"].as_u64().unwrap());
    let answer = engine.handle(
        &caller,
        request,
        &Moment::new(now, seed.try_into().unwrap()),
    );
    format!("{} {}", answer.status, answer.body)
}
