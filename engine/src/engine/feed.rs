//! What changed since an audit number: for those who follow an organisation from outside, or after
//! a break, or from another process.

use std::sync::Arc;

use crate::answer::Reply;
use crate::approval::ApprovalId;
use crate::audit::Head;
use crate::change::{Change, ChangeKind};
use crate::engine::Engine;
use crate::moment::{Moment, Timestamp};
use crate::principal::Principal;
use crate::record::Record;
use crate::step::Command;
use crate::store::StoreError;

/// A part of an organisation's changes.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The changes, in the order in which they were recorded. Each shows the approval as it stands
    /// now, not as it stood then.
    pub changes: Vec<Change>,
    /// Up to which audit event this part reaches: ask for the next one after it.
    pub reaches: u64,
}

/// How things stand at one audit event: for those who follow from there on.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The last audit event that it takes in: changes come after it.
    pub reaches: u64,
    /// What waits for review, oldest first.
    pub pending: Vec<Record>,
    /// What a person decided lately, in the order of decision.
    pub decided: Vec<Record>,
}

impl Engine {
    /// What the caller may see of what waits, and of what was decided at or after `since`: at most
    /// `limit` of each, read in one transaction.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn snapshot(
        &self,
        caller: &Principal,
        since: Timestamp,
        limit: usize,
        moment: &Moment,
    ) -> Result<Snapshot, StoreError> {
        match self.run(Command::Snapshot(caller, since, limit), moment)? {
            Reply::Snapshot {
                reaches,
                pending,
                decided,
            } => Ok(Snapshot {
                reaches,
                pending: pending.into_iter().map(Record::new).collect(),
                decided: decided.into_iter().map(Record::new).collect(),
            }),
            _ => Err(StoreError::new(
                "a snapshot was answered with something else",
            )),
        }
    }

    /// Whether everything after audit event `after` can still be told: it was recorded, and nothing
    /// behind it was dropped.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn tells_from(&self, organisation: &str, after: u64) -> Result<bool, StoreError> {
        let first = self.kept_from(organisation)?;
        Ok((first..=self.head(organisation)?.seq).contains(&after))
    }

    /// The audit event behind which everything is kept: 0, unless old events were dropped.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn kept_from(&self, organisation: &str) -> Result<u64, StoreError> {
        Ok(self.inner.store.first_anchor(organisation)?.seq)
    }

    /// The changes of an organisation's approvals that were recorded after audit event `after`,
    /// from at most `limit` events. The caller decides who may see which.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn changes(
        &self,
        organisation: &str,
        after: u64,
        limit: usize,
    ) -> Result<Feed, StoreError> {
        let store = &self.inner.store;
        let events = store.events(organisation, after, limit)?;
        let reaches = events.last().map_or(after, |event| event.seq);
        let wanted: Vec<(ChangeKind, u64, ApprovalId)> = events
            .iter()
            .filter_map(|event| Some((ChangeKind::of(event.kind)?, event.seq, event.approval_id?)))
            .collect();
        let mut changes = Vec::with_capacity(wanted.len());
        if !wanted.is_empty() {
            store.transact(&mut |state| {
                changes.clear();
                for (kind, seq, id) in &wanted {
                    // An approval that is no longer kept has nobody who waits for it.
                    let approval = state.approval(*id)?;
                    changes
                        .extend(approval.map(|approval| Change::of_event(*kind, *seq, approval)));
                }
                Ok(())
            })?;
        }
        Ok(Feed { changes, reaches })
    }

    /// The end of an organisation's audit chain.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn head(&self, organisation: &str) -> Result<Head, StoreError> {
        let mut head = None;
        self.inner.store.transact(&mut |state| {
            head = Some(state.head(organisation)?);
            Ok(())
        })?;
        head.ok_or_else(|| StoreError::new("the store did not run the command"))
    }

    /// Every organisation that has an audit chain.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn organisations(&self) -> Result<Vec<Arc<str>>, StoreError> {
        self.inner.store.organisations()
    }

    /// A number that is another one once another process has changed something in the store: then
    /// ask for [`changes`](Self::changes). Always 0 where no other process can, and never 0 where
    /// one can. [`follow`](Self::follow) does the asking.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn version(&self) -> Result<u64, StoreError> {
        self.inner.store.version()
    }
}
