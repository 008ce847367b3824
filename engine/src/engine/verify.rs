//! Comparing a bundle with the log of this engine.

use crate::audit::{BUNDLE_EVENTS_MAX, BundleReport, Event, EventFilter, verify_bundle};
use crate::engine::Engine;
use crate::principal::Principal;
use crate::store::StoreError;

impl Engine {
    /// Verifies a bundle from its text, and then against the caller's organisation's own log: one
    /// whose links hold, but which are not in the log, is refused.
    pub(super) fn verify_evidence(
        &self,
        caller: &Principal,
        body: &str,
    ) -> Result<BundleReport, StoreError> {
        let mut report = verify_bundle(body, &[], &[]);
        if !report.is_valid() {
            return Ok(report);
        }
        if report.organisation.as_deref() != Some(&**caller.organisation()) {
            report.warn(
                "the bundle is of another organisation: it was not compared with the log here",
            );
            return Ok(report);
        }
        self.compare_ends(caller, &mut report)?;
        self.compare_events(caller, &mut report)?;
        let own = self.audit_public_key().map(|key| key.id());
        if let Some(signer) = report.signed_by
            && Some(signer) != own
        {
            report.warn(format!(
                "the bundle is signed by {signer}, which this engine does not sign with now"
            ));
        }
        Ok(report)
    }

    /// Links hold within a segment, so its last place stands for all of it.
    fn compare_ends(
        &self,
        caller: &Principal,
        report: &mut BundleReport,
    ) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let first = store.first_anchor(caller.organisation())?;
        for end in report.ends.clone() {
            let seq = end.seq;
            if seq < first.seq {
                report.warn(format!(
                    "audit event {seq} is no longer kept here: it could not be compared"
                ));
                continue;
            }
            let own = if seq == first.seq {
                Some(first)
            } else {
                let found = store.events(caller.organisation(), seq.saturating_sub(1), 1)?;
                found.first().map(Event::receipt)
            };
            if own != Some(end) {
                report.fail(format!(
                    "audit event {seq} is not the one that stands in the log here"
                ));
            }
        }
        Ok(())
    }

    /// A bundle of one approval shows every event about it that lies within its reach.
    fn compare_events(
        &self,
        caller: &Principal,
        report: &mut BundleReport,
    ) -> Result<(), StoreError> {
        let (Some(about), Some(first), Some(end)) = (
            report.about,
            report.shown.first().copied(),
            report.ends.last().copied(),
        ) else {
            return Ok(());
        };
        let filter = EventFilter {
            approval_id: Some(about),
            ..EventFilter::default()
        };
        let own =
            self.inner
                .store
                .find_events(caller.organisation(), &filter, BUNDLE_EVENTS_MAX)?;
        let mut outside = 0;
        for event in own {
            if !(first..=end.seq).contains(&event.seq) {
                outside += 1;
            } else if report.shown.binary_search(&event.seq).is_err() {
                report.fail(format!(
                    "audit event {} is about the approval, and the bundle does not show it",
                    event.seq
                ));
            }
        }
        // Those after it may have come since; those before it may have been cut off.
        if outside > 0 {
            report.warn(format!(
                "the log here holds {outside} more events about the approval, before or after those \
                 of the bundle"
            ));
        }
        Ok(())
    }
}
