//! The arguments of a tool, as JSON text: what is digested and captured is what the tool gets.

use serde::Serialize;
use sernixa_protocol::canonical::{self, CanonicalError};
use sernixa_protocol::json::Document;

use crate::action::value_fault;
use crate::capture::VALUE_LIMIT;
use crate::error::{Error, Refusal};

/// What a tool's arguments are called that are no object.
const INPUT: &str = "input";

/// The canonical text of a tool's arguments.
///
/// # Errors
/// `Validation` for what JSON cannot say, or says as it says another value of the type: an approval
/// of the one must not be one of the other.
pub(super) fn text_of(arguments: &(impl Serialize + ?Sized)) -> Result<String, Error> {
    let mut text = String::new();
    canonical::append_distinct(arguments, VALUE_LIMIT, &mut text).map_err(|fault| match fault {
        CanonicalError::Ambiguous => Error::validation(
            "the tool's arguments hold `Some` of what reads `null`, which reads like `None`; \
             give them to the guard in a form that tells the two apart",
        ),
        fault => value_fault("the tool's arguments", &fault),
    })?;
    Ok(text)
}

/// Arguments that are not strict JSON, or no object.
pub(super) fn odd(fault: impl std::error::Error + Send + Sync + 'static) -> Error {
    let message =
        "the tool's arguments are not one strict JSON object; see the source of this error";
    Error::Validation(Refusal::new(message).caused_by(fault).boxed())
}

/// The object of arguments by name: an object as it is, none for `null`, and anything else as the
/// one argument `input`.
pub(super) fn by_name(text: String) -> String {
    let root = Document::parse(&text).map(|document| {
        let root = document.root();
        (root.is_object(), root.is_null())
    });
    match root {
        Ok((false, true)) => "{}".to_owned(),
        Ok((false, false)) => format!("{{\"{INPUT}\":{text}}}"),
        // What is no JSON is told when the action is prepared.
        _ => text,
    }
}
