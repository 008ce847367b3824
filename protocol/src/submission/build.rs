//! Building the metadata of one call, in the order of PROTOCOL 18.

use super::error::BuildError;
use super::seal::Built;
use super::template::{Template, write_strings};
use super::{MAX_BYTES, MAX_LEVELS};
use crate::canonical::{Dialect, write_node, write_string};
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
        let mut out = String::with_capacity(parts.head.len() + given + 640);
        let mut protector = Protector::new(mode, detectors);
        out.push_str(&parts.head);
        let idempotency_key = match draft.captured {
            None => {
                out.push_str("false");
                self.write_counts(&parts.uncaptured_key, &mut out);
                parts.uncaptured_key.clone()
            }
            Some(captured) => self.write_captured(captured, &mut protector, &mut out)?,
        };
        if let Some(metadata) = draft.metadata {
            write_metadata(metadata, &mut protector, &mut out)
                .map_err(|error| BuildError::json("metadata", error))?;
        }
        if let Some(summary) = draft.summary {
            out.push_str(",\"summary\":");
            write_string(&protector.text("metadata.summary", summary, Text::Reviewer), &mut out);
        }
        for (name, text) in
            [(",\"resume_key\":", draft.resume_key), (",\"arguments_digest\":", draft.arguments_digest)]
        {
            if let Some(text) = text {
                out.push_str(name);
                write_string(text, &mut out);
            }
        }
        if !draft.arguments_unbound.is_empty() {
            out.push_str(",\"arguments_unbound\":");
            write_strings(draft.arguments_unbound, &mut out);
        }
        out.push_str(",\"policy_surface\":\"rust_sdk\"");
        let blocked = protector.blocked();
        let findings = protector.into_findings();
        if blocked {
            return Err(BuildError::Blocked(findings));
        }
        write_findings(&findings, mode, &mut out);
        out.push('}');
        self.finish(out, idempotency_key, findings)
    }

    fn write_counts(&self, idempotency_key: &str, out: &mut String) {
        out.push_str(&self.parts().counts);
        out.push_str(idempotency_key);
        out.push('"');
    }

    /// Writes the captured arguments, and returns the idempotency key over what they were before
    /// DLP (PROTOCOL 19).
    fn write_captured(
        &self,
        captured: &str,
        protector: &mut Protector<'_>,
        out: &mut String,
    ) -> Result<String, BuildError> {
        let parts = self.parts();
        let error = |error| BuildError::json("args", error);
        // They lie one level deep in the metadata object.
        let args = parse(captured, MAX_LEVELS - 1, Kind::Array).map_err(error)?;
        let kwargs = Document::parse("{}").map_err(error)?;
        let key =
            idempotency_key_of(&parts.intent_id, &parts.function, args.root(), kwargs.root())
                .map_err(error)?;
        out.push_str("true");
        self.write_counts(&key, out);
        out.push_str(",\"args\":");
        out.push_str(&protector.node("metadata.args", args.root(), Text::Reviewer));
        out.push_str(",\"kwargs\":{}");
        Ok(key)
    }

    /// Checks the finished text and hashes it.
    fn finish(
        &self,
        metadata: String,
        idempotency_key: String,
        findings: Vec<Finding>,
    ) -> Result<Built, BuildError> {
        if metadata.len() > MAX_BYTES {
            return Err(BuildError::TooLarge);
        }
        // What was written is read once more: it is the text that will be approved.
        let error = |error| BuildError::json("metadata", error);
        let document = Document::parse_within(&metadata, MAX_LEVELS).map_err(error)?;
        let mut body = open_body(self.intent_id(), self.action_id(), metadata.len());
        write_node(document.root(), Dialect::COMPACT, &mut body).map_err(error)?;
        body.push('}');
        let body_hash = sha256_hex(&body);
        Ok(Built { template: self.clone(), metadata, body_hash, idempotency_key, findings })
    }
}

/// The document, if it is of this kind.
fn parse(text: &str, levels: usize, kind: Kind) -> Result<Document<'_>, JsonError> {
    let document = Document::parse_within(text, levels)?;
    if document.root().kind() == kind {
        Ok(document)
    } else {
        Err(JsonError::new(JsonErrorKind::WrongKind, 0))
    }
}

/// Appends the user's members that are not ours to write, each after a comma.
fn write_metadata(
    metadata: &str,
    protector: &mut Protector<'_>,
    out: &mut String,
) -> Result<(), JsonError> {
    let document = parse(metadata, MAX_LEVELS, Kind::Object)?;
    let root = document.root();
    if root.members().any(|(key, _)| is_core(key)) {
        let kept = without_core(root);
        let document = Document::parse(&kept)?;
        write_members(document.root(), protector, out);
    } else {
        write_members(root, protector, out);
    }
    Ok(())
}

fn write_members(object: Node<'_>, protector: &mut Protector<'_>, out: &mut String) {
    let protected = protector.node("metadata", object, Text::Metadata);
    let members = protected.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let members = members.unwrap_or_default().trim();
    if !members.is_empty() {
        out.push(',');
        out.push_str(members);
    }
}

/// The object's text without the members that are ours to write.
fn without_core(object: Node<'_>) -> String {
    let mut out = String::from("{");
    for (key, value) in object.members().filter(|(key, _)| !is_core(*key)) {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(key.raw());
        out.push(':');
        out.push_str(value.raw());
    }
    out.push('}');
    out
}

fn is_core(key: Node<'_>) -> bool {
    key.as_str().is_some_and(|key| is_core_key(&key))
}

fn write_findings(findings: &[Finding], mode: Mode, out: &mut String) {
    let Some(status) = mode.status().filter(|_| !findings.is_empty()) else { return };
    out.push_str(",\"dlp_findings\":[");
    for (place, finding) in findings.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        finding.write_json(out);
    }
    out.push_str("],\"dlp_status\":\"");
    out.push_str(status);
    out.push('"');
}
