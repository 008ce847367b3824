//! What a policy set is made of: named texts, as they were read.

use crate::digest::Digest;

/// The most that one text may hold, in bytes.
pub const MAX_TEXT_BYTES: usize = 1 << 20;
/// The most that all texts of a set may hold, in bytes.
pub const MAX_TOTAL_BYTES: usize = 8 << 20;
/// The most policies that a set may hold.
pub const MAX_POLICIES: usize = 10_000;

/// A text with the name that faults are reported under: the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// The texts of a policy set, and the time zone of `context.time`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    pub(super) policies: Vec<Source>,
    pub(super) metadata: Option<Source>,
    pub(super) zone: String,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            policies: Vec::new(),
            metadata: None,
            zone: "UTC".to_owned(),
        }
    }
}

impl Sources {
    /// No policies yet, no metadata, in UTC.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more text of policies.
    #[must_use]
    pub fn policies(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.policies.push(Source {
            name: name.into(),
            text: text.into(),
        });
        self
    }

    /// The same with the schema of the metadata: `type Metadata = { cents?: Long, … };`.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.metadata = Some(Source {
            name: name.into(),
            text: text.into(),
        });
        self
    }

    /// The same in another time zone: an IANA name like `Europe/Berlin`.
    #[must_use]
    pub fn zone(mut self, name: impl Into<String>) -> Self {
        self.zone = name.into();
        self
    }

    /// Tells these texts from any others, to notice that a file has changed. Comments and layout
    /// count here; what a loaded set is known by is [`PolicySet::digest`].
    ///
    /// [`PolicySet::digest`]: crate::Policy::digest
    pub fn fingerprint(&self) -> Digest {
        let mut parts: Vec<&[u8]> = vec![self.zone.as_bytes()];
        if let Some(metadata) = &self.metadata {
            parts.extend([
                b"metadata",
                metadata.name.as_bytes(),
                metadata.text.as_bytes(),
            ]);
        }
        for source in &self.policies {
            parts.extend([b"policies", source.name.as_bytes(), source.text.as_bytes()]);
        }
        Digest::of_parts("sernixa.policy.sources.v1", &parts)
    }
}
