//! A wrapped entry of a host's configuration does what the bare one did, through the proxy.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::mcp::{Desk, Host, told};
use crate::support::serve::{Serve, sernixa};
use crate::support::until;

const TOKEN: &str = "the token of the listening server 51ab";

#[test]
fn what_wrap_writes_is_what_a_host_starts() {
    let desk = Desk::new();
    // A server over HTTP that wants a header: the notes server, behind a proxy that listens.
    let [store, file] = desk.embedded();
    let mut listening = desk.command(&[&store, &file, "--listen", "127.0.0.1:0"]);
    listening.env("SERNIXA_LISTEN_TOKEN", TOKEN);
    let listening = Serve::spawn(listening);

    let config = desk.path().join("mcp.json");
    let bare = desk.arguments(&[]);
    let command = &bare[bare.iter().position(|word| word == "--").unwrap() + 1..];
    let text = json!({"mcpServers": {
        "notes": {"command": command[0], "args": command[1..]},
        "remote": {
            "type": "http",
            "url": format!("{}/mcp", listening.url()),
            "headers": {"Authorization": format!("Bearer {TOKEN}")},
        },
    }})
    .to_string();
    std::fs::write(&config, &text).unwrap();
    let wrap = |way: &str| {
        let mut wrap = sernixa();
        wrap.args(["mcp", way, "claude-code", "--config"]);
        wrap.arg(&config);
        if way == "wrap" {
            let store = desk.path().join("wrapped.db");
            wrap.args(["--hold", "0s", "--store", store.to_str().unwrap()]);
        }
        let done = wrap.output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    wrap("wrap");
    let wrapped: Value = serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    for name in ["notes", "remote"] {
        let mut host = start(&wrapped["mcpServers"][name], &desk);
        host.initialize(0);
        assert!(host.answer(0).unwrap()["result"].is_object());
        host.ask(1, "tools/list", &json!({}));
        let tools = host.answer(1).expect("an answer");
        assert_eq!(tools["result"]["tools"][1]["name"], "add_note", "{tools}");
        // It is governed: nobody has approved this.
        host.call(2, "add_note", &json!({"text": "unasked"}));
        let (said, is_error) = told(&host.answer(2).unwrap());
        assert!(is_error && said.contains("same arguments"), "{said}");
        let arguments = std::fs::read(format!("/proc/{}/cmdline", host.id())).unwrap();
        let arguments = String::from_utf8(arguments).unwrap();
        assert!(!arguments.contains(TOKEN), "{arguments}");
        assert!(host.close().success());
    }
    assert_eq!(desk.notes(), [""; 0]);
    wrap("unwrap");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), text);
}

/// Starts a server of a configuration as hosts do.
fn start(entry: &Value, desk: &Desk) -> Host {
    let mut command = Command::new(entry["command"].as_str().unwrap());
    for argument in entry["args"].as_array().unwrap() {
        command.arg(argument.as_str().unwrap());
    }
    command.env_clear().env("HOME", desk.path());
    command.env("PATH", std::env::var_os("PATH").unwrap());
    for (name, value) in entry["env"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap());
    }
    Host::start(command)
}

#[test]
fn options_that_the_proxy_does_not_take_are_not_written() {
    let desk = Desk::new();
    let config = desk.path().join("mcp.json");
    let text = r#"{"mcpServers": {"a": {"command": "a"}}}"#;
    std::fs::write(&config, text).unwrap();
    let mut wrap = sernixa();
    wrap.args(["mcp", "wrap", "cursor", "--hold", "soon", "--config"]);
    let wrapped = wrap.arg(&config).output().unwrap();
    assert_eq!(wrapped.status.code(), Some(2), "{wrapped:?}");
    let said = String::from_utf8(wrapped.stderr).unwrap();
    assert!(said.contains("--hold"), "{said}");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), text);
}

#[test]
fn a_server_gets_its_own_variables_and_not_the_secrets_of_the_proxy() {
    let desk = Desk::new();
    let seen = desk.path().join("seen");
    let mut command = sernixa();
    command
        .args(["mcp", "proxy", "--server", "curious", "--store"])
        .arg(desk.store())
        .args([
            "--",
            "sh",
            "-c",
            "env > \"$0.part\"; mv \"$0.part\" \"$0\"; cat",
        ])
        .arg(&seen)
        .env("HOME", desk.path())
        .env("TOKEN", "for the server");
    for name in [
        "ACCESS_TOKEN",
        "API_KEY",
        "BINDING_KEY",
        "LISTEN_TOKEN",
        "REQUEST_SIGNING_SECRET",
        "SIGNING_KEYS",
        "UPSTREAM_TOKEN",
    ] {
        command.env(format!("SERNIXA_{name}"), "a-secret-of-the-proxy-4e1f");
    }
    let host = Host::start(command);
    let seen = until("the server has started", || {
        std::fs::read_to_string(&seen).ok()
    });
    assert!(seen.contains("TOKEN=for the server"), "{seen}");
    assert!(!seen.contains("a-secret-of-the-proxy-4e1f"), "{seen}");
    host.close();
}
