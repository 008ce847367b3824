//! `sernixa policy`: a folder from its first file to a question answered.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, run, sernixa};

fn policy(arguments: &[&str]) -> Ran {
    run(&mut sernixa(&[&["policy"], arguments].concat()))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder as `init` writes it.
fn begun() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let policies = dir.path().join("new/policies");
    let ran = policy(&["init", text(&policies)]);
    assert_eq!(ran.code, 0, "{ran:?}");
    (dir, policies)
}

const SUBMISSION: &str = r#"{"intent_id":"refund","action_id":"refund-invoice","metadata":{
    "risk_level":"medium","operation_class":"financial","data_sensitivity":"financial",
    "systems_touched":["stripe"],"amount_cents":600000}}"#;

#[test]
fn what_init_writes_checks_and_passes_its_tests() {
    let (_dir, policies) = begun();
    let checked = policy(&["check", text(&policies)]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.starts_with("ok: 2 policies, digest "));
    let tested = policy(&["test", text(&policies)]);
    assert_eq!(tested.code, 0, "{tested:?}");
    assert!(tested.stdout.ends_with("3 passed, 0 failed\n"));
}

#[test]
fn init_never_writes_over_what_is_there() {
    let (_dir, policies) = begun();
    fs::write(policies.join("default.cedar"), "// mine").unwrap();
    let again = policy(&["init", text(&policies)]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("is there already"), "{again:?}");
    let kept = fs::read_to_string(policies.join("default.cedar")).unwrap();
    assert_eq!(kept, "// mine");
}

#[test]
fn check_tells_every_fault_and_exits_with_one() {
    let (_dir, policies) = begun();
    let file = policies.join("more.cedar");
    fs::write(&file, "permit (principal, action, resource);\n@id(\"a\") permit (principal, action, resource) when { context.x };").unwrap();
    let ran = policy(&["check", text(&policies)]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("more.cedar:1:1: a policy has no `@id`"),
        "{ran:?}"
    );
    assert!(
        ran.stdout
            .contains("more.cedar:2:54: policy `a`: attribute `x`"),
        "{ran:?}"
    );
    let ran = policy(&["check", text(&policies), "--json"]);
    assert_eq!(ran.code, 1);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["status"], "broken");
    assert_eq!(told["faults"][1]["policy"], "a");
    assert_eq!(policy(&["check", "/nowhere"]).code, 2);
    assert_eq!(
        policy(&["check", text(&policies), "--zone", "Mars/Base"]).code,
        1
    );
}

#[test]
fn a_test_that_differs_says_what_it_got_and_exits_with_one() {
    let (_dir, policies) = begun();
    let file = policies.join("tests.toml");
    let tests = fs::read_to_string(&file).unwrap();
    fs::write(&file, tests.replace("\"auto_approved\"", "\"blocked\"")).unwrap();
    let ran = policy(&["test", text(&policies)]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("FAILED  a low-risk read proceeds"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("expected blocked, got auto_approved"),
        "{ran:?}"
    );
    let ran = policy(&["test", text(&policies), "--json"]);
    assert_eq!(ran.code, 1);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["passed"], &told["failed"]), (&2.into(), &1.into()));
    // A misspelt key must not turn a test into one that checks nothing.
    fs::write(&file, tests.replace("expect =", "expects =")).unwrap();
    let ran = policy(&["test", text(&policies)]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("expects"), "{ran:?}");
    fs::write(&file, "zone = \"UTC\"\n").unwrap();
    assert_eq!(policy(&["test", text(&policies)]).code, 2);
}

#[test]
fn explain_says_what_would_happen_and_who_decides() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("refund.json");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/policies/by-amount");
    let explain = |body: &str, more: &[&str]| {
        fs::write(&file, body).unwrap();
        let fixed = ["explain", text(&examples), "--submission", text(&file)];
        policy(&[&fixed, more].concat())
    };
    let ran = explain(SUBMISSION, &[]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.starts_with("blocked: refunds above 5,000 EUR"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("decided by  no-huge-refunds"),
        "{ran:?}"
    );
    let told = |ran: &Ran| serde_json::from_str::<Value>(&ran.stdout).unwrap();

    let ran = explain(
        &SUBMISSION.replace("600000", "5000"),
        &["--json", "--agent", "bot"],
    );
    assert_eq!(told(&ran)["outcome"], "auto_approved");
    assert_eq!(told(&ran)["agent"], "bot");
    let grave = SUBMISSION
        .replace("600000", "5000")
        .replace("medium", "critical");
    let ran = explain(&grave, &["--json"]);
    assert_eq!(told(&ran)["outcome"], "pending_review");
    assert_eq!(told(&ran)["rule"], "hard_rule");
    let ran = explain(&SUBMISSION.replace("600000", "null"), &["--json"]);
    assert_eq!(told(&ran)["rule"], "metadata_type");

    let ran = explain(&SUBMISSION.replace("medium", "odd"), &[]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("refused before any policy is asked"),
        "{ran:?}"
    );
    assert_eq!(explain(SUBMISSION, &["--at", "yesterday"]).code, 2);
}

#[test]
fn what_stands_in_a_folder_cannot_move_the_cursor() {
    let (_dir, policies) = begun();
    fs::write(
        policies.join("x.cedar"),
        "@id(\"\u{1b}[2J\u{202e}\") \u{1b}[31m permit;",
    )
    .unwrap();
    for more in [&["--json"][..], &[]] {
        let ran = policy(&[&["check", text(&policies)], more].concat());
        assert_eq!(ran.code, 1);
        let hides = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!ran.stdout.contains(hides), "{:?}", ran.stdout);
    }
}
