//! One case: what the call is like, what the server answers, and what the predicate makes of it.

use proptest::prelude::*;
use sernixa::RiskLevel;

use super::predicate::{self, Call, Kind, Pending, Seen, Step, Verdict};
use super::shot::{Shot, Values};

/// What the call and its client are like.
#[allow(
    clippy::struct_excessive_bools,
    reason = "settings, independent of each other"
)]
#[derive(Clone, Debug)]
pub struct Setup {
    pub risk: RiskLevel,
    pub accept_immediate_high_risk: bool,
    pub require_claim: bool,
    /// The client was offered `claim` by an earlier answer.
    pub once_offered: bool,
    /// Through `run_async`, else through `run`.
    pub asynchronous: bool,
    /// Through the MCP call gate, else as an action.
    pub call_gate: bool,
    pub max_retries: usize,
}

impl Setup {
    /// A low-risk call through the sync door of a client with all defaults and no retries.
    pub fn plain() -> Self {
        Self {
            risk: RiskLevel::Low,
            accept_immediate_high_risk: false,
            require_claim: false,
            once_offered: false,
            asynchronous: false,
            call_gate: false,
            max_retries: 0,
        }
    }

    pub fn any() -> impl Strategy<Value = Self> {
        use RiskLevel::{Critical, High, Low, Medium};
        let risk =
            prop_oneof![5 => Just(Low), 3 => Just(Medium), 2 => Just(High), 1 => Just(Critical)];
        let (accept, gate) = (prop::bool::weighted(0.15), prop::bool::weighted(0.25));
        (risk, accept, any::<bool>(), gate).prop_map(|(risk, accept, asynchronous, call_gate)| {
            Self {
                risk,
                accept_immediate_high_risk: accept,
                asynchronous,
                call_gate,
                ..Self::plain()
            }
        })
    }
}

/// What the server answers: the n-th request gets the n-th answer, then always the last.
#[derive(Clone, Debug)]
pub struct Case {
    pub setup: Setup,
    pub submissions: Vec<Shot>,
    pub records: Vec<Shot>,
    pub claims: Vec<Shot>,
}

impl Case {
    pub fn nth(shots: &[Shot], nth: usize) -> Shot {
        let last = shots.last().expect("at least one answer");
        shots.get(nth).unwrap_or(last).clone()
    }
}

/// What should come of a case.
#[derive(Debug, Default)]
pub struct Expected {
    /// `None`: the body runs.
    pub refused: Option<Kind>,
    pub pending: Option<Pending>,
    pub submissions: usize,
    pub claims: usize,
    /// What the last answer was, as the predicate sees it.
    pub last: Option<Seen>,
    /// The answer to the submission offered claims.
    pub offered: bool,
    /// An answer on the way never came.
    pub late: bool,
    /// Which rows of the tables were met, for counting.
    pub rows: Vec<String>,
}

/// Walks a case through the predicate.
pub fn expect(case: &Case, values: &Values) -> Expected {
    let setup = &case.setup;
    let mut call = Call {
        grave: matches!(setup.risk, RiskLevel::High | RiskLevel::Critical),
        accept_immediate_high_risk: setup.accept_immediate_high_risk,
        require_claim: setup.require_claim,
        once_offered: setup.once_offered,
        request_id: values.request_id.clone(),
        body_hash: values.body_hash.clone(),
        by_gate: setup.call_gate,
    };
    let late = |shot: &Shot| matches!(shot.seen(values), Seen::Late);
    let mut expected = Expected::default();
    let (seen, made) = attempts(&case.submissions, setup.max_retries, values);
    expected.submissions = made;
    expected.late |= case.submissions.iter().take(made).any(late);
    if setup.call_gate {
        call.body_hash = predicate::said_hash(&seen);
    }
    let verdict = predicate::submission(&call, &seen);
    expected.offered = predicate::offered(&call, &seen);
    let word = match &verdict {
        Verdict::Runs => "runs".to_owned(),
        Verdict::Waits(_) => "waits".to_owned(),
        Verdict::Refuses(kind) => format!("{kind:?}"),
    };
    expected
        .rows
        .push(format!("submission: {} → {word}", class(&seen)));
    expected.last = Some(seen);
    let pending = match verdict {
        Verdict::Runs => return expected,
        Verdict::Refuses(kind) => {
            expected.refused = Some(kind);
            return expected;
        }
        Verdict::Waits(pending) => pending,
    };
    expected.pending = Some(pending.clone());

    for n in 0.. {
        assert!(n <= case.records.len(), "the last record must end the wait");
        let seen = Case::nth(&case.records, n).seen(values);
        expected.late |= matches!(seen, Seen::Late);
        let step = predicate::record(&call, &pending, &seen);
        let word = match step {
            Step::Opens => "opens".to_owned(),
            Step::KeepsWaiting => "keeps waiting".to_owned(),
            Step::Refuses(kind) => format!("{kind:?}"),
        };
        expected
            .rows
            .push(format!("record: {} → {word}", class(&seen)));
        expected.last = Some(seen);
        match step {
            Step::KeepsWaiting => {}
            Step::Opens => break,
            Step::Refuses(kind) => {
                expected.refused = Some(kind);
                return expected;
            }
        }
    }
    if !pending.claims {
        return expected;
    }

    let (seen, made) = attempts(&case.claims, setup.max_retries, values);
    expected.claims = made;
    expected.late |= case.claims.iter().take(made).any(late);
    expected.refused = predicate::claim(&call, &pending, &values.claim_id, &seen);
    let word = expected
        .refused
        .map_or("runs".to_owned(), |kind| format!("{kind:?}"));
    expected
        .rows
        .push(format!("claim: {} → {word}", class(&seen)));
    expected.last = Some(seen);
    expected
}

/// The answer that counts after the retries, and how many attempts that takes.
fn attempts(shots: &[Shot], max_retries: usize, values: &Values) -> (Seen, usize) {
    let mut made = 0;
    loop {
        let seen = Case::nth(shots, made).seen(values);
        made += 1;
        if made > max_retries || !predicate::retried(&seen) {
            return (seen, made);
        }
    }
}

/// The row's head: what came.
fn class(seen: &Seen) -> String {
    match seen {
        Seen::Late => "late".to_owned(),
        Seen::Broken => "broken".to_owned(),
        Seen::TooLarge => "too large".to_owned(),
        Seen::Answer(answer) => match answer.status {
            status @ (200 | 202 | 401 | 403 | 404 | 409 | 410 | 429) => status.to_string(),
            300..=399 => "3xx".to_owned(),
            500..=599 => "5xx".to_owned(),
            _ => "other".to_owned(),
        },
    }
}
