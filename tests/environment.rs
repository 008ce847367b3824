//! The process's own environment, in a process of its own: variables are set once, before any
//! client is built, by starting this test binary again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::process::{Command, Output};

use sernixa::Error;

#[sernixa::intercept(
    intent_id = "environment",
    risk_level = "low",
    operation_class = "read",
    data_sensitivity = "internal",
    systems_touched = ["db"]
)]
fn read() -> Result<&'static str, Error> {
    Ok("ran")
}

/// Runs the test `child` of this binary with these variables, and returns what it printed.
fn in_a_process_with(variables: &[(&str, &str)]) -> Output {
    let names = std::env::vars_os().map(|(name, _)| name);
    let ours = names.filter(|name| name.to_string_lossy().starts_with("SERNIXA_"));
    let mut command = Command::new(std::env::current_exe().unwrap());
    ours.for_each(|name| {
        command.env_remove(name);
    });
    command
        .args([
            "--exact",
            "child",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Not a test of its own: what the others run in a fresh process.
#[test]
#[ignore = "started by the other tests, with variables of theirs"]
fn child() {
    assert!(
        sernixa::logging::init(),
        "the first subscriber of this process"
    );
    assert!(!sernixa::logging::init(), "and it stays");
    match read() {
        Ok(said) => println!("CHILD: {said}"),
        Err(error) => println!("CHILD: {error}"),
    }
    // The same answer again: a bad variable does not poison the process, nor heal.
    println!("AGAIN: {}", read().is_ok());
    sernixa::close_blocking();
}

#[test]
fn the_global_client_is_made_of_the_environment() {
    let text = printed(&in_a_process_with(&[("SERNIXA_BASE_URL", "embedded:")]));
    assert!(
        text.contains("CHILD: ran") && text.contains("AGAIN: true"),
        "{text}"
    );
}

#[test]
fn a_bad_variable_is_an_error_of_the_first_call_that_names_it_and_never_a_panic() {
    let output = in_a_process_with(&[
        ("SERNIXA_BASE_URL", "embedded:"),
        ("SERNIXA_POLL_TIMEOUT_SECONDS", "soon"),
    ]);
    let text = printed(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("CHILD: configuration: SERNIXA_POLL_TIMEOUT_SECONDS"),
        "{text}"
    );
    assert!(
        text.contains("AGAIN: false") && !text.contains("panicked"),
        "{text}"
    );
}

#[test]
fn when_the_default_service_is_not_there_the_error_names_both_ways_out() {
    // Should anything listen on port 8000 here, it is no service of ours, and refuses in its way.
    let text = printed(&in_a_process_with(&[("SERNIXA_MAX_RETRIES", "0")]));
    assert!(text.contains("AGAIN: false"), "{text}");
    if text.contains("could not be reached") || text.contains("refused") {
        assert!(text.contains("embedded:"), "{text}");
    }
}

#[test]
fn how_much_is_logged_is_for_the_environment_to_say() {
    let embedded = ("SERNIXA_BASE_URL", "embedded:");
    let logs = |more: &[(&str, &str)]| {
        let output = in_a_process_with(&[&[embedded], more].concat());
        String::from_utf8_lossy(&output.stderr)
            .matches("sernixa")
            .count()
    };
    let quiet = logs(&[]);
    assert_eq!(quiet, 0, "an allowed call is no warning");
    assert!(logs(&[("SERNIXA_DEBUG", "true")]) > 0);
    assert!(logs(&[("SERNIXA_LOG_LEVEL", "trace")]) > 0);
    assert_eq!(logs(&[("SERNIXA_LOG_LEVEL", "error")]), 0);
}
