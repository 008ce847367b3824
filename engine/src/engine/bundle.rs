//! Gathering what stands in an evidence bundle.

use std::collections::BTreeSet;

use crate::answer::Reply;
use crate::approval::ApprovalId;
use crate::audit::bundle::{Draft, Scope, Segment, Shown, Submission};
use crate::audit::{BUNDLE_EVENTS_MAX, CHECKPOINT_EVERY, Event, EventFilter, EventKind, Head};
use crate::digest::Digest;
use crate::engine::Engine;
use crate::engine::typed::may_audit;
use crate::engine::wire::{Stop, known};
use crate::moment::{Moment, Timestamp};
use crate::principal::Principal;
use crate::receive::invalid;
use crate::refusal::{Refusal, Word};
use crate::step::Command;
use crate::store::StoreError;

/// How many events are read from the store at once.
const PAGE: usize = 1_024;
/// How many approvals are read in one transaction.
const AT_ONCE: usize = 64;
/// The most digests of others' events in a bundle: more would make it too large to be verified by
/// a service once a client has indented it.
const DIGESTS_MAX: u64 = 100_000;
/// The most bytes of payloads in a bundle, and as many of submissions.
const BYTES_MAX: usize = 8 << 20;

impl Engine {
    /// Everything about one approval, for whoever may read its record.
    pub(super) fn approval_bundle(
        &self,
        caller: &Principal,
        approval_id: &str,
        moment: &Moment,
    ) -> Result<String, Stop> {
        let id = known(approval_id)?;
        // Time acts on it first, so that the bundle says how it stands.
        if let Reply::Refused(refusal) = self.run(Command::Look(caller, id), moment)? {
            return Err(refusal.into());
        }
        let filter = EventFilter {
            approval_id: Some(id),
            ..EventFilter::default()
        };
        let found = self.find(caller, &filter, BUNDLE_EVENTS_MAX)?;
        if found.events.is_empty() {
            let reason = "the audit events of the approval are no longer kept";
            return Err(Refusal::new(Word::NotFound, reason).into());
        }
        self.bundle(caller, Scope::Approval(id), found, moment)
    }

    /// What happened within a time.
    pub(super) fn range_bundle(
        &self,
        caller: &Principal,
        [from, to]: [&str; 2],
        limit: usize,
        moment: &Moment,
    ) -> Result<String, Stop> {
        may_audit(caller)?;
        check_limit(limit)?;
        let (from, to) = range(from, to)?;
        let filter = EventFilter {
            from: Some(from),
            to: Some(to),
            ..EventFilter::default()
        };
        let found = self.find(caller, &filter, limit)?;
        self.bundle(caller, Scope::TimeRange { from, to, limit }, found, moment)
    }

    /// The newest events of the organisation.
    pub(super) fn organisation_bundle(
        &self,
        caller: &Principal,
        limit: usize,
        moment: &Moment,
    ) -> Result<String, Stop> {
        may_audit(caller)?;
        check_limit(limit)?;
        let found = self.find(caller, &EventFilter::default(), limit)?;
        self.bundle(caller, Scope::Organisation { limit }, found, moment)
    }

    /// The newest `limit` events that fit, in order.
    fn find(
        &self,
        caller: &Principal,
        filter: &EventFilter<'_>,
        limit: usize,
    ) -> Result<Found, StoreError> {
        let store = &self.inner.store;
        let mut events = store.find_events(caller.organisation(), filter, limit + 1)?;
        let mut cut = events.len() > limit;
        events.truncate(limit);
        let mut bytes = 0;
        let fits = |event: &Event| {
            bytes += event.payload.len();
            bytes <= BYTES_MAX
        };
        // The newest are kept: they hold how it ended.
        let most = events.iter().map(fits).take_while(|fits| *fits).count();
        cut |= most < events.len();
        // One is always shown, however large.
        events.truncate(most.max(1));
        events.reverse();
        Ok(Found { events, cut })
    }

