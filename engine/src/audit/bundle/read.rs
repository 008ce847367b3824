//! Reading the parts of a bundle strictly: what is not exactly the layout is a fault.

use std::borrow::Cow;

use sernixa_protocol::json::{Kind, Node};

use crate::audit::Head;
use crate::digest::Digest;

/// What is wrong, as a sentence without a full stop. It quotes nothing of the bundle.
pub(super) type Fault = String;

/// The first number that not every reader of JSON keeps.
const TOO_LARGE: u64 = 1 << 53;

/// A value and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Part<'d, 'p> {
    pub(super) node: Node<'d>,
    pub(super) path: &'p str,
}

impl<'d> Part<'d, '_> {
    fn must(self, what: &str) -> Fault {
        format!("{} must be {what}", self.path)
    }

    /// The values of exactly these members.
    pub(super) fn members<const N: usize>(self, names: [&str; N]) -> Result<[Node<'d>; N], Fault> {
        if !self.node.is_object() {
            return Err(self.must("an object"));
        }
        let mut found = [None; N];
        for (key, value) in self.node.members() {
            let place = names.iter().position(|name| key.is(name));
            match place.and_then(|at| found.get_mut(at)) {
                Some(slot) => *slot = Some(value),
                None => return Err(format!("{} has a member that is not known", self.path)),
            }
        }
        let mut values = [self.node; N];
        for ((value, found), name) in values.iter_mut().zip(found).zip(names) {
            *value = found.ok_or_else(|| format!("{} has no `{name}`", self.path))?;
        }
        Ok(values)
    }

    /// The elements of an array.
    pub(super) fn elements(self) -> Result<impl Iterator<Item = Node<'d>>, Fault> {
        match self.node.kind() {
            Kind::Array => Ok(self.node.elements()),
            _ => Err(self.must("an array")),
        }
    }

    pub(super) fn text(self) -> Result<Cow<'d, str>, Fault> {
        self.node.as_str().ok_or_else(|| self.must("a string"))
    }

    pub(super) fn number(self) -> Result<u64, Fault> {
        self.node
            .as_u64()
            .filter(|number| *number < TOO_LARGE)
            .ok_or_else(|| self.must("an integer from 0 to 2^53 - 1"))
    }

    pub(super) fn digest(self) -> Result<Digest, Fault> {
        Digest::parse(&self.text()?).ok_or_else(|| self.must("64 lower-case hex digits"))
    }

    /// A text that `parse` takes.
    pub(super) fn parsed<T>(
        self,
        what: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Fault> {
        parse(&self.text()?).ok_or_else(|| self.must(what))
    }

    /// A place in the chain.
    pub(super) fn place(self) -> Result<Head, Fault> {
        let [seq, hash] = self.members(["seq", "hash"])?;
        Ok(Head {
            seq: Part { node: seq, ..self }.number()?,
            hash: Part { node: hash, ..self }.digest()?,
        })
    }
}
