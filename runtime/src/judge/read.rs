//! Reading an answer strictly: one JSON object, no member twice, and what it repeats must be ours.

use std::borrow::Cow;

use sernixa_protocol::json::{Document, Kind, Node};

use super::Offers;
use crate::error::{Error, Refusal};
use crate::transport::Answer;

/// The levels of containers that we read. No answer of any service has more than a handful.
const LEVELS: usize = 127;

/// The answer as a document whose root is an object.
///
/// # Errors
/// `Api`, for whatever is not `application/json` with one strict JSON object in UTF-8.
pub(crate) fn document(answer: &Answer) -> Result<Document<'_>, Error> {
    let document = strict(answer)?;
    if document.root().is_object() {
        Ok(document)
    } else {
        Err(api(answer, "an answer that is not a JSON object"))
    }
}

/// The answer as a document of whatever kind.
///
/// # Errors
/// `Api`, for whatever is not `application/json` with strict JSON in UTF-8.
pub(crate) fn strict(answer: &Answer) -> Result<Document<'_>, Error> {
    let odd = |what| Error::Api(odd(answer, what).boxed());
    if !answer.json {
        return Err(odd("an answer that is not application/json"));
    }
    let text = str::from_utf8(&answer.body).map_err(|_| odd("an answer that is not UTF-8"))?;
    Document::parse_within(text, LEVELS).map_err(|error| {
        let refusal = self::odd(answer, "an answer that is not strict JSON");
        Error::Api(refusal.caused_by(error).boxed())
    })
}

/// The service sent `what`, which nobody can act on.
pub(super) fn odd(answer: &Answer, what: &'static str) -> Refusal {
    let message =
        format!("the service sent {what}; check the base URL, and what stands in between");
    Refusal::new(message).code(answer.status).maybe_submitted()
}

/// As [`odd`], as an error.
pub(super) fn api(answer: &Answer, what: &'static str) -> Error {
    Error::Api(odd(answer, what).boxed())
}

/// Whether the member is there and ours. Absent and null are `false`.
///
/// # Errors
/// `Api` if it is anything else: the answer belongs to another call.
pub(super) fn echoes(
    answer: &Answer,
    body: Node<'_>,
    name: &'static str,
    ours: &str,
) -> Result<bool, Error> {
    match body.get(name) {
        None => Ok(false),
        Some(value) if value.is_null() => Ok(false),
        Some(value) if value.is(ours) => Ok(true),
        Some(_) => {
            let message =
                format!("the service sent an answer whose {name} belongs to another call");
            Err(Error::Api(
                Refusal::new(message)
                    .code(answer.status)
                    .maybe_submitted()
                    .boxed(),
            ))
        }
    }
}

/// The string member `name`; anything else counts as absent.
pub(super) fn text<'d>(body: Node<'d>, name: &str) -> Option<Cow<'d, str>> {
    body.get(name)?.as_str()
}

/// What the answer offers: an array of strings, or absent, or null.
///
/// # Errors
/// `Api` for another shape: a downgrade could hide in what we cannot read.
pub(super) fn offers(answer: &Answer, body: Node<'_>) -> Result<Offers, Error> {
    let mut offers = Offers::default();
    let Some(list) = body.get("capabilities") else {
        return Ok(offers);
    };
    match list.kind() {
        Kind::Null => return Ok(offers),
        Kind::Array => {}
        _ => return Err(api(answer, "capabilities that are not an array of strings")),
    }
    for word in list.elements() {
        match word.as_str().as_deref() {
            Some("claim") => offers.claim = true,
            Some("outcome") => offers.outcome = true,
            Some("withdraw") => offers.withdraw = true,
            Some("resume") => offers.resume = true,
            Some("events") => offers.events = true,
            // Words of later versions.
            Some(_) => {}
            None => return Err(api(answer, "capabilities that are not an array of strings")),
        }
    }
    Ok(offers)
}

/// A value as evidence; as its text where a `Value` cannot hold it.
pub(super) fn evidence(node: Node<'_>) -> serde_json::Value {
    node.to_value()
        .unwrap_or_else(|_| serde_json::Value::String(node.raw().to_owned()))
}
