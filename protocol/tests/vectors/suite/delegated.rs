//! `delegated.json`: body hash, envelope and signature of delegated requests.

use sernixa_protocol::json::Node;
use sernixa_protocol::{Envelope, InvalidSignature, body_hash, body_hash_json};

use super::{cases, member, object, optional, text};

/// A case's strings, for an envelope to borrow.
struct Fields {
    texts: Vec<Option<String>>,
    timestamp: i64,
    body_hash: String,
}

const NAMES: [&str; 10] = [
    "intent_id",
    "action_id",
    "agent_id",
    "delegation_token_id",
    "delegation_chain_id",
    "runtime_id",
    "runtime_identity",
    "service_identity",
    "workload_identity",
    "nonce",
];

impl Fields {
    fn of(case: Node<'_>) -> Self {
        let fields = member(case, "fields");
        let metadata = member(fields, "metadata");
        let mut texts: Vec<_> = NAMES.iter().map(|name| optional(fields, name)).collect();
        texts.push(optional(fields, "key_id"));
        texts.push(optional(metadata, "operation_class"));
        texts.push(optional(metadata, "data_sensitivity"));
        let timestamp = member(fields, "timestamp").as_i64().unwrap();
        Self {
            texts,
            timestamp,
            body_hash: text(case, "body_hash"),
        }
    }

    fn envelope(&self) -> Envelope<'_> {
        let get = |place: usize| self.texts[place].as_deref();
        let must = |place: usize| get(place).unwrap();
        Envelope {
            schema_version: Envelope::SCHEMA_VERSION,
            algorithm: Envelope::ALGORITHM,
            intent_id: must(0),
            action_id: must(1),
            agent_id: must(2),
            delegation_token_id: must(3),
            delegation_chain_id: get(4),
            runtime_id: get(5),
            runtime_identity: get(6),
            service_identity: get(7),
            workload_identity: get(8),
            nonce: must(9),
            key_id: must(10),
            operation_class: get(11),
            data_sensitivity: get(12),
            timestamp: self.timestamp,
            body_hash: &self.body_hash,
        }
    }
}

#[test]
fn every_body_hash_envelope_and_signature_is_the_references() {
    let mut values = 0;
    for case in cases(include_str!("../delegated.json"), 150) {
        let fields = Fields::of(case);
        let envelope = fields.envelope();
        let metadata = member(member(case, "fields"), "metadata");
        let hash = body_hash_json(envelope.intent_id, envelope.action_id, metadata.raw());
        assert_eq!(hash.unwrap(), fields.body_hash);
        if let Some(metadata) = object(metadata) {
            values += 1;
            let hash = body_hash(envelope.intent_id, envelope.action_id, &metadata);
            assert_eq!(hash, fields.body_hash);
        }
        let (secret, signature) = (text(case, "secret"), text(case, "signature"));
        assert_eq!(envelope.canonical(), text(case, "canonical"));
        assert_eq!(envelope.sign(&secret), signature);
        assert_eq!(envelope.verify(&secret, &signature), Ok(()));
    }
    assert_eq!(values, 113, "cases that fit a Value");
}

#[test]
fn verify_refuses_each_changed_field_another_secret_and_another_signature() {
    let mut refused = 0;
    for case in cases(include_str!("../delegated.json"), 150) {
        let fields = Fields::of(case);
        let envelope = fields.envelope();
        let (secret, signature) = (text(case, "secret"), text(case, "signature"));
        for (name, changed) in changes(&envelope) {
            assert_eq!(
                changed.verify(&secret, &signature),
                Err(InvalidSignature),
                "{name}"
            );
            refused += 1;
        }
        assert_eq!(
            envelope.verify(format!("{secret}x"), &signature),
            Err(InvalidSignature)
        );
        assert_eq!(envelope.verify("", &signature), Err(InvalidSignature));
        let (short, padded) = (&signature[..63], format!("{signature}0"));
        for wrong in [
            short,
            &signature[..32],
            "",
            &padded,
            &signature.to_uppercase(),
        ] {
            // Digits alone have no upper case to differ by.
            if *wrong != signature {
                assert_eq!(
                    envelope.verify(&secret, wrong),
                    Err(InvalidSignature),
                    "{wrong}"
                );
            }
        }
    }
    assert_eq!(refused, 150 * 17, "one change for each field of each case");
}

/// The envelope with one of its 17 fields changed, for each of them.
fn changes<'a>(envelope: &Envelope<'a>) -> Vec<(&'static str, Envelope<'a>)> {
    fn other(text: Option<&str>) -> Option<&'static str> {
        // A field that is there is taken away, one that is not is put there.
        if text.is_some() { None } else { Some("") }
    }
    macro_rules! change {
        ($($field:ident: $value:expr),+ $(,)?) => {
            vec![$((stringify!($field), Envelope { $field: $value, ..*envelope })),+]
        };
    }
    change! {
        schema_version: "sernixa.delegated_request.v2",
        intent_id: "another",
        action_id: "another",
        agent_id: "another",
        runtime_id: other(envelope.runtime_id),
        runtime_identity: other(envelope.runtime_identity),
        service_identity: other(envelope.service_identity),
        workload_identity: other(envelope.workload_identity),
        delegation_token_id: "dgt_0000",
        delegation_chain_id: other(envelope.delegation_chain_id),
        timestamp: envelope.timestamp + 1,
        nonce: "00000000000000000000000000000000",
        operation_class: other(envelope.operation_class),
        data_sensitivity: other(envelope.data_sensitivity),
        body_hash: "0000000000000000000000000000000000000000000000000000000000000000",
        key_id: "another",
        algorithm: "none",
    }
}
