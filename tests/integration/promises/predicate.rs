//! A second opinion on answers, written from DESIGN 6 and 7 alone: may the body run?
//!
//! It shares no code with the client's judge, not even the JSON reader, and never looks at the
//! client. The tests feed both the same bytes and demand the same verdict.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The variants of `sernixa::Error` that an answer can lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Blocked,
    Rejected,
    Expired,
    Timeout,
    Replay,
    Signature,
    DelegationScope,
    RateLimit,
    Authentication,
    Api,
    Failed,
}

impl Kind {
    /// The kind of an error of ours; `None` for those that no answer may cause.
    pub fn of(error: &sernixa::Error) -> Option<Self> {
        Some(match error {
            sernixa::Error::Blocked(_) => Self::Blocked,
            sernixa::Error::Rejected(_) => Self::Rejected,
            sernixa::Error::Expired(_) => Self::Expired,
            sernixa::Error::Timeout(_) => Self::Timeout,
            sernixa::Error::Replay(_) => Self::Replay,
            sernixa::Error::Signature(_) => Self::Signature,
            sernixa::Error::DelegationScope(_) => Self::DelegationScope,
            sernixa::Error::RateLimit(_) => Self::RateLimit,
            sernixa::Error::Authentication(_) => Self::Authentication,
            sernixa::Error::Api(_) => Self::Api,
            sernixa::Error::Failed(_) => Self::Failed,
            _ => return None,
        })
    }
}

/// What a client could get of an answer.
#[derive(Clone, Debug)]
pub enum Seen {
    Answer(Answer),
    /// Nothing whole within the request's timeout.
    Late,
    /// The connection ended, or what came is not HTTP.
    Broken,
    /// A body over 1 MiB.
    TooLarge,
}

/// A whole HTTP answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// The value of each `Content-Type` header.
    pub content_types: Vec<Vec<u8>>,
    pub body: Vec<u8>,
}

/// What is known of the call and its client before an answer comes.
#[allow(
    clippy::struct_excessive_bools,
    reason = "settings, independent of each other"
)]
#[derive(Clone, Debug)]
pub struct Call {
    /// Risk high or critical.
    pub grave: bool,
    pub accept_immediate_high_risk: bool,
    pub require_claim: bool,
    /// This client was offered `claim` before.
    pub once_offered: bool,
    pub request_id: String,
    /// Of a call of the MCP call gate, whose body the service makes, [what it said](said_hash).
    pub body_hash: String,
    pub by_gate: bool,
}

impl Call {
    fn opens_at_once(&self) -> bool {
        !self.grave || self.accept_immediate_high_risk
    }
}

/// What a waiting call must hold on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub approval_id: String,
    /// The answer carried our body hash, so each record must.
    pub bound: bool,
    /// The service offered claims with it.
    pub claims: bool,
}

/// Where an answer to the submission leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Runs,
    Waits(Pending),
    Refuses(Kind),
}

/// Where an answer during the wait leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Claim where claims are offered; else run.
    Opens,
    KeepsWaiting,
    Refuses(Kind),
}

/// Whether another attempt may follow (DESIGN 6, retries).
pub fn retried(seen: &Seen) -> bool {
    match seen {
        Seen::Late | Seen::Broken => true,
        Seen::TooLarge => false,
        Seen::Answer(answer) => matches!(answer.status, 429 | 500 | 502 | 503 | 504),
    }
}

/// The hash that an answer names: 64 hex digits. Empty where it names none, which no hash is.
pub fn said_hash(seen: &Seen) -> String {
    let body = whole(seen).and_then(Answer::object).unwrap_or_default();
    let said = body.get("body_hash").and_then(Value::as_str);
    let is_hash =
        |text: &&str| text.len() == 64 && text.chars().all(|c| "0123456789abcdef".contains(c));
    said.filter(is_hash).unwrap_or_default().to_owned()
}

/// DESIGN 6, first table.
pub fn submission(call: &Call, seen: &Seen) -> Verdict {
    match judge_submission(call, seen) {
        Ok(verdict) => verdict,
        Err(kind) => Verdict::Refuses(kind),
    }
}

