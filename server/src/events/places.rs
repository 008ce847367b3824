//! How many streams there may be: in all, and of one key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sernixa_engine::Principal;

/// A key of an organisation.
type Holder = (Arc<str>, Arc<str>);

/// The places that are taken.
#[derive(Default)]
pub(super) struct Places {
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    of_key: HashMap<Holder, usize>,
}

/// A place; dropping it gives it back.
pub(super) struct Place {
    places: Arc<Places>,
    holder: Holder,
}

impl Places {
    /// A place for one more stream of the caller's key, unless there are as many as there may be.
    pub(super) fn take(
        self: &Arc<Self>,
        caller: &Principal,
        in_all: usize,
        of_key: usize,
    ) -> Option<Place> {
        let holder = (Arc::clone(caller.organisation()), Arc::clone(caller.key()));
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let held = taken.of_key.get(&holder).copied().unwrap_or_default();
        if taken.total >= in_all || held >= of_key {
            return None;
        }
        taken.total += 1;
        taken.of_key.insert(holder.clone(), held + 1);
        Some(Place {
            places: Arc::clone(self),
            holder,
        })
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.total
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let taken = &self.places.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.total = taken.total.saturating_sub(1);
        if let Some(held) = taken.of_key.get_mut(&self.holder) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                taken.of_key.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_cannot_take_every_place_and_a_place_comes_back() {
        let places = Arc::new(Places::default());
        let key = |name: &'static str| Principal::new("acme", name);
        let take = |name| places.take(&key(name), 3, 2);
        let (first, _second) = (take("a").unwrap(), take("a").unwrap());
        assert!(take("a").is_none());
        let _other = take("b").unwrap();
        assert!(take("c").is_none());
        drop(first);
        assert!(take("c").is_some());
        assert!(take("a").is_some());
        assert_eq!(places.taken(), 2);
    }
}
