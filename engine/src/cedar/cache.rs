//! Verdicts that were given already. The key is everything that policies can read, compared whole:
//! two questions that differ anywhere never share a verdict.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::policy::Verdict;

/// The most verdicts that are kept.
const MAX_ENTRIES: usize = 4_096;
/// The longest key that is kept, in bytes: the cache of one set takes at most 16 MiB of keys.
const MAX_KEY_BYTES: usize = 4_096;

/// The verdicts of one loaded set. It goes with the set.
#[derive(Default)]
pub(super) struct Cache {
    verdicts: RwLock<HashMap<Box<[u8]>, Verdict>>,
}

impl Cache {
    pub(super) fn get(&self, key: &[u8]) -> Option<Verdict> {
        let verdicts = self.verdicts.read().unwrap_or_else(PoisonError::into_inner);
        verdicts.get(key).cloned()
    }

    /// Keeps a verdict. A cache that is full begins anew: what is asked often is soon back.
    pub(super) fn put(&self, key: Vec<u8>, verdict: &Verdict) {
        if key.len() > MAX_KEY_BYTES {
            return;
        }
        let mut verdicts = self
            .verdicts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if verdicts.len() >= MAX_ENTRIES {
            verdicts.clear();
        }
        verdicts.insert(key.into_boxed_slice(), verdict.clone());
    }
}
