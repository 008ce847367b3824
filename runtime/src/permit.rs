//! Permits (placeholder until the real one lands).

/// How a body ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Succeeded,
    Failed(Option<&'static str>),
    Panicked,
    Cancelled,
    Returned,
}

/// Leave to run.
#[derive(Debug)]
#[must_use]
pub struct Permit;

impl Permit {
    pub(crate) fn finish(self, outcome: Outcome) {
        let _ = outcome;
    }
}
