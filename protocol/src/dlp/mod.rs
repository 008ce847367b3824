//! Data-loss prevention: finds secrets in metadata before it leaves the process, and masks them.
//!
//! [`protect_metadata`] and [`protect_metadata_json`] take a whole object; a [`Protector`] takes
//! the parts of a submission one by one. What is looked for is a set of [`Detectors`]: the four of
//! the reference SDK, or by default many more. What happens to what is found is a [`Mode`]. A
//! [`Finding`] says what was found and where, never the value.
//!
//! Everything here takes linear time on every input, whatever its depth, and does not recurse. It
//! finds what is written openly; text that is encoded, split or spelled out passes.
//!
//! ```
//! use sernixa_protocol::dlp::{Detectors, Mode, protect_metadata_json};
//!
//! let metadata = r#"{"note": "refund bob@example.com", "cents": 1250.0}"#;
//! let protected = protect_metadata_json(metadata, Mode::Mask, &Detectors::default())?;
//! assert_eq!(protected.metadata, r#"{"note": "refund [redacted-email]", "cents": 1250.0}"#);
//! assert_eq!(protected.findings[0].path, "metadata.note");
//! # Ok::<_, sernixa_protocol::json::JsonError>(())
//! ```

mod cards;
mod detectors;
mod email;
mod mode;
mod names;
mod numbers;
mod pairs;
mod reference;
mod scan;
mod shape;
mod table;
#[cfg(test)]
mod tests;
mod tree;
mod unicode;
mod urls;
mod walk;

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use crate::json::{Document, JsonError, Node};

pub use detectors::{Detector, DetectorError, Detectors};
pub use mode::{Finding, Mode, UnknownMode};
use tree::{Branch, Builder, Edit};
pub(crate) use unicode::is_word;
use walk::{Context, TextOf};

const MASKED_EMAIL: &str = "[redacted-email]";
const MASKED_SECRET: &str = "[redacted-secret]";

/// The path of the whole metadata in findings.
const ROOT: &str = "metadata";

/// What text is for, which decides how much of it a mask leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Text {
    /// Metadata: an e-mail address becomes `[redacted-email]`.
    #[default]
    Metadata,
    /// The summary and captured arguments, which a reviewer reads: an e-mail address keeps its
    /// first letter and its domain (`a***@example.com`), so that one sees whom it concerns. The
    /// detectors of the reference have one mask for both.
    Reviewer,
}

/// Metadata after DLP, as a map. Its `Debug` shows no value: outside mode `mask` they are as they were.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Protected {
    /// Masked in mode `mask`, else as it was.
    pub metadata: Map<String, Value>,
    /// What was found, in the order of the metadata.
    pub findings: Vec<Finding>,
    /// Whether it must not be sent: mode `block`, and something was found.
    pub blocked: bool,
}

/// Metadata after DLP, as JSON text. Its `Debug` does not show it: outside mode `mask` it is as it was.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectedJson<'t> {
    /// Masked in mode `mask`, else as it was: same members in the same order, numbers as written.
    /// Borrowed when nothing changed.
    pub metadata: Cow<'t, str>,
    /// What was found, in the order of the text.
    pub findings: Vec<Finding>,
    /// Whether it must not be sent: mode `block`, and something was found.
    pub blocked: bool,
}

impl fmt::Debug for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protected")
            .field("members", &self.metadata.len())
            .field("findings", &self.findings)
            .field("blocked", &self.blocked)
            .finish()
    }
}

impl fmt::Debug for ProtectedJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedJson")
            .field("bytes", &self.metadata.len())
            .field("findings", &self.findings)
            .field("blocked", &self.blocked)
            .finish()
    }
}

/// Looks through `metadata` and does with what it finds as `mode` says.
///
/// Strings are scanned, and unless the detectors are the reference's the keys, too: a masked key
/// that is taken gets `#2`, `#3`. Values under keys that announce a secret (`password`,
/// `client_secret`, …) are masked whatever they look like. A path in a finding is longer than 4 KiB
/// only by `…`.
///
/// There is no limit on size or depth, and nothing recurses here; but `Value` itself recurses when
/// it is dropped or cloned.
pub fn protect_metadata(
    metadata: &Map<String, Value>,
    mode: Mode,
    detectors: &Detectors,
) -> Protected {
    let mut protector = Protector::new(mode, detectors);
    let mut copy = Builder::default();
    let context = Context::of(Text::Metadata);
    protector.walk(ROOT, Branch::Map(metadata), context, None, &mut copy);
    let blocked = protector.blocked();
    Protected {
        metadata: copy.into_map(),
        findings: protector.findings,
        blocked,
    }
}

