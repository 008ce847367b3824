//! The digest that binds an approval to the arguments of one call, without showing them.

use std::ops::Range;
use std::sync::OnceLock;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::SecretString;
use sernixa_protocol::canonical;
use sha2::{Digest as _, Sha256};

use crate::capture::Json;
use crate::config::bytes_of;
use crate::error::Error;

/// The most bytes of canonical arguments that are digested in all (DESIGN 5). It bounds what is
/// written on the way from the user's types; arguments that are one text already are digested whole
/// ([`digest_of_text`]): cutting them would let no long call resume or be remembered, and whoever
/// read the text has bounded it.
const ARGUMENTS_LIMIT: usize = 64 * 1024;

/// What argument digests are keyed with: without the key, nobody can guess arguments and compare.
#[derive(Clone)]
pub(crate) struct BindingKey {
    keyed: Hmac<Sha256>,
    lasts: bool,
}

impl BindingKey {
    /// A key that outlives the process.
    pub(crate) fn given(secret: &SecretString) -> Self {
        Self::of_bytes(bytes_of(secret), true)
    }

    /// The key that an embedded store keeps.
    #[cfg(feature = "embedded")]
    pub(crate) fn of_store(bytes: &[u8]) -> Self {
        Self::of_bytes(bytes, true)
    }

    /// The random key that all clients of this process share.
    ///
    /// # Errors
    /// `Configuration` when the system gives no randomness.
    pub(crate) fn of_this_process() -> Result<Self, Error> {
        static KEY: OnceLock<BindingKey> = OnceLock::new();
        if let Some(key) = KEY.get() {
            return Ok(key.clone());
        }
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        crate::random::fill(&mut *bytes)?;
        Ok(KEY.get_or_init(|| Self::of_bytes(&*bytes, false)).clone())
    }

    /// The key of every `TestGate`: digests in tests are the same in every run.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn of_tests() -> Self {
        Self::of_bytes(b"sernixa test gate", true)
    }

    /// Whether digests still mean the same after a restart, so that a call can be resumed.
    pub(crate) fn lasts(&self) -> bool {
        self.lasts
    }

    /// A tag over fields, each there or not, none of which runs into the next.
    pub(crate) fn tag_of(&self, purpose: &[u8], fields: &[Option<&[u8]>]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        // Arguments are digested with this key, too: their text begins with `{`.
        mac.update(purpose);
        for field in fields {
            mac.update(&[u8::from(field.is_some())]);
            let field = field.unwrap_or_default();
            mac.update(&(field.len() as u64).to_be_bytes());
            mac.update(field);
        }
        mac.finalize().into_bytes().into()
    }

    fn of_bytes(bytes: &[u8], lasts: bool) -> Self {
        // The key is hashed to one block's length first, so that making the HMAC cannot fail.
        let mut block = zeroize::Zeroizing::new([0; 64]);
        let (hashed, _) = block.split_at_mut(32);
        hashed.copy_from_slice(&Sha256::digest(bytes));
        let keyed = Hmac::new((&*block).into());
        Self { keyed, lasts }
    }
}

/// What binds a submission to its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    /// `hmac-sha256:` and 64 hex digits.
    pub(crate) text: String,
    /// The arguments that the digest does not cover, in order of declaration.
    pub(crate) unbound: Vec<String>,
    /// The canonical texts, for whoever captures the arguments, too: they are written once.
    texts: String,
    values: Vec<Option<Range<usize>>>,
}

impl Digest {
    /// The canonical text of the argument at this place of the list, if the digest covers it.
    pub(crate) fn value(&self, place: usize) -> Option<&str> {
        self.texts.get(self.values.get(place)?.clone()?)
    }
}

/// The HMAC over the canonical JSON object of `arguments`. One that has no value, does not
/// serialise, reads like another value of its type or does not fit is left out and named.
pub(crate) fn digest(key: &BindingKey, arguments: &[(&str, Option<&dyn Json>)]) -> Digest {
    let mut unbound = Vec::new();
    // Each is written whole or not at all, in order of declaration, so that which ones fit does
    // not depend on their names; then they are fed in order of their names.
    let mut texts = String::new();
    let mut values = Vec::with_capacity(arguments.len());
    let mut parts = Vec::with_capacity(arguments.len());
    for &(name, value) in arguments {
        let start = texts.len();
        let written = value.and_then(|value| member(name, value, &mut texts));
        if written.is_some() {
            parts.push((name, start..texts.len()));
        } else {
            texts.truncate(start);
            unbound.push(name.to_owned());
        }
        values.push(written.map(|value| value..texts.len()));
    }
    parts.sort_by_key(|&(name, _)| name);
    let mut mac = key.keyed.clone();
    mac.update(b"{");
    for (index, (_, range)) in parts.into_iter().enumerate() {
        if index > 0 {
            mac.update(b",");
        }
        mac.update(texts.get(range).unwrap_or_default().as_bytes());
    }
    mac.update(b"}");
    Digest {
        text: tag(mac),
        unbound,
        texts,
        values,
    }
}

