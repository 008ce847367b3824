//! Well-known MCP servers from npm behind the real proxy: one tool runs unasked, one is refused, one
//! waits for a decision from the command line.
//!
//! Needs what `tests/node/setup` makes; `.ci/slow` runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod host;

use std::fs;

use serde_json::json;

use host::{Host, Proxy, text};

const FILESYSTEM: &str = "@modelcontextprotocol/server-filesystem/dist/index.js";
const EVERYTHING: &str = "@modelcontextprotocol/server-everything/dist/index.js";

#[test]
fn the_filesystem_server_writes_only_what_a_person_approved() {
    let proxy = Proxy::new("[mcp.servers.files]\ntrust_annotations = true\n");
    let served = proxy.folder("served");
    fs::write(served.join("there.txt"), "already there").unwrap();
    let mut host = proxy.host("files", &proxy.node(FILESYSTEM, &[served.as_os_str()]));

    let tools = host.tools();
    for tool in ["read_text_file", "write_file", "create_directory"] {
        assert!(tools.iter().any(|name| name == tool), "{tool} of {tools:?}");
    }

    let there = served.join("there.txt");
    let read = host.call("read_text_file", &json!({ "path": there }));
    assert_eq!(text(&read), "already there");
    assert_eq!(proxy.waiting(), 0, "a trusted read asks nobody");

    let written = served.join("written.txt");
    let arguments = json!({ "path": written, "content": "seen and fine" });
    let call = host.begin("write_file", &arguments);
    let approval = host.held(call);
    assert!(!written.exists(), "nothing happens before the decision");
    proxy.decide("approve", &approval);
    let answer = host.answer(call);
    assert_eq!(answer["isError"].as_bool(), None, "{answer}");
    assert_eq!(fs::read_to_string(&written).unwrap(), "seen and fine");

    let made = served.join("made");
    let call = host.begin("create_directory", &json!({ "path": made }));
    let approval = host.held(call);
    proxy.decide("reject", &approval);
    let answer = host.answer(call);
    assert_eq!(answer["isError"], true, "{answer}");
    assert_eq!(answer["_meta"]["sernixa/decision"]["status"], "rejected");
    assert!(!made.exists());
    assert_eq!(proxy.waiting(), 0);
}

#[test]
fn the_everything_server_works_behind_the_proxy_but_for_what_is_hidden_or_rejected() {
    let proxy = Proxy::new(
        "[mcp.servers.everything.tools.echo]\nrisk_level = \"low\"\noperation_class = \"read\"\n\
         [mcp.servers.everything.tools.get-env]\nhidden = true\n",
    );
    let mut host = proxy.host("everything", &proxy.node(EVERYTHING, &["stdio".as_ref()]));
    everything(&proxy, &mut host);
}

#[test]
fn the_everything_server_works_over_http_too() {
    let proxy = Proxy::new(
        "[mcp.servers.everything.tools.echo]\nrisk_level = \"low\"\noperation_class = \"read\"\n\
         [mcp.servers.everything.tools.get-env]\nhidden = true\n",
    );
    let (_server, url) = proxy.http_server(EVERYTHING, "streamableHttp");
    let mut host = proxy.host("everything", &["--upstream".into(), url.into()]);
    everything(&proxy, &mut host);
}

fn everything(proxy: &Proxy, host: &mut Host) {
    let tools = host.tools();
    assert!(tools.iter().any(|name| name == "echo"), "{tools:?}");
    assert!(!tools.iter().any(|name| name == "get-env"), "{tools:?}");

    let echo = host.call("echo", &json!({ "message": "hello" }));
    assert_eq!(text(&echo), "Echo: hello");

    let hidden = host.request("tools/call", &json!({ "name": "get-env", "arguments": {} }));
    assert!(!hidden.to_string().contains("PATH"), "{hidden}");
    assert!(
        hidden["error"]["code"].is_i64() || hidden["result"]["isError"] == true,
        "{hidden}"
    );
    assert_eq!(proxy.waiting(), 0, "what is hidden is not asked about");

    let call = host.begin("get-sum", &json!({ "a": 2, "b": 3 }));
    let approval = host.held(call);
    proxy.decide("approve", &approval);
    let answer = host.answer(call);
    assert!(text(&answer).contains('5'), "{answer}");

    let call = host.begin("get-sum", &json!({ "a": 20, "b": 30 }));
    let approval = host.held(call);
    proxy.decide("reject", &approval);
    let answer = host.answer(call);
    assert_eq!(answer["isError"], true, "{answer}");
    assert!(!text(&answer).contains("50"), "{answer}");
}
