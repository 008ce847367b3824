//! A program with an embedded engine on a file, and a person at another terminal.

use std::thread;

use serde_json::Value;
use sernixa::embedded::{Decision, Record};
use sernixa::{Action, Client, Error, RiskLevel};

use crate::support::{House, Running};

fn client(house: &House) -> Client {
    Client::builder()
        .base_url(format!("embedded:{}", house.file().display()))
        // Whoever runs these tests may sit at a terminal, too.
        .reviewer(|_: &Record| Decision::leave())
        .build()
        .unwrap()
}

fn action() -> Action {
    Action::new("billing-adjustment")
        .action_id("billing.adjust_invoice")
        .risk(RiskLevel::High)
        .class(sernixa::OperationClass::Financial)
        .sensitivity(sernixa::DataSensitivity::Financial)
        .systems(["stripe"])
        .summary("adjust inv_1 by 1250 cents")
}

#[test]
fn the_body_runs_when_a_person_approves_at_another_terminal_and_only_then() {
    let house = House::new();
    let mut watching = Running::start(&mut house.command(&["approvals", "watch", "--json"]));
    for (word, runs) in [("approve", true), ("reject", false)] {
        let client = client(&house);
        let call = thread::spawn({
            let client = client.clone();
            move || client.run(&action(), || Ok::<_, Error>("the body ran"))
        });
        let told: Value = serde_json::from_str(&watching.line()).unwrap();
        assert_eq!(told["change"], "waiting");
        assert_eq!(told["approval"]["summary"], "adjust inv_1 by 1250 cents");
        let id = told["approval"]["approval_id"].as_str().unwrap();
        house
            .run(&["approvals", word, id, "--reason", "seen at the terminal"])
            .exits(0);
        match call.join().unwrap() {
            Ok(said) => assert!(runs && said == "the body ran"),
            Err(error) => {
                assert!(!runs && matches!(error, Error::Rejected(_)), "{error:?}");
                assert_eq!(error.reason(), Some("seen at the terminal"));
            }
        }
        client.close_blocking();
        let told: Value = serde_json::from_str(&watching.line()).unwrap();
        assert_eq!(told["change"], "ended");
        let shown = house
            .run(&["approvals", "show", id, "--json"])
            .exits(0)
            .json();
        let outcome = if runs { "succeeded" } else { "none" };
        assert_eq!(shown["execution"], outcome, "{shown}");
    }
}
