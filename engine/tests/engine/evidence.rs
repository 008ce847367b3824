//! Evidence bundles: what stands in them, and that they verify away from their service.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};
use sernixa_engine::audit::{
    AuditKey, AuditPublicKey, BundleReport, Event, Receipt, verify_bundle,
};
use sernixa_engine::{Engine, Keep, MemoryStore, Principal, Request, Role};

use crate::checkpoints::signing;
use crate::support::{Answered, Bench, CLAIM, Draft, agent, reviewer};

fn key() -> AuditPublicKey {
    AuditKey::from_seed([7; 32]).public()
}

fn auditor() -> Principal {
    Principal::new("acme", "auditor-key")
        .owned_by("ada")
        .with(Role::Auditor)
}

fn stranger() -> Principal {
    Principal::new("acme", "other-key")
        .owned_by("another team")
        .with(Role::Agent)
}

/// What happened around one approval: three of its events, and as many of others in between.
fn busy(bench: &Bench) -> String {
    let waiting = bench
        .submit(
            &agent(),
            &Draft::high().meta("marker", "m4rk3r é😀\n").body(),
        )
        .waiting();
    let others = bench
        .submit(&stranger(), &Draft::high().meta("other", "0th3r").body())
        .waiting();
    bench.approve(&reviewer(), &waiting.id);
    bench.reject(&reviewer(), &others.id);
    bench.engine.checkpoint(&bench.moment()).unwrap();
    bench.claim(&agent(), &waiting, CLAIM);
    bench.submit(&stranger(), &Draft::read().body());
    bench.report(
        &agent(),
        json!({"approval_id": waiting.id, "claim_token": waiting.token,
            "outcome": "succeeded", "duration_ms": 12}),
    );
    bench.engine.checkpoint(&bench.moment()).unwrap();
    waiting.id
}

fn export(bench: &Bench, caller: &Principal, request: Request<'_>) -> Answered {
    bench.handle(caller, request)
}

/// The bundle of an approval as the text of an answer.
fn text_of(bench: &Bench, caller: &Principal, id: &str) -> String {
    let request = Request::EvidenceApproval { approval_id: id };
    let answer = bench.engine.handle(caller, request, &bench.moment());
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn check(text: &str) -> BundleReport {
    verify_bundle(text, &[], &[])
}

#[track_caller]
fn assert_valid(report: &BundleReport) {
    assert!(report.is_valid(), "{:?}", report.failures);
}

/// What a running engine says of a bundle.
fn verified(bench: &Bench, text: &str) -> Value {
    let answer = bench.handle(&auditor(), Request::VerifyEvidence { body: text });
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// As Python's `json.dumps(json.loads(text), indent=2, sort_keys=True)` writes it.
fn as_python_writes_it(value: &Value, depth: usize, out: &mut String) {
    let line = |depth: usize, out: &mut String| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                line(depth + 1, out);
                as_python_writes_it(item, depth + 1, out);
            }
            line(depth, out);
            out.push(']');
        }
        Value::Object(members) if !members.is_empty() => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (at, (name, item)) in sorted.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                line(depth + 1, out);
                as_python_writes_it(&json!(name), 0, out);
                out.push_str(": ");
                as_python_writes_it(item, depth + 1, out);
            }
            line(depth, out);
            out.push('}');
        }
        Value::String(text) => {
            for c in json!(text).to_string().chars() {
                if c.is_ascii() && c != '\u{7f}' {
                    out.push(c);
                } else {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(out, "\\u{unit:04x}").unwrap();
                    }
                }
            }
        }
        other => out.push_str(&other.to_string()),
    }
}

