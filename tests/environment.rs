//! The process's own environment, in a process of its own: variables are set once, before any
//! client is built, by starting this test binary again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};
use std::thread::JoinHandle;

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

/// A service that allows one submission, and whatever else comes on that connection.
fn allowing() -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        }
        let lower = head.to_ascii_lowercase();
        let (_, length) = lower.split_once("content-length: ").unwrap();
        let length = length.lines().next().unwrap().parse().unwrap();
        reader.read_exact(&mut vec![0; length]).unwrap();
        let body = r#"{"status":"accepted"}"#;
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        head
    });
    (address, served)
}

#[test]
fn a_service_on_loopback_is_asked_past_every_proxy() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let proxy = format!("http://{}", trap.local_addr().unwrap());
    let (address, served) = allowing();
    let base = format!("http://{address}");
    let proxies =
        ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, &*proxy));
    let more = [
        ("SERNIXA_BASE_URL", &*base),
        ("SERNIXA_API_KEY", "a-key"),
        ("NO_PROXY", ""),
        ("no_proxy", ""),
        // The second call of the child finds nobody.
        ("SERNIXA_MAX_RETRIES", "0"),
    ];
    let text = printed(&in_a_process_with(&[&proxies[..], &more].concat()));
    assert!(text.contains("CHILD: ran"), "{text}");
    let visited = trap.accept();
    assert!(
        matches!(&visited, Err(error) if error.kind() == ErrorKind::WouldBlock),
        "{visited:?}"
    );
    assert!(
        served
            .join()
            .unwrap()
            .starts_with("POST /api/actions/execute ")
    );
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