    fn bundle(
        &self,
        caller: &Principal,
        scope: Scope,
        found: Found,
        moment: &Moment,
    ) -> Result<String, Stop> {
        let mut limitations = vec![
            "It shows what was decided, started and reported; what an action did, it does not \
             show."
                .to_owned(),
        ];
        if self.inner.audit_key.is_none() {
            let what = "It is not signed: whoever holds it could have written it. Compare it with \
                        the service that made it, or with a receipt kept elsewhere.";
            limitations.push(what.to_owned());
        }
        if found.cut {
            let count = found.events.len();
            limitations.push(format!(
                "Only the newest {count} events are shown: older ones that belong to it are left \
                 out."
            ));
        }
        let submissions = self.submissions(&found.events, &mut limitations)?;
        let segments = self.segments(caller, found.events, &mut limitations)?;
        let draft = Draft {
            id: moment.entropy.clone().draw_id(),
            scope,
            organisation: (**caller.organisation()).into(),
            created_at: moment.now,
            segments,
            submissions,
            limitations,
        };
        Ok(draft.finish(self.inner.audit_key.as_ref())?)
    }

    /// What was submitted for the approvals that the events are about.
    fn submissions(
        &self,
        events: &[Event],
        limitations: &mut Vec<String>,
    ) -> Result<Vec<Submission>, StoreError> {
        let ids: BTreeSet<ApprovalId> = events
            .iter()
            .filter_map(|event| event.approval_id)
            .collect();
        let ids: Vec<ApprovalId> = ids.into_iter().collect();
        let mut submissions = Vec::with_capacity(ids.len());
        let mut bytes = 0;
        for ids in ids.chunks(AT_ONCE) {
            for submission in self.submissions_of(ids)? {
                bytes += submission.len();
                if bytes <= BYTES_MAX {
                    submissions.push(submission);
                }
            }
        }
        let left_out = ids.len() - submissions.len();
        if left_out > 0 {
            limitations.push(format!(
                "What was submitted is left out for {left_out} approvals: it is no longer kept, or \
                 does not fit."
            ));
        }
        Ok(submissions)
    }

