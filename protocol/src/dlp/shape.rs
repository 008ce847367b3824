//! What tells a key from a name: `key_9f8a7b6c5d4e3f2a` is a secret, `key_management_service` is
//! not.

/// Whether one of the parts between `.`, `_`, `-` and other punctuation looks drawn at random:
/// letters and digits mixed (10 or more), upper and lower case mixed other than in `camelCase`
/// (10 or more), or 16 and more of one sort; or whether parts with digits come to 20 (UUIDs).
pub(super) fn looks_random(text: &[u8]) -> bool {
    let mut with_digits = 0;
    text.split(|byte| !byte.is_ascii_alphanumeric())
        .any(|part| {
            if part.iter().any(u8::is_ascii_digit) {
                with_digits += part.len();
            }
            is_random(part) || with_digits >= 20
        })
}

fn is_random(part: &[u8]) -> bool {
    if part.len() < 10 {
        return false;
    }
    if part.len() >= 16 {
        return true;
    }
    let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
    // Three digits and more among letters; `authorization2` and `sha256digest` have fewer changes.
    let changes = part
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if sort(*a) != sort(*b)))
        .count();
    (digits > 0 && digits < part.len() && changes > 2) || changes * 3 > part.len()
}

/// Digit, upper or lower case.
fn sort(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 0,
        b'A'..=b'Z' => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_look_random() {
        for key in [
            "a1b2c3d4e5",
            "kXK0GEWAkjgwnF8",
            "live_4eC39HqLyjWDarjtT1zdp7dc",
            "AbCdEfGhIjKl",
            "abcdefghijklmnop",
            "1234567890123456",
            "v2-9f86d081884c7d65",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert!(looks_random(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn names_do_not() {
        for name in [
            "",
            "key_for_billing_service",
            "management_service",
            "gateway_production",
            "refresh_worker_loop",
            "bucket_2024_settings",
            "refreshWorker",
            "sha256digest",
            "AUTHORIZATION",
            "oauth2_provider_v2",
            "access_key_identifier",
            "12345-678-90",
            "20241122_export",
        ] {
            assert!(!looks_random(name.as_bytes()), "{name}");
        }
    }
}
