//! The walk over metadata, text or map alike: which strings and keys are scanned, what they are
//! called in findings, what stands under a name that announces a secret.
//!
//! It keeps its own stack, so depth costs memory and never the thread's stack.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::names::{Announces, announces};
use super::table::NAMED;
use super::tree::{Part, Target, Tree};
use super::{Finding, MASKED_EMAIL, MASKED_SECRET, Mode, Protector, Text, cards};

/// Paths are cut here, so that deep metadata full of findings stays linear.
const LONGEST_PATH: usize = 4096;

/// What a value is scanned as.
#[derive(Clone, Copy)]
pub(super) struct Context {
    text: Text,
    /// What the nearest name that announces a secret announces.
    named: Option<Announces>,
    /// Whether nothing but arrays stands between that name and the value.
    direct: bool,
}

impl Context {
    pub(super) const fn of(text: Text) -> Self {
        Self {
            text,
            named: None,
            direct: false,
        }
    }

    /// The context of what `name` names, which lies in this one.
    fn under(self, name: &str) -> Self {
        let named = announces(name.as_bytes());
        Self {
            named: named.or(self.named),
            direct: named.is_some(),
            ..self
        }
    }
}

/// A container on the way to the current value.
struct Frame<'t, T: Tree<'t>> {
    place: Place<'t, T>,
    context: Context,
}

enum Place<'t, T: Tree<'t>> {
    Array {
        rest: T::Elements,
        index: usize,
    },
    Object {
        all: T::Members,
        rest: T::Members,
        key: Cow<'t, str>,
        names: Names,
    },
}

/// What the members of the root object are for: one thing, or what a function says of each key.
pub(super) type TextOf<'f> = Option<&'f mut dyn FnMut(&str) -> Option<Text>>;

