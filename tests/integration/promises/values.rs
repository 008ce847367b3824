//! Generates raw JSON values: words in and out of every list, odd ones, and what only looks like JSON.

use proptest::prelude::*;
use proptest::sample::select;

/// Every word of PROTOCOL 15 and DESIGN 7, and some that are in no list.
const WORDS: &str = "
    accepted approved auto_approved executed pending pending_review blocked rejected expired failed
    claimed delivered withdrawn cancelled allow deny review ok success true running
    invalid_signature invalid_nonce replayed_nonce stale_timestamp out_of_scope unknown_agent
    mismatched_delegatee expired_token revoked_token invalid_chain invalid_claim_token superseded
    already_claimed body_mismatch policy_changed policy_error dlp_floor engine_error";

/// Raw values that no member expects.
const ODD: &str = r#"null
true
false
0
1
-1
1.5
200
""
" "
[]
{}
[null]
["accepted"]
{"status":"accepted"}
"\u0000"
"\ud83d\ude00"
1e300
123456789012345678901234567890
{"a":{"b":[1,{"c":null}]}}"#;

/// Raw values that are no JSON, or are it twice.
const BROKEN: &str = r#"NaN
Infinity
-Infinity
undefined
None
True

'accepted'
01
1.
.5
+1
0x10
--1
"\ud800"
"\x41"
"\"
"accepted
"a	b"
[1,]
{"a":1,}
{"a":1,"a":1}
{"a":1,"\u0061":2}
[{"x":{"status":1,"status":1}}]
{status:1}
/* */ 1
"a" "b""#;

/// One of the words of a list.
fn one_of(words: &'static str) -> impl Strategy<Value = &'static str> {
    select(words.split_whitespace().collect::<Vec<_>>())
}

/// One of the lines of a list.
fn line_of(lines: &'static str) -> impl Strategy<Value = String> {
    select(lines.lines().map(str::to_owned).collect::<Vec<_>>())
}

/// A status word, quoted, in one of its cases.
pub fn word() -> impl Strategy<Value = String> {
    (one_of(WORDS), 0..12_u8).prop_map(|(word, how)| match how {
        0 => format!("\"{}\"", word.to_uppercase()),
        1 => format!("\" {word}\""),
        2 => format!("\"{word}\\n\""),
        3 => format!("[\"{word}\"]"),
        _ => format!("\"{word}\""),
    })
}

/// The word of a 401 or 403: mostly one of PROTOCOL 15.
pub fn refusal_word() -> impl Strategy<Value = String> {
    const KNOWN: &str = "
        invalid_signature invalid_nonce replayed_nonce stale_timestamp out_of_scope
        mismatched_delegatee unknown_agent expired_token revoked_token invalid_chain";
    prop_oneof![2 => one_of(KNOWN).prop_map(|word| format!("\"{word}\"")), 1 => word()]
}

/// The word of a 409 to a claim: mostly one of DESIGN 7.
pub fn conflict_word() -> impl Strategy<Value = String> {
    const KNOWN: &str = "
        invalid_claim_token superseded already_claimed body_mismatch expired
        revoked_token expired_token policy_changed rejected blocked";
    prop_oneof![2 => one_of(KNOWN).prop_map(|word| format!("\"{word}\"")), 1 => word()]
}

/// A value for `approval_id`: usable, unusable, or odd but usable.
pub fn approval_id() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("\"{approval_id}\"".to_owned()),
        Just("\".\"".to_owned()),
        Just("\"..\"".to_owned()),
        Just("\"\"".to_owned()),
        Just("\"...\"".to_owned()),
        Just("\"\\u002e\\u002e\"".to_owned()),
        Just(format!("\"{}\"", "i".repeat(200))),
        Just(format!("\"{}\"", "i".repeat(201))),
        // Characters, not bytes, are counted.
        Just(format!("\"{}\"", "é".repeat(200))),
        Just(format!("\"{}\"", "é".repeat(201))),
        Just("\"../../trap?x=1#y\"".to_owned()),
        Just("\"a/../../trap\"".to_owned()),
        Just("\"%2e%2e\"".to_owned()),
        Just("\"a b\\tc\\r\\nX-Evil: 1\"".to_owned()),
        Just("\" \"".to_owned()),
        Just("17".to_owned()),
        line_of(ODD),
    ]
}

/// A value for `capabilities`.
pub fn capabilities() -> impl Strategy<Value = String> {
    const LISTS: &[&str] = &[
        "[]",
        "[\"claim\"]",
        "[\"events\",\"claim\",\"outcome\",\"withdraw\"]",
        "[\"Claim\"]",
        "[\"claims\"]",
        "\"claim\"",
        "{\"claim\":true}",
        "[\"claim\",1]",
        "[null]",
        "null",
        "[[\"claim\"]]",
    ];
    select(LISTS).prop_map(str::to_owned)
}

/// The place's value, somebody else's, or something like it.
pub fn quoted(place: &'static str) -> impl Strategy<Value = String> {
    let other = "0".repeat(32);
    prop_oneof![
        4 => Just(format!("\"{place}\"")),
        1 => Just(format!("\"{other}\"")),
        1 => Just(format!("\"{place} \"")),
        1 => Just(format!("[\"{place}\"]")),
        1 => Just("null".to_owned()),
    ]
}

/// Any raw value: of another type, no JSON at all, a word, or deep.
pub fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => line_of(ODD),
        3 => line_of(BROKEN),
        3 => word(),
        1 => (1..100_usize).prop_map(|levels| "[".repeat(levels) + &"]".repeat(levels)),
        1 => Just("[".repeat(60_000)),
    ]
}
