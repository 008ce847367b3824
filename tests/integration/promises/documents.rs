//! Generates answers: right ones, and everything that right ones turn into when something is off.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::shot::{Delivery, Shot};
use super::values::{approval_id, capabilities, conflict_word, quoted, refusal_word, value, word};
use crate::support::gzip::gzip;

/// A JSON object as its raw members, so that one can be wrong in every way.
type Members = Vec<(String, String)>;

fn members(pairs: &[(&str, &str)]) -> Members {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// One thing that is off about an object.
#[derive(Clone, Debug)]
enum Fault {
    Drop(Index),
    Set(Index, String),
    /// Sets the member with this name, if there is one, else adds it.
    Put(&'static str, String),
    /// The name in another case.
    Case(Index, bool),
    /// The name with an escape in it: the same name.
    Escape(Index),
    /// The member twice; the copy has this value, or the same one.
    Double(Index, Option<String>, bool),
    Reverse,
}

impl Fault {
    fn apply(self, members: &mut Members) {
        let escaped = |key: &str| {
            let mut chars = key.chars();
            let first = chars
                .next()
                .map_or(String::new(), |c| format!("\\u{:04x}", u32::from(c)));
            first + chars.as_str()
        };
        if members.is_empty() {
            return;
        }
        match self {
            Self::Drop(at) => drop(members.remove(at.index(members.len()))),
            Self::Set(at, value) => {
                let at = at.index(members.len());
                members[at].1 = value;
            }
            Self::Put(key, value) => match members.iter_mut().find(|(name, _)| name == key) {
                Some(member) => member.1 = value,
                None => members.push((key.to_owned(), value)),
            },
            Self::Case(at, upper) => {
                let at = at.index(members.len());
                let key = &mut members[at].0;
                *key = if upper {
                    key.to_uppercase()
                } else {
                    key[..1].to_uppercase() + &key[1..]
                };
            }
            Self::Escape(at) => {
                let at = at.index(members.len());
                members[at].0 = escaped(&members[at].0);
            }
            Self::Double(at, value, escape) => {
                let (key, old) = members[at.index(members.len())].clone();
                let key = if escape { escaped(&key) } else { key };
                members.push((key, value.unwrap_or(old)));
            }
            Self::Reverse => members.reverse(),
        }
    }
}

/// One fault; those that bear on a table of DESIGN 6 come most.
fn fault() -> impl Strategy<Value = Fault> {
    let at = any::<Index>;
    prop_oneof![
        2 => at().prop_map(Fault::Drop),
        2 => (at(), value()).prop_map(|(at, value)| Fault::Set(at, value)),
        1 => at().prop_map(|at| Fault::Set(at, "null".to_owned())),
        3 => word().prop_map(|word| Fault::Put("status", word)),
        2 => word().prop_map(|word| Fault::Put("decision", word)),
        2 => approval_id().prop_map(|id| Fault::Put("approval_id", id)),
        1 => capabilities().prop_map(|list| Fault::Put("capabilities", list)),
        1 => prop_oneof![value(), Just("\"t\"".to_owned())].prop_map(|v| Fault::Put("claim_token", v)),
        1 => quoted("{request_id}").prop_map(|id| Fault::Put("request_id", id)),
        1 => quoted("{body_hash}").prop_map(|hash| Fault::Put("body_hash", hash)),
        1 => quoted("{claim_id}").prop_map(|id| Fault::Put("claim_id", id)),
        1 => value().prop_map(|value| Fault::Put("detail", value)),
        1 => prop_oneof![
            value(),
            Just("\"caller_owned_after_allowed\"".to_owned()),
            Just("\"sernixa_gateway_proxy\"".to_owned()),
        ].prop_map(|mode| Fault::Put("dispatch_mode", mode)),
        2 => value().prop_map(|value| Fault::Put("x", value)),
        1 => (at(), any::<bool>()).prop_map(|(at, upper)| Fault::Case(at, upper)),
        1 => at().prop_map(Fault::Escape),
        2 => (at(), proptest::option::of(value()), any::<bool>())
            .prop_map(|(at, value, escape)| Fault::Double(at, value, escape)),
        1 => Just(Fault::Reverse),
    ]
}

/// What is off about the text as a whole; `None` changes nothing.
fn text_fault(text: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let suffixes: &[&str] = &[
        "}",
        ",",
        " x",
        "\0",
        "{}",
        "{\"status\":\"accepted\"}",
        "\n",
        " \t\r\n",
        ";",
        "//",
    ];
    let around = [
        ("[", "]"),
        ("\"", "\""),
        ("(", ")"),
        ("while(1);", ""),
        ("\u{feff}", ""),
        ("\u{a0}", ""),
        ("\n \t", " "),
        ("callback(", ")"),
        ("{\"data\":", "}"),
        ("data: ", "\n\n"),
    ];
    let wrapped = text.clone();
    let cut = text.clone();
    let spoilt = text.clone();
    let ended = text.clone();
    let wide: Vec<u8> = String::from_utf8_lossy(&text)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let whole = Just(text);
    prop_oneof![
        30 => whole,
        3 => select(suffixes).prop_map(move |suffix| [ended.as_slice(), suffix.as_bytes()].concat()),
        3 => select(around.to_vec()).prop_map(move |(before, after)| [before.as_bytes(), &wrapped, after.as_bytes()].concat()),
        1 => any::<Index>().prop_map(move |at| cut[..at.index(cut.len())].to_vec()),
        1 => (any::<Index>(), select(&[0_u8, 0x80, 0xc0, 0xff, b'"', b'\\', b'{'][..])).prop_map(move |(at, byte)| {
            let mut spoilt = spoilt.clone();
            let at = at.index(spoilt.len());
            spoilt[at] = byte;
            spoilt
        }),
        1 => Just(wide),
        1 => Just(Vec::new()),
    ]
}

const OFFER: &str = "[\"events\",\"claim\",\"outcome\",\"withdraw\",\"resume\"]";
const RECEIPT: &str = "{\"seq\":41,\"hash\":\"9a\"}";

/// Right documents: what the reference's servers and ours answer to a submission.
fn right_submission() -> impl Strategy<Value = (u16, Members)> {
    let allows = || select(&["accepted", "approved", "auto_approved"][..]);
    let quote = |word: &str| format!("\"{word}\"");
    prop_oneof![
        3 => allows().prop_map(move |word| (200, members(&[("status", &quote(word))]))),
        3 => allows().prop_map(move |word| (200, members(&[
            ("status", &quote(word)), ("decision", "\"auto_approved\""), ("approval_id", "\"{approval_id}\""),
            ("body_hash", "\"{body_hash}\""), ("request_id", "\"{request_id}\""), ("receipt", RECEIPT),
        ]))),
        1 => allows().prop_map(move |word| (200, members(&[
            ("status", &quote(word)), ("request_id", "\"{request_id}\""), ("capabilities", OFFER),
        ]))),
        1 => Just((200, members(&[("status", "\"executed\"")]))),
        1 => Just((200, members(&[("status", "\"executed\""), ("capabilities", OFFER)]))),
        1 => select(&["pending", "pending_review"][..]).prop_map(move |word| (200, members(&[
            ("status", &quote(word)), ("approval_id", "\"{approval_id}\"")]))),
        2 => select(&["blocked", "rejected", "expired", "failed"][..]).prop_map(move |word| (200, members(&[
            ("status", &quote(word)), ("approval_id", "\"{approval_id}\""), ("reason", "\"no\"")]))),
        2 => Just((202, members(&[("approval_id", "\"{approval_id}\"")]))),
        1 => Just((202, members(&[("status", "\"pending_review\""), ("approval_id", "\"{approval_id}\""),
            ("body_hash", "\"{body_hash}\""), ("request_id", "\"{request_id}\"")]))),
        2 => Just((202, right_pending(true))),
        4 => right_refusal(),
    ]
}

/// The 202 of a service of ours, with or without claims.
pub fn right_pending(claims: bool) -> Members {
    let mut all = members(&[
        ("status", "\"pending_review\""),
        ("approval_id", "\"{approval_id}\""),
        ("body_hash", "\"{body_hash}\""),
        ("request_id", "\"{request_id}\""),
        ("expires_at", "\"2026-01-01T00:00:00Z\""),
        ("receipt", RECEIPT),
    ]);
    if claims {
        all.extend(members(&[
            ("claim_token", "\"t-1\""),
            ("capabilities", OFFER),
        ]));
    }
    all
}

fn right_record() -> impl Strategy<Value = (u16, Members)> {
    let record = |word: String| {
        (
            200,
            members(&[
                ("approval_id", "\"{approval_id}\""),
                ("action_id", "\"a\""),
                ("intent_id", "\"i\""),
                ("status", &word),
                ("reason", "null"),
                ("decision_reason", "\"because\""),
                ("body_hash", "\"{body_hash}\""),
                ("risk_level", "\"high\""),
                ("execution", "\"none\""),
                ("self_decided", "false"),
            ]),
        )
    };
    let words = &[
        "approved",
        "auto_approved",
        "executed",
        "rejected",
        "blocked",
        "expired",
        "failed",
        "pending",
    ][..];
    prop_oneof![
        6 => select(words).prop_map(move |word| record(format!("\"{word}\""))),
        2 => word().prop_map(record),
        1 => right_refusal(),
        1 => select(&[404_u16, 410, 429, 500, 503][..])
            .prop_map(|status| (status, members(&[("detail", "\"no\"")]))),
    ]
}

/// A 401 or 403 that says why.
fn right_refusal() -> impl Strategy<Value = (u16, Members)> {
    (select(&[401_u16, 403][..]), refusal_word()).prop_map(|(status, word)| {
        let detail =
            format!("{{\"status\":{word},\"reason\":\"no\",\"evidence\":{{\"rule\":\"r\"}}}}");
        (status, members(&[("detail", &detail)]))
    })
}

fn right_claim() -> impl Strategy<Value = (u16, Members)> {
    prop_oneof![
        5 => Just((200, claimed())),
        1 => right_refusal(),
        1 => select(&[404_u16, 429, 500, 503][..])
            .prop_map(|status| (status, members(&[("detail", "\"no\"")]))),
        5 => conflict_word().prop_map(|word| (409, members(&[
            ("detail", &format!("{{\"status\":{word},\"reason\":\"r\"}}"))]))),
    ]
}

/// The 200 of a claim.
pub fn claimed() -> Members {
    members(&[
        ("status", "\"claimed\""),
        ("approval_id", "\"{approval_id}\""),
        ("claim_id", "\"{claim_id}\""),
        ("body_hash", "\"{body_hash}\""),
        ("receipt", RECEIPT),
    ])
}

/// The object as text.
pub fn text(members: &Members) -> Vec<u8> {
    let members: Vec<_> = members
        .iter()
        .map(|(key, value)| format!("\"{key}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}

/// `Content-Type` headers: mostly the right one.
fn content_types() -> impl Strategy<Value = Vec<&'static str>> {
    const OTHERS: &[&[&str]] = &[
        &[],
        &[""],
        &["text/html"],
        &["text/plain"],
        &["application/problem+json"],
        &["application/json+x"],
        &["text/json"],
        &["application/jsonp"],
        &["application/x-json"],
        &["json"],
        &["*/*"],
        &["application/*"],
        &["application/json, text/html"],
        &["text/html, application/json"],
        &["text/html; application/json"],
        &["application/json\u{e9}"],
        &["application /json"],
        &["application/json charset=utf-8"],
        &["\"application/json\""],
        &["text/html", "application/json"],
        &["application/json", "text/html"],
        &["application/json", ""],
        &["application/octet-stream"],
        &["multipart/mixed; boundary=x"],
        &["text/event-stream"],
    ];
    const RIGHT: &[&[&str]] = &[
        &["application/json"],
        &["Application/JSON"],
        &["application/json; charset=utf-8"],
        &["application/json;charset=utf-16"],
        &["APPLICATION/JSON ; profile=\"text/html\""],
        &["application/json;"],
        &["application/json; ; ;"],
        &[" \tapplication/json\t "],
    ];
    prop_oneof![
        30 => Just(RIGHT[0].to_vec()),
        6 => select(RIGHT).prop_map(<[_]>::to_vec),
        6 => select(OTHERS).prop_map(<[_]>::to_vec),
    ]
}

/// Headers beside it that must change nothing.
fn other_headers() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    const SETS: &[&[(&str, &str)]] = &[
        &[("Location", "{trap}")],
        &[("Refresh", "0; url={trap}"), ("Link", "<{trap}>; rel=next")],
        &[
            ("Set-Cookie", "status=accepted"),
            ("X-Status", "accepted"),
            ("X-Decision", "approved"),
        ],
        &[("Content-Location", "{trap}"), ("Alt-Svc", "h2=\":1\"")],
        &[("Content-Encoding", "identity")],
        &[("Retry-After", "0")],
        &[("Retry-After", "inf"), ("Retry-After", "-1")],
        &[("Connection", "close")],
        &[("X-Empty", "")],
        &[("WWW-Authenticate", "Bearer")],
    ];
    prop_oneof![3 => Just(Vec::new()), 2 => select(SETS).prop_map(<[_]>::to_vec)]
}

fn deliveries() -> impl Strategy<Value = Delivery> {
    const KEEPING: &[Delivery] = &[
        Delivery::Chunked,
        Delivery::UntilClose,
        Delivery::Http10,
        Delivery::Pieces,
        Delivery::Patient,
        Delivery::AfterInterim,
        Delivery::Twice,
        Delivery::ThenUnasked,
    ];
    const JUNK: &[&str] = &[
        "\r\n\r\n\0",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/3 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "SSH-2.0-x\r\n",
        "{\"status\":\"accepted\"}",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
    ];
    prop_oneof![
        55 => Just(Delivery::Whole),
        16 => select(KEEPING),
        2 => any::<u8>().prop_map(Delivery::CutHead),
        3 => any::<u8>().prop_map(Delivery::CutBody),
        2 => any::<u8>().prop_map(Delivery::ChunkedCut),
        3 => any::<u8>().prop_map(Delivery::UntilCloseCut),
        2 => select(&[Delivery::Closed, Delivery::Reset][..]),
        1 => select(&[Delivery::Hang, Delivery::HangInBody][..]),
        2 => select(&[Delivery::Oversized, Delivery::OversizedUntilClose][..]),
        3 => select(JUNK).prop_map(Delivery::NotHttp),
    ]
}

/// What a captive portal says.
const HTML: &str =
    "<!doctype html><title>Sign in</title><p>status: accepted {\"status\":\"accepted\"}";

/// An answer made of a right one: sometimes untouched, sometimes off in up to three ways, under any status, in
/// any envelope.
fn answer(right: impl Strategy<Value = (u16, Members)>) -> impl Strategy<Value = Shot> {
    let faults = prop_oneof![
        5 => Just(Vec::new()),
        5 => proptest::collection::vec(fault(), 1..=3),
    ];
    let document = (right, faults).prop_flat_map(|((status, mut members), faults)| {
        for fault in faults {
            fault.apply(&mut members);
        }
        (Just(status), text_fault(text(&members)))
    });
    let status = prop_oneof![
        12 => Just(None),
        2 => (100..=599_u16).prop_map(Some),
        1 => select(&[200_u16, 201, 202, 203, 204, 205, 206, 301, 302, 303, 304, 307, 308, 401, 403, 404, 409, 410, 429, 500, 502, 503, 504][..])
            .prop_map(Some),
    ];
    let body = prop_oneof![40 => Just(0_u8), 1 => Just(1), 1 => Just(2)];
    (
        document,
        status,
        body,
        content_types(),
        other_headers(),
        deliveries(),
    )
        .prop_map(
            |((usual, document), status, body, types, others, delivery)| {
                let mut headers: Vec<_> = types
                    .iter()
                    .map(|value| ("Content-Type", *value))
                    .chain(others)
                    .collect();
                let body = match body {
                    1 => HTML.into(),
                    2 if document.len() < 60_000 => {
                        headers.push(("Content-Encoding", "gzip"));
                        gzip(&document)
                    }
                    _ => document,
                };
                let headers = headers
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                    .collect();
                Shot {
                    status: status.unwrap_or(usual),
                    headers,
                    body,
                    delivery,
                }
            },
        )
}

/// An answer to the submission.
pub fn submission() -> BoxedStrategy<Shot> {
    answer(right_submission()).boxed()
}

/// An answer while waiting.
pub fn record() -> BoxedStrategy<Shot> {
    answer(right_record()).boxed()
}

/// An answer to a claim.
pub fn claim() -> BoxedStrategy<Shot> {
    answer(right_claim()).boxed()
}
