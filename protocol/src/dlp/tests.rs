//! What is promised of every text, by property, and of the default detectors, by example.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn masked(text: &str) -> String {
    let detectors = Detectors::default();
    Protector::new(Mode::Mask, &detectors)
        .text("metadata", text, Text::Metadata)
        .into_owned()
}

fn kinds(text: &str) -> Vec<String> {
    let detectors = Detectors::default();
    let mut protector = Protector::new(Mode::Warn, &detectors);
    protector.text("metadata", text, Text::Metadata);
    protector
        .into_findings()
        .into_iter()
        .map(|finding| finding.kind.into_owned())
        .collect()
}

/// One of each kind, with what must not be left of it. Put together at run time, so that no
/// scanner of repositories takes it for a leak.
fn secrets() -> Vec<(&'static str, String, String)> {
    let alnum = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
    let whole = |kind, text: String| (kind, text.clone(), text);
    vec![
        whole(
            "private_key",
            format!(
                "-----BEGIN {0}-----\nMIIE{alnum}\n-----END {0}-----",
                "PRIVATE KEY"
            ),
        ),
        whole("jwt", format!("eyJ{alnum}.eyJ{alnum}.{alnum}")),
        whole("aws_access_key", format!("AKIA{}", "IOSFODNN7EXAMPLE")),
        whole("github_token", format!("ghp_{alnum}")),
        whole("github_token", format!("github_pat_{alnum}")),
        whole("slack_token", format!("xoxb-123456789012-{alnum}")),
        whole("stripe_key", format!("sk_live_{alnum}")),
        whole("stripe_key", format!("rk_test_{alnum}")),
        whole("stripe_key", format!("whsec_{alnum}")),
        whole("google_api_key", format!("AIza{}", &alnum[..35])),
        whole("ai_api_key", format!("sk-proj-{alnum}")),
        whole("ai_api_key", format!("sk-ant-api03-{alnum}-{alnum}")),
        whole("sernixa_api_key", format!("srnx_live_{alnum}")),
        whole("bearer_token", format!("bearer {alnum}")),
        whole("bearer_token", "Bearer abcdefghijklmnop==".into()),
        whole("api_key", format!("api_{alnum}")),
        whole(
            "api_key",
            "TOKEN_550e8400-e29b-41d4-a716-446655440000".into(),
        ),
        whole("credit_card_like", "4242 4242 4242 4242".into()),
        (
            "credit_card_like",
            "12 4242 4242 4242 4242".into(),
            "4242 4242 4242 4242".into(),
        ),
        (
            "credit_card_like",
            "CVV 123 4242424242424242".into(),
            "4242424242424242".into(),
        ),
        whole("us_ssn", "219-09-9999".into()),
        whole("iban", "DE89 3704 0044 0532 0130 00".into()),
        whole("iban", "GB29NWBK60161331926819".into()),
        (
            "url_password",
            "postgres://app:hunter2@db.example.com/x".into(),
            "hunter2".into(),
        ),
        whole("email", "first.last+tag@sub.example.co.uk".into()),
        ("secret_pair", "password=hunter2".into(), "hunter2".into()),
        (
            "secret_pair",
            "client_secret: 'hunter2'".into(),
            "hunter2".into(),
        ),
        (
            "secret_pair",
            "Authorization: Basic dXNlcjpwYXNz".into(),
            "dXNlcjpwYXNz".into(),
        ),
    ]
}

#[test]
fn each_kind_is_found_and_masked_wherever_it_stands() {
    for (kind, text, secret) in secrets() {
        for (before, after) in [
            ("", ""),
            ("use ", " today"),
            ("用", " 吗"),
            ("\n\"", "\"\n"),
            ("(", ")"),
            ("see ", "."),
        ] {
            if kind == "email" && before == "用" {
                continue; // The letters that touch an address belong to it.
            }
            let text = format!("{before}{text}{after}");
            assert_eq!(kinds(&text), [kind], "{text}");
            let left = masked(&text);
            assert!(!left.contains(&secret), "{text}: {left}");
            assert!(
                left.starts_with(before) && left.ends_with(after),
                "{text}: {left}"
            );
        }
    }
}

