//! `sernixa mcp wrap` and `unwrap`: hosts' configurations on disk.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ran, run, sernixa};

/// A home and a project, with nothing in them.
struct Desk {
    folder: TempDir,
}

const DESKTOP: &str = ".config/Claude/claude_desktop_config.json";

impl Desk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("home")).unwrap();
        fs::create_dir_all(folder.path().join("project")).unwrap();
        Self { folder }
    }

    fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join("home").join(name)
    }

    fn project(&self, name: &str) -> PathBuf {
        self.folder.path().join("project").join(name)
    }

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The command, in the project, on a file of approvals.
    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = sernixa(arguments);
        command
            .args(["--store", "agents.db"])
            .current_dir(self.folder.path().join("project"))
            .env("HOME", self.folder.path().join("home"))
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("CLAUDE_CONFIG_DIR");
        run(&mut command)
    }

    #[track_caller]
    fn good(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout
    }

    #[track_caller]
    fn bad(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        ran.stderr
    }

    fn store(&self) -> String {
        self.project("agents.db").display().to_string()
    }
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_sernixa")
}

#[track_caller]
fn value(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// All names in the folder of a file, but its own.
fn beside(path: &Path) -> Vec<String> {
    let own = path.file_name().unwrap();
    let files = fs::read_dir(path.parent().unwrap()).unwrap();
    let names = files.map(|file| file.unwrap().file_name());
    let mut names: Vec<_> = names
        .filter(|name| name != own)
        .map(|name| name.into_string().unwrap())
        .collect();
    names.sort();
    names
}

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
fn servers_of_projects_are_found_in_the_one_file_of_claude_code() {
    let desk = Desk::new();
    let (user, shared) = (desk.home(".claude.json"), desk.project(".mcp.json"));
    let user_text = r#"{"numStartups": 7, "mcpServers": {"u": {"type": "stdio", "command": "u", "args": []}},
 "projects": {"/p/one": {"allowedTools": [], "mcpServers": {"one": {"command": "1"}}},
              "/p/two": {"mcpServers": {}}, "/p/three": {}}}"#;
    Desk::write(&user, user_text);
    Desk::write(&shared, r#"{"mcpServers": {"s": {"command": "s"}}}"#);
    let said = desk.good(&["mcp", "wrap", "claude-code"]);
    assert!(said.contains("one (in /p/one): wrapped"), "{said}");
    assert_eq!(value(&user)["mcpServers"]["u"]["command"], program());
    assert_eq!(
        value(&user)["projects"]["/p/one"]["mcpServers"]["one"]["command"],
        program()
    );
    assert_eq!(value(&shared)["mcpServers"]["s"]["command"], program());
    let said = desk.good(&["mcp", "unwrap", "claude-code", "--server", "one", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["files"][0]["changed"], true);
    assert_eq!(said["files"][1]["changed"], false);
    desk.good(&["mcp", "unwrap", "claude-code"]);
    assert_eq!(text(&user), user_text);
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
fn odd_files_are_told_and_left() {
    let desk = Desk::new();
    let file = desk.project(".mcp.json");
    for (odd, why) in [
        ("", "line 1, column 1: JSON ends inside a value"),
        ("{\"mcpServers\": {", "JSON ends inside a value"),
        ("# toml", "unexpected character"),
        ("[]", "it is JSON, but no object"),
        ("{\n  // hello\n}", "line 2, column 3: unexpected character"),
        ("{\"mcpServers\": {}}", "has no servers under `mcpServers`"),
        ("{\"mcpServers\": []}", "has no servers under `mcpServers`"),
        ("{}", "has no servers under `mcpServers`"),
        (
            "{\"mcpServers\": {\"a\": {\"command\": \"a\"}, \"a\": {\"command\": \"b\"}}}",
            "duplicate member",
        ),
        (
            "{\"mcpServers\": {\"a\": {\"command\": \"a\", \"c\\u006fmmand\": \"b\"}}}",
            "duplicate member",
        ),
    ] {
        Desk::write(&file, odd);
        for way in ["wrap", "unwrap"] {
            let said = desk.bad(&["mcp", way, "claude-code"]);
            assert!(said.contains(why), "{odd}: {said}");
            assert!(said.contains("nothing was changed"), "{odd}: {said}");
            assert_eq!(text(&file), odd);
            assert!(beside(&file).is_empty());
        }
    }
    fs::write(&file, b"{\"mcpServers\": \xff}").unwrap();
    assert!(
        desk.bad(&["mcp", "wrap", "claude-code"])
            .contains("is not UTF-8")
    );
    fs::remove_file(&file).unwrap();
    let said = desk.bad(&["mcp", "wrap", "claude-code"]);
    assert!(said.contains(".claude.json or "), "{said}");
    assert!(said.contains("name it with --config FILE"), "{said}");
    let said = desk.bad(&["mcp", "wrap", "claude-code", "--config", "none.json"]);
    assert!(said.contains("none.json is not there"), "{said}");
    fs::create_dir(&file).unwrap();
    assert!(
        desk.bad(&["mcp", "wrap", "claude-code"])
            .contains("is no file")
    );
}

#[test]
fn one_bad_file_leaves_the_good_one_alone() {
    let desk = Desk::new();
    let (user, project) = (
        desk.home(".cursor/mcp.json"),
        desk.project(".cursor/mcp.json"),
    );
    Desk::write(&user, r#"{"mcpServers": {"a": {"command": "a"}}}"#);
    Desk::write(&project, "{");
    desk.bad(&["mcp", "wrap", "cursor"]);
    assert_eq!(text(&user), r#"{"mcpServers": {"a": {"command": "a"}}}"#);
    let said = desk.bad(&[
        "mcp",
        "wrap",
        "cursor",
        "--server",
        "b",
        "--config",
        user.to_str().unwrap(),
    ]);
    assert!(
        said.contains("there is no server `b`; there is a"),
        "{said}"
    );
}

#[test]
fn links_are_followed_and_permissions_kept() {
    let desk = Desk::new();
    let (real, link) = (
        desk.home("dotfiles/mcp.json"),
        desk.home(".cursor/mcp.json"),
    );
    Desk::write(&real, r#"{"mcpServers": {"a": {"command": "a"}}}"#);
    fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(&real, &link).unwrap();
    desk.good(&["mcp", "wrap", "cursor"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(value(&real)["mcpServers"]["a"]["command"], program());
    for file in [real.clone(), desk.home("dotfiles/mcp.json.sernixa-backup")] {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    assert_eq!(beside(&real), ["mcp.json.sernixa-backup"]);

    // Read-only: no rename takes that away.
    fs::set_permissions(&real, fs::Permissions::from_mode(0o444)).unwrap();
    let wrapped = text(&real);
    assert!(
        desk.bad(&["mcp", "unwrap", "cursor"])
            .contains("is read-only")
    );
    assert_eq!(text(&real), wrapped);
    assert_eq!(beside(&real), ["mcp.json.sernixa-backup"]);
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