#[test]
fn an_approvals_bundle_shows_its_own_events_and_nothing_of_others() {
    let bench = signing();
    let id = busy(&bench);
    let text = text_of(&bench, &auditor(), &id);
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle["bundle_type"], "approval");
    assert!(bundle["bundle_id"].as_str().unwrap().starts_with("evb_"));
    assert_eq!(
        bundle["manifest"]["integrity"]["signature"]["status"],
        "signed"
    );
    let events = bundle["segments"][0]["events"].as_array().unwrap();
    let kinds: Vec<String> = events
        .iter()
        .map(|event| match event["payload"].as_str() {
            Some(payload) => {
                let payload: Value = serde_json::from_str(payload).unwrap();
                payload["event_type"].as_str().unwrap().to_owned()
            }
            None => "-".to_owned(),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "submission_pending_review",
            "-",
            "approval_approved",
            "-",
            "audit_checkpoint",
            "approval_claimed",
            "-",
            "outcome_recorded",
            "audit_checkpoint",
        ]
    );
    assert_eq!(bundle["submissions"].as_array().unwrap().len(), 1);
    let submitted = bundle["submissions"][0]["submission"].as_str().unwrap();
    assert!(submitted.contains("m4rk3r é😀"));
    for hidden in ["0th3r", "other-key", "another team", CLAIM] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    // Its own metadata stands in the submission and in no payload.
    assert_eq!(text.matches("m4rk3r").count(), 1);
    assert_valid(&check(&text));
    assert_valid(&verify_bundle(&text, &[], &[key()]));
    assert_eq!(
        verified(&bench, &text),
        json!({
            "valid": true, "bundle_id": bundle["bundle_id"], "failures": [],
            "warnings": ["no key was given: the signature was checked with the key that the bundle \
                          itself names (".to_owned() + &key().id().to_string() + ")"],
        })
    );
}

#[test]
fn a_bundle_lives_through_the_python_client() {
    let bench = signing();
    let id = busy(&bench);
    let text = text_of(&bench, &auditor(), &id);
    let mut written = String::new();
    as_python_writes_it(&serde_json::from_str(&text).unwrap(), 0, &mut written);
    assert!(written.is_ascii() && written.contains("\n  \"bundle_id\": \"evb_"));
    assert_valid(&verify_bundle(&written, &[], &[key()]));
    assert_eq!(verified(&bench, &written)["valid"], true);
}

#[test]
fn every_kind_of_bundle_verifies() {
    let bench = signing();
    busy(&bench);
    let whole = Request::EvidenceOrganisation { limit: 5_000 };
    let (from, to) = ("2026-05-05", "2026-05-05");
    let range = Request::EvidenceRange {
        from,
        to,
        limit: 1_000,
    };
    let none = Request::EvidenceRange {
        from: "2020-01-01T00:00:00+02:00",
        to: "2020-01-02",
        limit: 1_000,
    };
    for (request, kind, events) in [
        (whole, "organisation", 9),
        (range, "time_range", 9),
        (none, "time_range", 0),
    ] {
        for caller in [auditor(), reviewer()] {
            let answer = bench.engine.handle(&caller, request, &bench.moment());
            assert_eq!(answer.status, 200, "{}", answer.body);
            let report = check(&answer.body);
            assert_valid(&report);
            assert_eq!(report.bundle_type.unwrap().as_str(), kind);
            assert_eq!(report.events, events);
            assert_eq!(verified(&bench, &answer.body)["valid"], true);
        }
    }
    let answer = export(&bench, &auditor(), whole);
    assert_eq!(answer.body["submissions"].as_array().unwrap().len(), 3);
}

#[test]
fn a_bundle_that_was_cut_says_so() {
    let bench = signing();
    busy(&bench);
    let answer = export(
        &bench,
        &auditor(),
        Request::EvidenceOrganisation { limit: 2 },
    );
    let limitations = answer.body["limitations"].to_string();
    assert!(
        limitations.contains("Only the newest 2 events"),
        "{limitations}"
    );
    assert_eq!(answer.body["segments"][0]["after"]["seq"], 7);
    assert_valid(&check(&answer.body.to_string()));
    let whole = export(
        &bench,
        &auditor(),
        Request::EvidenceOrganisation { limit: 9 },
    );
    assert!(!whole.body["limitations"].to_string().contains("Only"));
}