#[test]
fn ordinary_words_and_names_in_governed_code_stay() {
    for text in [
        "rotate api_key_for_billing_service of tenant acme",
        "key_management_service",
        "api_gateway_production",
        "token_refresh_worker_loop",
        "secret_access_key_identifier",
        "the bearer of this letter, a standard-bearer with responsibilities",
        "please reset the password: the customer forgot it",
        "2026-11-22 10:00:00 +1 415 555 0100, order 12345, 192.168.100.200, v1.2.3",
        "invoice INV-2026-0042 over 1,250.00 EUR, tracking 1Z999AA10123456784",
        "std::collections::HashMap<String, u64>",
        "fn verify(token: &str) -> Result<(), Error>",
        "https://example.com:8080/a/b?page=2&sort=asc#top",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sk-learn-based-model-for-refunds",
        "arn:aws:iam::123456789012:role/billing",
        "ticket #4521: a=b, x := y, 3:45pm, ratio 3:1",
        "顧客に返金してください。",
    ] {
        assert_eq!(kinds(text), [""; 0], "{text}");
        assert_eq!(masked(text), text);
    }
}

#[test]
fn an_address_in_another_script_takes_the_letters_that_touch_it() {
    assert_eq!(
        masked("to josé@bücher.example, please"),
        "to [redacted-email], please"
    );
    assert_eq!(masked("写信给bob@example.com。"), "[redacted-email]。");
}

#[test]
fn a_reviewer_sees_whom_an_address_concerns() {
    let detectors = Detectors::default();
    let mut protector = Protector::new(Mode::Mask, &detectors);
    let shown = protector.text(
        "metadata.summary",
        "refund bob.smith@example.com",
        Text::Reviewer,
    );
    assert_eq!(shown, "refund b***@example.com");
    assert_eq!(
        protector.text("metadata.summary", &shown, Text::Reviewer),
        shown
    );
    assert_eq!(protector.findings().len(), 1);
}

#[test]
fn only_a_whole_stand_in_passes_under_the_name_of_a_secret() {
    let under_password = |value: &str| {
        let metadata = serde_json::json!({ "password": value }).to_string();
        let protected =
            protect_metadata_json(&metadata, Mode::Mask, &Detectors::default()).unwrap();
        let masked: serde_json::Value = serde_json::from_str(&protected.metadata).unwrap();
        assert_eq!(protected.findings.is_empty(), masked["password"] == value);
        masked["password"].as_str().unwrap().to_owned()
    };
    for stand_in in [
        "",
        "****",
        "[redacted]",
        "[redacted-email]",
        "[redacted-iban]",
        "[redacted-ssn]",
        "****-****-****-4242",
        "<redacted>",
        "<skipped>",
        "<non-serializable: app::Key<'_, [u8; 32]>>",
    ] {
        assert_eq!(under_password(stand_in), stand_in);
    }
    for secret in [
        "****hunter2",
        "*****",
        "****-****-****-hunt",
        "****-****-****-42421",
        "[redacted",
        "[redacted]hunter2",
        "[redacted-secret]hunter2",
        "[redacted-hunter2]",
        "<redacted>hunter2",
        "<skipped>hunter2",
        "<non-serializable: u8>hunter2",
        "<non-serializable: hunter2",
        "<non-serializable: >",
        "<non-serializable: \u{0}@!>",
    ] {
        assert_eq!(under_password(secret), "[redacted-secret]", "{secret}");
    }
}

#[test]
fn values_under_names_of_secrets_are_masked_whatever_they_look_like() {
    let metadata = r#"{"password": "x", "pin_code": "1", "db": {"clientSecret": 1250, "port": 5432}, "token": 17,
        "api_key": ["a", ["b"]], "credentials": {"user": "bob", "tries": 3, "ok": true}, "secret": null, "passwd": "", "note": "x"}"#;
    let protected = protect_metadata_json(metadata, Mode::Mask, &Detectors::default()).unwrap();
    assert_eq!(
        protected.metadata,
        r#"{"password": "[redacted-secret]", "pin_code": "1", "db": {"clientSecret": "[redacted-secret]", "port": 5432}, "token": 17,
        "api_key": ["[redacted-secret]", ["[redacted-secret]"]], "credentials": {"user": "[redacted-secret]", "tries": 3, "ok": true}, "secret": null, "passwd": "", "note": "x"}"#
    );
    let paths: Vec<&str> = protected
        .findings
        .iter()
        .map(|finding| finding.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "metadata.password",
            "metadata.db.clientSecret",
            "metadata.api_key[0]",
            "metadata.api_key[1][0]",
            "metadata.credentials.user"
        ]
    );
    assert!(
        protected
            .findings
            .iter()
            .all(|finding| finding.kind == "named_secret")
    );
}

