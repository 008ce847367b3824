//! Telling identical calls that wait at the same time apart: each has a number of its own, so that
//! each gets an approval of its own. A call that is made again later has the number again, and finds
//! its approval.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// What makes calls identical.
pub(super) type Key = [u8; 32];

/// The numbers in use, and by how many calls: one, but for a call that says its number itself.
type Taken = HashMap<Key, BTreeMap<u32, u32>>;

/// The numbers that are in use.
#[derive(Clone, Default)]
pub(super) struct Ordinals {
    taken: Arc<Mutex<Taken>>,
}

/// A number in use, until it is dropped.
pub(super) struct Ordinal {
    taken: Arc<Mutex<Taken>>,
    key: Key,
    number: u32,
}

impl Ordinals {
    /// The number of a call: the one that its sealed state says, else the lowest that is free.
    pub(super) fn take(&self, key: Key, said: Option<u32>) -> Ordinal {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = taken.entry(key).or_default();
        let number = said.unwrap_or_else(|| {
            (0..)
                .zip(of_key.keys())
                .find(|(free, used)| free != *used)
                .map_or_else(
                    || u32::try_from(of_key.len()).unwrap_or(u32::MAX),
                    |(free, _)| free,
                )
        });
        *of_key.entry(number).or_default() += 1;
        Ordinal {
            taken: Arc::clone(&self.taken),
            key,
            number,
        }
    }
}

impl Ordinal {
    pub(super) fn number(&self) -> u32 {
        self.number
    }
}

impl Drop for Ordinal {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_key) = taken.get_mut(&self.key) else {
            return;
        };
        if let Some(calls) = of_key.get_mut(&self.number) {
            *calls -= 1;
            if *calls == 0 {
                of_key.remove(&self.number);
            }
        }
        if of_key.is_empty() {
            taken.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identical_calls_at_once_have_numbers_of_their_own_and_later_ones_have_them_again() {
        let ordinals = Ordinals::default();
        let (a, b) = ([1; 32], [2; 32]);
        let zero = ordinals.take(a, None);
        let one = ordinals.take(a, None);
        let two = ordinals.take(a, None);
        let numbers = [&zero, &one, &two].map(Ordinal::number);
        assert_eq!(numbers, [0, 1, 2]);
        assert_eq!(ordinals.take(b, None).number(), 0);
        drop(one);
        assert_eq!(ordinals.take(a, None).number(), 1);
        let again = ordinals.take(a, Some(2));
        drop(two);
        let one = ordinals.take(a, None);
        assert_eq!((again.number(), one.number()), (2, 1));
        assert_eq!(ordinals.take(a, None).number(), 3, "2 is still in use");
        drop((zero, one, again));
        assert!(ordinals.taken.lock().unwrap().is_empty());
    }
}
