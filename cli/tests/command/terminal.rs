//! On a terminal: what is decided is shown first, and the terminal is given back.

use rustix::process::Signal;
use sernixa_engine::{Decision, Status};

use crate::support::terminal::Terminal;
use crate::support::{Ask, House};

/// Leaves the alternate screen.
const LEAVE: &str = "\u{1b}[?1049l";

#[test]
fn a_person_sees_what_is_decided_before_the_question() {
    let house = House::new();
    let id = house.ask(&Ask::default());
    let mut terminal = Terminal::start(house.command(&["approvals", "approve", &id]));
    terminal.until("adjust inv_1 by 1250 cents");
    terminal.until("Approve this? [y/N]");
    assert_eq!(house.record(&id).status(), Status::PendingReview);
    terminal.keys("y\n");
    terminal.until("Reason:");
    terminal.keys("no\n");
    terminal.until("3 to 500");
    terminal.keys("seen and fine\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(house.record(&id).decision_reason(), Some("seen and fine"));
}

#[test]
fn anything_but_yes_decides_nothing() {
    let house = House::new();
    let id = house.ask(&Ask::default());
    for answer in ["\n", "n\n", "maybe\n", "\u{4}"] {
        let arguments = ["approvals", "reject", &id, "--reason", "seen and not fine"];
        let mut terminal = Terminal::start(house.command(&arguments));
        terminal.until("Reject this? [y/N]");
        terminal.keys(answer);
        let (code, screen) = terminal.end();
        assert_eq!(code, 1, "{screen}");
        assert!(screen.contains("Nothing was decided."), "{screen}");
        assert_eq!(house.record(&id).status(), Status::PendingReview);
    }
    let arguments = [
        "approvals",
        "reject",
        &id,
        "--reason",
        "seen and not fine",
        "--yes",
    ];
    let (code, _) = Terminal::start(house.command(&arguments)).end();
    assert_eq!(code, 0);
    assert_eq!(house.record(&id).status(), Status::Rejected);
}

#[test]
fn nobody_is_asked_about_what_is_decided_already() {
    let house = House::new();
    let id = house.ask(&Ask::default());
    house.decide(&id, Decision::Reject, "not today");
    let (code, screen) = Terminal::start(house.command(&["approvals", "approve", &id])).end();
    assert_eq!(code, 2, "{screen}");
    assert!(
        screen.contains("the approval is rejected already"),
        "{screen}"
    );
    assert!(!screen.contains("[y/N]"));
}

#[test]
fn the_table_is_live_and_decides() {
    let house = House::new();
    let mut terminal = Terminal::start(house.command(&["approvals", "watch"]));
    terminal.until("Nothing waits for a decision.");
    assert!(!terminal.echoes(), "it is a screen now");
    let id = house.ask(&Ask::default());
    terminal.until("adjust inv_1");
    terminal.keys("a");
    terminal.until("body hash");
    terminal.until("Approve because:");
    terminal.keys("fine by me\r");
    terminal.until("Nothing waits for a decision.");
    terminal.until("APPROVED");
    assert_eq!(house.record(&id).decision_reason(), Some("fine by me"));
    terminal.keys("q");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0);
    assert!(screen.contains(LEAVE), "{screen:?}");
}

#[test]
fn another_persons_decision_leaves_the_table() {
    let house = House::new();
    let id = house.ask(&Ask::default());
    let mut terminal = Terminal::start(house.command(&["approvals", "watch"]));
    terminal.until("adjust inv_1");
    // The one at the table opens it, and is late.
    terminal.keys("r");
    terminal.until("Reject because:");
    house.decide(&id, Decision::Approve, "fine by somebody else");
    terminal.keys("not fine\r");
    terminal.until("approved already");
    terminal.until("APPROVED");
    assert_eq!(house.record(&id).status(), Status::Approved);
    terminal.keys("\u{3}");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    let house = House::new();
    for signal in [Signal::INT, Signal::TERM] {
        let mut terminal = Terminal::start(house.command(&["approvals", "watch"]));
        terminal.until("Nothing waits for a decision.");
        assert!(!terminal.echoes());
        terminal.signal(signal);
        terminal.until(LEAVE);
        let (code, screen) = terminal.end();
        assert_eq!(code, 0, "{screen:?}");
        assert!(screen.contains("\u{1b}[?25h"), "the cursor: {screen:?}");
    }
}

#[test]
fn hostile_text_does_not_move_the_table() {
    let house = House::new();
    let mut ask = Ask::default();
    ask.metadata["summary"] = "first\u{1b}[10;10HEVIL\u{9b}2J\nsecond".into();
    house.ask(&ask);
    let mut terminal = Terminal::start(house.command(&["approvals", "watch"]));
    terminal.until("first");
    terminal.keys("\r");
    terminal.until(r"EVIL\u{9b}2J\nsecond");
    terminal.keys("qq");
    let (_, screen) = terminal.end();
    assert!(
        !screen.contains("\u{1b}[10;10H") && !screen.contains('\u{9b}'),
        "{screen:?}"
    );
}

#[test]
fn on_a_small_terminal_the_chosen_one_stays_in_sight() {
    let house = House::new();
    let names: Vec<String> = (0..30).map(|n| format!("intent-{n:02}")).collect();
    for name in &names {
        house.ask(&Ask {
            intent: name.clone(),
            ..Ask::default()
        });
    }
    let listed = house
        .run(&["approvals", "list", "--limit", "100", "--json"])
        .json();
    let last = listed[29]["approval_id"].as_str().unwrap();
    let mut terminal = Terminal::sized(house.command(&["approvals", "watch"]), 60, 10);
    terminal.until("more");
    terminal.keys(&"j".repeat(40));
    terminal.until(&last[..12]);
    terminal.keys("\r");
    terminal.until(last);
    // The metadata is at the end.
    terminal.keys(&"j".repeat(60));
    terminal.until("}");
    terminal.keys("qq");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
}

#[test]
fn a_terminal_that_does_not_say_its_size_is_good_enough() {
    let house = House::new();
    house.ask(&Ask::default());
    let mut terminal = Terminal::sized(house.command(&["approvals", "watch"]), 0, 0);
    terminal.until("billing");
    terminal.keys("q");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn no_color_means_none() {
    let house = House::new();
    house.ask(&Ask::default());
    let mut command = house.command(&["approvals", "watch"]);
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(command);
    terminal.until("adjust inv_1");
    terminal.keys("q");
    let (_, screen) = terminal.end();
    for looks in ["\u{1b}[1m", "\u{1b}[7m", "\u{1b}[3"] {
        assert!(!screen.contains(looks), "{screen:?}");
    }
}
