//! What submissions promise: what is sent, what is not, and that a service reads the same.

use super::*;
use crate::dlp::{Detectors, Mode};
use crate::json::{Document, JsonErrorKind};
use crate::rules::{CORE_KEYS, Fault};
use crate::secrets::SecretKind;
use crate::words::RiskLevel;
use crate::{body_hash_json, canonicalize, idempotency_key_json};

const FIELDS: Fields<'_> = Fields {
    intent_id: "billing-adjustment",
    action_id: None,
    risk_level: RiskLevel::High,
    operation_class: "financial",
    data_sensitivity: "PII",
    systems_touched: &["stripe", "postgres"],
    function: "Billing.adjust_invoice",
    module: "my_agent::tools",
    args_count: 2,
};

const STAMP: Stamp<'_> = Stamp {
    request_id: "00112233445566778899aabbccddeeff",
    timestamp: 1_778_000_000,
    nonce: "0123456789abcdef0123456789abcdef",
};

const SIGNING: Signing<'_> = Signing {
    agent_id: "worker-agent",
    delegation_token_id: "dgt_123",
    delegation_chain_id: Some("chn_123"),
    runtime_id: Some("runtime-worker-1"),
    runtime_identity: Some(""),
    service_identity: None,
    workload_identity: None,
    key_id: "test-request-key",
    secret: b"a secret of 24 bytes !!!",
};

fn build(draft: &Draft<'_>, mode: Mode) -> Result<Built, BuildError> {
    Template::new(&FIELDS)?.build(draft, mode, &Detectors::default())
}

fn with_metadata(metadata: &str) -> Result<Built, BuildError> {
    build(
        &Draft {
            metadata: Some(metadata),
            ..Draft::default()
        },
        Mode::Mask,
    )
}

#[test]
fn a_plain_call_is_this_text() {
    let built = build(&Draft::default(), Mode::Mask).unwrap();
    let key = idempotency_key_json(
        "billing-adjustment",
        "Billing.adjust_invoice",
        r#"["2 positional argument(s)"]"#,
        "{}",
    );
    assert_eq!(built.idempotency_key(), key.unwrap());
    assert_eq!(
        built.seal(&STAMP, None),
        format!(
            concat!(
                r#"{{"intent_id":"billing-adjustment","action_id":"Billing.adjust-invoice","#,
                r#""request_id":"00112233445566778899aabbccddeeff","timestamp":1778000000,"#,
                r#""nonce":"0123456789abcdef0123456789abcdef","metadata":{{"risk_level":"high","#,
                r#""operation_class":"financial","data_sensitivity":"PII","#,
                r#""systems_touched":["stripe","postgres"],"function":"Billing.adjust_invoice","#,
                r#""module":"my_agent::tools","arguments_captured":false,"args_count":2,"#,
                r#""kwargs_keys":[],"idempotency_key":"{}","policy_surface":"rust_sdk"}}}}"#,
            ),
            built.idempotency_key()
        )
    );
}

