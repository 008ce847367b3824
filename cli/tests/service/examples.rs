//! The examples that can ask a service do so, as their first lines say.

use std::process::Command;

use crate::support::house::House;

/// The secret that the example signs with and a demonstration verifies with.
const SECRET: &str = "the secret of the example 7b2e";

/// The key of a demonstration, which has every role.
const DEMO: &str = "e2e-admin";

#[test]
fn delegation_runs_against_the_service() {
    let house = House::demo();
    let serve = house.serve_with("SERNIXA_REQUEST_SIGNING_SECRET", SECRET);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut example = Command::new(env!("CARGO"));
    example
        .args(["run", "--quiet", "--example", "delegation"])
        .current_dir(root)
        .env("SERNIXA_BASE_URL", serve.url())
        .env("SERNIXA_ACCESS_TOKEN", DEMO)
        .env("SERNIXA_REQUEST_SIGNING_SECRET", SECRET);
    let example = std::thread::spawn(move || example.output().unwrap());
    // What the stand-in for a person does when it decides in its own process.
    let reviewer = serve.caller(DEMO);
    let mut asked = Vec::new();
    let output = loop {
        if example.is_finished() {
            break example.join().unwrap();
        }
        for record in reviewer
            .get("/api/approvals/pending")
            .json()
            .as_array()
            .unwrap()
        {
            asked.push(format!(
                "{} asks: {}",
                record["agent_id"].as_str().unwrap(),
                record["summary"].as_str().unwrap()
            ));
            reviewer.approve(record["approval_id"].as_str().unwrap());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(
        asked,
        [
            "worker asks: refund 1200 cents to acc_1",
            "orchestrator asks: refund 300 cents to acc_2"
        ]
    );
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = said.lines().collect();
    let begins = [
        "person → orchestrator: active, depth 1",
        "orchestrator → worker: active, depth 2",
        "worker: refunded 1200",
        "worker: delegation refused: ",
        "orchestrator: refunded 300",
        "nobody: configuration: this client asks only within a delegation scope",
    ];
    assert_eq!(lines.len(), begins.len(), "{said}");
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{line}\nexpected: {begin}");
    }
}

#[test]
fn mcp_proxy_asks_a_person_before_the_server_hears_of_it() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let home = tempfile::tempdir().unwrap();
    let output = Command::new("examples/mcp_proxy.sh")
        .current_dir(root)
        .env("SERNIXA", env!("CARGO_BIN_EXE_sernixa"))
        .env("HOME", home.path())
        .env_remove("XDG_STATE_HOME")
        .env_remove("SERNIXA_BASE_URL")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{errors}");
    // In this order, among what the tables say.
    let mut rest = said.as_str();
    for line in [
        "policy lets it run.\n    (nothing)\n",
        "mcp:notes",
        "    added: the proxy was here\n",
        "a person is asked, and rejects.\n",
        "the notes are needed",
        "What is in the file that the server writes:\n    the proxy was here\n",
        "VALID",
    ] {
        let at = rest
            .find(line)
            .unwrap_or_else(|| panic!("no {line:?} in {said}\n{errors}"));
        rest = &rest[at + line.len()..];
    }
}