fn judge_submission(call: &Call, seen: &Seen) -> Result<Verdict, Kind> {
    let answer = whole(seen)?;
    match answer.status {
        200 | 202 => {}
        401 | 403 => return Err(refusal(call, answer)?),
        429 => return Err(Kind::RateLimit),
        _ => return Err(Kind::Api),
    }
    let body = answer.object()?;
    echoes(&body, "request_id", &call.request_id)?;
    let waits = if answer.status == 202 {
        true // whatever its status word
    } else {
        let status = body.get("status").and_then(Value::as_str);
        match status.ok_or(Kind::Api)? {
            "blocked" => return Err(Kind::Blocked),
            "rejected" => return Err(Kind::Rejected),
            "expired" => return Err(Kind::Expired),
            "failed" => return Err(Kind::Failed),
            "pending" | "pending_review" => true,
            "accepted" | "approved" | "auto_approved" | "executed" => false,
            _ => return Err(Kind::Api),
        }
    };
    let offers = offers_claims(&body)?;
    if status_is(&body, "executed") && !waits && offers {
        return Err(Kind::Replay);
    }
    if !offers && (call.once_offered || call.require_claim) {
        return Err(Kind::Api);
    }
    // "While waiting and claiming" it must be ours; by promise 2 it must be in an allow, too.
    let bound = echoes(&body, "body_hash", &call.body_hash)?;
    if !waits {
        let decision = body.get("decision").unwrap_or(&Value::Null);
        let agrees = ["accepted", "approved", "auto_approved"].map(Value::from);
        let agrees = decision.is_null() || agrees.contains(decision);
        // PROTOCOL 7: who dispatches the call.
        let ours = [Value::Null, Value::from("caller_owned_after_allowed")];
        let agrees = agrees && ours.contains(body.get("dispatch_mode").unwrap_or(&Value::Null));
        return if agrees && call.opens_at_once() {
            Ok(Verdict::Runs)
        } else {
            Err(Kind::Api)
        };
    }
    let approval_id = body
        .get("approval_id")
        .and_then(Value::as_str)
        .ok_or(Kind::Api)?;
    if !(1..=200).contains(&approval_id.chars().count()) || [".", ".."].contains(&approval_id) {
        return Err(Kind::Api);
    }
    if offers && !body.get("claim_token").is_some_and(Value::is_string) {
        return Err(Kind::Api);
    }
    // What would be claimed?
    if offers && call.by_gate && !bound {
        return Err(Kind::Api);
    }
    let approval_id = approval_id.to_owned();
    Ok(Verdict::Waits(Pending {
        approval_id,
        bound,
        claims: offers,
    }))
}

/// Whether the client was offered claims by this answer, whatever else is wrong with it (DESIGN 6,
/// no downgrade: "in a 202 or an allow").
pub fn offered(call: &Call, seen: &Seen) -> bool {
    let Seen::Answer(answer) = seen else {
        return false;
    };
    let body = answer.object().unwrap_or_default();
    matches!(answer.status, 200 | 202)
        && echoes(&body, "request_id", &call.request_id).is_ok()
        && offers_claims(&body) == Ok(true)
}

/// DESIGN 6, waiting.
pub fn record(call: &Call, pending: &Pending, seen: &Seen) -> Step {
    let judged = || -> Result<Step, Kind> {
        let answer = match whole(seen) {
            Ok(answer) => answer,
            Err(_) if matches!(seen, Seen::Late | Seen::Broken) => return Ok(Step::KeepsWaiting),
            Err(kind) => return Err(kind),
        };
        match answer.status {
            200 => {}
            429 | 500..=599 => return Ok(Step::KeepsWaiting),
            401 | 403 => return Err(refusal(call, answer)?),
            _ => return Err(Kind::Api),
        }
        let body = answer.object()?;
        if !echoes(&body, "approval_id", &pending.approval_id)? {
            return Err(Kind::Api);
        }
        if !echoes(&body, "body_hash", &call.body_hash)? && pending.bound {
            return Err(Kind::Api);
        }
        match body.get("status").and_then(Value::as_str) {
            Some("approved") => Ok(Step::Opens),
            Some("auto_approved" | "executed") if call.opens_at_once() => Ok(Step::Opens),
            Some("auto_approved" | "executed") => Err(Kind::Api),
            Some("rejected") => Err(Kind::Rejected),
            Some("blocked") => Err(Kind::Blocked),
            Some("expired") => Err(Kind::Expired),
            Some("failed") => Err(Kind::Failed),
            _ => Ok(Step::KeepsWaiting),
        }
    };
    judged().unwrap_or_else(Step::Refuses)
}

/// DESIGN 7, claim: `None` lets the body run.
pub fn claim(call: &Call, pending: &Pending, claim_id: &str, seen: &Seen) -> Option<Kind> {
    let judged = || -> Result<(), Kind> {
        let answer = whole(seen)?;
        match answer.status {
            200 => {}
            401 | 403 => return Err(refusal(call, answer)?),
            409 => return Err(conflict(&answer.object()?)),
            429 => return Err(Kind::RateLimit),
            _ => return Err(Kind::Api),
        }
        let body = answer.object()?;
        let ours = status_is(&body, "claimed")
            && echoes(&body, "approval_id", &pending.approval_id)?
            && echoes(&body, "claim_id", claim_id)?
            && echoes(&body, "body_hash", &call.body_hash)?;
        if ours { Ok(()) } else { Err(Kind::Api) }
    };
    judged().err()
}

