//! Hearing of what other processes did to the same store.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::audit::EventFilter;
use crate::change::Change;
use crate::engine::Engine;
use crate::store::StoreError;

/// How many events of an organisation are looked at in one go.
const AT_ONCE: usize = 1024;

/// Follows a store that other processes change, too: [`Engine::subscribe`] tells what this process
/// does, and this what the others do.
///
/// Asking costs two microseconds while nobody else writes, so it may be asked some twenty to fifty
/// times a second, while anyone wants to know.
pub struct Follower {
    engine: Engine,
    /// The store's version when it was last looked through; `None`: there is more to look at.
    version: Option<u64>,
    /// Up to which event each organisation's chain is known.
    reached: HashMap<Arc<str>, u64>,
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower")
            .field("version", &self.version)
            .field("reached", &self.reached)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Follows the store from now on: what was recorded before is no news.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn follow(&self) -> Result<Follower, StoreError> {
        let mut follower = Follower {
            engine: self.clone(),
            version: None,
            reached: HashMap::new(),
        };
        follower.skip()?;
        Ok(follower)
    }
}

impl Follower {
    /// What was recorded since it was last asked, in the order of each organisation's chain, if
    /// another process has written anything. A change shows its approval as it stands now.
    ///
    /// Changes by this process are among them, once another one writes: whoever has heard of them
    /// already tells them by [`Change::seq`]. Many are given in several parts; the next call goes
    /// on at once.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails. Nothing is skipped: the next call tries again.
    pub fn news(&mut self) -> Result<Vec<Change>, StoreError> {
        let version = self.engine.version()?;
        if self.version == Some(version) {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        let mut reached = Vec::new();
        let mut is_all = true;
        for organisation in self.engine.organisations()? {
            // A chain that is new has no past.
            let after = self.reached.get(&organisation).copied().unwrap_or_default();
            let feed = self.engine.changes(&organisation, after, AT_ONCE)?;
            is_all &= feed.reaches.saturating_sub(after) < AT_ONCE as u64;
            changes.extend(feed.changes);
            reached.push((organisation, feed.reaches));
        }
        self.reached.extend(reached);
        self.version = is_all.then_some(version);
        Ok(changes)
    }

    /// Takes everything until now for known: after a time in which nobody wanted to know.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn skip(&mut self) -> Result<(), StoreError> {
        // The version first: what is written in between is looked at again.
        let version = self.engine.version()?;
        for organisation in self.engine.organisations()? {
            // Not the head as a transaction sees it: no lock is waited for here.
            let all = EventFilter::default();
            let last = self
                .engine
                .inner
                .store
                .find_events(&organisation, &all, 1)?;
            let seq = last.first().map_or(0, |event| event.seq);
            self.reached.insert(organisation, seq);
        }
        self.version = Some(version);
        Ok(())
    }
}
