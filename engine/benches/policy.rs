//! Policy verdicts: split and sliced against Cedar as it comes, in the same run.
//!
//! `cargo bench -p sernixa-engine --features cedar --bench policy` prints p50 for 10, 100 and 1,000
//! policies and for a remembered verdict; exits with 1 when a ratio of DESIGN 13 is missed. Absolute
//! figures depend on the machine; the ratios to Cedar in the same run are what is judged.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet as CedarSet, Request,
    RestrictedExpression,
};
use sernixa_engine::cedar::{PolicySet, Sources};
use sernixa_engine::{
    BuiltInPolicy, Digest, Engine, Moment, Policy, Principal, Question, Request as Wire, Subject,
    Timestamp, Verdict,
};

/// What DESIGN 13 asks: how many policies, and sliced against whole in µs, as the prototype had it.
const GOALS: [(usize, f64, f64); 3] =
    [(10, 3.9, 13.0), (100, 21.0, 122.0), (1_000, 209.0, 1_287.0)];
/// How far above the prototype's ratio a ratio may be.
const LEEWAY: f64 = 1.5;
/// What a remembered verdict may take, in µs.
const REMEMBERED: f64 = 0.06 * LEEWAY;

const METADATA: &str = "type Metadata = { cents?: Long };";

/// One policy in four applies to every tool; the rest name a tool, an intent or an agent.
fn policies(count: usize) -> String {
    let mut text = String::from(
        "@id(\"ask\") permit (principal, action == Sernixa::Action::\"request\", resource);\n",
    );
    for at in 0..count {
        let (principal, resource) = match at % 4 {
            0 => ("principal".to_owned(), "resource".to_owned()),
            1 => (
                "principal".to_owned(),
                format!("resource == Sernixa::Tool::\"t{at}\""),
            ),
            2 => (
                "principal".to_owned(),
                format!("resource in Sernixa::Intent::\"i{at}\""),
            ),
            _ => (
                format!("principal == Sernixa::Agent::\"a{at}\""),
                "resource".to_owned(),
            ),
        };
        let _ = writeln!(
            text,
            "@id(\"p{at}\") permit ({principal}, action == Sernixa::Action::\"proceed\", {resource}) \
             when {{ context.risk_level == \"low\" && context.metadata has cents \
             && context.metadata.cents < {at} }};"
        );
    }
    text
}

/// A policy that keeps what it was asked about.
struct Capture(Mutex<Option<Subject>>);

impl Policy for Capture {
    fn digest(&self) -> Digest {
        BuiltInPolicy.digest()
    }

    fn verdict(&self, question: &Question<'_>) -> Verdict {
        *self.0.lock().unwrap() = Some(question.subject.clone());
        BuiltInPolicy.verdict(question)
    }
}

/// The subject of a submission, as an engine makes it.
fn subject(metadata: &str) -> Subject {
    let capture = Arc::new(Capture(Mutex::new(None)));
    let policy: Arc<dyn Policy> = capture.clone();
    let engine = Engine::builder().policy(policy).build().unwrap();
    let body = format!(
        r#"{{"intent_id":"refund","action_id":"refund-invoice","metadata":{{"risk_level":"low",
        "operation_class":"financial","data_sensitivity":"financial",
        "systems_touched":["stripe","postgres"],"function":"refund_invoice","module":"billing",
        "policy_surface":"rust_sdk"{metadata}}}}}"#
    );
    let moment = Moment::new(Timestamp::from_millis(1_778_000_000_000), [7; 32]);
    let answer = engine.handle(&Principal::local(), Wire::Submit { body: &body }, &moment);
    assert_eq!(answer.status, 202, "{}", answer.body);
    let found = capture.0.lock().unwrap().take();
    found.expect("the policy was asked")
}

/// The p50 of batches, in µs a call: the lowest of five runs, since the machine is shared.
fn p50(batch: usize, mut call: impl FnMut()) -> f64 {
    let runs = (0..5).map(|_| median(batch, &mut call));
    runs.fold(f64::MAX, f64::min)
}

/// The same of two, in turn, so that whatever disturbs one disturbs the other.
fn p50_in_turn(
    (one_batch, mut one): (usize, impl FnMut()),
    (other_batch, mut other): (usize, impl FnMut()),
) -> (f64, f64) {
    let runs = (0..9).map(|_| (median(one_batch, &mut one), median(other_batch, &mut other)));
    runs.fold((f64::MAX, f64::MAX), |best, run| {
        (best.0.min(run.0), best.1.min(run.1))
    })
}

