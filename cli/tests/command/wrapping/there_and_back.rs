//! What is written for a server, that unwrapping restores it, and that a dry run writes nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{Desk, beside, list, program, text, value};

const DESKTOP: &str = ".config/Claude/claude_desktop_config.json";

const TWO: &str = r#"{
  "globalShortcut": "Ctrl+Space",
  "mcpServers": {
    "files": {
      "command": "npx",
      "args": [
        "-y",
        "@modelcontextprotocol/server-filesystem",
        "/home/ann/notes"
      ],
      "env": { "TOKEN": "s3cret-of-files" }
    },
    "clock":   {"command": "clock"}
  },
  "last": [1.0, 1e3]
}
"#;

#[test]
fn a_stdio_server_is_started_by_the_proxy_and_all_else_stays() {
    let desk = Desk::new();
    let file = desk.home(DESKTOP);
    Desk::write(&file, TWO);
    let said = desk.good(&["mcp", "wrap", "claude-desktop", "--hold", "30s"]);
    assert!(said.contains("files: wrapped"), "{said}");
    let store = desk.store();
    let head = |name, words| {
        json!([
            "mcp",
            "proxy",
            "--server",
            name,
            "--wrapped",
            words,
            "--store",
            store,
            "--hold",
            "30s",
            "--"
        ])
    };
    let found = value(&file);
    let with = |mut head: Value, rest: &[&str]| {
        let list = head.as_array_mut().unwrap();
        list.extend(rest.iter().map(|word| json!(word)));
        head
    };
    assert_eq!(
        found["mcpServers"]["files"],
        json!({
            "command": program(),
            "args": with(head("files", "command,args"),
                &["npx", "-y", "@modelcontextprotocol/server-filesystem", "/home/ann/notes"]),
            "env": {"TOKEN": "s3cret-of-files"},
        })
    );
    assert_eq!(
        found["mcpServers"]["clock"],
        json!({"command": program(), "args": with(head("clock", "command"), &["clock"])})
    );
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (before, after) = (lines(TWO), lines(&text(&file)));
    let kept = before.iter().filter(|line| after.contains(line)).count();
    assert_eq!(kept, before.len() - 2, "two lines were changed");

    // The backup is what it was; a second run finds nothing to do, and writes nothing.
    let backup = format!("{}.sernixa-backup", file.display());
    assert_eq!(text(Path::new(&backup)), TWO);
    let wrapped = text(&file);
    let said = desk.good(&["mcp", "wrap", "claude-desktop"]);
    assert!(said.contains("files: is wrapped already"), "{said}");
    assert!(said.contains("There was nothing to change."), "{said}");
    assert_eq!(text(&file), wrapped);
    assert_eq!(beside(&file).len(), 1);

    let said = desk.good(&["mcp", "unwrap", "claude-desktop"]);
    assert!(said.contains("clock: restored"), "{said}");
    assert_eq!(text(&file), TWO);
    let again = format!("{}.sernixa-backup-2", file.display());
    assert_eq!(text(Path::new(&again)), wrapped);
    assert_eq!(text(Path::new(&backup)), TWO, "an older backup is kept");
}

const REMOTE: &str = r#"{
	// what this team uses
	"inputs": [{"id": "key", "type": "promptString", "password": true},],
	"servers": {
		"github": {
			"type": "http", // remote
			"url": "https://api.example.com/mcp/",
			"headers": {
				"Authorization": "Bearer ${input:key}",
				"X-Team": "s3cret-team", /* not for everybody */
			},
			"gallery": true,
		},
		"keyed": {"url": "https:\/\/mcp.example.com/s/0123456789abcdef0123/mcp"},
		"plain": { "type" : "streamable-http", "url" : "http://localhost:9000/mcp" , "headers" : { } },
		"local": {"type": "stdio", "command": "node", "args": [ /* none */ ],},
	}, // end
}"#;

#[test]
fn a_remote_server_is_reached_by_the_proxy_and_its_secrets_stay_out_of_the_arguments() {
    let desk = Desk::new();
    let file = desk.project(".vscode/mcp.json");
    Desk::write(&file, REMOTE);
    desk.good(&["mcp", "wrap", "vscode"]);
    let wrapped = text(&file);
    for kept in [
        "// what this team uses",
        "// remote",
        "/* not for everybody */",
        "// end",
    ] {
        assert!(wrapped.contains(kept), "{kept}: {wrapped}");
    }
    // Without its comments and trailing commas.
    let bare = wrapped
        .replace("// what this team uses", "")
        .replace("// remote", "")
        .replace("/* not for everybody */", "")
        .replace("/* none */", "")
        .replace("// end", "");
    let bare: String = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = bare
        .replace(", }", " }")
        .replace(",]", "]")
        .replace(",}", "}");
    let found: Value = serde_json::from_str(&bare).unwrap_or_else(|e| panic!("{e}: {bare}"));
    let store = desk.store();
    let servers = &found["servers"];
    assert_eq!(
        servers["github"],
        json!({
            "type": "stdio",
            "command": program(),
            "args": ["mcp", "proxy", "--server", "github", "--wrapped", "url,http,headers",
                "--store", store,
                "--header", "Authorization=env:SERNIXA_HEADER_AUTHORIZATION",
                "--header", "X-Team=env:SERNIXA_HEADER_X_TEAM",
                "--upstream", "https://api.example.com/mcp/"],
            "env": {
                "SERNIXA_HEADER_AUTHORIZATION": "Bearer ${input:key}",
                "SERNIXA_HEADER_X_TEAM": "s3cret-team",
            },
            "gallery": true,
        })
    );
    assert_eq!(
        servers["keyed"],
        json!({
            "command": program(),
            "args": ["mcp", "proxy", "--server", "keyed", "--wrapped", "url", "--store", store,
                "--upstream", "env:SERNIXA_UPSTREAM"],
            "env": {"SERNIXA_UPSTREAM": "https://mcp.example.com/s/0123456789abcdef0123/mcp"},
        })
    );
    assert_eq!(servers["plain"]["type"], "stdio");
    assert_eq!(servers["plain"]["env"], json!({}));
    assert_eq!(list(&servers["local"]["args"])[8..], ["--", "node"]);

    desk.good(&["mcp", "unwrap", "vscode"]);
    assert_eq!(text(&file), REMOTE);
}