#[test]
fn keys_are_masked_told_apart_and_shown_masked_in_paths() {
    let metadata = r#"{"a@b.cc": "d@e.ff", "[redacted-email]#2": 1, "x@y.zz": 2, "p@q.rr": {"4242424242424242": 1.50}}"#;
    let protected = protect_metadata_json(metadata, Mode::Mask, &Detectors::default()).unwrap();
    assert_eq!(
        protected.metadata,
        r#"{"[redacted-email]": "[redacted-email]", "[redacted-email]#2": 1, "[redacted-email]#3": 2, "[redacted-email]#4": {"****-****-****-4242": 1.50}}"#
    );
    let paths: Vec<&str> = protected
        .findings
        .iter()
        .map(|finding| finding.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "metadata.[redacted-email]",
            "metadata.[redacted-email]",
            "metadata.[redacted-email]#3",
            "metadata.[redacted-email]#4",
            "metadata.[redacted-email]#4.****-****-****-4242"
        ]
    );
    let untouched = protect_metadata_json(metadata, Mode::Mask, &Detectors::reference()).unwrap();
    assert_eq!(untouched.findings.len(), 1);
}

#[test]
fn other_modes_send_what_came_and_off_looks_at_nothing() {
    let metadata = r#"{ "a@b.cc" : "bob@example.com" , "n": 1e2 }"#;
    for (mode, findings, blocked) in [
        (Mode::Warn, 2, false),
        (Mode::Block, 2, true),
        (Mode::Off, 0, false),
    ] {
        let protected = protect_metadata_json(metadata, mode, &Detectors::default()).unwrap();
        assert!(matches!(protected.metadata, Cow::Borrowed(text) if text == metadata));
        assert_eq!(
            (protected.findings.len(), protected.blocked),
            (findings, blocked)
        );
        assert!(
            protected
                .findings
                .iter()
                .all(|finding| !finding.path.contains('@') && finding.reaction == mode)
        );
        let map: Map<String, Value> = serde_json::from_str(metadata).unwrap();
        assert_eq!(
            protect_metadata(&map, mode, &Detectors::default()).metadata,
            map
        );
    }
}

#[test]
fn a_detector_of_the_users_comes_first_and_a_bad_one_is_an_error() {
    let badge = Detector::new("badge", r"\bEMP-\d{6}\b", "[badge]").unwrap();
    let address = Detector::new("intranet", r"\w+@corp\b", "$0").unwrap();
    for base in [Detectors::default(), Detectors::reference()] {
        let detectors = base.with(badge.clone()).with(address.clone());
        let mut protector = Protector::new(Mode::Mask, &detectors);
        assert_eq!(
            protector.text("metadata.x", "EMP-123456 a@corp a@b.cc", Text::Metadata),
            "[badge] $0 [redacted-email]"
        );
        let mut kinds: Vec<&str> = protector
            .findings()
            .iter()
            .map(|finding| &*finding.kind)
            .collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["badge", "email", "intranet"]);
    }
    assert!(matches!(
        Detector::new(" ", "x", ""),
        Err(DetectorError::BlankKind)
    ));
    assert!(matches!(
        Detector::new("k", "(", ""),
        Err(DetectorError::Pattern(_))
    ));
    assert!(matches!(
        Detector::new("k", r"(\w{1000}){1000}", ""),
        Err(DetectorError::Pattern(_))
    ));
    assert!(matches!(
        Detector::new("k", "x*", ""),
        Err(DetectorError::MatchesNothing)
    ));
}

#[test]
fn members_that_are_ours_are_left_alone() {
    let text = r#"{"function": "token_9f8a7b6c5d4e3f2a1", "summary": "bob@example.com", "note": "bob@example.com"}"#;
    let document = Document::parse(text).unwrap();
    let detectors = Detectors::default();
    let mut protector = Protector::new(Mode::Mask, &detectors);
    let protected = protector.members("metadata", document.root(), |key| match key {
        "function" => None,
        "summary" => Some(Text::Reviewer),
        _ => Some(Text::Metadata),
    });
    assert_eq!(
        protected,
        r#"{"function": "token_9f8a7b6c5d4e3f2a1", "summary": "b***@example.com", "note": "[redacted-email]"}"#
    );
    let note = document.root().get("note").unwrap();
    assert_eq!(
        protector.node("metadata.note", note, Text::Reviewer),
        r#""b***@example.com""#
    );
}

