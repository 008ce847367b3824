//! What a person reads is one safe line, whoever wrote it (DESIGN 4).

use std::io::Cursor;

use sernixa::embedded::{Engine, TerminalReviewer};
use sernixa::testing::TestGate;
use sernixa::{Action, Client, DataSensitivity, OperationClass, RiskLevel};

use crate::embedded::Shown;

/// Line breaks of every kind, ANSI, bidi overrides and isolates, zero-width, a tag, a BOM, C1.
const HOSTILE: &str = "a\nb\r\nc\u{85}d\u{2028}e\u{2029}f\u{b}g\u{c}h\u{1b}[2J\u{1b}[1;1H\u{9b}31m\u{7f}\u{0}\
    \u{202e}txt.exe\u{202c}\u{2066}x\u{2069}\u{200b}\u{200d}\u{feff}\u{61c}\u{ad}\u{e0041}z";

fn is_safe(line: &str) -> bool {
    line.chars().all(|c| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            && !matches!(c, '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{e0000}'..='\u{e0fff}')
    })
}

fn at_the_terminal(action: &Action) -> Vec<String> {
    let shown = Shown::default();
    let client = Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .reviewer(TerminalReviewer::on(Cursor::new("y\n\n"), shown.clone()))
        .build()
        .unwrap();
    client.authorize_blocking(action).unwrap().succeeded();
    client.close_blocking();
    shown.text().lines().map(str::to_owned).collect()
}

fn action() -> Action {
    Action::new("read-me")
        .risk(RiskLevel::High)
        .class(OperationClass::Execute)
        .sensitivity(DataSensitivity::Internal)
        .systems(["cluster"])
}

#[test]
fn every_field_at_the_terminal_is_one_safe_line() {
    let plain = at_the_terminal(&action().summary("s").metadata([("name", "value")]));
    let hostile = action()
        .summary(HOSTILE)
        .action_id(HOSTILE)
        .function("f")
        .class(OperationClass::from_text(HOSTILE))
        .sensitivity(DataSensitivity::from_text(HOSTILE))
        .systems([HOSTILE, "cluster"])
        .metadata([(HOSTILE, HOSTILE)]);
    let lines = at_the_terminal(&hostile);
    assert_eq!(lines.len(), plain.len(), "{lines:#?}");
    for line in &lines {
        assert!(is_safe(line), "{line:?}");
    }
    assert!(
        lines
            .iter()
            .any(|line| line.contains(r"a\nb\r\nc\u{85}d\u{2028}")),
        "{lines:#?}"
    );
}

#[test]
fn a_summary_of_ten_thousand_characters_shows_as_one_line_of_five_hundred() {
    for text in ["x", "é", "\u{1b}", "word\n"] {
        let lines = at_the_terminal(&action().summary(text.repeat(10_000)));
        let summary = lines.iter().find(|line| line.contains("summary")).unwrap();
        let shown = summary
            .trim_start()
            .trim_start_matches("summary")
            .trim_start();
        assert!(
            shown.chars().count() <= 500 && shown.ends_with('…'),
            "{shown}"
        );
        assert!(is_safe(shown));
    }
}

#[test]
fn many_metadata_members_do_not_push_the_question_off_the_screen() {
    let many = (0..500).map(|n| (format!("key-{n}"), n));
    let lines = at_the_terminal(&action().metadata(many));
    assert!(lines.len() < 40, "{} lines", lines.len());
    assert!(
        lines.iter().any(|line| line.contains("and 480 more")),
        "{lines:#?}"
    );
}

#[test]
fn a_reason_in_an_error_is_one_safe_line_and_raw_for_programs() {
    let gate = TestGate::new().refuse("read-me", HOSTILE);
    let error = gate
        .client()
        .unwrap()
        .authorize_blocking(&action())
        .unwrap_err();
    assert_eq!(error.reason(), Some(HOSTILE));
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(is_safe(&text), "{text:?}");
    }
    let long = "y".repeat(10_000);
    let gate = TestGate::new().refuse("read-me", &long);
    let error = gate
        .client()
        .unwrap()
        .authorize_blocking(&action())
        .unwrap_err();
    assert!(error.to_string().chars().count() < 700);
}