#[test]
fn a_bundle_without_a_key_says_that_nothing_signs_it() {
    let bench = Bench::service();
    let id = bench.submit(&agent(), &Draft::high().body()).waiting().id;
    let text = text_of(&bench, &auditor(), &id);
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        bundle["manifest"]["integrity"]["signature"],
        json!({"status": "unsigned_local_demo"})
    );
    let limitations = bundle["limitations"].to_string();
    assert!(limitations.contains("not signed"), "{limitations}");
    let report = check(&text);
    assert_valid(&report);
    assert!(report.warnings[0].contains("not signed"), "{report:?}");
    let report = verify_bundle(&text, &[], &[key()]);
    assert_eq!(report.failures, ["the bundle is not signed"]);
}

#[test]
fn who_may_not_read_gets_no_bundle() {
    let bench = signing();
    let id = busy(&bench);
    let other = Principal::new("other", "k")
        .with(Role::Agent)
        .with(Role::Auditor);
    // Its own approval, and no other one.
    assert_valid(&check(&text_of(&bench, &agent(), &id)));
    let one = |id| Request::EvidenceApproval { approval_id: id };
    for (caller, id) in [
        (stranger(), &*id),
        (other, &*id),
        (auditor(), "apr_00000000000000000000000000000000"),
        (auditor(), "../etc"),
    ] {
        bench.handle(&caller, one(id)).is(404, "not_found");
    }
    for request in [
        Request::EvidenceOrganisation { limit: 1 },
        Request::EvidenceRange {
            from: "2026-01-01",
            to: "2026-12-31",
            limit: 1,
        },
        Request::VerifyEvidence { body: "{}" },
    ] {
        bench.handle(&agent(), request).is(403, "forbidden");
    }
}

#[test]
fn reading_the_evidence_of_an_approval_starts_nothing() {
    let bench = signing();
    // A client that never claims starts by reading its record.
    let draft = Draft::high().without("policy_surface").body();
    let id = bench.submit(&agent(), &draft).waiting().id;
    bench.approve(&reviewer(), &id);
    text_of(&bench, &agent(), &id);
    assert_eq!(bench.look(&id)["execution"], "none");
}

#[test]
fn odd_ranges_and_limits_are_refused() {
    let bench = signing();
    for limit in [0, 5_001, usize::MAX] {
        let request = Request::EvidenceOrganisation { limit };
        export(&bench, &auditor(), request).is(422, "invalid_request");
    }
    for (from, to) in [
        ("", "2026-01-01"),
        ("yesterday", "2026-01-01"),
        ("2026-01-01", "2026-02-30"),
        ("2026-01-02", "2026-01-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ] {
        let request = Request::EvidenceRange { from, to, limit: 1 };
        export(&bench, &auditor(), request).is(422, "invalid_request");
    }
}

/// Asserts that a changed text is refused, unless it says the same.
#[track_caller]
fn assert_found(original: &Value, changed: &[u8], what: &str) {
    let Ok(text) = std::str::from_utf8(changed) else {
        // No reader of JSON takes it.
        return;
    };
    if check(text).is_valid() {
        let same = serde_json::from_str::<Value>(text).is_ok_and(|value| value == *original);
        assert!(same, "{what}: a changed bundle verifies");
    }
}

/// A signed bundle, small, with everything in it: digests, checkpoints, a submission.
fn small() -> String {
    let bench = signing();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.submit(&stranger(), &Draft::read().body());
    bench.approve(&reviewer(), &waiting.id);
    bench.engine.checkpoint(&bench.moment()).unwrap();
    text_of(&bench, &auditor(), &waiting.id)
}

#[test]
fn any_changed_byte_of_a_bundle_is_found_or_changes_nothing_that_it_says() {
    let text = small();
    let original: Value = serde_json::from_str(&text).unwrap();
    let bytes = text.as_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        for byte in [bytes[at] ^ 1, bytes[at] ^ 0x20, b'0', b'"', b'\\', b' '] {
            if byte != bytes[at] {
                changed[at] = byte;
                assert_found(&original, &changed, &format!("byte {at} is now {byte}"));
            }
        }
    }
}

