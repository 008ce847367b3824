//! Configuration: every variable, every kind of nonsense, and hostile input to a call. The
//! variables are injected; `environment.rs` reads the process's own, in a process of its own.

use std::ffi::OsString;
use std::time::Duration;

use serde_json::{Value, json};
use sernixa::testing::TestGate;
use sernixa::{Action, Client, ClientBuilder, DataSensitivity, Error, OperationClass, RiskLevel};

/// A builder that sees these variables only.
fn with(variables: &[(&'static str, &'static str)]) -> ClientBuilder {
    let variables = variables.to_vec();
    Client::builder().environment(move |name| {
        let found = variables.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| OsString::from(value))
    })
}

fn refused(builder: ClientBuilder) -> String {
    match builder.build() {
        Err(error @ Error::Configuration(_)) => {
            let text = error.to_string();
            assert!(!text.contains('\n') && !text.ends_with('.'), "{text}");
            assert!(!error.is_retryable() && !error.may_have_been_submitted());
            text
        }
        Err(other) => panic!("another error: {other}"),
        Ok(client) => panic!("accepted: {client:?}"),
    }
}

#[test]
fn each_variable_refuses_each_kind_of_nonsense_by_name_and_rule() {
    let seconds = [
        "abc", "-1", "inf", "nan", "1e3", "1_0", "0x10", "1,5", "1.2.3", "--1", "１", ".",
    ];
    let truths = ["maybe", "2", "y", "t", "truee", "-1", "on off"];
    let cases: &[(&str, &[&str], &str)] = &[
        ("SERNIXA_POLL_INTERVAL_SECONDS", &seconds, "decimal"),
        ("SERNIXA_POLL_TIMEOUT_SECONDS", &seconds, "decimal"),
        ("SERNIXA_TIMEOUT_SECONDS", &seconds, "decimal"),
        (
            "SERNIXA_TIMEOUT_SECONDS",
            &["0", "0.0", "+0"],
            "more than 0",
        ),
        (
            "SERNIXA_MAX_RETRIES",
            &["11", "-1", "2.0", "two", "99999999999999999999999"],
            "0 to 10",
        ),
        (
            "SERNIXA_MAX_ASYNC_IN_FLIGHT",
            &["0", "-3", "1.5", "many"],
            "at least 1",
        ),
        (
            "SERNIXA_SDK_DLP_MODE",
            &["masked", "none", "true", "mask,warn"],
            "mask, warn, block or off",
        ),
        ("SERNIXA_CAPTURE_ARGUMENTS", &truths, "true"),
        ("SERNIXA_ALLOW_INSECURE_HTTP", &truths, "true"),
        ("SERNIXA_DEBUG", &truths, "true"),
        ("SERNIXA_LOG_LEVEL", &["loud", "10", "warnings"], "WARNING"),
        (
            "SERNIXA_REQUEST_SIGNING_SECRET",
            &["short", "fifteen bytes.."],
            "at least 16 bytes",
        ),
        (
            "SERNIXA_BINDING_KEY",
            &["short", "               "],
            "at least 16 bytes",
        ),
        (
            "SERNIXA_ACCESS_TOKEN",
            &["two words", "tok\nen", "tök", "a\u{7f}b"],
            "visible ASCII",
        ),
        (
            "SERNIXA_API_KEY",
            &["two words", "k\u{0}y"],
            "visible ASCII",
        ),
        (
            "SERNIXA_BASE_URL",
            &[
                "ftp://host",
                "file:///etc",
                "host:8000",
                "//host",
                "http:host",
                "http:/host",
                "httpp://host",
                "http://",
                "https://",
                "http://[::1",
                "http://localhost:99999",
                "http://localhost:0",
                "http://local host",
                "http://localhost\\evil",
                "http://localhost?x=1",
                "http://localhost/#frag",
                "unix:/run/sock",
                "embedded",
                "EMBEDDED:",
            ],
            "expected http://",
        ),
    ];
    for (name, values, rule) in cases {
        for value in *values {
            let text = refused(with(&[(name, value)]));
            assert!(text.contains(name), "{name}={value}: {text}");
            assert!(text.contains(rule), "{name}={value}: {text}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8_is_refused_by_name() {
    use std::os::unix::ffi::OsStringExt as _;

    for name in [
        "SERNIXA_BASE_URL",
        "SERNIXA_ACCESS_TOKEN",
        "SERNIXA_POLL_TIMEOUT_SECONDS",
        "SERNIXA_BINDING_KEY",
    ] {
        let builder = Client::builder().environment(move |asked| {
            (asked == name).then(|| OsString::from_vec(vec![0xff, 0xfe]))
        });
        let text = refused(builder);
        assert!(text.contains(name) && text.contains("UTF-8"), "{text}");
    }
}

#[test]
fn the_value_at_fault_is_never_shown_in_error_or_debug() {
    const MARKER: &str = "mArKeR-5f3c";
    let faulty: [(&'static str, &'static str); 13] = [
        ("SERNIXA_BASE_URL", "https://user:mArKeR-5f3c@host"),
        ("SERNIXA_BASE_URL", "https://mArKeR-5f3c@host/"),
        ("SERNIXA_BASE_URL", "https://host/?key=mArKeR-5f3c"),
        ("SERNIXA_BASE_URL", "mArKeR-5f3c"),
        ("SERNIXA_ACCESS_TOKEN", "mArKeR-5f3c two"),
        ("SERNIXA_API_KEY", "mArKeR-5f3c\u{1}"),
        ("SERNIXA_REQUEST_SIGNING_SECRET", "mArKeR-5f3c"),
        ("SERNIXA_BINDING_KEY", "mArKeR-5f3c"),
        ("SERNIXA_SDK_DLP_MODE", "mArKeR-5f3c"),
        ("SERNIXA_TIMEOUT_SECONDS", "mArKeR-5f3c"),
        ("SERNIXA_MAX_RETRIES", "mArKeR-5f3c"),
        ("SERNIXA_LOG_LEVEL", "mArKeR-5f3c"),
        ("SERNIXA_DEBUG", "mArKeR-5f3c"),
    ];
    for (name, value) in faulty {
        let error = with(&[(name, value)]).build().unwrap_err();
        let (display, debug) = (error.to_string(), format!("{error:?}"));
        assert!(display.contains(name), "{display}");
        assert!(
            !display.contains(MARKER) && !debug.contains(MARKER),
            "{display} {debug}"
        );
    }
}

#[test]
fn userinfo_of_every_spelling_is_refused_and_names_the_way_out() {
    for url in [
        "https://u:p@example.com",
        "https://u@example.com/pre",
        "https://:p@example.com",
        "https://@example.com",
        "https://u%40x:p@example.com:8443",
    ] {
        let text = refused(with(&[("SERNIXA_BASE_URL", url)]));
        assert!(text.contains("user name or password"), "{url}: {text}");
        assert!(text.contains("SERNIXA_ACCESS_TOKEN"), "{text}");
        let text = refused(with(&[]).base_url(url));
        assert!(text.contains("ClientBuilder::base_url"), "{text}");
    }
    // In a path it is no userinfo.
    with(&[("SERNIXA_BASE_URL", "https://example.com/a@b")])
        .build()
        .unwrap()
        .close_blocking();
}

#[test]
fn plain_http_leaves_this_machine_only_where_that_is_allowed() {
    for public in [
        "http://example.com",
        "http://192.168.0.7:8000",
        "http://0.0.0.0",
        "http://[2001:db8::1]",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ] {
        let text = refused(with(&[("SERNIXA_BASE_URL", public)]));
        assert!(
            text.contains("SERNIXA_ALLOW_INSECURE_HTTP"),
            "{public}: {text}"
        );
        let allowed = with(&[
            ("SERNIXA_BASE_URL", public),
            ("SERNIXA_ALLOW_INSECURE_HTTP", "yes"),
        ]);
        allowed.build().unwrap().close_blocking();
        refused(
            with(&[
                ("SERNIXA_BASE_URL", public),
                ("SERNIXA_ALLOW_INSECURE_HTTP", "yes"),
            ])
            .allow_insecure_http(false),
        );
    }
    for local in [
        "http://localhost",
        "http://LOCALHOST:8000/pre/fix/",
        "http://app.localhost",
        "http://127.0.0.1:1",
        "http://127.9.9.9",
        "http://[::1]:8000",
        "https://example.com/prefix",
    ] {
        with(&[("SERNIXA_BASE_URL", local)])
            .build()
            .unwrap()
            .close_blocking();
    }
}

#[test]
fn a_file_that_cannot_be_the_embedded_engines_is_refused_with_what_to_do() {
    for (file, what) in [
        ("embedded:/", "folder"),
        ("embedded:Cargo.toml", "no store of Sernixa"),
        ("embedded:no-such-folder/approvals.db", "create the folder"),
        ("embedded:Cargo.toml/approvals.db", "folder is needed"),
        // A path is taken as it is: nobody expands `~`.
        ("embedded:~/approvals.db", "create the folder"),
    ] {
        let text = refused(with(&[("SERNIXA_BASE_URL", file)]));
        assert!(
            text.contains("SERNIXA_BASE_URL") && text.contains(what),
            "{file}: {text}"
        );
    }
}

#[test]
fn empty_means_unset() {
    let all = [
        "SERNIXA_BASE_URL",
        "SERNIXA_ACCESS_TOKEN",
        "SERNIXA_API_KEY",
        "SERNIXA_ALLOW_INSECURE_HTTP",
        "SERNIXA_POLL_INTERVAL_SECONDS",
        "SERNIXA_POLL_TIMEOUT_SECONDS",
        "SERNIXA_TIMEOUT_SECONDS",
        "SERNIXA_MAX_RETRIES",
        "SERNIXA_MAX_ASYNC_IN_FLIGHT",
        "SERNIXA_SDK_DLP_MODE",
        "SERNIXA_CAPTURE_ARGUMENTS",
        "SERNIXA_REQUEST_SIGNING_SECRET",
        "SERNIXA_REQUEST_SIGNING_KEY_ID",
        "SERNIXA_REQUEST_KMS_KEY_ID",
        "SERNIXA_BINDING_KEY",
        "SERNIXA_LOG_LEVEL",
        "SERNIXA_DEBUG",
    ];
    let empty: Vec<_> = all.iter().map(|name| (*name, "")).collect();
    let (unset, set) = (with(&[]).build().unwrap(), with(&empty).build().unwrap());
    assert_eq!(format!("{unset:?}"), format!("{set:?}"));
}

#[test]
fn a_builder_value_beats_the_environment_even_a_broken_one() {
    let broken: &[(&str, &str)] = &[
        ("SERNIXA_BASE_URL", "nonsense"),
        ("SERNIXA_ACCESS_TOKEN", "two words"),
        ("SERNIXA_POLL_INTERVAL_SECONDS", "x"),
        ("SERNIXA_POLL_TIMEOUT_SECONDS", "x"),
        ("SERNIXA_TIMEOUT_SECONDS", "x"),
        ("SERNIXA_MAX_RETRIES", "x"),
        ("SERNIXA_MAX_ASYNC_IN_FLIGHT", "x"),
        ("SERNIXA_SDK_DLP_MODE", "x"),
        ("SERNIXA_CAPTURE_ARGUMENTS", "x"),
        ("SERNIXA_REQUEST_SIGNING_SECRET", "x"),
        ("SERNIXA_BINDING_KEY", "x"),
        ("SERNIXA_LOG_LEVEL", "x"),
    ];
    with(broken)
        .base_url("http://localhost:8000")
        .api_key("srnx_live_1")
        .poll_interval(Duration::ZERO)
        .poll_timeout(Duration::MAX)
        .timeout(Duration::from_secs(1))
        .max_retries(10)
        .max_async_in_flight(1)
        .dlp_mode(sernixa::dlp::Mode::Block)
        .capture_arguments(true)
        .request_signing_secret("sixteen bytes...")
        .binding_key("sixteen bytes...")
        .log(sernixa::logging::Verbosity::Off)
        .build()
        .unwrap()
        .close_blocking();
}

#[test]
fn what_the_builder_is_given_is_checked_too() {
    let never = |builder: ClientBuilder, name: &str| {
        let text = refused(builder);
        assert!(text.contains(name), "{text}");
    };
    never(with(&[]).timeout(Duration::ZERO), "ClientBuilder::timeout");
    never(with(&[]).max_retries(11), "ClientBuilder::max_retries");
    never(
        with(&[]).max_async_in_flight(0),
        "ClientBuilder::max_async_in_flight",
    );
    never(with(&[]).access_token(" "), "ClientBuilder::access_token");
    never(with(&[]).api_key("a b"), "ClientBuilder::api_key");
    never(with(&[]).binding_key("short"), "ClientBuilder::binding_key");
    never(
        with(&[]).request_signing_secret("short"),
        "ClientBuilder::request_signing_secret",
    );
    never(
        with(&[]).request_signing_key_id(" "),
        "ClientBuilder::request_signing_key_id",
    );
    never(with(&[]).base_url(""), "ClientBuilder::base_url");
}

#[test]
fn values_are_trimmed_and_large_ones_mean_for_ever() {
    with(&[
        ("SERNIXA_POLL_INTERVAL_SECONDS", " 0.001 "),
        (
            "SERNIXA_POLL_TIMEOUT_SECONDS",
            "999999999999999999999999999999",
        ),
        ("SERNIXA_TIMEOUT_SECONDS", "+3.5"),
        ("SERNIXA_MAX_ASYNC_IN_FLIGHT", "99999999999999999999999"),
        ("SERNIXA_ACCESS_TOKEN", "  tok  \n"),
        ("SERNIXA_DEBUG", "TRUE"),
        ("SERNIXA_LOG_LEVEL", "warn"),
    ])
    .build()
    .unwrap()
    .close_blocking();
}

// ---- hostile input to a call: a clear error, and nothing is sent ----

fn action() -> Action {
    Action::new("hostile")
        .risk(RiskLevel::Low)
        .class(OperationClass::Read)
        .sensitivity(DataSensitivity::Public)
        .systems(["db"])
}

/// Prepares and runs the action inside a gate that would approve it, and proves that nothing came
/// of it.
fn never_sent(action: &Action) -> String {
    let gate = TestGate::new().approve("hostile");
    let client = gate.client().unwrap();
    let mut ran = false;
    let error = client
        .run(action, || {
            ran = true;
            Ok::<_, Error>(())
        })
        .unwrap_err();
    assert!(matches!(error, Error::Validation(_)), "{error}");
    assert!(!ran && gate.submissions().is_empty());
    let text = error.to_string();
    assert!(!text.contains('\n') && text.chars().count() < 600, "{text}");
    text
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

#[test]
fn metadata_of_too_many_levels_is_refused() {
    // The metadata object itself is the first of 64.
    let gate = TestGate::new().approve("hostile");
    let fits = action().metadata([("deep", nested(63))]);
    gate.client()
        .unwrap()
        .run(&fits, || Ok::<_, Error>(()))
        .unwrap();
    assert!(never_sent(&action().metadata([("deep", nested(64))])).contains("64 levels"));
    assert!(never_sent(&action().metadata([("deep", nested(65))])).contains("64 levels"));
    assert!(never_sent(&action().metadata([("deep", nested(100))])).contains("64 levels"));
}

#[test]
fn metadata_of_a_megabyte_is_refused() {
    let text = never_sent(&action().metadata([("long", "x".repeat(1 << 20))]));
    assert!(text.contains("256 KiB"), "{text}");
    let many = (0..100_000).map(|n| (format!("k{n}"), n));
    assert!(never_sent(&action().metadata(many)).contains("256 KiB"));
    let summary = never_sent(&action().summary("s".repeat(1 << 20)));
    assert!(summary.contains("256 KiB"), "{summary}");
}

#[test]
fn numbers_that_json_cannot_say_are_refused() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let text = never_sent(&action().metadata([("ratio", number)]));
        assert!(text.contains("NaN"), "{text}");
        never_sent(&action().metadata([("ratios", vec![1.0, number])]));
    }
    never_sent(&action().metadata([("ratio", f32::NAN)]));
}

#[test]
fn a_metadata_name_given_twice_is_refused() {
    never_sent(&action().metadata([("a", 1), ("a", 2)]));
}

#[test]
fn control_characters_in_metadata_are_sent_as_escapes() {
    let gate = TestGate::new().approve("hostile");
    let odd: String = (0..0x20_u8)
        .map(char::from)
        .chain("\u{7f}\u{9b}\u{2028}".chars())
        .collect();
    let sent = action()
        .metadata([("odd", odd.clone())])
        .summary(odd.clone());
    gate.client()
        .unwrap()
        .run(&sent, || Ok::<_, Error>(()))
        .unwrap();
    let [recorded] = gate.submissions().try_into().unwrap();
    assert_eq!(recorded.metadata()["odd"], odd);
    assert_eq!(recorded.summary(), Some(&*odd));
    assert!(
        !recorded.body().bytes().any(|byte| byte < 0x20),
        "escaped on the wire"
    );
}

#[test]
fn blank_and_overlong_ids_are_refused() {
    let base = action();
    for intent in [
        "",
        " ",
        "\t\u{2003}\n",
        "\u{1f}",
        &"i".repeat(129),
        &"é".repeat(129),
    ] {
        let wrong = Action::new(intent)
            .risk(RiskLevel::Low)
            .class(OperationClass::Read)
            .sensitivity(DataSensitivity::Public)
            .systems(["db"]);
        assert!(never_sent(&wrong).contains("intent_id"));
    }
    assert!(never_sent(&base.clone().action_id(" ")).contains("action_id"));
    assert!(never_sent(&base.clone().function("")).contains("function"));
    assert!(never_sent(&base.clone().systems(Vec::<String>::new())).contains("systems_touched"));
    assert!(never_sent(&base.clone().systems(["db", " "])).contains("systems_touched"));
    let blank = OperationClass::from_text(" ");
    assert!(never_sent(&base.clone().class(blank)).contains("operation_class"));
    let blank = DataSensitivity::from_text("");
    assert!(never_sent(&base.sensitivity(blank)).contains("data_sensitivity"));
    let longest = "é".repeat(128);
    let gate = TestGate::new().approve(&longest);
    let fits = Action::new(longest)
        .risk(RiskLevel::Low)
        .class(OperationClass::Read)
        .sensitivity(DataSensitivity::Public)
        .systems(["db"]);
    gate.client()
        .unwrap()
        .run(&fits, || Ok::<_, Error>(()))
        .unwrap();
}

#[test]
fn what_was_not_said_of_an_action_is_named() {
    let bare = || Action::new("hostile");
    assert!(never_sent(&bare()).contains("Action::risk"));
    let some = bare().risk(RiskLevel::Low);
    assert!(never_sent(&some).contains("Action::class"));
    let some = some.class(OperationClass::Read);
    assert!(never_sent(&some).contains("Action::sensitivity"));
    let some = some.sensitivity(DataSensitivity::Public);
    assert!(never_sent(&some).contains("systems_touched"));
}

#[test]
fn a_secret_in_a_governance_value_is_refused_and_not_quoted() {
    const SECRET: &str = "AKIAIOSFODNN7EXAMPLE";
    for wrong in [
        action().action_id(SECRET),
        action().function(SECRET),
        action().module(SECRET),
        action().systems(["db", SECRET]),
        action().class(OperationClass::from_text(SECRET)),
        action().sensitivity(DataSensitivity::from_text(SECRET)),
    ] {
        let text = never_sent(&wrong);
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn two_arguments_of_one_name_are_refused() {
    never_sent(&action().arguments(vec![("a".into(), json!(1)), ("a".into(), json!(2))]));
}

#[test]
fn a_resume_key_needs_a_binding_key_that_lasts() {
    let client = with(&[("SERNIXA_BASE_URL", "embedded:")]).build().unwrap();
    let resumable = action().arguments(vec![]).resume_key("order-7");
    let error = client.prepare(&resumable).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    assert!(error.to_string().contains("SERNIXA_BINDING_KEY"), "{error}");
    client.close_blocking();
    let lasting = with(&[
        ("SERNIXA_BASE_URL", "embedded:"),
        ("SERNIXA_BINDING_KEY", "a binding key of enough bytes"),
    ]);
    let client = lasting.build().unwrap();
    let body = client.prepare(&resumable).unwrap();
    let body: Value = serde_json::from_str(body.body()).unwrap();
    let sent = body["metadata"]["resume_key"].as_str().unwrap();
    assert_eq!(sent.len(), 64, "a SHA-256, not the key");
    // Without `.arguments(..)` there is nothing to bind it to.
    let body = client.prepare(&action().resume_key("order-7")).unwrap();
    let body: Value = serde_json::from_str(body.body()).unwrap();
    assert!(body["metadata"].get("resume_key").is_none());
    assert!(matches!(
        client.prepare(&action().arguments(vec![]).resume_key("  ")),
        Err(Error::Validation(_))
    ));
    client.close_blocking();
}

#[test]
fn dlp_in_block_mode_sends_nothing_and_says_what_it_found_but_not_the_secret() {
    const SECRET: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
    let gate = TestGate::configured(|| Client::builder().dlp_mode(sernixa::dlp::Mode::Block))
        .approve("hostile");
    let client = gate.client().unwrap();
    let error = client
        .run(
            &action().metadata([("note", SECRET)]),
            || Ok::<_, Error>(()),
        )
        .unwrap_err();
    assert!(matches!(error, Error::Blocked(_)), "{error}");
    assert_eq!(error.reason(), Some("sdk_dlp_blocked"));
    let evidence = error.evidence().unwrap();
    assert_eq!(evidence["findings"][0]["path"], "metadata.note");
    let texts = [
        evidence.to_string(),
        error.to_string(),
        format!("{error:?}"),
    ];
    assert!(texts.iter().all(|text| !text.contains(SECRET)));
    assert!(gate.submissions().is_empty());
}