/// DESIGN 7: the words of a 409.
fn conflict(body: &Map<String, Value>) -> Kind {
    let status = body.get("detail").and_then(|detail| detail.get("status"));
    match status.and_then(Value::as_str) {
        Some("invalid_claim_token" | "superseded" | "already_claimed") => Kind::Replay,
        Some("expired") => Kind::Expired,
        Some("revoked_token" | "expired_token") => Kind::DelegationScope,
        Some("policy_changed" | "blocked") => Kind::Blocked,
        Some("rejected") => Kind::Rejected,
        _ => Kind::Api,
    }
}

/// 401 and 403, by the words of PROTOCOL 2 and 15.
fn refusal(call: &Call, answer: &Answer) -> Result<Kind, Kind> {
    let otherwise = if answer.status == 401 {
        Kind::Authentication
    } else {
        Kind::Blocked
    };
    if !answer.is_json() {
        return Ok(otherwise);
    }
    let body = match parse(&answer.body) {
        Ok(Value::Object(body)) => body,
        Err(Unreadable::Doubled) => return Err(Kind::Api),
        _ => return Ok(otherwise),
    };
    echoes(&body, "request_id", &call.request_id)?;
    let status = body.get("detail").and_then(|detail| detail.get("status"));
    Ok(match status.and_then(Value::as_str) {
        Some("invalid_signature" | "invalid_nonce") => Kind::Signature,
        Some("replayed_nonce" | "stale_timestamp") => Kind::Replay,
        Some(
            "out_of_scope"
            | "mismatched_delegatee"
            | "unknown_agent"
            | "expired_token"
            | "revoked_token"
            | "invalid_chain",
        ) => Kind::DelegationScope,
        _ => otherwise,
    })
}

fn whole(seen: &Seen) -> Result<&Answer, Kind> {
    match seen {
        Seen::Answer(answer) => Ok(answer),
        Seen::Late => Err(Kind::Timeout),
        Seen::Broken | Seen::TooLarge => Err(Kind::Api),
    }
}

impl Answer {
    /// One `Content-Type`, and it is `application/json`: parameters ignored, any case.
    fn is_json(&self) -> bool {
        let [only] = self.content_types.as_slice() else {
            return false;
        };
        let essence = only.split(|byte| *byte == b';').next().unwrap_or_default();
        essence
            .trim_ascii()
            .eq_ignore_ascii_case(b"application/json")
    }

    fn object(&self) -> Result<Map<String, Value>, Kind> {
        match parse(&self.body) {
            Ok(Value::Object(body)) if self.is_json() => Ok(body),
            _ => Err(Kind::Api),
        }
    }
}

/// `true`: there and ours; `false`: absent or null; `Err`: somebody else's.
fn echoes(body: &Map<String, Value>, key: &str, ours: &str) -> Result<bool, Kind> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::String(text)) if text == ours => Ok(true),
        Some(_) => Err(Kind::Api),
    }
}

fn status_is(body: &Map<String, Value>, word: &str) -> bool {
    body.get("status").and_then(Value::as_str) == Some(word)
}

/// `capabilities` is an array of strings, or not there.
fn offers_claims(body: &Map<String, Value>) -> Result<bool, Kind> {
    match body.get("capabilities") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            Ok(items.iter().any(|item| item == "claim"))
        }
        Some(_) => Err(Kind::Api),
    }
}

/// Why bytes are not one JSON text.
#[derive(Debug, PartialEq, Eq)]
enum Unreadable {
    Doubled,
    Malformed,
}

/// One JSON text (RFC 8259) in UTF-8 without a byte order mark, no object with a member twice.
fn parse(bytes: &[u8]) -> Result<Value, Unreadable> {
    let strict: Result<Strict, _> = serde_json::from_slice(bytes);
    strict.map(|strict| strict.0).map_err(|error| {
        if error.to_string().starts_with(DOUBLED) {
            Unreadable::Doubled
        } else {
            Unreadable::Malformed
        }
    })
}

const DOUBLED: &str = "a member twice";

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (mut names, mut doubled) = (HashSet::new(), false);
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            doubled |= !names.insert(name.clone());
            object.insert(name, value);
        }
        // Only now: an object that never ends has no members.
        if doubled {
            return Err(A::Error::custom(DOUBLED));
        }
        Ok(object.into())
    }
}

#[test]
fn the_second_reader_finds_a_member_twice() {
    assert_eq!(
        parse(br#"{"a":{"b":1,"\u0062":1}}"#),
        Err(Unreadable::Doubled)
    );
    assert_eq!(parse(b"\xef\xbb\xbf{}"), Err(Unreadable::Malformed));
    assert_eq!(parse(b"{} x"), Err(Unreadable::Malformed));
    assert_eq!(parse(br#"{"a":1,"a":NaN}"#), Err(Unreadable::Malformed));
    assert_eq!(
        parse(br#"{"a":[{"b":1},{"b":1}]} "#),
        Ok(serde_json::json!({"a": [{"b": 1}, {"b": 1}]}))
    );
}
