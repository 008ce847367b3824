//! What Cedar is told of a question: built value by value, never from JSON.
//!
//! `Context::from_json_value` fails on floats and nulls, and makes entities of `{"__entity": …}`:
//! the metadata is the agent's, so only declared members are copied, and only as what they are.

use std::borrow::Cow;
use std::fmt;

use cedar_policy::{Context, RestrictedExpression};
use jiff::tz::TimeZone;
use sernixa_protocol::json::{Document, Kind, Node};
use sernixa_protocol::submission::MAX_LEVELS;

use crate::approval::Subject;
use crate::cedar::expression::{Attribute, Reads};
use crate::cedar::schema::{Declared, Type};
use crate::delegation::OWNER_MARK;
use crate::moment::Timestamp;
use crate::policy::Question;

/// Why there is no context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// A declared member is of another type.
    Type {
        /// Its place among those declared.
        at: usize,
        /// The type that is declared.
        wanted: Type,
    },
    /// Nothing that a caller can mend.
    Failed,
}

/// What policies can read.
pub(super) struct Facts<'a> {
    pub(super) agent: Agent<'a>,
    pub(super) tool: &'a str,
    pub(super) intent: &'a str,
    subject: &'a Subject,
    operation_class: Cow<'a, str>,
    data_sensitivity: Cow<'a, str>,
    metadata: Vec<(usize, Datum)>,
    time: Option<Time>,
}

enum Datum {
    Bool(bool),
    Long(i64),
    String(String),
    Strings(Vec<String>),
}

struct Time {
    hour: i8,
    weekday: i8,
    date: String,
}

/// Who asks, as policies name it: the agent of a delegated request, else the owner of the key.
/// Owners are marked, so that nobody is taken for an agent of the same name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agent<'a> {
    mark: &'static str,
    name: &'a str,
}

impl<'a> Agent<'a> {
    pub(super) fn of(subject: &'a Subject) -> Self {
        match &subject.agent_id {
            Some(agent) => Self {
                mark: "",
                name: agent,
            },
            None => Self {
                mark: OWNER_MARK,
                name: &subject.owner,
            },
        }
    }
}

impl fmt::Display for Agent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mark)?;
        f.write_str(self.name)
    }
}

impl<'a> Facts<'a> {
    /// What there is to tell; the time only where a policy reads it, and then in `zone`.
    pub(super) fn of(
        question: &Question<'a>,
        declared: &Declared,
        zone: Option<&TimeZone>,
    ) -> Result<Self, Unfit> {
        let subject = question.subject;
        Ok(Self {
            agent: Agent::of(subject),
            tool: &subject.action_id,
            intent: &subject.intent_id,
            operation_class: question.operation_class(),
            data_sensitivity: question.data_sensitivity(),
            metadata: metadata(&subject.metadata, declared)?,
            time: zone.map(|zone| time(question.now, zone)).transpose()?,
            subject,
        })
    }

    /// Everything that policies can read but the time, as bytes: equal for equal questions only.
    pub(super) fn key(&self) -> Vec<u8> {
        let mut key = Key(Vec::with_capacity(256));
        for text in [
            self.agent.mark,
            self.agent.name,
            self.tool,
            self.intent,
            &self.operation_class,
            &self.data_sensitivity,
        ] {
            key.text(text);
        }
        key.0.extend([
            self.subject.risk.rank(),
            u8::from(is_delegated(self.subject)),
            self.subject.delegation_depth,
        ]);
        key.count(self.subject.systems.len());
        for system in &self.subject.systems {
            key.text(system);
        }
        for (at, datum) in &self.metadata {
            key.count(*at);
            match datum {
                Datum::Bool(value) => key.0.extend([0, u8::from(*value)]),
                Datum::Long(value) => {
                    key.0.push(1);
                    key.0.extend(value.to_be_bytes());
                }
                Datum::String(value) => {
                    key.0.push(2);
                    key.text(value);
                }
                Datum::Strings(values) => {
                    key.0.push(3);
                    key.count(values.len());
                    for value in values {
                        key.text(value);
                    }
                }
            }
        }
        key.0
    }

