//! Building the metadata of one call, in the order of PROTOCOL 18.

use std::borrow::Cow;

use super::error::BuildError;
use super::members::Members;
use super::seal::Built;
use super::template::Template;
use super::{MAX_BYTES, MAX_LEVELS};
use crate::dlp::{Detectors, Finding, Mode, Protector, Text};
use crate::hash::{idempotency_key_of, open_body, sha256_hex};
use crate::json::{Document, JsonError, JsonErrorKind, Kind, Node};
use crate::rules::is_core_key;

/// What differs from call to call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Draft<'a> {
    /// The captured arguments as the JSON text of an array; `None` when they are not captured.
    pub captured: Option<&'a str>,
    /// The user's metadata as the JSON text of an object. Members that are ours to write are
    /// ignored.
    pub metadata: Option<&'a str>,
    /// One line for the reviewer.
    pub summary: Option<&'a str>,
    /// The resume key, hashed already.
    pub resume_key: Option<&'a str>,
    /// The digest of the arguments.
    pub arguments_digest: Option<&'a str>,
    /// The arguments that the digest does not cover.
    pub arguments_unbound: &'a [&'a str],
}

impl Template {
    /// Builds what is submitted for one call. DLP runs over captured arguments, user metadata and
    /// summary; everything else in the metadata is ours and stays as it is.
    ///
    /// # Errors
    /// When a text is not [strict JSON](crate::json) of its kind, the metadata is too deep or too
    /// long, or DLP blocks.
    pub fn build(
        &self,
        draft: &Draft<'_>,
        mode: Mode,
        detectors: &Detectors,
    ) -> Result<Built, BuildError> {
        let parts = self.parts();
        let given = [draft.captured, draft.metadata, draft.summary];
        let given: usize = given.into_iter().flatten().map(str::len).sum();
        if given > MAX_BYTES {
            return Err(BuildError::TooLarge);
        }
        let mut protector = Protector::new(mode, detectors);

        // Arguments lie one level deep in the metadata object.
        let args = parse(
            "args",
            draft.captured.unwrap_or("[]"),
            MAX_LEVELS - 1,
            Kind::Array,
        )?;
        let user = parse(
            "metadata",
            draft.metadata.unwrap_or("{}"),
            MAX_LEVELS,
            Kind::Object,
        )?;
        let idempotency_key = match draft.captured {
            None => parts.uncaptured_key.clone(),
            // Over what the arguments were before DLP (PROTOCOL 19).
            Some(_) => idempotency_key_of(&parts.intent_id, &parts.function, args.root(), None)
                .map_err(|error| BuildError::json("args", error))?,
        };
        let safe_args = protector.node("metadata.args", args.root(), Text::Reviewer);
        let safe_user = protector.members("metadata", user.root(), |key| {
            (!is_core_key(key)).then_some(Text::Metadata)
        });
        let safe_summary = draft
            .summary
            .map(|text| protector.text("metadata.summary", text, Text::Reviewer));
        let blocked = protector.blocked();
        let findings = protector.into_findings();
        if blocked {
            return Err(BuildError::Blocked(findings));
        }
        // What DLP has changed is read again; what it has not is what was parsed.
        let masked_args = match &safe_args {
            Cow::Owned(text) => Some(parse("args", text, MAX_LEVELS - 1, Kind::Array)?),
            Cow::Borrowed(_) => None,
        };
        let masked_user = match &safe_user {
            Cow::Owned(text) => Some(parse("metadata", text, MAX_LEVELS, Kind::Object)?),
            Cow::Borrowed(_) => None,
        };
        let args = masked_args.as_ref().unwrap_or(&args).root();
        let user = masked_user.as_ref().unwrap_or(&user).root();

        let mut out = parts.head.with_room(given + 640);
        let captured = draft.captured.is_some();
        out.json(
            "arguments_captured",
            if captured { "true" } else { "false" },
        );
        out.json("args_count", &parts.args_count.to_string());
        out.json("kwargs_keys", "[]");
        out.text("idempotency_key", &idempotency_key);
        if captured {
            out.raw("\"args\"", args.raw());
            out.json("kwargs", "{}");
        }
        for (key, value) in users_own(user) {
            out.raw(key.raw(), value.raw());
        }
        for (name, text) in [
            ("summary", safe_summary.as_deref()),
            ("resume_key", draft.resume_key),
            ("arguments_digest", draft.arguments_digest),
        ] {
            if let Some(text) = text {
                out.text(name, text);
            }
        }
        if !draft.arguments_unbound.is_empty() {
            out.texts("arguments_unbound", draft.arguments_unbound);
        }
        out.text("policy_surface", "rust_sdk");
        write_findings(&findings, mode, &mut out);

        let mut body = open_body(self.intent_id(), self.action_id(), out.len());
        out.write_canonical(users_own(user), captured.then_some(args), &mut body)
            .map_err(|error| BuildError::json("metadata", error))?;
        body.push('}');
        let body_hash = sha256_hex(&body);
        let metadata = out.finish();
        if metadata.len() > MAX_BYTES {
            return Err(BuildError::TooLarge);
        }
        Ok(Built {
            template: self.clone(),
            metadata,
            body_hash,
            idempotency_key,
            findings,
        })
    }
}

/// The document of a field, if it is of this kind.
fn parse<'t>(
    field: &'static str,
    text: &'t str,
    levels: usize,
    kind: Kind,
) -> Result<Document<'t>, BuildError> {
    let error = |error| BuildError::json(field, error);
    let document = Document::parse_within(text, levels).map_err(error)?;
    if document.root().kind() == kind {
        Ok(document)
    } else {
        Err(error(JsonError::new(JsonErrorKind::WrongKind, 0)))
    }
}

/// The members that are the user's to write.
fn users_own(user: Node<'_>) -> impl Iterator<Item = (Node<'_>, Node<'_>)> {
    user.members()
        .filter(|(key, _)| !key.as_str().is_some_and(|key| is_core_key(&key)))
}

fn write_findings(findings: &[Finding], mode: Mode, out: &mut Members) {
    let Some(status) = mode.status().filter(|_| !findings.is_empty()) else {
        return;
    };
    out.own("dlp_findings", |out| {
        out.push('[');
        for (place, finding) in findings.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            // Its members come in canonical order.
            finding.write_json(out);
        }
        out.push(']');
    });
    out.text("dlp_status", status);
}