#[test]
fn everything_a_call_may_carry_stands_in_its_place() {
    let draft = Draft {
        captured: Some(r#"["inv_1",{"b":1e2,"a":"bob@example.com"}]"#),
        metadata: Some(r#" { "ticket" : "SEC-42", "risk_level": "LOW", "n": 1.0 } "#),
        summary: Some("adjust \"inv_1\"\n"),
        resume_key: Some("00ff"),
        arguments_digest: Some("hmac-sha256:00"),
        arguments_unbound: &["tool", "ünbound"],
    };
    let built = build(&draft, Mode::Mask).unwrap();
    let document = Document::parse(built.metadata()).unwrap();
    let keys: Vec<_> = document
        .root()
        .members()
        .filter_map(|(key, _)| key.as_str())
        .collect();
    let expected = [
        "risk_level",
        "operation_class",
        "data_sensitivity",
        "systems_touched",
        "function",
        "module",
        "arguments_captured",
        "args_count",
        "kwargs_keys",
        "idempotency_key",
        "args",
        "kwargs",
        "ticket",
        "n",
        "summary",
        "resume_key",
        "arguments_digest",
        "arguments_unbound",
        "policy_surface",
        "dlp_findings",
        "dlp_status",
    ];
    assert_eq!(keys, expected);
    let ours = expected.iter().filter(|key| !["ticket", "n"].contains(key));
    for key in ours {
        assert!(
            CORE_KEYS.contains(key),
            "{key} is ours, so no user may write it"
        );
    }
    let member = |name: &str| document.root().get(name).unwrap();
    assert!(
        member("risk_level").is("high"),
        "a core key of the user is ignored"
    );
    assert!(member("arguments_captured").as_bool().unwrap());
    // A reviewer sees whom it concerns; the key is over what the argument was.
    assert!(
        !member("args").raw().contains("bob@"),
        "{}",
        member("args").raw()
    );
    assert!(
        member("args").raw().contains("@example.com"),
        "{}",
        member("args").raw()
    );
    let key = idempotency_key_json(
        FIELDS.intent_id,
        FIELDS.function,
        draft.captured.unwrap(),
        "{}",
    );
    assert_eq!(built.idempotency_key(), key.unwrap());
    assert_eq!(built.findings()[0].path, "metadata.args[1].a");
    assert!(member("dlp_status").is("masked"));
    assert_eq!(member("n").raw(), "1.0");
}

#[test]
fn the_body_hash_is_that_of_the_text_that_is_sent() {
    for metadata in [
        "{}",
        r#"{"b":1,"a":[{"z":1.50,"y":"\u00e9\n"}],"é":null,"arg":-0,"zz":1E5}"#,
        r#"{"note":"card 4242 4242 4242 4242 of bob@example.com","password":"hunter2"}"#,
        r#"{ "args" : 1, "kwargs":2, "x": { "args": 1 } }"#,
    ] {
        for mode in [Mode::Mask, Mode::Warn, Mode::Off] {
            for captured in [None, Some(r#"[ 1 , {"b":"bob@example.com","a":2.0} ]"#)] {
                let draft = Draft {
                    captured,
                    metadata: Some(metadata),
                    ..Draft::default()
                };
                let built = build(&draft, mode).unwrap();
                let hash = body_hash_json(built.intent_id(), built.action_id(), built.metadata());
                assert_eq!(built.body_hash(), hash.unwrap(), "{metadata} {mode}");
                let received = Received::parse(&built.seal(&STAMP, None)).unwrap();
                assert_eq!(received.body_hash, built.body_hash());
                assert_eq!(received.metadata, built.metadata());
                assert_eq!(
                    received.canonical_metadata(),
                    canonicalize(built.metadata()).unwrap()
                );
            }
        }
    }
}

#[test]
fn no_core_key_of_a_user_is_ever_sent() {
    for key in CORE_KEYS {
        let escaped = format!("\\u{:04x}{}", u32::from(key.as_bytes()[0]), &key[1..]);
        for name in [*key, &escaped] {
            let built = with_metadata(&format!("{{\"{name}\":\"forged\",\"mine\":1}}")).unwrap();
            assert!(!built.metadata().contains("forged"), "{name}");
            assert!(built.metadata().contains(r#""mine":1"#));
        }
    }
}

#[test]
fn what_is_ours_is_never_rewritten() {
    let fields = Fields {
        operation_class: "token_exchange_handler_x",
        data_sensitivity: "secret_access_key_identifier",
        systems_touched: &["api_gateway_production"],
        function: "token_refresh_worker_loop",
        ..FIELDS
    };
    let template = Template::new(&fields).unwrap();
    let built = template
        .build(&Draft::default(), Mode::Mask, &Detectors::default())
        .unwrap();
    assert_eq!(built.findings(), []);
    for kept in [
        fields.operation_class,
        fields.data_sensitivity,
        fields.function,
    ] {
        assert!(built.metadata().contains(kept));
    }
    assert!(
        template
            .build(&Draft::default(), Mode::Block, &Detectors::default())
            .is_ok()
    );
}

#[test]
fn each_mode_does_as_it_says() {
    let metadata = r#"{"note":"mail bob@example.com"}"#;
    let draft = Draft {
        metadata: Some(metadata),
        ..Draft::default()
    };
    let masked = build(&draft, Mode::Mask).unwrap();
    assert!(masked.metadata().contains("[redacted-email]") && !masked.metadata().contains("bob@"));
    let warned = build(&draft, Mode::Warn).unwrap();
    assert!(warned.metadata().contains("bob@example.com"));
    assert!(
        warned
            .metadata()
            .ends_with(r#""reaction":"warn"}],"dlp_status":"warned"}"#)
    );
    let off = build(&draft, Mode::Off).unwrap();
    assert!(off.metadata().contains("bob@example.com") && !off.metadata().contains("dlp_"));
    let Err(BuildError::Blocked(findings)) = build(&draft, Mode::Block) else {
        panic!("sent")
    };
    assert_eq!(findings[0].path, "metadata.note");
    let summary = Draft {
        summary: Some("mail bob@example.com"),
        ..Draft::default()
    };
    assert!(matches!(
        build(&summary, Mode::Block),
        Err(BuildError::Blocked(_))
    ));
    let captured = Draft {
        captured: Some(r#"["bob@example.com"]"#),
        ..Draft::default()
    };
    assert!(matches!(
        build(&captured, Mode::Block),
        Err(BuildError::Blocked(_))
    ));
}

#[test]
fn metadata_ends_at_64_levels() {
    let nested = |levels: usize| {
        // The metadata object is the first level.
        format!(
            "{{\"a\":{}{}}}",
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        )
    };
    assert!(with_metadata(&nested(64)).is_ok());
    assert_eq!(with_metadata(&nested(65)).unwrap_err(), BuildError::TooDeep);
    let captured = |levels: usize| {
        let args = "[".repeat(levels - 1) + &"]".repeat(levels - 1);
        build(
            &Draft {
                captured: Some(&args),
                ..Draft::default()
            },
            Mode::Mask,
        )
    };
    assert!(captured(64).is_ok());
    assert_eq!(captured(65).unwrap_err(), BuildError::TooDeep);

    let body = with_metadata(&nested(64)).unwrap().seal(&STAMP, None);
    assert!(Received::parse(&body).is_ok());
    let deeper = body.replace("[[", "[[[").replace("]]", "]]]");
    assert_eq!(Received::parse(&deeper).unwrap_err(), ReceiveError::TooDeep);
}

#[test]
fn metadata_ends_at_256_kib_also_with_its_findings() {
    let of_length = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length));
    assert!(with_metadata(&of_length(MAX_BYTES - 1000)).is_ok());
    assert_eq!(
        with_metadata(&of_length(MAX_BYTES)).unwrap_err(),
        BuildError::TooLarge
    );
    assert_eq!(
        with_metadata(&of_length(MAX_BYTES - 100)).unwrap_err(),
        BuildError::TooLarge
    );
    // Each finding is longer than what was found.
    let members: Vec<_> = (0..9000).map(|n| format!("\"{n}\":\"a@b.co\"")).collect();
    let found = with_metadata(&format!("{{{}}}", members.join(",")));
    assert_eq!(found.unwrap_err(), BuildError::TooLarge);

    let body = with_metadata(r#"{"a":"x"}"#).unwrap().seal(&STAMP, None);
    let long = body.replace(
        "\"a\":\"x\"",
        &format!("\"a\":\"{}\"", "x".repeat(MAX_BYTES)),
    );
    assert_eq!(Received::parse(&long).unwrap_err(), ReceiveError::TooLarge);
}

#[test]
fn text_that_is_not_what_it_must_be_is_refused() {
    let fault = |draft: Draft<'_>| match build(&draft, Mode::Mask) {
        Err(BuildError::Json { field, error }) => (field, error.kind()),
        other => panic!("{other:?}"),
    };
    for (metadata, kind) in [
        ("[]", JsonErrorKind::WrongKind),
        ("null", JsonErrorKind::WrongKind),
        ("", JsonErrorKind::UnexpectedEnd),
        (r#"{"a":1,"a":2}"#, JsonErrorKind::DuplicateMember),
        (r#"{"a":NaN}"#, JsonErrorKind::UnexpectedCharacter),
        (r#"{"a":1e400}"#, JsonErrorKind::NumberRange),
        ("{\"a\":\"\u{1}\"}", JsonErrorKind::ControlCharacter),
        (r#"{"a":1},"intent_id":"x""#, JsonErrorKind::TrailingData),
    ] {
        let draft = Draft {
            metadata: Some(metadata),
            ..Draft::default()
        };
        assert_eq!(fault(draft), ("metadata", kind), "{metadata}");
    }
    let draft = Draft {
        captured: Some("{}"),
        ..Draft::default()
    };
    assert_eq!(fault(draft), ("args", JsonErrorKind::WrongKind));
    let draft = Draft {
        captured: Some("[1e999]"),
        ..Draft::default()
    };
    assert_eq!(fault(draft), ("args", JsonErrorKind::NumberRange));
}

#[test]
fn each_governance_field_keeps_its_rule() {
    let fault = |fields: Fields<'_>| match Template::new(&fields) {
        Err(BuildError::Field { field, fault }) => (field, fault),
        other => panic!("{other:?}"),
    };
    let long = "x".repeat(129);
    for (fields, field, expected) in [
        (
            Fields {
                intent_id: " ",
                ..FIELDS
            },
            "intent_id",
            Fault::Blank,
        ),
        (
            Fields {
                intent_id: &long,
                ..FIELDS
            },
            "intent_id",
            Fault::TooLong,
        ),
        (
            Fields {
                operation_class: "",
                ..FIELDS
            },
            "operation_class",
            Fault::Blank,
        ),
        (
            Fields {
                data_sensitivity: "\t",
                ..FIELDS
            },
            "data_sensitivity",
            Fault::Blank,
        ),
        (
            Fields {
                systems_touched: &[],
                ..FIELDS
            },
            "systems_touched",
            Fault::NoSystem,
        ),
        (
            Fields {
                systems_touched: &["a", ""],
                ..FIELDS
            },
            "systems_touched",
            Fault::BlankSystem,
        ),
        (
            Fields {
                action_id: Some(""),
                ..FIELDS
            },
            "action_id",
            Fault::Blank,
        ),
        (
            Fields {
                function: "",
                ..FIELDS
            },
            "function",
            Fault::Blank,
        ),
    ] {
        assert_eq!(fault(fields), (field, expected));
    }
}

#[test]
fn a_secret_in_a_field_that_is_never_masked_is_refused_by_name() {
    let secret = format!("AKIA{}", "IOSFODNN7EXAMPLE");
    assert_eq!(FIELDS.refuse_secrets(), Ok(()));
    for (fields, field) in [
        (
            Fields {
                intent_id: &secret,
                ..FIELDS
            },
            "intent_id",
        ),
        (
            Fields {
                action_id: Some(&secret),
                ..FIELDS
            },
            "action_id",
        ),
        (
            Fields {
                operation_class: &secret,
                ..FIELDS
            },
            "operation_class",
        ),
        (
            Fields {
                data_sensitivity: &secret,
                ..FIELDS
            },
            "data_sensitivity",
        ),
        (
            Fields {
                systems_touched: &["a", &secret],
                ..FIELDS
            },
            "systems_touched",
        ),
        (
            Fields {
                function: &secret,
                ..FIELDS
            },
            "function",
        ),
        (
            Fields {
                module: &secret,
                ..FIELDS
            },
            "module",
        ),
    ] {
        let error = fields.refuse_secrets().unwrap_err();
        assert_eq!(
            error,
            BuildError::Secret {
                field,
                kind: SecretKind::AwsKey
            }
        );
        assert!(!error.to_string().contains(&secret));
    }
}

#[test]
fn a_delegated_request_is_signed_over_what_is_sent() {
    let built = with_metadata(r#"{"note":"bob@example.com"}"#).unwrap();
    let body = built.seal(&STAMP, Some(&SIGNING));
    let document = Document::parse(&body).unwrap();
    let keys: Vec<_> = document
        .root()
        .members()
        .filter_map(|(key, _)| key.as_str())
        .collect();
    let expected = [
        "intent_id",
        "action_id",
        "request_id",
        "timestamp",
        "nonce",
        "metadata",
        "agent_id",
        "delegation_token_id",
        "delegation_chain_id",
        "runtime_id",
        "runtime_identity",
        "service_identity",
        "workload_identity",
        "key_id",
        "algorithm",
        "body_hash",
        "signature",
    ];
    assert_eq!(keys, expected);
    assert!(
        document.root().get("runtime_identity").unwrap().is_null(),
        "empty counts as missing"
    );
    let received = Received::parse(&body).unwrap();
    let delegated = received.delegated.as_ref().unwrap();
    assert_eq!(delegated.body_hash, received.body_hash);
    let envelope = received.envelope().unwrap();
    assert_eq!(
        envelope.verify(SIGNING.secret, &delegated.signature),
        Ok(())
    );
    assert!(envelope.verify("another", &delegated.signature).is_err());
    for forged in [
        body.replace("\"runtime_id\":\"runtime-worker-1\"", "\"runtime_id\":null"),
        body.replace("\"args_count\":2", "\"args_count\":3"),
        body.replace("1778000000", "1778000001"),
    ] {
        let received = Received::parse(&forged).unwrap();
        let signature = &received.delegated.as_ref().unwrap().signature;
        assert!(
            received
                .envelope()
                .unwrap()
                .verify(SIGNING.secret, signature)
                .is_err()
        );
    }
}

#[test]
fn no_secret_is_in_what_debug_shows() {
    let shown = format!("{SIGNING:?}");
    assert!(
        !shown.contains("a secret") && !shown.contains("97, 32, 115"),
        "{shown}"
    );
    let built = with_metadata("{}").unwrap();
    let received = Received::parse(&built.seal(&STAMP, Some(&SIGNING))).unwrap();
    assert!(!format!("{built:?}{received:?}").contains("a secret"));
}

#[test]
fn half_an_envelope_is_not_taken_for_none() {
    let built = with_metadata("{}").unwrap();
    let whole = built.seal(&STAMP, Some(&SIGNING));
    let plain = built.seal(&STAMP, None);
    assert!(Received::parse(&plain).unwrap().delegated.is_none());
    for field in [
        "agent_id",
        "delegation_token_id",
        "key_id",
        "algorithm",
        "body_hash",
        "signature",
    ] {
        let renamed = whole.replace(&format!("\"{field}\":"), "\"other\":");
        assert_eq!(
            Received::parse(&renamed).unwrap_err(),
            ReceiveError::Missing(field)
        );
        let alone = plain.replace("\"request_id\":", &format!("\"{field}\":"));
        assert!(Received::parse(&alone).is_err(), "{field} alone");
        let null = plain.replacen('{', &format!("{{\"{field}\":null,"), 1);
        assert!(Received::parse(&null).is_err(), "{field}: null alone");
    }
    for field in ["timestamp", "nonce"] {
        let renamed = whole.replace(&format!("\"{field}\":"), "\"other\":");
        assert_eq!(
            Received::parse(&renamed).unwrap_err(),
            ReceiveError::Missing(field)
        );
    }
}

#[test]
fn a_service_takes_only_what_keeps_the_contract() {
    let body = with_metadata("{}").unwrap().seal(&STAMP, None);
    let change = |from: &str, to: &str| {
        assert!(body.contains(from), "{from}");
        Received::parse(&body.replacen(from, to, 1)).map(|_| ())
    };
    let field = |field, fault| Err(ReceiveError::Field { field, fault });
    let wrong = |field| Err(ReceiveError::WrongKind(field));
    let intent = "\"intent_id\":\"billing-adjustment\"";
    assert_eq!(
        change(intent, "\"x\":1"),
        Err(ReceiveError::Missing("intent_id"))
    );
    assert_eq!(change(intent, "\"intent_id\":1"), wrong("intent_id"));
    assert_eq!(
        change(intent, "\"intent_id\":\" \""),
        field("intent_id", Fault::Blank)
    );
    let long = format!("\"intent_id\":\"{}\"", "x".repeat(129));
    assert_eq!(change(intent, &long), field("intent_id", Fault::TooLong));
    let action = "\"action_id\":\"Billing.adjust-invoice\"";
    assert_eq!(
        change(action, "\"action_id\":\"\""),
        field("action_id", Fault::Blank)
    );
    assert_eq!(change(action, "\"action_id\":null"), wrong("action_id"));
    let risk = "\"risk_level\":\"high\"";
    assert_eq!(change(risk, "\"risk_level\":\"HiGh\""), Ok(()));
    assert_eq!(
        change(risk, "\"risk_level\":\" high\""),
        field("risk_level", Fault::UnknownRisk)
    );
    assert_eq!(change(risk, "\"risk_level\":3"), wrong("risk_level"));
    assert_eq!(
        change(risk, "\"x\":3"),
        Err(ReceiveError::Missing("risk_level"))
    );
    let class = "\"operation_class\":\"financial\"";
    assert_eq!(
        change(class, "\"operation_class\":\"\""),
        field("operation_class", Fault::Blank)
    );
    let sensitivity = "\"data_sensitivity\":\"PII\"";
    assert_eq!(
        change(sensitivity, "\"data_sensitivity\":[]"),
        wrong("data_sensitivity")
    );
    let systems = "[\"stripe\",\"postgres\"]";
    assert_eq!(
        change(systems, "[]"),
        field("systems_touched", Fault::NoSystem)
    );
    assert_eq!(
        change(systems, "[\"a\",\" \"]"),
        field("systems_touched", Fault::BlankSystem)
    );
    assert_eq!(change(systems, "[\"a\",1]"), wrong("systems_touched"));
    assert_eq!(change(systems, "\"stripe\""), wrong("systems_touched"));
    assert_eq!(
        change("\"timestamp\":1778000000", "\"timestamp\":1778000000.0"),
        wrong("timestamp")
    );
    assert_eq!(
        change("\"timestamp\":1778000000", "\"timestamp\":null"),
        Ok(())
    );
    assert_eq!(
        change("\"nonce\":\"", "\"nonce\":7,\"x\":\""),
        wrong("nonce")
    );
    assert_eq!(
        change("\"metadata\":{", "\"metadata\":1,\"x\":{"),
        wrong("metadata")
    );
    assert_eq!(
        change("\"metadata\":", "\"x\":"),
        Err(ReceiveError::Missing("metadata"))
    );
    assert!(matches!(
        change(class, &format!("{class},{class}")),
        Err(ReceiveError::Json(_))
    ));
    assert!(matches!(
        change("\"args_count\":2", "\"args_count\":1e999"),
        Err(ReceiveError::Json(_))
    ));
    assert_eq!(
        Received::parse("[]").unwrap_err(),
        ReceiveError::WrongKind("body")
    );
}

#[test]
fn a_python_caller_may_use_our_optional_names_for_anything() {
    let body = concat!(
        r#"{"intent_id":"i","action_id":"a","metadata":{"risk_level":"LOW","operation_class":"read","#,
        r#""data_sensitivity":"internal","systems_touched":["x"],"summary":{"a":1},"#,
        r#""resume_key":7,"arguments_digest":null,"arguments_unbound":"x","function":[]}}"#
    );
    let received = Received::parse(body).unwrap();
    assert_eq!(received.risk_level, RiskLevel::Low);
    assert_eq!(
        (received.request_id, received.timestamp, received.nonce),
        (None, None, None)
    );
    assert_eq!(
        (received.summary, received.resume_key, received.function),
        (None, None, None)
    );
    assert_eq!(received.arguments_digest, None);
    assert!(
        received.has_unbound_arguments,
        "what is not an empty list may name something"
    );
}

#[test]
fn the_fingerprint_hash_leaves_out_the_resume_key_alone() {
    let hash = |metadata: &str, resume_key: Option<&str>| {
        let draft = Draft {
            metadata: Some(metadata),
            resume_key,
            ..Draft::default()
        };
        let body = build(&draft, Mode::Mask).unwrap().seal(&STAMP, None);
        let received = Received::parse(&body).unwrap();
        (received.fingerprint_hash(), received.body_hash)
    };
    let (plain, plain_body) = hash(r#"{"a":1}"#, None);
    assert_eq!(plain, plain_body);
    let (resumed, resumed_body) = hash(r#"{"a":1}"#, Some("00ff"));
    assert_eq!(resumed, plain);
    assert_ne!(resumed_body, plain_body);
    assert_ne!(hash(r#"{"a":2}"#, Some("00ff")).0, plain);
}
