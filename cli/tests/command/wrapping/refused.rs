//! Entries that are not to be wrapped or unwrapped: it is told why, and they are left as they are.

use super::{Desk, beside, text};

#[test]
fn what_the_proxy_cannot_stand_before_is_refused_and_nothing_is_changed() {
    let desk = Desk::new();
    let file = desk.project(".vscode/mcp.json");
    for (server, why) in [
        (
            r#"{"type": "sse", "url": "https://e.example/sse"}"#,
            "HTTP+SSE",
        ),
        (
            r#"{"type": "ws", "url": "https://e.example/"}"#,
            "`type` is not `http`",
        ),
        (
            r#"{"url": "https://e.example/", "oauth": {}}"#,
            "signs in for it (`oauth`)",
        ),
        (
            r#"{"url": "https://e.example/", "auth": {}}"#,
            "signs in for it (`auth`)",
        ),
        (
            r#"{"url": "https://e.example/", "headersHelper": "x"}"#,
            "`headersHelper`",
        ),
        (
            r#"{"url": "https://e.example/", "env": {}}"#,
            "`env` beside its `url`",
        ),
        (
            r#"{"url": "https://e.example/", "headers": {"A": 1}}"#,
            "no name or no text",
        ),
        (
            r#"{"url": "https://e.example/", "headers": {"A": " "}}"#,
            "no name or no text",
        ),
        (
            r#"{"url": "https://e.example/", "headers": {"A: B": ""}}"#,
            "no name or no text",
        ),
        (
            r#"{"url": "https://e.example/", "headers": []}"#,
            "`headers` are no object",
        ),
        (r#"{"url": 7}"#, "`url` is no text"),
        (r#"{"url": "env:HOME"}"#, "`url` is no URL"),
        (
            r#"{"command": "a", "url": "https://e.example/"}"#,
            "both `command` and `url`",
        ),
        ("{}", "neither `command` nor `url`"),
        (r#"["a"]"#, "no object"),
        (r#"{"command": ""}"#, "`command` is no text"),
        (r#"{"command": ["a"]}"#, "`command` is no text"),
        (r#"{"command": "a", "args": "b"}"#, "no list of texts"),
        (r#"{"command": "a", "args": ["b", 1]}"#, "no list of texts"),
        (
            r#"{"command": "a", "type": "http"}"#,
            "`type` is not `stdio`",
        ),
        (r#"{"command": "a", "sandboxEnabled": true}"#, "sandbox"),
        (
            r#"{"command": "a", "dev": {"debug": {"type": "node"}}}"#,
            "debugger",
        ),
    ] {
        let text_of = format!(r#"{{"servers": {{"good": {{"command": "g"}}, "odd": {server}}}}}"#);
        Desk::write(&file, &text_of);
        let said = desk.bad(&["mcp", "wrap", "vscode"]);
        assert!(said.contains("`odd` cannot be wrapped"), "{server}: {said}");
        assert!(said.contains(why), "{server}: {said}");
        assert_eq!(text(&file), text_of);
        assert!(beside(&file).is_empty());
        // The others can be named.
        desk.good(&["mcp", "wrap", "vscode", "--server", "good", "--dry-run"]);
    }
    for (names, why) in [
        (["", "b"], "no letter or digit"),
        (["\u{4f60}", "b"], "no letter or digit"),
        (["My server", "My/server"], "would call it `My-server`"),
        (["b", "-b"], "would call it `b`"),
    ] {
        let [one, other] = names.map(|name| format!("{name:?}: {{\"command\": \"g\"}}"));
        Desk::write(&file, &format!("{{\"servers\": {{{one}, {other}}}}}"));
        let said = desk.bad(&["mcp", "wrap", "vscode"]);
        assert!(said.contains(why), "{names:?}: {said}");
    }
}

#[test]
fn a_proxy_by_hand_is_no_business_of_wrap_or_unwrap() {
    let desk = Desk::new();
    let file = desk.project(".mcp.json");
    let by_hand = r#"{"mcpServers": {"a": {"command": "/usr/bin/sernixa", "args": ["mcp", "proxy", "--server", "a", "--", "x", "--wrapped"]}}}"#;
    Desk::write(&file, by_hand);
    for way in ["wrap", "unwrap"] {
        let said = desk.good(&["mcp", way, "claude-code"]);
        assert!(said.contains("by hand"), "{said}");
        assert_eq!(text(&file), by_hand);
    }
}

#[test]
fn a_wrapped_entry_that_was_taken_apart_is_told_and_left() {
    let desk = Desk::new();
    let file = desk.project(".mcp.json");
    for (args, why) in [
        (
            r#"["mcp", "proxy", "--wrapped", "command"]"#,
            "after `--` is gone",
        ),
        (
            r#"["mcp", "proxy", "--wrapped", "command", "--"]"#,
            "after `--` is gone",
        ),
        (
            r#"["mcp", "proxy", "--wrapped", "url"]"#,
            "`--upstream` is gone",
        ),
        (
            r#"["mcp", "proxy", "--wrapped", "url", "--upstream", "env:X"]"#,
            "variable of its URL",
        ),
        (r#"["mcp", "proxy", "--wrapped"]"#, "`--upstream` is gone"),
    ] {
        let apart = format!(r#"{{"mcpServers": {{"a": {{"command": "s", "args": {args}}}}}}}"#);
        Desk::write(&file, &apart);
        let said = desk.bad(&["mcp", "unwrap", "claude-code"]);
        assert!(said.contains(why), "{args}: {said}");
        assert_eq!(text(&file), apart);
    }
}