#[test]
fn an_argument_called_password_is_masked() {
    let document = Document::parse(r#"["hunter", 7, {"a": "b@c.dd"}]"#).unwrap();
    let detectors = Detectors::default();
    let mut protector = Protector::new(Mode::Mask, &detectors);
    let masked: Vec<_> = document
        .root()
        .elements()
        .zip(["password", "pin", "note"])
        .map(|(node, name)| protector.argument("metadata.args", name, node, Text::Reviewer))
        .collect();
    assert_eq!(
        masked,
        [r#""[redacted-secret]""#, "7", r#"{"a": "b***@c.dd"}"#]
    );
    let reference = Detectors::reference();
    let mut protector = Protector::new(Mode::Mask, &reference);
    let node = document.root().elements().next().unwrap();
    assert_eq!(
        protector.argument("metadata.args[0]", "password", node, Text::Reviewer),
        r#""hunter""#
    );
}

#[test]
fn any_depth_is_walked_and_its_paths_are_cut() {
    let depth = 100_000;
    let text = format!(
        r#"{{"a":{}"bob@example.com"{}}}"#,
        "[".repeat(depth),
        "]".repeat(depth)
    );
    let protected = protect_metadata_json(&text, Mode::Mask, &Detectors::default()).unwrap();
    assert_eq!(
        protected.metadata,
        text.replace("bob@example.com", "[redacted-email]")
    );
    let path = &protected.findings[0].path;
    assert!(path.starts_with("metadata.a[0][0]") && path.ends_with('…') && path.len() < 4200);
}

#[test]
fn no_debug_output_holds_what_was_found() {
    let protected = protect_metadata_json(
        r#"{"n":"bob@example.com"}"#,
        Mode::Block,
        &Detectors::default(),
    )
    .unwrap();
    assert!(!format!("{:?}", protected.findings).contains("bob"));
}

/// Texts dense with what detectors look for, whole and broken.
fn nasty() -> impl Strategy<Value = String> {
    let fragments: Vec<String> = secrets()
        .into_iter()
        .map(|(_, text, _)| text)
        .chain(
            [
                "@",
                "_",
                "-",
                ".",
                ":",
                "=",
                " ",
                "://",
                "\"",
                "'",
                "\\",
                "\n",
                "é",
                "漢",
                "\u{301}",
                "٣",
                "sk_",
                "key_",
                "Bearer ",
                "eyJ",
                "AKIA",
                "-----BEGIN ",
                "password=",
                "secret: ",
                "token:",
                "authorization: basic ",
                "xoxb-",
                "ghp_",
                "sk-",
                "4242",
                "4242 ",
                "1 ",
                "12-",
                "a1B2c3",
                "abcdefghijklmnop",
                "[redacted-secret]",
                "[redacted-email]",
                "****-****-****-4242",
                "DE89 ",
                "****-",
                "*-",
            ]
            .map(str::to_owned),
        )
        .collect();
    let fragment = prop_oneof![
        4 => proptest::sample::select(fragments).prop_flat_map(|fragment| {
            // Whole, or cut at either end.
            let indices: Vec<usize> = fragment.char_indices().map(|(at, _)| at).chain([fragment.len()]).collect();
            let last = indices.len() - 1;
            prop_oneof![
                3 => Just(fragment.clone()),
                1 => (0..=last).prop_map(move |cut| fragment[indices[cut]..].to_owned()),
            ]
        }),
        1 => "[ -~]{0,6}",
        1 => "[0-9 -]{0,24}",
        1 => "\\PC{0,4}",
    ];
    proptest::collection::vec(fragment, 0..8).prop_map(|fragments| fragments.concat())
}

/// Metadata with nasty strings and keys.
fn metadata() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        4 => nasty().prop_map(Value::String),
        1 => any::<i64>().prop_map(|number| json!(number)),
        1 => Just(json!(1.5)),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
    ];
    let key = || prop_oneof![3 => "[a-z]{1,6}", 1 => Just("password".to_owned()), 1 => nasty()];
    let value = leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            proptest::collection::btree_map(key(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map(key(), value, 0..6)
        .prop_map(|members| members.into_iter().collect())
}

/// Found by the property below: the chain of digits begins before the number.
#[test]
fn a_number_after_a_digit_and_two_hyphens_is_found() {
    assert_eq!(masked("R8--219-09-9999"), "R8--[redacted-ssn]");
    assert_eq!(masked("R8-219-09-9999"), "R8-219-09-9999");
}

/// Found by the property below: what is shown of an address must not be a part of the next one.
#[test]
fn of_chained_addresses_a_reviewer_is_shown_nothing() {
    let detectors = Detectors::default();
    let mut protector = Protector::new(Mode::Mask, &detectors);
    let text = protector.text(
        "summary",
        "ann@mail.example.org@example.com",
        Text::Reviewer,
    );
    assert_eq!(text, "[redacted-secret]@example.com");
}

proptest! {
    #[test]
    fn protecting_what_is_protected_finds_nothing_new(text in nasty(), reviewer in any::<bool>()) {
        let detectors = Detectors::default();
        let text_for = if reviewer { Text::Reviewer } else { Text::Metadata };
        let once = Protector::new(Mode::Mask, &detectors).text("metadata", &text, text_for).into_owned();
        let mut again = Protector::new(Mode::Mask, &detectors);
        let twice = again.text("metadata", &once, text_for).into_owned();
        prop_assert_eq!(again.into_findings(), vec![], "{:?} -> {:?} -> {:?}", text, once, twice);
    }

    #[test]
    fn any_text_at_all_is_taken(text in "\\PC*", bytes in any::<String>()) {
        for detectors in [Detectors::default(), Detectors::reference()] {
            let mut protector = Protector::new(Mode::Mask, &detectors);
            for text in [&text, &bytes] {
                let found = protector.findings().len();
                let changed = protector.text("metadata", text, Text::Metadata) != text.as_str();
                prop_assert_eq!(changed, protector.findings().len() > found);
            }
        }
    }

    #[test]
    fn a_secret_among_words_is_gone(before in "[a-z ]{0,20}", after in "[a-z ,]{0,20}", which in 0..28_usize) {
        let (kind, text, secret) = secrets().swap_remove(which);
        let text = format!("{before} {text} {after}");
        prop_assert!(!masked(&text).contains(&secret), "{}", text);
        prop_assert!(kinds(&text).contains(&kind.to_owned()));
    }

    #[test]
    fn both_forms_say_the_same(metadata in metadata(), reference in any::<bool>()) {
        let detectors = if reference { Detectors::reference() } else { Detectors::default() };
        for mode in [Mode::Mask, Mode::Block] {
            let from_map = protect_metadata(&metadata, mode, &detectors);
            let text = serde_json::to_string(&metadata).unwrap();
            let from_text = protect_metadata_json(&text, mode, &detectors).unwrap();
            prop_assert_eq!(&from_map.findings, &from_text.findings);
            prop_assert_eq!(from_map.blocked, from_text.blocked);
            prop_assert_eq!(from_map.metadata, serde_json::from_str(&from_text.metadata).unwrap());
            let unchanged = matches!(from_text.metadata, Cow::Borrowed(_));
            prop_assert_eq!(unchanged, mode != Mode::Mask || from_text.findings.is_empty());
        }
    }

    #[test]
    fn a_path_leads_to_where_the_secret_was(metadata in metadata()) {
        // Each finding in a value leads, in the protected metadata, to a string or a key that is masked.
        let protected = protect_metadata(&metadata, Mode::Mask, &Detectors::default());
        let mut places = Vec::new();
        list("metadata", &Value::Object(protected.metadata.clone()), &mut places);
        for finding in &protected.findings {
            let masked = places.iter().any(|(path, text)| {
                *path == finding.path && (text.contains("[redacted") || text.contains("****-****-****-"))
            });
            prop_assert!(masked, "{:?} in {:?}", finding, protected.metadata);
        }
    }
}

/// Every path of a value, with the key and string that stand there.
fn list(path: &str, value: &Value, places: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => places.push((path.to_owned(), text.clone())),
        Value::Array(elements) => {
            elements
                .iter()
                .enumerate()
                .for_each(|(at, value)| list(&format!("{path}[{at}]"), value, places));
        }
        Value::Object(members) => {
            for (key, value) in members {
                places.push((format!("{path}.{key}"), key.clone()));
                list(&format!("{path}.{key}"), value, places);
            }
        }
        _ => {}
    }
}