/// As [`protect_metadata`], from JSON text to JSON text.
///
/// # Errors
/// When `metadata` is not [strict JSON](crate::json), duplicate members included.
pub fn protect_metadata_json<'t>(
    metadata: &'t str,
    mode: Mode,
    detectors: &Detectors,
) -> Result<ProtectedJson<'t>, JsonError> {
    let document = Document::parse(metadata)?;
    let mut protector = Protector::new(mode, detectors);
    let root = document.root();
    let edits = protector.edits(ROOT, root, Context::of(Text::Metadata), None);
    let metadata = if edits.is_empty() {
        Cow::Borrowed(metadata)
    } else {
        Cow::Owned(tree::edited(metadata, 0, &edits))
    };
    let blocked = protector.blocked();
    Ok(ProtectedJson {
        metadata,
        findings: protector.findings,
        blocked,
    })
}

/// Protects the parts of one submission, one after the other, and collects what it finds.
#[derive(Clone, Debug)]
pub struct Protector<'d> {
    detectors: &'d Detectors,
    mode: Mode,
    findings: Vec<Finding>,
}

impl<'d> Protector<'d> {
    /// One that has found nothing yet.
    pub fn new(mode: Mode, detectors: &'d Detectors) -> Self {
        Self {
            detectors,
            mode,
            findings: Vec::new(),
        }
    }

    /// Protects one string, which findings call `path`. Borrowed when nothing changed.
    pub fn text<'t>(&mut self, path: &str, value: &'t str, text: Text) -> Cow<'t, str> {
        if self.mode == Mode::Off {
            return Cow::Borrowed(value);
        }
        let mode = self.mode;
        let findings = &mut self.findings;
        let masked = self.detectors.scan(value, text, mode, &mut |kind| {
            findings.push(Finding {
                kind,
                path: path.to_owned(),
                reaction: mode,
            });
        });
        match masked {
            Some(masked) if mode == Mode::Mask => Cow::Owned(masked),
            _ => Cow::Borrowed(value),
        }
    }

    /// Protects a parsed value, which findings call `path`; returns its JSON text, borrowed when
    /// nothing changed.
    pub fn node<'t>(&mut self, path: &str, node: Node<'t>, text: Text) -> Cow<'t, str> {
        let edits = self.edits(path, node, Context::of(text), None);
        edited(node, &edits)
    }

    /// As [`Self::node`] for the value of a parameter called `name`: where that announces a secret
    /// (`password`, `client_secret`, …), what it holds is masked whatever it looks like.
    pub fn argument<'t>(
        &mut self,
        path: &str,
        name: &str,
        node: Node<'t>,
        text: Text,
    ) -> Cow<'t, str> {
        let context = self.context_under(Context::of(text), name);
        let edits = self.edits(path, node, context, None);
        edited(node, &edits)
    }

    /// As [`Self::node`] for an object whose members differ: `text_of` says of each key what the
    /// member is for, or `None` for a member that is left alone, key and value.
    pub fn members<'t>(
        &mut self,
        path: &str,
        node: Node<'t>,
        mut text_of: impl FnMut(&str) -> Option<Text>,
    ) -> Cow<'t, str> {
        let edits = self.edits(path, node, Context::of(Text::Metadata), Some(&mut text_of));
        edited(node, &edits)
    }

    /// What was found so far, in the order in which it was scanned.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What was found.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Whether the submission must not be sent: mode `block`, and something was found.
    pub fn blocked(&self) -> bool {
        self.mode == Mode::Block && !self.findings.is_empty()
    }

    fn edits(
        &mut self,
        path: &str,
        node: Node<'_>,
        context: Context,
        text_of: TextOf<'_>,
    ) -> Vec<Edit> {
        let mut edits = Vec::new();
        if self.mode != Mode::Off {
            self.walk(path, node, context, text_of, &mut edits);
        }
        edits
    }
}

fn edited<'t>(node: Node<'t>, edits: &[Edit]) -> Cow<'t, str> {
    if edits.is_empty() {
        Cow::Borrowed(node.raw())
    } else {
        Cow::Owned(tree::edited(node.raw(), node.range().start, edits))
    }
}
