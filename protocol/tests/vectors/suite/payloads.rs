//! `payloads.json`: the whole request of a call.

use serde_json::Value;
use sernixa_protocol::dlp::{Detectors, Mode};
use sernixa_protocol::json::{Document, Node};
use sernixa_protocol::submission::{Draft, Fields, Received, Stamp, Template};
use sernixa_protocol::{RiskLevel, body_hash, body_hash_json, canonicalize, idempotency_key};

use super::{cases, member, object, optional, text, value};

/// What DESIGN 5 adds to the metadata when a call asks for none of the optional parts.
const OURS: [&str; 1] = ["policy_surface"];

const STAMP: Stamp<'_> = Stamp {
    request_id: "00112233445566778899aabbccddeeff",
    timestamp: 1_778_000_000,
    nonce: "0123456789abcdef0123456789abcdef",
};

#[test]
fn every_payload_is_the_references_but_for_what_is_written_down() {
    let (mut values, mut warned, mut captured) = (0, 0, 0);
    for case in cases(include_str!("../payloads.json"), 120) {
        let call = member(case, "call");
        let [intent, class, sensitivity] =
            ["intent_id", "operation_class", "data_sensitivity"].map(|name| text(call, name));
        let [function, module] = ["function", "module"].map(|name| text(case, name));
        let action = optional(call, "action_id");
        let systems: Vec<_> = member(call, "systems_touched")
            .elements()
            .filter_map(|s| s.as_str())
            .collect();
        let systems: Vec<&str> = systems.iter().map(AsRef::as_ref).collect();
        let args = member(case, "args");
        let template = Template::new(&Fields {
            intent_id: &intent,
            action_id: action.as_deref(),
            risk_level: RiskLevel::parse(&text(call, "risk_level")).unwrap(),
            operation_class: &class,
            data_sensitivity: &sensitivity,
            systems_touched: &systems,
            function: &function,
            module: &module,
            args_count: args.elements().count().try_into().unwrap(),
        })
        .unwrap();
        let capture = member(case, "capture_arguments").as_bool().unwrap();
        let mode = Mode::parse(&text(case, "dlp_mode")).unwrap();
        let user = member(call, "metadata");
        let draft = Draft {
            captured: capture.then(|| args.raw()),
            metadata: user.is_object().then(|| user.raw()),
            ..Draft::default()
        };
        let built = template
            .build(&draft, mode, &Detectors::reference())
            .unwrap();

        let body = built.seal(&STAMP, None);
        let document = Document::parse(&body).unwrap();
        let names: Vec<_> = document
            .root()
            .members()
            .filter_map(|(key, _)| key.as_str())
            .collect();
        let order = [
            "intent_id",
            "action_id",
            "request_id",
            "timestamp",
            "nonce",
            "metadata",
        ];
        assert_eq!(names, order);
        let payload = member(case, "payload");
        for name in ["intent_id", "action_id"] {
            assert_eq!(text(document.root(), name), text(payload, name));
        }
        let (ours, theirs) = (
            member(document.root(), "metadata"),
            member(payload, "metadata"),
        );
        warned += compare(ours, theirs, mode);

        let hash = body_hash_json(built.intent_id(), built.action_id(), ours.raw()).unwrap();
        assert_eq!(built.body_hash(), hash);
        assert_eq!(Received::parse(&body).unwrap().body_hash, hash);
        if let (Some(metadata), Some(Value::Array(args))) = (object(ours), value(args)) {
            values += 1;
            assert_eq!(
                body_hash(built.intent_id(), built.action_id(), &metadata),
                hash
            );
            if capture {
                captured += 1;
                let key = idempotency_key(&intent, &function, &args, &serde_json::Map::new());
                assert_eq!(built.idempotency_key(), key);
            }
        }
    }
    assert_eq!(
        (values, captured),
        (109, 46),
        "cases that fit a Value, and those with capture"
    );
    assert_eq!(
        warned, 11,
        "cases that differ by what warn mode says of itself"
    );
}

/// Compares metadata member by member; returns whether the two differ in `dlp_status`, as only
/// warn mode may.
fn compare(ours: Node<'_>, theirs: Node<'_>, mode: Mode) -> u32 {
    let mut warned = 0;
    for (key, expected) in theirs.members() {
        let key = key.as_str().unwrap();
        let sent = member(ours, &key);
        match &*key {
            "risk_level" => {
                assert_eq!(
                    sent.as_str().unwrap(),
                    expected.as_str().unwrap().to_lowercase()
                );
            }
            "dlp_status" if mode == Mode::Warn => {
                warned += 1;
                assert!(sent.is("warned") && expected.is("masked"));
            }
            _ => assert_eq!(
                canonicalize(sent.raw()),
                canonicalize(expected.raw()),
                "{key}"
            ),
        }
    }
    let extra: Vec<_> = ours
        .members()
        .filter_map(|(key, _)| key.as_str())
        .filter(|key| theirs.get(key).is_none())
        .collect();
    assert_eq!(extra, OURS, "nothing is extra but what DESIGN 5 lists");
    let position = |object: Node<'_>| -> Vec<String> {
        let keys = object.members().filter_map(|(key, _)| key.as_str());
        keys.filter(|key| !OURS.contains(&&**key))
            .map(String::from)
            .collect()
    };
    assert_eq!(position(ours), position(theirs), "in the reference's order");
    warned
}
