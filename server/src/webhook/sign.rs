//! The signature of a notice: `Sernixa-Signature: t=<unix seconds>,v1=<hex>`.
//!
//! `v1` is HMAC-SHA256 under the webhook's secret over `<t>.<body>`, the bytes of the body as they
//! came. A receiver computes it, compares in constant time, and refuses a `t` that is more than
//! five minutes off; of several signatures one that it knows must fit.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// The header's value for a body sent at `seconds` since 1970. `None` never comes: HMAC takes a
/// secret of any length.
pub(super) fn signature(secret: &SecretString, seconds: u64, body: &str) -> Option<String> {
    let secret = secret.expose_secret().as_bytes();
    let mut code = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    code.update(seconds.to_string().as_bytes());
    code.update(b".");
    code.update(body.as_bytes());
    let mut signature = format!("t={seconds},v1=");
    for byte in code.finalize().into_bytes() {
        let _ = write!(signature, "{byte:02x}");
    }
    Some(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_documented_one() {
        let secret = SecretString::from("a secret of the receiver");
        // printf '%s' '1778000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of the receiver'
        let expected = "5fa90e5bcb6bc6231f51f6e3e86806d54153c2211360688a202cdc83f4ce605e";
        let signed = signature(&secret, 1_778_000_000, r#"{"a":1}"#).unwrap();
        assert!(signed.starts_with("t=1778000000,v1="), "{signed}");
        assert!(signed.contains(expected), "{signed}");
        for other in [
            signature(&SecretString::from("another"), 1_778_000_000, r#"{"a":1}"#),
            signature(&secret, 1_778_000_001, r#"{"a":1}"#),
            signature(&secret, 1_778_000_000, r#"{"a":2}"#),
        ] {
            let other = other.unwrap();
            assert_ne!(signed.split_once("v1="), other.split_once("v1="));
        }
    }
}