#[test]
fn any_removed_or_added_byte_is_found_and_so_is_a_cut() {
    let text = small();
    let original: Value = serde_json::from_str(&text).unwrap();
    let bytes = text.as_bytes();
    for at in 0..bytes.len() {
        let mut removed = bytes.to_vec();
        removed.remove(at);
        assert_found(&original, &removed, &format!("byte {at} is gone"));
        assert!(!check(&text[..at]).is_valid(), "cut at {at}");
        for byte in *b"0a\"{ \n" {
            let mut added = bytes.to_vec();
            added.insert(at, byte);
            assert_found(&original, &added, &format!("{byte} before byte {at}"));
        }
    }
}

/// The bundle with one change, and its content hash made to fit: what an unsigned bundle cannot
/// show by itself.
fn resealed(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut bundle: Value = serde_json::from_str(text).unwrap();
    change(&mut bundle);
    let manifest = bundle["manifest"].as_object_mut().unwrap();
    let mut integrity = manifest.remove("integrity").unwrap();
    let canonical = sernixa_protocol::canonical_json(&bundle);
    let hash = sernixa_engine::Digest::of(canonical.as_bytes()).to_string();
    integrity["content_sha256"] = json!(hash);
    integrity["signature"] = json!({"status": "unsigned_local_demo"});
    bundle["manifest"]["integrity"] = integrity;
    bundle.to_string()
}

/// A change of a bundle.
type Change = Box<dyn FnOnce(&mut Value)>;

/// Another value for a member of an event.
fn event(at: usize, name: &'static str, value: Value) -> Change {
    Box::new(move |bundle| bundle["segments"][0]["events"][at][name] = value)
}

/// Another value at a place.
fn at(pointer: &'static str, value: Value) -> Change {
    Box::new(move |bundle| *bundle.pointer_mut(pointer).unwrap() = value)
}

/// A member more at a place.
fn add(pointer: &'static str, name: &'static str) -> Change {
    Box::new(move |bundle| bundle.pointer_mut(pointer).unwrap()[name] = json!("x"))
}

/// Another list of events.
fn events(change: fn(&mut Vec<Value>)) -> Change {
    Box::new(move |bundle| {
        change(bundle["segments"][0]["events"].as_array_mut().unwrap());
    })
}

#[track_caller]
fn are_found(changes: Vec<(&str, Change)>) {
    let text = small();
    assert_valid(&check(&resealed(&text, |_| ())));
    for (what, change) in changes {
        let spoilt = resealed(&text, change);
        assert!(!check(&spoilt).is_valid(), "{what}");
    }
}

#[test]
fn a_forger_who_computes_the_content_hash_anew_is_found_by_the_links() {
    let payload: Value = serde_json::from_str(&small()).unwrap();
    let payload = payload["segments"][0]["events"][0]["payload"]
        .as_str()
        .unwrap();
    let upper = "A".repeat(64);
    are_found(vec![
        (
            "a payload",
            event(0, "payload", json!(payload.replace("high", "low"))),
        ),
        (
            "a digest",
            event(1, "payload_sha256", json!("0".repeat(64))),
        ),
        ("a hash", event(0, "hash", json!("0".repeat(64)))),
        ("upper case", event(0, "hash", json!(upper))),
        ("a number", event(1, "seq", json!(3))),
        ("a float", event(1, "seq", json!(2.0))),
        ("an event gone", events(|events| drop(events.remove(1)))),
        ("the last event gone", events(|events| drop(events.pop()))),
        ("all events gone", at("/segments/0/events", json!([]))),
        ("all segments gone", at("/segments", json!([]))),
        ("two events swapped", events(|events| events.swap(0, 1))),
        (
            "another start",
            at("/segments/0/after/hash", json!("0".repeat(64))),
        ),
    ]);
}

