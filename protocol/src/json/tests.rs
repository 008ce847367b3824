//! What the reader promises: strictness, agreement with a second reader, linear time, no recursion.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn fault(text: &str) -> Option<JsonErrorKind> {
    Document::parse(text).err().map(|error| error.kind())
}

#[test]
fn what_is_not_strict_json_is_refused_for_its_reason() {
    use JsonErrorKind as K;
    for (text, kind) in [
        ("", K::UnexpectedEnd),
        (" ", K::UnexpectedEnd),
        ("[", K::UnexpectedEnd),
        ("[1", K::UnexpectedEnd),
        ("[1,", K::UnexpectedEnd),
        ("{\"a\"", K::UnexpectedEnd),
        ("{\"a\":", K::UnexpectedEnd),
        ("\"a", K::UnexpectedEnd),
        ("\"a\\", K::UnexpectedEnd),
        ("\"\\u12", K::UnexpectedEnd),
        ("-", K::UnexpectedEnd),
        ("1.", K::UnexpectedEnd),
        ("1e+", K::UnexpectedEnd),
        ("tru", K::UnexpectedEnd),
        ("[1,]", K::UnexpectedCharacter),
        ("[,1]", K::UnexpectedCharacter),
        ("{,}", K::UnexpectedCharacter),
        ("{\"a\":1,}", K::UnexpectedCharacter),
        ("{\"a\" 1}", K::UnexpectedCharacter),
        ("{a:1}", K::UnexpectedCharacter),
        ("{1:1}", K::UnexpectedCharacter),
        ("[1 2]", K::UnexpectedCharacter),
        ("[1}", K::UnexpectedCharacter),
        ("{\"a\":1]", K::UnexpectedCharacter),
        ("]", K::UnexpectedCharacter),
        ("NaN", K::UnexpectedCharacter),
        ("Infinity", K::UnexpectedCharacter),
        ("-Infinity", K::UnexpectedCharacter),
        ("+1", K::UnexpectedCharacter),
        (".5", K::UnexpectedCharacter),
        ("truE", K::UnexpectedCharacter),
        ("'a'", K::UnexpectedCharacter),
        ("[1.e5]", K::UnexpectedCharacter),
        ("\u{feff}1", K::UnexpectedCharacter),
        ("\u{a0}1", K::UnexpectedCharacter),
        ("01", K::TrailingData),
        ("1 2", K::TrailingData),
        ("{} {}", K::TrailingData),
        ("null,", K::TrailingData),
        ("\"a\tb\"", K::ControlCharacter),
        ("\"a\nb\"", K::ControlCharacter),
        ("\"\0\"", K::ControlCharacter),
        ("\"\\x41\"", K::BadEscape),
        ("\"\\u12g4\"", K::BadEscape),
        ("\"\\u+123\"", K::BadEscape),
        ("\"\\ud800\"", K::LoneSurrogate),
        ("\"\\ud800\\n\"", K::LoneSurrogate),
        ("\"\\ud800\\ud800\"", K::LoneSurrogate),
        ("\"\\udc00\\ud800\"", K::LoneSurrogate),
        ("{\"\\udfff\":1}", K::LoneSurrogate),
        ("{\"a\":1,\"a\":1}", K::DuplicateMember),
        ("{\"\":1,\"\":1}", K::DuplicateMember),
        ("{\"a\":1,\"\\u0061\":2}", K::DuplicateMember),
        ("{\"\\ud83d\\ude00\":1,\"😀\":2}", K::DuplicateMember),
        ("[{\"b\":{\"a\":1,\"c\":[],\"a\":{}}}]", K::DuplicateMember),
    ] {
        assert_eq!(fault(text), Some(kind), "{text}");
    }
}

