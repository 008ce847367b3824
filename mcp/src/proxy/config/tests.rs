//! What `[mcp]` of `sernixa.toml` takes, and what it refuses with its place.

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("sernixa.toml"), text)
}

#[test]
fn everything_that_can_be_said_is_read() {
    let config = parse(
        r#"
        # The service's own settings stand in the same file.
        mode = "production"
        [limits]
        body = "512KiB"

        [mcp]
        hold = "1m30s"
        console = "https://sernixa.example/console"
        allow_methods = ["vendor/refresh"]

        [mcp.servers.files]
        trust_annotations = true
        intent_id = "file-work"
        risk_level = "LOW"
        systems = ["nas"]

        [mcp.servers.files.tools."fs.write file"]
        risk_level = "high"
        operation_class = "update"
        data_sensitivity = "pii"

        [mcp.servers.files.tools.format_disk]
        hidden = true
        operation_class = "custom:Format"
        "#,
    )
    .unwrap();
    assert_eq!(config.hold, Some(Duration::from_secs(90)));
    assert_eq!(
        config.console.as_ref().map(Url::as_str),
        Some("https://sernixa.example/console")
    );
    assert_eq!(config.allow_methods, ["vendor/refresh"]);
    let files = config.server("files");
    assert!(files.trust_annotations);
    assert_eq!(files.intent_id.as_deref(), Some("file-work"));
    assert_eq!(files.defaults.risk, Some(RiskLevel::Low));
    assert_eq!(files.defaults.systems.as_deref().unwrap(), ["nas"]);
    let write = files.tool("fs.write file").unwrap();
    assert_eq!(write.given.risk, Some(RiskLevel::High));
    assert_eq!(write.given.class, Some(OperationClass::Update));
    assert_eq!(write.given.sensitivity, Some(DataSensitivity::Pii));
    assert!(!write.hidden);
    let format = files.tool("format_disk").unwrap();
    assert!(format.hidden);
    assert_eq!(format.given.class, Some(OperationClass::custom("Format")));
    assert!(files.tool("Format_disk").is_none());
    assert_eq!(config.server("Files"), Rules::default());
    assert_eq!(parse("").unwrap(), Config::default());
}

#[test]
fn every_fault_names_file_line_key_and_rule() {
    for (text, says) in [
        (
            "[mcp]\nhodl = \"1s\"",
            "line 2: `mcp.hodl` is not a setting; known here: hold, console, allow_methods, servers; did you mean `hold`?",
        ),
        (
            "[mcp]\nhold = 45",
            "line 2: `mcp.hold` must be a duration such as \"45s\"",
        ),
        ("[mcp]\nhold = \"2h\"", "from 0s to 1h"),
        (
            "[mcp]\nconsole = \"http://sernixa.example\"",
            "`mcp.console` must be an http(s) URL",
        ),
        (
            "[mcp]\nconsole = \"https://u:p@sernixa.example\"",
            "`mcp.console` must be",
        ),
        (
            "[mcp]\nallow_methods = [\"a\",\n1]",
            "line 3: `mcp.allow_methods` must be a list",
        ),
        (
            "[mcp]\nallow_methods = [\"tools/call \"]",
            "`mcp.allow_methods` must be a list",
        ),
        ("mcp = 1", "line 1: `mcp` must be a table"),
        (
            "[mcp.servers]\nfiles = 1",
            "line 2: `mcp.servers.files` must be a table",
        ),
        (
            "[mcp.servers.\"a b\"]",
            "line 1: `mcp.servers.\"a b\"` must have 1 to 64",
        ),
        (
            "[mcp.servers.\"\\u001b[2J\"]",
            "`mcp.servers.\"\\u{1b}[2J\"` must have",
        ),
        (
            "[mcp.servers.f]\ntrust_annotation = true",
            "did you mean `trust_annotations`?",
        ),
        (
            "[mcp.servers.f]\ntrust_annotations = \"yes\"",
            "must be true or false",
        ),
        (
            "[mcp.servers.f]\nintent_id = \"\"",
            "`mcp.servers.f.intent_id` must be a text",
        ),
        (
            "[mcp.servers.f]\nhidden = true",
            "known here: trust_annotations, intent_id, risk_level, operation_class, data_sensitivity, systems, tools",
        ),
        (
            "[mcp.servers.f]\nrisk_level = \"hihg\"",
            "must be one of low, medium, high, critical; did you mean \"high\"?",
        ),
        ("[mcp.servers.f]\nsystems = []", "`systems` names no system"),
        (
            "[mcp.servers.f.tools.\"a.b\"]\noperation_class = \"finacial\"",
            "line 2: `mcp.servers.f.tools.\"a.b\".operation_class` must be one of",
        ),
        (
            "[mcp.servers.f.tools.t]\noperation_class = \"custom: \"",
            "must be one of",
        ),
        (
            "[mcp.servers.f.tools.t]\nhiden = true",
            "did you mean `hidden`?",
        ),
        ("[mcp]\nhold = \"1s\"\nhold = \"2s\"", "line 3"),
        ("[mcp", "line 1"),
    ] {
        let fault = parse(text).unwrap_err().to_string();
        assert!(fault.starts_with("sernixa.toml: line "), "{fault}");
        assert!(fault.contains(says), "{text:?}: {fault}");
    }
}

#[test]
fn a_fault_repeats_no_value() {
    for text in [
        "[mcp]\nhold = \"hunter2\"",
        "[mcp]\nconsole = \"https://me:hunter2@x\"",
        "[mcp]\nallow_methods = [\"hunter2 hunter2\"]",
        "[mcp.servers.f]\nrisk_level = \"hunter2\"",
        "[mcp.servers.f]\nintent_id = { a = \"hunter2\" }",
        "[mcp]\nconsole = \"hunter2",
    ] {
        let fault = parse(text).unwrap_err().to_string();
        assert!(!fault.contains("hunter2"), "{fault}");
    }
}

#[test]
fn a_file_that_is_too_large_or_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sernixa.toml");
    assert!(
        Config::read(&path)
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );
    let mut text = "[mcp]\nhold = \"0s\"\n#".to_owned();
    std::fs::write(&path, &text).unwrap();
    assert_eq!(Config::read(&path).unwrap().hold, Some(Duration::ZERO));
    text.extend(std::iter::repeat_n('x', 1 << 20));
    std::fs::write(&path, &text).unwrap();
    assert!(
        Config::read(&path)
            .unwrap_err()
            .to_string()
            .contains("1 MiB")
    );
}

#[test]
fn the_documentation_names_every_setting_and_reads_as_it_says() {
    const PAGE: &str = include_str!("../../../../docs/mcp-tools.md");
    let example = PAGE.split("```toml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let config = parse(example).unwrap();
    assert_eq!(config.hold, Some(HOLD_DEFAULT));
    let files = config.server("files");
    assert!(files.trust_annotations && files.tool("format disk").unwrap().hidden);
    assert!(files.tool("delete_file").unwrap().given.risk.is_some());
    for table in ["mcp", "mcp.servers.f", "mcp.servers.f.tools.t"] {
        let fault = parse(&format!("[{table}]\nqqqqqqqqq = 1")).unwrap_err();
        let fault = fault.to_string();
        let (_, known) = fault.split_once("known here: ").unwrap();
        for name in known.split(", ") {
            let is_there = example.lines().any(|line| {
                line.starts_with(&format!("{name} = ")) || line.contains(&format!(".{name}."))
            });
            assert!(is_there, "`{name}` is not documented");
        }
    }
}