#[test]
fn a_forger_who_computes_the_content_hash_anew_is_found_by_the_body_hashes() {
    are_found(vec![
        ("another organisation", at("/organisation", json!("other"))),
        (
            "another approval",
            at(
                "/scope/approval_id",
                json!("apr_00000000000000000000000000000000"),
            ),
        ),
        (
            "another submission",
            Box::new(|bundle| {
                let text = bundle["submissions"][0]["submission"].as_str().unwrap();
                bundle["submissions"][0]["submission"] = json!(text.replace("high", "low"));
            }),
        ),
        (
            "a submission of its own making",
            Box::new(|bundle| {
                bundle["submissions"][0]["submission"] = json!("{}");
                let hash = sernixa_engine::Digest::of(b"{}").to_string();
                bundle["submissions"][0]["body_hash"] = json!(hash);
            }),
        ),
        (
            "a submission twice",
            Box::new(|bundle| {
                let one = bundle["submissions"][0].clone();
                bundle["submissions"].as_array_mut().unwrap().push(one);
                bundle["manifest"]["submissions"] = json!(2);
            }),
        ),
    ]);
}

#[test]
fn what_is_not_exactly_the_layout_is_refused() {
    are_found(vec![
        ("counts", at("/manifest/events", json!(2))),
        ("digests", at("/manifest/digests", json!(0))),
        ("an unknown member", add("", "extra")),
        (
            "an unknown member of an event",
            add("/segments/0/events/0", "extra"),
        ),
        (
            "an unknown member of a digest",
            add("/segments/0/events/1", "extra"),
        ),
        (
            "an unknown member of the manifest",
            add("/manifest", "extra"),
        ),
        ("an unknown member of the scope", add("/scope", "extra")),
        ("another type", at("/bundle_type", json!("organisation"))),
        ("an unknown type", at("/bundle_type", json!("organization"))),
        (
            "another schema",
            at("/schema", json!("sernixa.evidence_bundle.v2")),
        ),
        ("a bad name", at("/bundle_id", json!("evb_1"))),
        ("no time", at("/created_at", json!("2026-05-05"))),
        ("no list", at("/limitations", json!("none"))),
        ("a number in a list", at("/limitations/0", json!(1))),
    ]);
}

#[test]
fn what_is_no_bundle_is_refused_and_nothing_breaks() {
    let bench = signing();
    let deep = "[".repeat(100_000);
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "\"evb\"",
        "{\"bundle_id\":1}",
        "NaN",
        "{\"a\":1,\"\\u0061\":2}",
        &deep,
    ] {
        let answer = verified(&bench, text);
        assert_eq!(answer["valid"], false, "{text:.40}");
        assert!(answer["bundle_id"].is_null());
        assert_eq!(answer["failures"].as_array().unwrap().len(), 1);
    }
    let doubled = small().replacen("{\"bundle_id\"", "{\"schema\":\"x\",\"bundle_id\"", 1);
    assert!(!check(&doubled).is_valid());
}

#[test]
fn a_bundle_whose_links_hold_but_are_not_in_the_log_is_refused_by_the_service() {
    let (bench, other) = (signing(), signing());
    let id = busy(&bench);
    let text = text_of(&bench, &auditor(), &id);
    // Another history of the same organisation, with the same key.
    other.submit(&agent(), &Draft::read().body());
    busy(&other);
    assert_eq!(verified(&bench, &text)["valid"], true);
    let answer = verified(&other, &text);
    assert_eq!(answer["valid"], false);
    let failures = answer["failures"].to_string();
    assert!(
        failures.contains("not the one that stands in the log"),
        "{failures}"
    );
    // A log that ends before it.
    let answer = verified(&signing(), &text);
    assert_eq!(answer["valid"], false);
    // Another organisation's auditor learns nothing of the log, and is told so.
    let stranger = Principal::new("other", "k").with(Role::Auditor);
    let answer = bench.handle(&stranger, Request::VerifyEvidence { body: &text });
    assert_eq!(answer.body["valid"], true);
    let warnings = answer.body["warnings"].to_string();
    assert!(warnings.contains("of another organisation"), "{warnings}");
}

