//! What the check of a bundle found.

use crate::approval::ApprovalId;
use crate::audit::Head;
use crate::audit::bundle::BundleType;
use crate::audit::key::AuditKeyId;
use crate::text::Object;

/// How many failures are told; one is enough to refuse.
const FAILURES_MAX: usize = 20;

/// What the check of a bundle found. Its texts quote nothing of the bundle but numbers and ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleReport {
    /// The bundle's name, if it has a proper one.
    pub bundle_id: Option<Box<str>>,
    /// What it is about.
    pub bundle_type: Option<BundleType>,
    /// Whose it is. As it is written in the bundle: escape it before a person reads it.
    pub organisation: Option<Box<str>>,
    /// How many events it shows whole.
    pub events: u64,
    /// Where each of its segments ends in the chain.
    pub ends: Vec<Head>,
    /// The key that signed it.
    pub signed_by: Option<AuditKeyId>,
    /// Why it is refused; empty for a valid bundle.
    pub failures: Vec<String>,
    /// What the check does not show.
    pub warnings: Vec<String>,
    /// The approval that it is about, where it is about one.
    pub(crate) about: Option<ApprovalId>,
    /// The numbers of the events that it shows whole, in order.
    pub(crate) shown: Vec<u64>,
}

impl BundleReport {
    /// Whether nothing speaks against it.
    pub const fn is_valid(&self) -> bool {
        self.failures.is_empty()
    }

    /// The report as JSON (PROTOCOL 10): `{valid, bundle_id, failures, warnings}`.
    pub fn json(&self) -> String {
        Object::new()
            .flag("valid", self.is_valid())
            .optional("bundle_id", self.bundle_id.as_deref())
            .strings("failures", self.failures.iter().map(String::as_str))
            .strings("warnings", self.warnings.iter().map(String::as_str))
            .finish()
    }

    pub(crate) fn fail(&mut self, fault: impl Into<String>) {
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(fault.into());
        }
    }

    pub(crate) fn warn(&mut self, what: impl Into<String>) {
        self.warnings.push(what.into());
    }
}
