//! What is wrong with a policy set: where, what, and what to do about it.

use std::error::Error;
use std::fmt;

use miette::Diagnostic;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The name of the text that it is in; empty for a fault of the set as a whole.
    pub file: String,
    /// The `@id` of the policy that it is in, where that is known.
    pub policy: Option<String>,
    /// The line, from 1; 0 for a fault of the text as a whole.
    pub line: usize,
    /// The column in characters, from 1; 0 for a fault of the text as a whole.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: Option<String>,
}

/// `payments.cedar:3:7: policy `limit`: … (fix: …)`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            f.write_str(&self.file)?;
            if self.line > 0 {
                write!(f, ":{}:{}", self.line, self.column)?;
            }
            f.write_str(": ")?;
        }
        if let Some(policy) = &self.policy {
            write!(f, "policy `{policy}`: ")?;
        }
        f.write_str(&self.what)?;
        match &self.fix {
            Some(fix) => write!(f, " (fix: {fix})"),
            None => Ok(()),
        }
    }
}

impl Fault {
    /// A fault of a text, or of the whole set where `file` is empty.
    pub(super) fn new(file: &str, what: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            policy: None,
            line: 0,
            column: 0,
            what: what.into(),
            fix: None,
        }
    }

    /// The same, at a byte of the text.
    pub(super) fn at(mut self, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        self.line = before.matches('\n').count() + 1;
        self.column = before
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.chars().count())
            + 1;
        self
    }

    /// The same, in a policy; Cedar's messages need not name it again.
    pub(super) fn of(mut self, policy: Option<&str>) -> Self {
        if let Some(id) = policy
            && let Some(rest) = self.what.strip_prefix(&format!("for policy `{id}`, "))
        {
            self.what = rest.to_owned();
        }
        self.policy = policy.map(str::to_owned);
        self
    }

    /// The same, with what to do about it.
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// What Cedar says of `text`, of which it saw the part from byte `start` on.
    pub(super) fn of_cedar(
        file: &str,
        text: &str,
        start: usize,
        said: &(dyn Diagnostic + 'static),
    ) -> Self {
        let labels = said.labels().into_iter().flatten();
        let label = labels.min_by_key(miette::LabeledSpan::offset);
        let mut what = said.to_string();
        let mut source = said.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !what.contains(&cause_text) {
                what = format!("{what}: {cause_text}");
            }
            source = cause.source();
        }
        if let Some(hint) = label.as_ref().and_then(|label| label.label()) {
            what = format!("{what}, {hint}");
        }
        let fault = Self::new(file, one_line(&what))
            .at(text, start + label.map_or(0, |label| label.offset()));
        match said.help() {
            Some(help) => fault.fix(one_line(&help.to_string())),
            None => fault,
        }
    }
}

/// Cedar's messages are lines of their own in a log.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A policy set that cannot be loaded, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    faults: Vec<Fault>,
}

impl LoadError {
    /// With at least one fault; in the order of the files.
    pub(super) fn new(mut faults: Vec<Fault>) -> Self {
        faults.sort_by(|a, b| {
            (&a.file, a.line, a.column, &a.what).cmp(&(&b.file, b.line, b.column, &b.what))
        });
        faults.dedup();
        Self { faults }
    }

    /// Everything that is wrong, in the order of the files; at least one fault.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

/// One fault per line.
impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl Error for LoadError {}