#[test]
fn an_event_left_out_is_found_by_the_service() {
    let bench = signing();
    let id = busy(&bench);
    let text = text_of(&bench, &auditor(), &id);
    // The approval itself hidden as if it were of others.
    let hidden = resealed(&text, |bundle| {
        let event = &mut bundle["segments"][0]["events"][2];
        let payload = event["payload"].as_str().unwrap();
        let digest = sernixa_engine::Digest::of(payload.as_bytes()).to_string();
        *event = json!({"seq": event["seq"], "payload_sha256": digest});
        bundle["manifest"]["events"] = json!(5);
        bundle["manifest"]["digests"] = json!(4);
    });
    assert_valid(&check(&hidden));
    let answer = verified(&bench, &hidden);
    assert_eq!(answer["valid"], false);
    assert!(
        answer["failures"][0]
            .as_str()
            .unwrap()
            .contains("does not show it")
    );
}

#[test]
fn what_came_after_a_bundle_is_said_by_the_service() {
    let bench = signing();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    let text = text_of(&bench, &auditor(), &waiting.id);
    bench.approve(&reviewer(), &waiting.id);
    let answer = verified(&bench, &text);
    assert_eq!(answer["valid"], true);
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("1 more events"), "{warnings}");
}

#[test]
fn a_bundle_is_compared_with_receipts_kept_elsewhere() {
    let bench = signing();
    let id = busy(&bench);
    let text = text_of(&bench, &auditor(), &id);
    let receipts: Vec<Receipt> = bench
        .engine
        .audit(&auditor(), 0, 100)
        .unwrap()
        .iter()
        .map(Event::receipt)
        .collect();
    // Also those of others' events: their links are in it.
    assert_valid(&verify_bundle(&text, &receipts, &[key()]));
    let other = Receipt {
        seq: 4,
        hash: receipts[4].hash,
    };
    let report = verify_bundle(&text, &[other], &[]);
    assert!(report.failures[0].contains("audit event 4"), "{report:?}");
    let beyond = Receipt {
        seq: 1_000,
        hash: receipts[4].hash,
    };
    assert!(!verify_bundle(&text, &[beyond], &[]).is_valid());
}

#[test]
fn a_bundle_signed_by_another_key_is_found() {
    let forger = Bench::new(
        Engine::builder()
            .audit_key(AuditKey::from_seed([8; 32]))
            .build()
            .unwrap(),
    );
    let id = busy(&forger);
    let text = text_of(&forger, &auditor(), &id);
    assert_valid(&check(&text));
    let report = verify_bundle(&text, &[], &[key()]);
    assert!(!report.is_valid());
    assert!(
        report.failures[0].contains("which is not trusted"),
        "{report:?}"
    );
}

#[test]
fn a_bundle_over_a_gap_too_wide_to_show_is_in_parts() {
    let bench = signing();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    for _ in 0..100_001 {
        // The cheapest event: a refusal.
        bench.submit(
            &stranger(),
            &Draft::read().nonce(0).top("nonce", "x").body(),
        );
    }
    bench.approve(&reviewer(), &waiting.id);
    let text = text_of(&bench, &auditor(), &waiting.id);
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle["segments"].as_array().unwrap().len(), 2);
    assert!(bundle["limitations"].to_string().contains("in parts"));
    assert_valid(&check(&text));
    assert_eq!(verified(&bench, &text)["valid"], true);
}

#[test]
fn what_is_no_longer_kept_is_left_out_and_said() {
    let keep = Keep {
        audit_events: 2,
        ended_approvals: 1,
    };
    let engine = Engine::builder()
        .shared_store(Arc::new(MemoryStore::keeping(keep)))
        .build()
        .unwrap();
    let bench = Bench::new(engine);
    let gone = bench.submit(&agent(), &Draft::high().body()).waiting();
    let text = text_of(&bench, &auditor(), &gone.id);
    for _ in 0..4 {
        bench.submit(&agent(), &Draft::high().body());
    }
    let one = Request::EvidenceApproval {
        approval_id: &gone.id,
    };
    bench.handle(&auditor(), one).is(404, "not_found");
    let answer = verified(&bench, &text);
    assert_eq!(answer["valid"], true);
    assert!(answer["warnings"].to_string().contains("no longer kept"));
    let answer = export(
        &bench,
        &auditor(),
        Request::EvidenceOrganisation { limit: 9 },
    );
    assert_eq!(answer.body["segments"][0]["after"]["seq"], 3);
    assert_valid(&check(&answer.body.to_string()));
}
