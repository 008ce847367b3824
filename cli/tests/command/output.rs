//! Exit codes, JSON for scripts, and nothing for terminals where there is none.

use std::process::Stdio;

use crate::support::{Ask, House, run, sernixa};

#[test]
fn failures_are_json_for_scripts_and_a_line_for_people() {
    let ran = run(&mut sernixa(&[
        "approvals",
        "list",
        "--store",
        "/nowhere/a.db",
        "--json",
    ]))
    .exits(2);
    let error = ran.json();
    assert_eq!(error["exit_code"], 2);
    assert!(error["error"].as_str().unwrap().contains("/nowhere/a.db"));
    assert!(ran.stderr.is_empty());
    let ran = run(&mut sernixa(&[
        "approvals",
        "list",
        "--store",
        "/nowhere/a.db",
    ]))
    .exits(2);
    assert!(
        ran.stdout.is_empty() && ran.stderr.starts_with("error: "),
        "{ran:?}"
    );
    assert_eq!(ran.stderr.lines().count(), 1);
}

#[test]
fn a_command_line_that_cannot_be_read_is_a_failure_in_either_form() {
    for arguments in [
        &["approvals"][..],
        &["approvals", "decide"],
        &["approvals", "show"],
        &["approvals", "list", "--limit", "0"],
        &["approvals", "list", "--limit", "101"],
        &["approvals", "wait", "x", "--timeout", "-1"],
        &[
            "--store",
            "a",
            "--base-url",
            "http://localhost",
            "approvals",
            "list",
        ],
        &["nonsense"],
        &["approvals", "list", "--token", "secret"],
    ] {
        let ran = run(&mut sernixa(arguments)).exits(2);
        assert!(ran.stdout.is_empty(), "{arguments:?}: {ran:?}");
        let mut with_json = sernixa(arguments);
        let ran = run(with_json.arg("--json")).exits(2);
        assert_eq!(ran.json()["exit_code"], 2, "{arguments:?}");
        assert!(!ran.json()["error"].as_str().unwrap().is_empty());
    }
}

#[test]
fn help_and_version_are_answers() {
    for arguments in [
        &["--help"][..],
        &["approvals", "--help"],
        &["approvals", "wait", "--help"],
    ] {
        let ran = run(&mut sernixa(arguments)).exits(0).safe();
        assert!(
            ran.stdout.contains("Usage:") && ran.stdout.contains("--json"),
            "{ran:?}"
        );
    }
    let ran = run(&mut sernixa(&["--version"])).exits(0);
    assert_eq!(
        ran.stdout,
        format!("sernixa {}\n", env!("CARGO_PKG_VERSION"))
    );
    let ran = run(&mut sernixa(&["completions", "bash"])).exits(0);
    assert!(ran.stdout.contains("approvals"));
}

#[test]
fn nothing_that_is_piped_holds_a_colour() {
    let house = House::new();
    let id = house.ask(&Ask::default());
    for arguments in [
        &["approvals", "list"][..],
        &["approvals", "show", &id],
        &["doctor"],
        &["memory", "list"],
        &["approvals", "list", "--nonsense"],
        &["--help"],
    ] {
        let mut command = house.command(arguments);
        let ran = run(command
            .env("CLICOLOR_FORCE", "1")
            .env("TERM", "xterm-256color"));
        assert!(
            !ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'),
            "{ran:?}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_crash() {
    let house = House::new();
    house.ask(&Ask::default());
    for arguments in [
        &["approvals", "list"][..],
        &["approvals", "watch"],
        &["completions", "zsh"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = house.command(arguments);
        let ran = command
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(2));
        assert_eq!(String::from_utf8(ran.stderr).unwrap(), "");
    }
}