    /// The same for Cedar, as far as any policy `reads` it.
    pub(super) fn context(self, declared: &Declared, reads: &Reads) -> Result<Context, Unfit> {
        let subject = self.subject;
        let text = |value: &str| RestrictedExpression::new_string(value.to_owned());
        let long = |value: u8| RestrictedExpression::new_long(i64::from(value));
        let mut pairs = Vec::new();
        let mut tell = |attribute: Attribute, value: &mut dyn FnMut() -> RestrictedExpression| {
            if reads.has(attribute) {
                pairs.push((attribute.as_str().to_owned(), value()));
            }
        };
        tell(Attribute::Risk, &mut || long(subject.risk.rank()));
        tell(Attribute::RiskLevel, &mut || text(subject.risk.as_str()));
        tell(Attribute::OperationClass, &mut || {
            text(&self.operation_class)
        });
        tell(Attribute::DataSensitivity, &mut || {
            text(&self.data_sensitivity)
        });
        tell(Attribute::Systems, &mut || {
            RestrictedExpression::new_set(subject.systems.iter().map(|system| text(system)))
        });
        tell(Attribute::Delegated, &mut || {
            RestrictedExpression::new_bool(is_delegated(subject))
        });
        tell(Attribute::DelegationDepth, &mut || {
            long(subject.delegation_depth)
        });
        if reads.has(Attribute::Metadata) {
            let metadata = record(self.metadata, declared)?;
            pairs.push((Attribute::Metadata.as_str().to_owned(), metadata));
        }
        if let Some(time) = self.time {
            pairs.push((Attribute::Time.as_str().to_owned(), time.record()?));
        }
        Context::from_pairs(pairs).map_err(|_| Unfit::Failed)
    }
}

/// The metadata as Cedar sees it.
fn record(
    metadata: Vec<(usize, Datum)>,
    declared: &Declared,
) -> Result<RestrictedExpression, Unfit> {
    let members = metadata.into_iter().map(|(at, datum)| {
        let value = match datum {
            Datum::Bool(value) => RestrictedExpression::new_bool(value),
            Datum::Long(value) => RestrictedExpression::new_long(value),
            Datum::String(value) => RestrictedExpression::new_string(value),
            Datum::Strings(values) => RestrictedExpression::new_set(
                values.into_iter().map(RestrictedExpression::new_string),
            ),
        };
        (declared.name(at).to_owned(), value)
    });
    RestrictedExpression::new_record(members).map_err(|_| Unfit::Failed)
}

impl Time {
    fn record(self) -> Result<RestrictedExpression, Unfit> {
        let fields = [
            ("hour", RestrictedExpression::new_long(self.hour.into())),
            (
                "weekday",
                RestrictedExpression::new_long(self.weekday.into()),
            ),
            ("date", RestrictedExpression::new_string(self.date)),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        RestrictedExpression::new_record(fields).map_err(|_| Unfit::Failed)
    }
}

fn is_delegated(subject: &Subject) -> bool {
    subject.agent_id.is_some() || subject.delegation_depth > 0
}

struct Key(Vec<u8>);

impl Key {
    fn count(&mut self, count: usize) {
        self.0.extend((count as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend(text.as_bytes());
    }
}

/// The declared members that are there, each as its type.
fn metadata(text: &str, declared: &Declared) -> Result<Vec<(usize, Datum)>, Unfit> {
    if declared.is_empty() {
        return Ok(Vec::new());
    }
    let document = Document::parse_within(text, MAX_LEVELS).map_err(|_| Unfit::Failed)?;
    let mut found = Vec::new();
    for (key, value) in document.root().members() {
        let Some((at, wanted)) = key.as_str().and_then(|name| declared.get(&name)) else {
            continue;
        };
        let datum = datum(value, wanted).ok_or(Unfit::Type { at, wanted })?;
        found.push((at, datum));
    }
    found.sort_unstable_by_key(|&(at, _)| at);
    Ok(found)
}

/// The value as its declared type; a number counts as a Long where it is written as an integer
/// and fits an `i64`.
fn datum(value: Node<'_>, wanted: Type) -> Option<Datum> {
    match wanted {
        Type::Bool => value.as_bool().map(Datum::Bool),
        Type::Long => value.as_i64().map(Datum::Long),
        Type::String => value.as_str().map(|text| Datum::String(text.into_owned())),
        Type::Strings if value.kind() == Kind::Array => {
            let mut texts = value
                .elements()
                .map(|element| element.as_str().map(Cow::into_owned))
                .collect::<Option<Vec<_>>>()?;
            // A set: order and repetition do not count.
            texts.sort_unstable();
            texts.dedup();
            Some(Datum::Strings(texts))
        }
        Type::Strings => None,
    }
}

/// The hour (0 to 23), the day of the week (Monday 1 to Sunday 7) and the date in `zone`.
fn time(now: Timestamp, zone: &TimeZone) -> Result<Time, Unfit> {
    let millis = i64::try_from(now.millis()).map_err(|_| Unfit::Failed)?;
    let time = jiff::Timestamp::from_millisecond(millis)
        .map_err(|_| Unfit::Failed)?
        .to_zoned(zone.clone());
    Ok(Time {
        hour: time.hour(),
        weekday: time.weekday().to_monday_one_offset(),
        date: time.date().to_string(),
    })
}
