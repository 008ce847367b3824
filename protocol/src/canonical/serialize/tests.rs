//! What canonical JSON of Rust values promises.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::value::RawValue;

use super::*;

fn canonical<T: Serialize>(value: T) -> String {
    to_string(&value).unwrap()
}

#[derive(Serialize)]
struct Order {
    zeta: i32,
    alpha: &'static str,
    nested: Inner,
}

#[derive(Serialize)]
struct Inner {
    b: Option<u8>,
    a: (),
}

#[derive(Serialize)]
struct Pair(u8, char);

#[derive(Serialize)]
struct Unit;

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Point,
    Circle(u8),
    Line(u8, u8),
    Square { side: u8, at: u8 },
}

#[test]
fn members_of_structs_and_maps_are_sorted_at_every_level() {
    let order = Order {
        zeta: 1,
        alpha: "é\n",
        nested: Inner { b: None, a: () },
    };
    assert_eq!(
        canonical(order),
        r#"{"alpha":"é\n","nested":{"a":null,"b":null},"zeta":1}"#
    );
    let map: HashMap<String, usize> = (0..40).map(|n| (format!("k{n:02}"), n)).collect();
    let sorted: BTreeMap<_, _> = map.clone().into_iter().collect();
    assert_eq!(canonical(map), serde_json::to_string(&sorted).unwrap());
}

#[test]
fn keys_are_sorted_by_code_point_not_by_their_escapes() {
    // `"` is written `\"`, and `\` is above most of what `"` is below.
    let members = [
        ("\"", 1),
        ("Z", 2),
        ("\n", 3),
        ("a", 4),
        ("\u{ffff}", 5),
        ("𐀀", 6),
        ("", 7),
    ];
    let map: HashMap<&str, i32> = members.into_iter().collect();
    let sorted = "{\"\":7,\"\\n\":3,\"\\\"\":1,\"Z\":2,\"a\":4,\"\u{ffff}\":5,\"𐀀\":6}";
    assert_eq!(canonical(map), sorted);
}

