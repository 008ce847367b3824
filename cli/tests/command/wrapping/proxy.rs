//! What the proxy in an entry is told: its name for the server, whom it asks, its settings.

use std::fs;

use serde_json::{Value, json};

use super::{Desk, list, text, value};
use crate::support::{run, sernixa};

#[test]
fn a_server_is_called_by_its_name_as_far_as_the_proxy_takes_it() {
    let desk = Desk::new();
    let file = desk.project(".cursor/mcp.json");
    let names = [
        "io.github.user/server",
        "--My \u{7f}Server (2)",
        "plain_1.0-x",
    ];
    let servers = names.map(|name| (name.to_owned(), json!({"command": "c"})));
    let servers = Value::Object(servers.into_iter().collect());
    Desk::write(&file, &json!({"mcpServers": servers}).to_string());
    desk.good(&["mcp", "wrap", "cursor"]);
    let found = value(&file);
    let called = names.map(|name| found["mcpServers"][name]["args"][3].clone());
    assert_eq!(
        called,
        ["io.github.user-server", "My-Server-2", "plain_1.0-x"]
    );
}

#[test]
fn whom_the_proxy_asks_stands_in_the_entry() {
    let desk = Desk::new();
    let file = desk.project("mcp.json");
    Desk::write(&file, r#"{"mcpServers": {"a": {"command": "a"}}}"#);
    fs::write(desk.project("token"), "t").unwrap();
    fs::write(desk.project("sernixa.toml"), "[mcp]\n").unwrap();
    let wrap = ["mcp", "wrap", "cursor", "--config", "mcp.json"];
    let wrapped = |more: &[&str]| {
        let mut command = sernixa(&wrap);
        command.args(more).current_dir(desk.project(""));
        let ran = run(&mut command);
        assert_eq!(ran.code, 0, "{ran:?}");
        let found = value(&file)["mcpServers"]["a"].clone();
        desk.good(&["mcp", "unwrap", "cursor", "--config", "mcp.json"]);
        (found, ran.stderr)
    };
    let (entry, note) = wrapped(&[
        "--base-url",
        "https://approvals.example/",
        "--program",
        "sernixa",
    ]);
    assert_eq!(entry["command"], "sernixa");
    assert_eq!(
        list(&entry["args"])[6..8],
        ["--base-url", "https://approvals.example"]
    );
    assert!(note.contains("needs a credential"), "{note}");
    let (entry, note) = wrapped(&["--token-file", "token", "--proxy-config", "sernixa.toml"]);
    let (token, settings) = (desk.project("token"), desk.project("sernixa.toml"));
    assert_eq!(
        list(&entry["args"])[6..12],
        [
            json!("--base-url"),
            json!("http://localhost:8000"),
            json!("--token-file"),
            json!(token),
            json!("--config"),
            json!(settings)
        ]
    );
    assert_eq!(note, "");
}

#[test]
fn a_proxy_that_would_not_start_is_not_written() {
    let desk = Desk::new();
    let file = desk.project("mcp.json");
    let entry = r#"{"mcpServers": {"a": {"command": "a"}}}"#;
    Desk::write(&file, entry);
    Desk::write(&desk.project("misspelt.toml"), "[mcp]\nhodl = \"1s\"\n");
    for (more, says) in [
        (["--store", "nowhere/agents.db"], "create it"),
        (["--proxy-config", "nowhere.toml"], "nowhere.toml"),
        (["--proxy-config", "misspelt.toml"], "did you mean `hold`"),
        (["--token-file", "nowhere"], "nowhere cannot be read"),
    ] {
        let mut command = sernixa(&["mcp", "wrap", "cursor", "--config", "mcp.json"]);
        let ran = run(command.args(more).current_dir(desk.project("")));
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(says), "{ran:?}");
        assert_eq!(text(&file), entry);
    }
}
