//! Which files are read and written, and how: odd ones, several, links and permissions.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::Value;

use super::{Desk, beside, program, text, value};

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
