//! The keys that sign checkpoints and bundles: Ed25519 (RFC 8032), verified strictly.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::digest::{Digest, hex_to_bytes, push_hex, write_hex};

/// The key that an engine signs its audit chain with. Wiped when dropped; shown nowhere.
pub struct AuditKey {
    signing: SigningKey,
    public: AuditPublicKey,
}

impl AuditKey {
    /// From 32 bytes of a cryptographic random source. The same seed is the same key.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let signing = SigningKey::from_bytes(&seed);
        let public = AuditPublicKey(signing.verifying_key());
        Self { signing, public }
    }

    /// The key's name: that of its public half.
    pub fn id(&self) -> AuditKeyId {
        self.public.id()
    }

    /// The half that verifies. It may be given to anyone.
    pub const fn public(&self) -> AuditPublicKey {
        self.public
    }

    /// The signature of a text under a label, as hex.
    pub(crate) fn sign(&self, label: Label, text: &[u8]) -> String {
        let signature = self.signing.sign(&labelled(label, text));
        let mut hex = String::with_capacity(128);
        push_hex(&signature.to_bytes(), &mut hex);
        hex
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditKey({})", self.id())
    }
}

/// What a signature is for, so that one of one kind is none of another. Each ends in a zero byte.
#[derive(Clone, Copy)]
pub(crate) enum Label {
    Checkpoint,
    Bundle,
}

impl Label {
    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Checkpoint => b"sernixa.audit.checkpoint.v1\0",
            Self::Bundle => b"sernixa.evidence_bundle.v1\0",
        }
    }
}

fn labelled(label: Label, text: &[u8]) -> Vec<u8> {
    [label.bytes(), text].concat()
}

/// The half of an audit key that verifies. As text: 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuditPublicKey(VerifyingKey);

impl AuditPublicKey {
    /// From the 32 bytes of RFC 8032. `None` for what is no point of the curve, and for the few
    /// weak keys under which one signature fits many texts.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    /// Reads 64 lower-case hex digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_bytes(&hex_to_bytes(text)?)
    }

    /// The key's name.
    pub fn id(&self) -> AuditKeyId {
        let digest = Digest::of_parts("sernixa.audit.key.v1", &[self.0.as_bytes()]);
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest.0) {
            *to = from;
        }
        AuditKeyId(id)
    }

    /// Whether `signature` (128 lower-case hex digits) is this key's of `text` under `label`.
    pub(crate) fn verifies(&self, label: Label, text: &[u8], signature: &str) -> bool {
        hex_to_bytes::<64>(signature).is_some_and(|bytes| {
            let signature = Signature::from_bytes(&bytes);
            self.0
                .verify_strict(&labelled(label, text), &signature)
                .is_ok()
        })
    }
}

impl fmt::Display for AuditPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(self.0.as_bytes(), f)
    }
}

impl fmt::Debug for AuditPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPublicKey;

impl fmt::Display for InvalidPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an audit public key is 64 lower-case hex digits")
    }
}

impl std::error::Error for InvalidPublicKey {}

impl FromStr for AuditPublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or(InvalidPublicKey)
    }
}

/// Names an audit key: `auk_` and 32 hex digits of a hash of its public half.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuditKeyId([u8; 16]);

impl AuditKeyId {
    const PREFIX: &str = "auk_";

    /// Reads `auk_` and 32 lower-case hex digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        hex_to_bytes(text.strip_prefix(Self::PREFIX)?).map(Self)
    }
}

impl fmt::Display for AuditKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for AuditKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_its_name_and_nothing_else() {
        let key = AuditKey::from_seed([0x42; 32]);
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("AuditKey({})", key.id()));
        assert!(!shown.contains("4242") && !shown.contains("66, 66"));
    }

    #[test]
    fn a_public_key_and_its_name_are_read_back_from_their_texts_and_from_no_other() {
        let public = AuditKey::from_seed([7; 32]).public();
        let text = public.to_string();
        assert_eq!(AuditPublicKey::parse(&text), Some(public));
        assert_eq!(text.parse(), Ok(public));
        assert_eq!(AuditPublicKey::parse(&text.to_uppercase()), None);
        assert_eq!(AuditPublicKey::parse(&text[1..]), None);
        assert_eq!(
            AuditKeyId::parse(&public.id().to_string()),
            Some(public.id())
        );
        assert_eq!(AuditKeyId::parse(&public.id().to_string()[1..]), None);
        // The identity, and the point of order two: anything verifies under them.
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(AuditPublicKey::from_bytes(&identity), None);
        assert_eq!(AuditPublicKey::from_bytes(&[0; 32]), None);
    }

    #[test]
    fn a_signature_is_of_one_key_one_text_and_one_kind() {
        let (key, other) = (AuditKey::from_seed([1; 32]), AuditKey::from_seed([2; 32]));
        let signature = key.sign(Label::Checkpoint, b"text");
        let verifies = |key: &AuditKey, label, text: &[u8], signature: &str| {
            key.public().verifies(label, text, signature)
        };
        assert!(verifies(&key, Label::Checkpoint, b"text", &signature));
        assert!(!verifies(&other, Label::Checkpoint, b"text", &signature));
        assert!(!verifies(&key, Label::Checkpoint, b"texT", &signature));
        assert!(!verifies(&key, Label::Bundle, b"text", &signature));
        let upper = signature.to_uppercase();
        assert!(!verifies(&key, Label::Checkpoint, b"text", &upper));
        assert!(!verifies(&key, Label::Checkpoint, b"text", ""));
    }

    /// RFC 8032, 7.1, test 1: the public key of that seed.
    #[test]
    fn the_public_key_is_that_of_the_standard() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let key = AuditKey::from_seed(hex_to_bytes(seed).unwrap());
        assert_eq!(key.public().to_string(), public);
    }
}