#[test]
fn what_was_edited_after_wrapping_stays_when_unwrapping() {
    let desk = Desk::new();
    let file = desk.project(".vscode/mcp.json");
    Desk::write(&file, REMOTE);
    desk.good(&[
        "mcp", "wrap", "vscode", "--server", "github", "--server", "local",
    ]);
    let edited = text(&file)
        .replace("\"s3cret-team\"", "\"another\"")
        .replace("\"gallery\": true", "\"gallery\": false")
        .replace("\"--store\"", "\"--hold\", \"5s\", \"--store\"")
        .replace("\"node\" /* none */ ", "\"node\", \"--inspect\"")
        .replace(
            "\"servers\": {",
            "\"servers\": {\n\t\t\"new\": {\"command\": \"new\"},",
        );
    assert!(edited.contains("\"--inspect\""), "{edited}");
    fs::write(&file, &edited).unwrap();
    desk.good(&["mcp", "unwrap", "vscode"]);
    let expected = REMOTE
        .replace("\"s3cret-team\"", "\"another\"")
        .replace("\"gallery\": true", "\"gallery\": false")
        .replace("[ /* none */ ]", "[\"--inspect\"]")
        .replace(
            "\"servers\": {",
            "\"servers\": {\n\t\t\"new\": {\"command\": \"new\"},",
        );
    assert_eq!(text(&file), expected);
}

#[test]
fn variables_that_somebody_added_do_not_become_headers() {
    let desk = Desk::new();
    let file = desk.project(".cursor/mcp.json");
    let remote =
        r#"{"mcpServers": {"r": {"url": "https://e.example/mcp", "headers": {"A": "1"}}}}"#;
    Desk::write(&file, remote);
    desk.good(&["mcp", "wrap", "cursor"]);
    let edited = text(&file).replace(r#""env": {"#, r#""env": {"SERNIXA_ACCESS_TOKEN": "t", "#);
    fs::write(&file, edited).unwrap();
    desk.good(&["mcp", "unwrap", "cursor"]);
    assert_eq!(
        value(&file)["mcpServers"]["r"],
        json!({"url": "https://e.example/mcp", "env": {"SERNIXA_ACCESS_TOKEN": "t"},
               "headers": {"A": "1"}})
    );
}

#[test]
fn reformatted_entries_are_restored_in_what_they_mean() {
    let desk = Desk::new();
    let file = desk.project(".mcp.json");
    let before = json!({"mcpServers": {
        "a": {"command": "a"},
        "b": {"command": "b", "args": []},
        "c": {"args": ["--wrapped", "--", "x"], "command": "c"},
        "d": {"headers": {"X-A": "1", "X_A": "2"}, "url": "https://e.example/?key=k", "type": "http"},
        "e": {"url": "https://e.example/?key=k"},
        "-f": {"command": "f"},
    }});
    Desk::write(&file, &before.to_string());
    desk.good(&["mcp", "wrap", "claude-code"]);
    // As a host writes it anew: another layout, and members by name.
    let wrapped = value(&file);
    assert_eq!(wrapped["mcpServers"]["-f"]["args"][3], "f");
    assert!(
        !wrapped["mcpServers"]["d"]["args"]
            .to_string()
            .contains("key=k")
    );
    fs::write(&file, serde_json::to_string_pretty(&wrapped).unwrap()).unwrap();
    desk.good(&["mcp", "unwrap", "claude-code"]);
    assert_eq!(value(&file), before);
}

#[test]
fn a_dry_run_shows_the_difference_without_secrets_and_writes_nothing() {
    let desk = Desk::new();
    let file = desk.project(".vscode/mcp.json");
    Desk::write(&file, REMOTE);
    let said = desk.good(&["mcp", "wrap", "vscode", "--dry-run"]);
    assert_eq!(text(&file), REMOTE);
    assert!(beside(&file).is_empty());
    for shown in [
        "github: would be wrapped",
        "@@ line 6 @@",
        "-            \"url\": \"https://api.example.com/mcp/\",",
        "\"Authorization=env:SERNIXA_HEADER_AUTHORIZATION\"",
        "Nothing was written (--dry-run).",
    ] {
        assert!(said.contains(shown), "{shown}\n{said}");
    }
    for hidden in ["s3cret", "0123456789abcdef", "Bearer"] {
        assert!(!said.contains(hidden), "{said}");
    }
    desk.good(&["mcp", "wrap", "vscode"]);
    let wrapped = text(&file);
    let said = desk.good(&["mcp", "unwrap", "vscode", "--dry-run"]);
    assert!(said.contains("local: would be restored"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    assert_eq!(text(&file), wrapped);
}
