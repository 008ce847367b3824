//! Randomness for ids, nonces and keys: from the system, or not at all.

use crate::digest::hex;
use crate::error::{Error, Refusal};

/// Fills `bytes` from the system's random source.
///
/// # Errors
/// `Configuration` when there is none: a guessable nonce or id would be worse than no call.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|error| {
        let message = "the system gives no random numbers; check its random source";
        Error::Configuration(Refusal::new(message).caused_by(error).boxed())
    })
}

/// 128 random bits as 32 hex digits.
///
/// # Errors
/// As [`fill`].
pub(crate) fn id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Two ids in one go: a request's id and its nonce.
///
/// # Errors
/// As [`fill`].
pub(crate) fn two_ids() -> Result<(String, String), Error> {
    let mut bytes = [0; 32];
    fill(&mut bytes)?;
    let (one, other) = bytes.split_at(16);
    Ok((hex(one), hex(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_thirty_two_hex_digits_and_never_the_same() {
        let (one, other) = two_ids().unwrap();
        let third = id().unwrap();
        assert!(one != other && one != third && other != third);
        for id in [one, other, third] {
            assert_eq!(id.len(), 32);
            assert!(id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        }
    }
}