fn median(batch: usize, call: &mut impl FnMut()) -> f64 {
    let mut samples: Vec<f64> = (0..31)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..batch {
                call();
            }
            start.elapsed().as_secs_f64() * 1e6 / batch as f64
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Both questions put to one set, with a context and entities made for each verdict, as ours are.
struct AsItComes {
    authorizer: Authorizer,
    policies: CedarSet,
    names: [EntityUid; 5],
}

impl AsItComes {
    fn new(text: &str) -> Self {
        Self {
            authorizer: Authorizer::new(),
            policies: text.parse().unwrap(),
            names: [
                "Sernixa::Agent::\"owner:local\"",
                "Sernixa::Tool::\"refund-invoice\"",
                "Sernixa::Intent::\"refund\"",
                "Sernixa::Action::\"request\"",
                "Sernixa::Action::\"proceed\"",
            ]
            .map(|name| name.parse().unwrap()),
        }
    }

    fn ask(&self) -> [Decision; 2] {
        let [agent, tool, intent, request, proceed] = &self.names;
        let parents = [intent.clone()].into_iter().collect();
        let entity = Entity::new_no_attrs(tool.clone(), parents);
        let entities = Entities::from_entities([entity], None).unwrap();
        let context = context();
        [request, proceed].map(|action| {
            let (agent, tool) = (agent.clone(), tool.clone());
            let request = Request::new(agent, action.clone(), tool, context.clone(), None).unwrap();
            self.authorizer
                .is_authorized(&request, &self.policies, &entities)
                .decision()
        })
    }
}

fn context() -> Context {
    let string = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let long = RestrictedExpression::new_long;
    let systems = RestrictedExpression::new_set([string("stripe"), string("postgres")]);
    let metadata = RestrictedExpression::new_record([("cents".to_owned(), long(1_000_000))]);
    Context::from_pairs(
        [
            ("risk", long(1)),
            ("risk_level", string("low")),
            ("operation_class", string("financial")),
            ("data_sensitivity", string("financial")),
            ("systems", systems),
            ("delegated", RestrictedExpression::new_bool(false)),
            ("delegation_depth", long(0)),
            ("metadata", metadata.unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    )
    .unwrap()
}

fn load(text: &str, metadata: &str) -> PolicySet {
    let sources = Sources::new()
        .policies("bench.cedar", text)
        .metadata("metadata.cedarschema", metadata);
    PolicySet::load(&sources).unwrap()
}

fn main() -> ExitCode {
    let mut missed = false;
    let mut mark = |bad: bool| {
        missed |= bad;
        if bad { "  MISSED" } else { "" }
    };
    println!(
        "{:<34} {:>11} {:>11} {:>7} {:>7}",
        "policy verdict, p50", "Cedar", "here", "ratio", "limit"
    );
    let now = Timestamp::from_millis(1_778_000_000_000);
    let asked = subject(",\"cents\":1000000");
    for (count, ours, theirs) in GOALS {
        let text = policies(count);
        let whole = AsItComes::new(&text);
        assert_eq!(whole.ask(), [Decision::Allow, Decision::Deny]);
        // A set that reads the time is never remembered, so each verdict is made anew.
        let timed = format!(
            "{text}@id(\"time\") forbid (principal, action, resource == Sernixa::Tool::\"none\") \
             when {{ context.time.hour == 0 }};"
        );
        let set = load(&timed, METADATA);
        let question = Question {
            subject: &asked,
            now,
        };
        let batch = 1_000 / count;
        let (cedar, here) = p50_in_turn(
            (batch, || {
                black_box(whole.ask());
            }),
            (batch * 4, || {
                black_box(set.verdict(&question));
            }),
        );
        let (ratio, limit) = (here / cedar, ours / theirs * LEEWAY);
        println!(
            "{:<34} {cedar:>8.2} µs {here:>8.2} µs {ratio:>7.3} {limit:>7.3}{}",
            format!("{count} policies, not remembered"),
            mark(ratio > limit)
        );
    }
    for (what, metadata, schema, limit) in [
        (
            "remembered, no member declared",
            "",
            "type Metadata = {};",
            REMEMBERED,
        ),
        (
            "remembered, one member declared",
            ",\"cents\":1000000",
            METADATA,
            f64::MAX,
        ),
    ] {
        let asked = subject(metadata);
        let set = load("@id(\"all\") permit (principal, action, resource);", schema);
        let question = Question {
            subject: &asked,
            now,
        };
        let here = p50(2_000, || {
            black_box(set.verdict(&question));
        });
        println!("{what:<34} {:>11} {here:>8.3} µs{}", "", mark(here > limit));
    }
    if missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