/// As [`digest`], of the canonical text of one object: the same for the same members.
pub(crate) fn digest_of_text(key: &BindingKey, canonical: &str) -> Digest {
    let mut mac = key.keyed.clone();
    mac.update(canonical.as_bytes());
    Digest {
        text: tag(mac),
        unbound: Vec::new(),
        texts: String::new(),
        values: Vec::new(),
    }
}

fn tag(mac: Hmac<Sha256>) -> String {
    let tag = mac.finalize().into_bytes();
    let mut text = String::with_capacity(12 + 64);
    text.push_str("hmac-sha256:");
    hex_into(&tag, &mut text);
    text
}

/// Appends `"name":value` if it fits, and says where the value begins.
fn member(name: &str, value: &dyn Json, texts: &mut String) -> Option<usize> {
    canonical::append(name, ARGUMENTS_LIMIT, texts).ok()?;
    texts.push(':');
    let begin = texts.len();
    let budget = ARGUMENTS_LIMIT.checked_sub(begin)?;
    value.append_distinct(budget, texts).ok()?;
    Some(begin)
}

/// The SHA-256 of a resume key: it may name what it resumes, so it stays here.
pub(crate) fn resume_key(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    hex_into(bytes, &mut text);
    text
}

fn hex_into(bytes: &[u8], out: &mut String) {
    let digit = |nibble: u8| {
        char::from(if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' + nibble - 10
        })
    };
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn of(arguments: &[(&str, Option<&dyn Json>)]) -> Digest {
        digest(&BindingKey::of_tests(), arguments)
    }

    #[test]
    fn the_same_arguments_have_the_same_digest_in_whatever_order() {
        let map: HashMap<_, _> = (0..30).map(|n| (n, n)).collect();
        let again: HashMap<_, _> = (0..30).rev().map(|n| (n, n)).collect();
        let one = of(&[("b", Some(&1)), ("a", Some(&map))]);
        let other = of(&[("a", Some(&again)), ("b", Some(&1))]);
        assert_eq!(one.text, other.text);
        assert_eq!((one.value(0), other.value(1)), (Some("1"), Some("1")));
        assert!(one.text.starts_with("hmac-sha256:") && one.text.len() == 12 + 64);
        assert!(one.unbound.is_empty());
    }

    #[test]
    fn any_change_of_name_value_or_type_changes_the_digest() {
        let base = of(&[("a", Some(&1)), ("b", Some(&"x"))]).text;
        for changed in [
            of(&[("a", Some(&2)), ("b", Some(&"x"))]),
            of(&[("a", Some(&1.0)), ("b", Some(&"x"))]),
            of(&[("a", Some(&"1")), ("b", Some(&"x"))]),
            of(&[("c", Some(&1)), ("b", Some(&"x"))]),
            of(&[("a", Some(&1))]),
            of(&[("a", Some(&"x")), ("b", Some(&1))]),
            of(&[]),
        ] {
            assert_ne!(changed.text, base);
        }
        let elsewhere = BindingKey::given(&SecretString::from("another key of 16"));
        let arguments: [(&str, Option<&dyn Json>); 2] = [("a", Some(&1)), ("b", Some(&"x"))];
        assert_ne!(digest(&elsewhere, &arguments).text, base);
    }

    #[test]
    fn what_is_left_out_is_named() {
        let long = "x".repeat(ARGUMENTS_LIMIT);
        let partial = of(&[
            ("skipped", None),
            ("long", Some(&long)),
            ("nan", Some(&f64::NAN)),
            ("kept", Some(&1)),
        ]);
        assert_eq!(partial.unbound, ["skipped", "long", "nan"]);
        assert_eq!(partial.text, of(&[("kept", Some(&1))]).text);
    }

    #[test]
    fn values_that_read_alike_are_left_out_and_never_digested_as_the_same() {
        let keep: Option<Option<&str>> = None;
        let clear: Option<Option<&str>> = Some(None);
        let (kept, cleared) = (of(&[("name", Some(&keep))]), of(&[("name", Some(&clear))]));
        assert_eq!(kept.unbound, [""; 0]);
        assert_eq!(cleared.unbound, ["name"]);
        assert_ne!(kept.text, cleared.text);
        let nested = vec![Some(()), None];
        assert_eq!(of(&[("list", Some(&nested))]).unbound, ["list"]);
        assert_eq!(of(&[("plain", Some(&Some(Some(0))))]).unbound, [""; 0]);
    }

    #[test]
    fn sixty_four_kib_are_digested_in_all() {
        let half = "x".repeat(ARGUMENTS_LIMIT / 2);
        let both = of(&[("a", Some(&half)), ("b", Some(&half)), ("c", Some(&1))]);
        assert_eq!(both.unbound, ["b"]);
    }

    #[test]
    fn the_key_of_this_process_is_one_and_does_not_last() {
        let one = BindingKey::of_this_process().unwrap();
        let other = BindingKey::of_this_process().unwrap();
        assert!(!one.lasts());
        assert_eq!(digest(&one, &[]), digest(&other, &[]));
        assert_ne!(digest(&one, &[]), of(&[]));
    }
}