    fn submissions_of(&self, ids: &[ApprovalId]) -> Result<Vec<Submission>, StoreError> {
        let mut found = Vec::new();
        self.inner.store.transact(&mut |state| {
            found.clear();
            for id in ids {
                let approval = state.approval(*id)?;
                found.extend(approval.as_ref().and_then(Submission::of));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The events with what lies between them, up to the checkpoint that signs them, if it has come.
    fn segments(
        &self,
        caller: &Principal,
        events: Vec<Event>,
        limitations: &mut Vec<String>,
    ) -> Result<Vec<Segment>, StoreError> {
        let mut chain = Chain {
            engine: self,
            organisation: caller.organisation(),
            digests_left: DIGESTS_MAX,
            segments: Vec::new(),
        };
        for event in events {
            chain.take(event)?;
        }
        if !chain.reach_checkpoint()? {
            limitations.push("No signed checkpoint follows its last event yet.".to_owned());
        }
        if chain.segments.len() > 1 {
            let what = "It shows the log in parts: what lies between them is not in it, and only \
                        the log itself joins them.";
            limitations.push(what.to_owned());
        }
        if chain.digests_left < DIGESTS_MAX {
            let what = "Events of others stand in it as digests alone: it says nothing of them.";
            limitations.push(what.to_owned());
        }
        Ok(chain.segments)
    }
}

/// The events that a bundle is about, oldest first.
struct Found {
    events: Vec<Event>,
    /// Whether older ones were left out.
    cut: bool,
}

/// Segments being put together.
struct Chain<'a> {
    engine: &'a Engine,
    organisation: &'a str,
    digests_left: u64,
    segments: Vec<Segment>,
}

impl Chain<'_> {
    /// Adds an event of the bundle, and what lies between it and the one before.
    fn take(&mut self, event: Event) -> Result<(), StoreError> {
        let last = self.end();
        let between = last.map(|last| event.seq.saturating_sub(last + 1));
        match (last, between) {
            (Some(last), Some(between)) if between <= self.digests_left => {
                self.fill(last, event.seq)?;
            }
            // The first one, or too far away to show what lies between.
            _ => {
                let after = self.place_before(&event)?;
                self.segments.push(Segment {
                    after,
                    events: Vec::new(),
                });
            }
        }
        self.push(Shown::Whole(event));
        Ok(())
    }

    /// The number of the last event so far.
    fn end(&self) -> Option<u64> {
        match self.segments.last()?.events.last()? {
            Shown::Whole(event) => Some(event.seq),
            Shown::Digest { seq, .. } => Some(*seq),
        }
    }

    fn push(&mut self, shown: Shown) {
        if let Some(segment) = self.segments.last_mut() {
            segment.events.push(shown);
        }
    }

    /// The events after `last` and before `until`: checkpoints whole, others as digests.
    fn fill(&mut self, mut last: u64, until: u64) -> Result<(), StoreError> {
        while last + 1 < until {
            let page = self.page(last, until - last - 1)?;
            let Some(end) = page.last() else {
                return Err(StoreError::new("the audit log has a gap"));
            };
            last = end.seq;
            for event in page {
                self.push_other(event);
            }
        }
        Ok(())
    }

    fn push_other(&mut self, event: Event) {
        if event.kind == EventKind::Checkpoint {
            self.push(Shown::Whole(event));
        } else {
            self.digests_left = self.digests_left.saturating_sub(1);
            self.push(Shown::Digest {
                seq: event.seq,
                payload: Digest::of(event.payload.as_bytes()),
            });
        }
    }

    /// Goes on to the first checkpoint that signs the last event. Nothing is added when none has
    /// come, or too late; then it says no.
    fn reach_checkpoint(&mut self) -> Result<bool, StoreError> {
        let Some(segment) = self.segments.last() else {
            return Ok(true);
        };
        if let Some(Shown::Whole(event)) = segment.events.last()
            && event.kind == EventKind::Checkpoint
        {
            return Ok(true);
        }
        let Some(mut last) = self.end() else {
            return Ok(false);
        };
        let mut others = Vec::new();
        let most = self.digests_left.min(2 * CHECKPOINT_EVERY);
        while (others.len() as u64) < most {
            let page = self.page(last, most - others.len() as u64)?;
            let Some(end) = page.last() else { break };
            last = end.seq;
            for event in page {
                let is_checkpoint = event.kind == EventKind::Checkpoint;
                others.push(event);
                if is_checkpoint {
                    for event in others {
                        self.push_other(event);
                    }
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn page(&self, after: u64, most: u64) -> Result<Vec<Event>, StoreError> {
        let most = usize::try_from(most).unwrap_or(PAGE).min(PAGE);
        self.engine
            .inner
            .store
            .events(self.organisation, after, most)
    }

    /// The place in the chain before an event.
    fn place_before(&self, event: &Event) -> Result<Head, StoreError> {
        let store = &self.engine.inner.store;
        let before = event.seq.saturating_sub(1);
        let first = store.first_anchor(self.organisation)?;
        if first.seq == before {
            return Ok(first);
        }
        let found = store.events(self.organisation, before.saturating_sub(1), 1)?;
        match found.first() {
            Some(found) if found.seq == before => Ok(found.receipt()),
            _ => Err(StoreError::new("the audit log has a gap")),
        }
    }
}

fn check_limit(limit: usize) -> Result<(), Refusal> {
    if (1..=BUNDLE_EVENTS_MAX).contains(&limit) {
        Ok(())
    } else {
        Err(invalid("`limit` must be 1 to 5000"))
    }
}

/// From when until before when.
fn range(from: &str, to: &str) -> Result<(Timestamp, Timestamp), Refusal> {
    let begin = Timestamp::parse(from).or_else(|| Timestamp::parse_day(from));
    // A day is meant whole.
    let end = Timestamp::parse(to).or_else(|| Timestamp::parse_day(to).map(Timestamp::next_day));
    let what = "must be a date such as 2026-11-22 or a time such as 2026-11-22T12:30:00Z";
    let begin = begin.ok_or_else(|| invalid(format!("`date_from` {what}")))?;
    let end = end.ok_or_else(|| invalid(format!("`date_to` {what}")))?;
    if begin < end {
        Ok((begin, end))
    } else {
        Err(invalid("`date_from` must be before `date_to`"))
    }
}
