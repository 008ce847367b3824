//! The signature of a notice: `Sernixa-Signature: t=<unix seconds>,v1=<hex>`.
//!
//! `v1` is HMAC-SHA256 under the webhook's secret over `<t>.<body>`, the bytes of the body as they
//! came. A receiver computes it, compares in constant time, and refuses a `t` that is more than
//! five minutes off; of several signatures one that it knows must fit.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// The header's value for a body sent at `seconds` since 1970.
pub(super) fn signature(secret: &SecretString, seconds: u64, body: &str) -> String {
    let code = code(secret, seconds, body).finalize().into_bytes();
    let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

fn code(secret: &SecretString, seconds: u64, body: &str) -> Hmac<Sha256> {
    // HMAC takes keys of any length, so the other arm is never taken; an empty key would be no key
    // that a receiver has.
    let secret = secret.expose_secret().as_bytes();
    let mut code = Hmac::<Sha256>::new_from_slice(secret)
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    code.update(seconds.to_string().as_bytes());
    code.update(b".");
    code.update(body.as_bytes());
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_documented_one() {
        let secret = SecretString::from("a secret of the receiver");
        // printf '%s' '1778000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of the receiver'
        let expected = "5fa90e5bcb6bc6231f51f6e3e86806d54153c2211360688a202cdc83f4ce605e";
        let signed = signature(&secret, 1_778_000_000, r#"{"a":1}"#);
        assert!(signed.starts_with("t=1778000000,v1="), "{signed}");
        assert!(signed.contains(expected), "{signed}");
        for other in [
            signature(&SecretString::from("another"), 1_778_000_000, r#"{"a":1}"#),
            signature(&secret, 1_778_000_001, r#"{"a":1}"#),
            signature(&secret, 1_778_000_000, r#"{"a":2}"#),
        ] {
            assert_ne!(signed.split_once("v1="), other.split_once("v1="));
        }
    }
}
