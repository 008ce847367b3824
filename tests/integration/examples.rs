//! Each example does what its first lines say: the `console` block there is the expected output.
//! In an expected line `…` stands for any text.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs an example as the README says, with `input` on its stdin.
fn run(name: &str, input: &str) -> String {
    let mut child = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", name])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Dropped at the end of the statement: what asks further reads the end of its input.
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{name} ended with {}:\n{errors}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The lines that the example's own comment promises.
fn promised(name: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
        .with_extension("rs");
    let source = std::fs::read_to_string(file).unwrap();
    let comment = source.lines().map_while(|line| line.strip_prefix("//!"));
    let block = comment
        .skip_while(|line| line.trim() != "```console")
        .skip(1);
    let mut lines = block
        .take_while(|line| line.trim() != "```")
        .map(|line| line.trim().to_owned());
    assert_eq!(
        lines.next().unwrap(),
        format!("$ cargo run --example {name}")
    );
    lines.collect()
}

/// Whether `line` is `pattern`, in which `…` stands for any text.
fn fits(line: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap()) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty() || last.is_some_and(|part| rest.ends_with(part) || part.is_empty())
}

fn does_what_it_says(name: &str, input: &str) {
    let (output, promised) = (run(name, input), promised(name));
    let lines: Vec<_> = output.lines().map(str::trim_end).collect();
    assert_eq!(
        lines.len(),
        promised.len(),
        "{output}\npromised: {promised:#?}"
    );
    for (line, promised) in lines.iter().zip(&promised) {
        assert!(
            fits(line, promised),
            "printed: {line}\npromised: {promised}"
        );
    }
}

#[test]
fn quickstart_runs_the_change_after_a_yes() {
    does_what_it_says("quickstart", "y\n\n");
}

#[test]
fn quickstart_does_not_run_the_change_after_a_no() {
    let output = run("quickstart", "n\ntoo much\n");
    assert!(
        output.starts_with("summary for cus_123\nnot adjusted: rejected: "),
        "{output}"
    );
    assert!(output.contains("too much"), "{output}");
    assert!(!output.contains("in_42 adjusted"), "{output}");
}

#[test]
fn quickstart_does_not_run_the_change_without_an_answer() {
    let output = run("quickstart", "");
    assert!(
        output.starts_with("summary for cus_123\nnot adjusted: rejected: "),
        "{output}"
    );
    assert!(output.contains("gave no answer"), "{output}");
    assert!(!output.contains("in_42 adjusted"), "{output}");
}

#[test]
fn async_agent() {
    does_what_it_says("async_agent", "");
}

#[test]
fn approval_memory() {
    does_what_it_says("approval_memory", "");
}

#[test]
fn delegation() {
    does_what_it_says("delegation", "");
}

#[test]
fn toolset() {
    does_what_it_says("toolset", "");
}

#[test]
fn errors() {
    does_what_it_says("errors", "");
}

#[test]
fn gateway() {
    does_what_it_says("gateway", "");
}

#[test]
fn mcp_boundary() {
    does_what_it_says("mcp_boundary", "");
}

#[test]
fn guard() {
    does_what_it_says("guard", "");
}

#[test]
fn in_your_tests() {
    does_what_it_says("in_your_tests", "");
}

#[test]
fn an_ellipsis_fits_any_text_and_nothing_else_does() {
    assert!(fits("a b c", "a … c") && fits("a", "a") && fits("ab", "a…") && fits("ab", "…b"));
    assert!(!fits("a b", "a … c") && !fits("ab", "a") && !fits("ba", "a…") && !fits("", "a"));
}
