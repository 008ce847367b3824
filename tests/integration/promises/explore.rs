//! Generates cases, runs them on many rigs at once, and counts which rows of the tables they met.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::case::Case;
use super::rig::{Rig, lock};

/// How often each row of the tables was met.
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<String, usize>>);

impl Tally {
    pub fn add(&self, rows: &[String]) {
        let mut counts = lock(&self.0);
        for row in rows {
            *counts.entry(row.clone()).or_default() += 1;
        }
    }

    /// Prints the counts; fails when one of `rows` was never met.
    pub fn must_have_met(&self, rows: &[&str]) {
        let counts = lock(&self.0);
        counts
            .iter()
            .for_each(|(row, count)| println!("{count:>7}  {row}"));
        let missed: Vec<_> = rows
            .iter()
            .filter(|row| !counts.contains_key(**row))
            .collect();
        assert!(missed.is_empty(), "the generator never met {missed:?}");
    }
}

/// Runs `cases` cases (or as many as `SERNIXA_TEST_CASES` says) on `workers` rigs at once. Waiting and
/// slow answers cost time, not work, so there may be many more workers than cores.
///
/// A failure prints the seed; `SERNIXA_TEST_SEED` repeats the run. Fails when one of `rows` was
/// never met.
pub fn explore<S>(cases: usize, workers: usize, strategy: impl Fn() -> S + Sync, rows: &[&str])
where
    S: Strategy<Value = Case>,
{
    explore_in_turn(
        cases,
        workers,
        || strategy().prop_map(|case| vec![case]),
        rows,
    );
}

/// The same for cases that follow each other on one client.
pub fn explore_in_turn<S>(
    cases: usize,
    workers: usize,
    strategy: impl Fn() -> S + Sync,
    rows: &[&str],
) where
    S: Strategy<Value = Vec<Case>>,
{
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().expect("a number"))
    };
    let usual = cases;
    let cases = number("SERNIXA_TEST_CASES").map_or(usual, |n| usize::try_from(n).unwrap());
    let seed = number("SERNIXA_TEST_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    let tally = Tally::default();
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (tally, strategy) = (&tally, &strategy);
            scope.spawn(move || {
                let mut bytes = [0; 32];
                bytes[..8].copy_from_slice(&seed.to_le_bytes());
                bytes[8] = u8::try_from(worker).unwrap();
                let config = Config {
                    cases: u32::try_from(cases.div_ceil(workers)).unwrap(),
                    failure_persistence: None,
                    max_shrink_iters: 300,
                    ..Config::default()
                };
                let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
                let rig = std::cell::RefCell::new(Rig::new());
                let outcome = TestRunner::new_with_rng(config, rng).run(&strategy(), |cases| {
                    rig.borrow_mut()
                        .check_in_turn(&cases, tally)
                        .map_err(TestCaseError::fail)
                });
                match outcome {
                    Ok(()) => {}
                    Err(TestError::Fail(why, cases)) => {
                        panic!("{why}\n{cases:#?}\nSERNIXA_TEST_SEED={seed}")
                    }
                    Err(TestError::Abort(why)) => panic!("{why}"),
                }
            });
        }
    });
    tally.must_have_met(if cases < usual { &[] } else { rows });
}