#[test]
fn the_error_says_where_and_quotes_nothing() {
    let error = Document::parse(r#"{"secret":1, "secret":2}"#).unwrap_err();
    assert_eq!(error.offset(), 13);
    assert_eq!(
        error.to_string(),
        "duplicate member in a JSON object at byte 13"
    );
}

#[test]
fn a_document_reads_as_it_was_written() {
    let text = r#" {"a": [1, -2.50, "x\n\ud83d\ude00"], "é\t": {"b": null, "c": [true, false]}, "": {} } "#;
    let document = Document::parse(text).unwrap();
    let root = document.root();
    assert_eq!(root.kind(), Kind::Object);
    assert_eq!(root.raw(), text.trim());
    let keys: Vec<_> = root.members().filter_map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a", "é\t", ""]);
    let a = root.get("a").unwrap();
    assert_eq!(a.raw(), r#"[1, -2.50, "x\n\ud83d\ude00"]"#);
    let items: Vec<_> = a.elements().collect();
    assert_eq!(
        (items[0].as_u64(), items[0].kind()),
        (Some(1), Kind::Integer)
    );
    assert_eq!(
        (items[1].number_text(), items[1].kind()),
        (Some("-2.50"), Kind::Float)
    );
    assert_eq!(items[2].as_str().as_deref(), Some("x\n😀"));
    let nested = root.get("é\t").unwrap();
    assert!(nested.get("b").unwrap().is_null());
    let flags: Vec<_> = nested
        .get("c")
        .unwrap()
        .elements()
        .map(|flag| flag.as_bool())
        .collect();
    assert_eq!(flags, [Some(true), Some(false)]);
    assert_eq!(root.get("").unwrap().members().count(), 0);
    assert!(
        root.get("b").is_none(),
        "members of members are not its own"
    );
    assert_eq!((root.depth(), a.depth(), items[0].depth()), (3, 1, 0));
}

#[test]
fn a_value_answers_only_as_what_it_is() {
    let document = Document::parse(r#"["1", 1, 1.0, true, null, [], {}]"#).unwrap();
    let items: Vec<_> = document.root().elements().collect();
    let count = |answers: fn(Node<'_>) -> bool| items.iter().filter(|item| answers(**item)).count();
    assert_eq!(count(|item| item.as_str().is_some()), 1);
    assert_eq!(count(|item| item.as_i64().is_some()), 1);
    assert_eq!(count(|item| item.number_text().is_some()), 2);
    assert_eq!(count(|item| item.as_bool().is_some()), 1);
    assert_eq!(count(|item| item.is_null()), 1);
    assert_eq!(count(|item| item.get("").is_some()), 0);
    assert_eq!(
        count(|item| item.elements().next().is_some() || item.members().next().is_some()),
        0
    );
}

#[test]
fn integers_are_those_written_as_integers() {
    let read = |text: &str| {
        let document = Document::parse(text).unwrap();
        (document.root().as_u64(), document.root().as_i64())
    };
    assert_eq!(read("0"), (Some(0), Some(0)));
    assert_eq!(read("-0"), (Some(0), Some(0)));
    assert_eq!(read("-1"), (None, Some(-1)));
    assert_eq!(read("18446744073709551615"), (Some(u64::MAX), None));
    assert_eq!(read("18446744073709551616"), (None, None));
    assert_eq!(read("-9223372036854775808"), (None, Some(i64::MIN)));
    assert_eq!(read("1.0"), (None, None));
    assert_eq!(read("1e2"), (None, None));
}

#[test]
fn the_level_limit_counts_containers() {
    let ok = |text, levels| {
        Document::parse_within(text, levels)
            .map(|_| ())
            .map_err(|e| e.kind())
    };
    assert_eq!(ok("1", 0), Ok(()));
    assert_eq!(ok("[]", 0), Err(JsonErrorKind::TooDeep));
    assert_eq!(ok("[{},[]]", 2), Ok(()));
    assert_eq!(ok("[{\"a\":[]}]", 2), Err(JsonErrorKind::TooDeep));
}

#[test]
fn a_million_levels_are_parsed_walked_and_dropped() {
    const LEVELS: usize = 1_000_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = open.repeat(LEVELS) + "0" + &close.repeat(LEVELS);
        let document = Document::parse(&text).unwrap();
        let root = document.root();
        assert_eq!(root.depth(), LEVELS);
        let mut node = root;
        let mut walked = 0;
        while let Some(inner) = node
            .elements()
            .last()
            .or(node.members().last().map(|m| m.1))
        {
            (node, walked) = (inner, walked + 1);
        }
        assert_eq!(walked, LEVELS);
        assert_eq!(root.to_value().unwrap_err().kind(), JsonErrorKind::TooDeep);
        assert_eq!(crate::canonicalize(&text).unwrap(), text);
        assert_eq!(
            fault(&open.repeat(LEVELS)),
            Some(JsonErrorKind::UnexpectedEnd)
        );
    }
}

#[test]
fn many_members_are_not_compared_pair_by_pair() {
    // Pair by pair, each of these would be more than 10^10 comparisons and not end.
    const MEMBERS: usize = 200_000;
    let object = |key: &dyn Fn(usize) -> String| {
        let members: Vec<_> = (0..MEMBERS)
            .map(|n| format!("\"{}\":{n}", key(n)))
            .collect();
        format!("{{{}}}", members.join(","))
    };
    let plain = object(&|n| format!("key{n}"));
    assert_eq!(
        Document::parse(&plain).unwrap().root().members().count(),
        MEMBERS
    );
    assert_eq!(
        fault(&object(&|n| format!("same-beginning-of-every-key-{n}"))),
        None
    );
    assert_eq!(fault(&object(&|n| format!("\\u006bey{n}"))), None);
    let twice = plain.replace("\"key199999\"", "\"\\u006bey0\"");
    assert_eq!(fault(&twice), Some(JsonErrorKind::DuplicateMember));
}

#[test]
fn a_duplicate_is_found_among_few_and_many_members() {
    for count in 1..40 {
        let mut members: Vec<_> = (0..count)
            .map(|n| format!("\"k{n}\":[{{\"k\":0}}]"))
            .collect();
        assert_eq!(fault(&format!("{{{}}}", members.join(","))), None);
        members.push("\"k0\":0".into());
        assert_eq!(
            fault(&format!("{{{}}}", members.join(","))),
            Some(JsonErrorKind::DuplicateMember)
        );
    }
}

/// Texts made of JSON's own pieces, right and wrong.
fn jsonish() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\""),
        Just("\\"),
        Just("\"a\""),
        Just("\"b\":"),
        Just("\"\\u00e9\""),
        Just("\\ud83d"),
        Just("\\ude00"),
        Just("0"),
        Just("-"),
        Just("12"),
        Just("."),
        Just("e"),
        Just("E+5"),
        Just("1.5"),
        Just("true"),
        Just("false"),
        Just("null"),
        Just(" "),
        Just("\n"),
        Just("\u{1}"),
        Just("é"),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Values whose integers fit 64 bits.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..20)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_accepts_what_serde_json_accepts_but_for_duplicates(text in jsonish()) {
        let other = serde_json::from_str::<Value>(&text);
        match (Document::parse(&text), other) {
            (Ok(document), Ok(value)) => {
                // serde_json reads `-0` as a float.
                if !text.contains("-0") {
                    prop_assert_eq!(document.root().to_value().unwrap(), value);
                }
            }
            (Err(error), Ok(_)) => prop_assert_eq!(error.kind(), JsonErrorKind::DuplicateMember),
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range")),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn it_never_panics(text in any::<String>(), quoted in any::<String>()) {
        let _ = Document::parse(&text);
        let _ = Document::parse(&format!("{{\"{quoted}\":[\"{text}\"]}}"));
    }

    #[test]
    fn it_reads_back_what_was_written(value in value()) {
        let text = value.to_string();
        let document = Document::parse(&text).unwrap();
        prop_assert_eq!(document.root().to_value().unwrap(), value.clone());
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(Document::parse(&pretty).unwrap().root().to_value().unwrap(), value);
    }

    #[test]
    fn all_roads_lead_to_one_canonical_text(value in value()) {
        let canonical = crate::canonical_json(&value);
        prop_assert_eq!(&crate::canonicalize(&canonical).unwrap(), &canonical);
        prop_assert_eq!(&crate::canonicalize(&serde_json::to_string_pretty(&value).unwrap()).unwrap(), &canonical);
        prop_assert_eq!(&crate::canonical::to_string(&value).unwrap(), &canonical);
    }

    #[test]
    fn all_roads_lead_to_one_idempotency_key(value in value()) {
        let (empty, args) = (serde_json::Map::new(), [value.clone()]);
        let key = crate::idempotency_key("i", "f", &args, &empty);
        let pretty = serde_json::to_string_pretty(&args).unwrap();
        let canonical = crate::canonicalize(&pretty).unwrap();
        for text in [pretty, canonical] {
            prop_assert_eq!(&crate::idempotency_key_json("i", "f", &text, "{}").unwrap(), &key);
        }
    }
}