impl Protector<'_> {
    /// Walks `root`, which findings call `path`.
    pub(super) fn walk<'t, T: Tree<'t>>(
        &mut self,
        path: &str,
        root: T,
        mut context: Context,
        mut text_of: TextOf<'_>,
        target: &mut impl Target<'t, T>,
    ) {
        let mut frames: Vec<Frame<'t, T>> = Vec::new();
        let mut value = root;
        loop {
            match value.part() {
                Part::String(text) => {
                    target.value(value, self.string(path, &frames, &text, context));
                }
                Part::Number => target.value(value, self.number(path, &frames, context)),
                Part::Other => target.value(value, None),
                Part::Array(rest) => {
                    target.open(value);
                    // The first element is the next after the last index.
                    frames.push(Frame {
                        place: Place::Array {
                            rest,
                            index: usize::MAX,
                        },
                        context,
                    });
                }
                Part::Object(all) => {
                    target.open(value);
                    let place = Place::Object {
                        rest: all.clone(),
                        all,
                        key: Cow::Borrowed(""),
                        names: Names::default(),
                    };
                    frames.push(Frame { place, context });
                }
            }
            match self.next(path, &mut frames, &mut text_of, target) {
                Some(next) => (value, context) = next,
                None => return,
            }
        }
    }

    /// The next value, once containers that have no more are closed.
    fn next<'t, T: Tree<'t>>(
        &mut self,
        path: &str,
        frames: &mut Vec<Frame<'t, T>>,
        text_of: &mut TextOf<'_>,
        target: &mut impl Target<'t, T>,
    ) -> Option<(T, Context)> {
        loop {
            let is_root = frames.len() == 1;
            let Frame { place, context } = frames.last_mut()?;
            let mut context = *context;
            match place {
                Place::Array { rest, index } => {
                    if let Some(value) = rest.next() {
                        *index = index.wrapping_add(1);
                        return Some((value, context));
                    }
                }
                Place::Object {
                    rest,
                    all,
                    key,
                    names,
                } => {
                    if let Some((name, value)) = rest.next() {
                        *key = T::key(name);
                        if let Some(text_of) = text_of.as_mut().filter(|_| is_root) {
                            let Some(text) = text_of(key) else {
                                target.key(name, None);
                                target.value(value, None);
                                continue;
                            };
                            context.text = text;
                        }
                        context = self.context_under(context, key);
                        let (masked, kinds) = self.key(key);
                        if let Some(masked) = &masked {
                            *key = Cow::Owned(
                                names.free(masked, || all.clone().map(|(key, _)| T::key(key))),
                            );
                        }
                        let masked = masked
                            .is_some_and(|_| self.mode == Mode::Mask)
                            .then(|| key.to_string());
                        target.key(name, masked);
                        for kind in kinds {
                            self.found(kind, path, frames);
                        }
                        return Some((value, context));
                    }
                }
            }
            target.close();
            frames.pop();
        }
    }

    /// The context of what `name` names, which lies in `context`.
    pub(super) fn context_under(&self, context: Context, name: &str) -> Context {
        // The reference's detectors do not look at names.
        if self.detectors.read_keys() {
            context.under(name)
        } else {
            context
        }
    }

    /// A key masked, and what was found in it.
    fn key(&self, key: &str) -> (Option<String>, Vec<Cow<'static, str>>) {
        let mut kinds = Vec::new();
        if self.mode == Mode::Off || !self.detectors.read_keys() {
            return (None, kinds);
        }
        let masked = self
            .detectors
            .scan(key, Text::Metadata, self.mode, &mut |kind| kinds.push(kind));
        (masked, kinds)
    }

    /// What stands for a string, if something else does.
    fn string<'t, T: Tree<'t>>(
        &mut self,
        path: &str,
        frames: &[Frame<'t, T>],
        value: &str,
        context: Context,
    ) -> Option<String> {
        if self.mode == Mode::Off {
            return None;
        }
        if context.named.is_some() {
            return self.secret(path, frames, !is_stand_in(value));
        }
        let Self {
            detectors,
            mode,
            findings,
        } = self;
        let masked = detectors.scan(value, context.text, *mode, &mut |kind| {
            findings.push(Finding {
                kind,
                path: path_of(path, frames),
                reaction: *mode,
            });
        });
        masked.filter(|_| *mode == Mode::Mask)
    }

    /// What stands for a number, if something else does: a PIN directly under its name is a
    /// secret, a number under `token` or deep below `secret` is some count or id.
    fn number<'t, T: Tree<'t>>(
        &mut self,
        path: &str,
        frames: &[Frame<'t, T>],
        context: Context,
    ) -> Option<String> {
        let is_secret =
            context.direct && context.named == Some(Announces::Secret) && self.mode != Mode::Off;
        self.secret(path, frames, is_secret)
    }

    fn secret<'t, T: Tree<'t>>(
        &mut self,
        path: &str,
        frames: &[Frame<'t, T>],
        is_secret: bool,
    ) -> Option<String> {
        if is_secret {
            self.found(Cow::Borrowed(NAMED), path, frames);
        }
        (is_secret && self.mode == Mode::Mask).then(|| MASKED_SECRET.to_owned())
    }

    fn found<'t, T: Tree<'t>>(
        &mut self,
        kind: Cow<'static, str>,
        path: &str,
        frames: &[Frame<'t, T>],
    ) {
        self.findings.push(Finding {
            kind,
            path: path_of(path, frames),
            reaction: self.mode,
        });
    }
}

/// Whether a string is, as a whole, what stands for a value: nothing, a mask, or what capture puts in
/// its place. What only begins like one may be a secret.
fn is_stand_in(value: &str) -> bool {
    const WHOLE: [&str; 9] = [
        "",
        "****",
        "[redacted]",
        MASKED_SECRET,
        MASKED_EMAIL,
        "[redacted-ssn]",
        "[redacted-iban]",
        "<redacted>",
        "<skipped>",
    ];
    let type_name = value
        .strip_prefix("<non-serializable: ")
        .and_then(|rest| rest.strip_suffix('>'));
    WHOLE.contains(&value) || cards::is_mask(value) || type_name.is_some_and(is_type_name)
}

/// Whether a text is made of the characters that `std::any::type_name` writes.
fn is_type_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_:<>()[]{}&*;,.-='#+? ".contains(c))
}

/// The path of the current value: `metadata.a[1].b c`, cut with `…` where it is too long.
fn path_of<'t, T: Tree<'t>>(root: &str, frames: &[Frame<'t, T>]) -> String {
    let mut path = root.to_owned();
    for Frame { place, .. } in frames {
        match place {
            Place::Array { index, .. } => {
                // Writing to a `String` cannot fail.
                let _ = write!(path, "[{index}]");
            }
            Place::Object { key, .. } => {
                path.push('.');
                path.push_str(key);
            }
        }
        if path.len() > LONGEST_PATH {
            path.truncate(path.floor_char_boundary(LONGEST_PATH));
            path.push('…');
            break;
        }
    }
    path
}

/// The names that masked keys of one object may not have; gathered with the first masked key.
#[derive(Default)]
struct Names(Option<Box<Taken>>);

struct Taken {
    names: BTreeSet<String>,
    /// The next number for each masked key, so that many equal ones are counted once.
    next: BTreeMap<String, u64>,
}

impl Names {
    /// `masked`, or with the first number (`#2`, `#3`, …) that makes it a new name among `keys`.
    fn free<'k, K: Iterator<Item = Cow<'k, str>>>(
        &mut self,
        masked: &str,
        keys: impl FnOnce() -> K,
    ) -> String {
        let Taken { names, next } = &mut **self.0.get_or_insert_with(|| {
            Box::new(Taken {
                names: keys().map(Cow::into_owned).collect(),
                next: BTreeMap::new(),
            })
        });
        if names.insert(masked.to_owned()) {
            return masked.to_owned();
        }
        let number = next.entry(masked.to_owned()).or_insert(2);
        loop {
            let name = format!("{masked}#{number}");
            *number += 1;
            if names.insert(name.clone()) {
                return name;
            }
        }
    }
}
