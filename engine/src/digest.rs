//! A SHA-256 value, and the few ways in which the engine makes one.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A SHA-256 value. On the wire and in stored text: 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of one text or file.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of several parts under a label. Each part is preceded by its length, so that
    /// no two lists of parts read alike.
    pub fn of_parts(label: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(label.as_bytes());
        hasher.update([0]);
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// Reads 64 lower-case hex digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        hex_to_bytes(text).map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// The two digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    const fn digit(nibble: u8) -> u8 {
        if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' + nibble - 10
        }
    }
    let mut pairs = [[0; 2]; 256];
    let mut rest: &mut [[u8; 2]] = &mut pairs;
    let mut byte = 0_u8;
    while let [pair, tail @ ..] = rest {
        *pair = [digit(byte >> 4), digit(byte & 0xf)];
        byte = byte.wrapping_add(1);
        rest = tail;
    }
    pairs
};

/// Appends the lower-case hex digits of `bytes`.
pub(crate) fn push_hex(bytes: &[u8], out: &mut String) {
    for part in bytes.chunks(32) {
        let mut buffer = [0; 64];
        out.push_str(hex_into(part, &mut buffer));
    }
}

/// Writes the lower-case hex digits of `bytes`.
pub(crate) fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes
        .chunks(32)
        .try_for_each(|part| f.write_str(hex_into(part, &mut [0; 64])))
}

/// The digits of at most 32 bytes.
fn hex_into<'a>(bytes: &[u8], buffer: &'a mut [u8; 64]) -> &'a str {
    for (pair, byte) in buffer.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = PAIRS.get(usize::from(*byte)).copied().unwrap_or(*b"00");
    }
    let digits = buffer.get(..bytes.len() * 2).unwrap_or_default();
    std::str::from_utf8(digits).unwrap_or_default()
}

/// Reads exactly `N` bytes of lower-case hex. Upper case is refused: one value, one text.
pub(crate) fn hex_to_bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = nibble(high)? << 4 | nibble(low)?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_back_from_its_text_and_from_no_other() {
        let digest = Digest::of(b"abc");
        let text = digest.to_string();
        assert_eq!(
            text,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(Digest::parse(&text), Some(digest));
        assert_eq!(Digest::parse(&text.to_uppercase()), None);
        assert_eq!(Digest::parse(&text[1..]), None);
        assert_eq!(Digest::parse(&format!("{}g", &text[1..])), None);
    }

    #[test]
    fn parts_that_join_to_the_same_text_have_different_digests() {
        assert_ne!(
            Digest::of_parts("l", &[b"ab", b"c"]),
            Digest::of_parts("l", &[b"a", b"bc"])
        );
    }
}