#[test]
fn each_shape_is_written_as_serde_json_writes_it() {
    assert_eq!(canonical(Pair(1, 'x')), r#"[1,"x"]"#);
    assert_eq!(canonical(Unit), "null");
    assert_eq!(canonical(Shape::Point), r#""Point""#);
    assert_eq!(canonical(Shape::Circle(2)), r#"{"Circle":2}"#);
    assert_eq!(canonical(Shape::Line(1, 2)), r#"{"Line":[1,2]}"#);
    assert_eq!(
        canonical(Shape::Square { side: 1, at: 2 }),
        r#"{"Square":{"at":2,"side":1}}"#
    );
    assert_eq!(
        canonical((Some(1), None::<u8>, [true, false])),
        "[1,null,[true,false]]"
    );
    assert_eq!(canonical(Vec::<u8>::new()), "[]");
    assert_eq!(canonical(BTreeMap::<u8, u8>::new()), "{}");
}

#[test]
fn numbers_keep_what_they_are() {
    assert_eq!(
        canonical((u128::MAX, i128::MIN)),
        format!("[{},{}]", u128::MAX, i128::MIN)
    );
    assert_eq!(
        canonical((1.0, 1, -0.0, 1e16, 0.1_f32, 0.1_f64)),
        "[1.0,1,-0.0,1e+16,0.1,0.1]"
    );
    assert_eq!(
        canonical((i8::MIN, i16::MIN, u16::MAX)),
        "[-128,-32768,65535]"
    );
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(to_string(&[float]), Err(CanonicalError::NotFinite));
    }
    assert_eq!(to_string(&f32::NAN), Err(CanonicalError::NotFinite));
}

#[test]
fn keys_are_texts_and_each_stands_once() {
    assert_eq!(
        canonical(BTreeMap::from([(-1, 0), (10, 0), (9, 0)])),
        r#"{"-1":0,"10":0,"9":0}"#
    );
    assert_eq!(
        canonical(BTreeMap::from([(true, 0), (false, 0)])),
        r#"{"false":0,"true":0}"#
    );
    assert_eq!(
        canonical(BTreeMap::from([('b', 0), ('"', 0)])),
        r#"{"\"":0,"b":0}"#
    );
    assert_eq!(
        canonical(BTreeMap::from([(Shape::Point, 0)])),
        r#"{"Point":0}"#
    );
    let refused = |result: Result<String, _>| result.unwrap_err();
    assert_eq!(
        refused(to_string(&BTreeMap::from([((1, 2), 0)]))),
        CanonicalError::KeyKind
    );
    assert_eq!(
        refused(to_string(&BTreeMap::from([(None::<u8>, 0)]))),
        CanonicalError::KeyKind
    );
    assert_eq!(refused(to_string(&Twice)), CanonicalError::DuplicateKey);
}

/// A map that says the same key twice, once as a number.
struct Twice;

impl Serialize for Twice {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("1", &0)?;
        map.serialize_entry(&1, &0)?;
        map.end()
    }
}

#[test]
fn raw_json_is_made_canonical_and_must_be_strict() {
    let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
    let json = r#" {"b": 1e2, "a": [18446744073709551616, "\u00e9"]} "#;
    assert_eq!(
        canonical((0, raw(json))),
        r#"[0,{"a":[18446744073709551616,"é"],"b":100.0}]"#
    );
    assert_eq!(
        to_string(&raw(r#"{"a":1,"a":2}"#)),
        Err(CanonicalError::RawJson)
    );
    assert_eq!(to_string(&raw("1e400")), Err(CanonicalError::NotFinite));
}

#[test]
fn nesting_ends_at_128_levels() {
    let nested = |levels: usize| {
        (0..levels).fold(serde_json::Value::Null, |inner, _| {
            serde_json::Value::Array(vec![inner])
        })
    };
    assert!(to_string(&nested(128)).is_ok());
    assert_eq!(to_string(&nested(129)), Err(CanonicalError::TooDeep));
}

#[derive(Serialize)]
struct Chain(Option<Box<Chain>>);

#[test]
fn wrappers_without_a_level_of_their_own_end_too() {
    let chain = |length| (0..length).fold(Chain(None), |inner, _| Chain(Some(Box::new(inner))));
    assert_eq!(canonical(chain(500)), "null");
    assert_eq!(to_string(&chain(600)), Err(CanonicalError::TooDeep));
    let many: Vec<_> = (0..5000).map(Some).collect();
    assert!(
        to_string(&many).is_ok(),
        "they are counted inside each other only"
    );
}

#[test]
fn a_budget_is_kept_and_nothing_is_left_behind() {
    let mut out = String::from("kept");
    for (value, length) in [("abcdef", 8), ("\n\n\n", 8), ("é", 4)] {
        assert_eq!(
            append(&value, length - 1, &mut out),
            Err(CanonicalError::TooLarge),
            "{value}"
        );
        assert_eq!(out, "kept");
        assert_eq!(append(&value, length, &mut out), Ok(()));
        out.truncate(4);
    }
    let long = vec![0_u8; 10_000_000];
    assert_eq!(
        append(&long, 64 * 1024, &mut out),
        Err(CanonicalError::TooLarge)
    );
    assert_eq!(
        append(&(1, f64::NAN), 100, &mut out),
        Err(CanonicalError::NotFinite)
    );
    assert_eq!(append(&123_456, 5, &mut out), Err(CanonicalError::TooLarge));
    assert_eq!(append(&1.25, 3, &mut out), Err(CanonicalError::TooLarge));
    assert_eq!(out, "kept");
}

#[test]
fn some_of_a_null_reads_like_none_and_is_refused_where_values_must_differ() {
    let distinct = |value: &dyn Fn(&mut String) -> Result<(), CanonicalError>| {
        let mut out = "kept".to_owned();
        let written = value(&mut out);
        assert!(written.is_ok() || out == "kept");
        written.map(|()| out)
    };
    let none: Option<Option<u8>> = None;
    assert_eq!(to_string(&Some(none)).unwrap(), "null");
    assert_eq!(
        distinct(&|out| append_distinct(&none, 100, out)).unwrap(),
        "keptnull"
    );
    for ambiguous in [Some(None), Some(Some(None))] {
        let value: Option<Option<Option<u8>>> = ambiguous;
        assert_eq!(
            distinct(&|out| append_distinct(&[value], 100, out)),
            Err(CanonicalError::Ambiguous)
        );
    }
    let text = Some("null");
    assert!(distinct(&|out| append_distinct(&(text, Some(Some(1))), 100, out)).is_ok());
    assert_eq!(
        distinct(&|out| append_distinct(&1234, 3, out)),
        Err(CanonicalError::TooLarge)
    );
}

/// Goes on after every error.
struct Careless;

impl Serialize for Careless {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{SerializeMap as _, SerializeSeq as _};

        struct Map;
        impl Serialize for Map {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                let _ = map.serialize_entry(&[1], "a key that is an array");
                let _ = map.serialize_entry("b", &f64::NAN);
                map.end()
            }
        }

        let mut seq = serializer.serialize_seq(None)?;
        let _ = seq.serialize_element(&1);
        let _ = seq.serialize_element(&Map);
        let _ = seq.serialize_element(&2);
        seq.end()
    }
}

/// As [`Careless`], of a struct.
struct CarelessFields;

impl Serialize for CarelessFields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;

        let mut fields = serializer.serialize_struct("CarelessFields", 2)?;
        let _ = fields.serialize_field("number", &f64::INFINITY);
        let _ = fields.serialize_field("fine", &1);
        fields.end()
    }
}

#[test]
fn an_error_that_a_serialize_swallows_still_fails_the_whole() {
    assert_eq!(to_string(&Careless), Err(CanonicalError::KeyKind));
    let mut out = "kept".to_owned();
    assert_eq!(
        append(&[Careless], 1000, &mut out),
        Err(CanonicalError::KeyKind)
    );
    assert_eq!(
        append_distinct(&Some(CarelessFields), 1000, &mut out),
        Err(CanonicalError::NotFinite)
    );
    assert_eq!(out, "kept");
    assert_eq!(
        to_writer(&(1, Careless), 1000, |_| ()),
        Err(CanonicalError::KeyKind)
    );
}

#[test]
fn a_sink_sees_the_same_bytes_in_pieces() {
    let value: Vec<_> = (0..2000)
        .map(|n| BTreeMap::from([("n", n), ("a", 1)]))
        .collect();
    let (mut bytes, mut pieces) = (Vec::new(), 0);
    let written = to_writer(&value, usize::MAX, |piece| {
        bytes.extend_from_slice(piece);
        pieces += 1;
    });
    assert_eq!(written, Ok(bytes.len()));
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        to_string(&value).unwrap()
    );
    assert!(pieces > 3, "{pieces} pieces");
    let mut seen = 0;
    let cut = to_writer(&value, 10_000, |piece| seen += piece.len());
    assert_eq!(cut, Err(CanonicalError::TooLarge));
    assert!(seen <= 10_000, "{seen}");
}
