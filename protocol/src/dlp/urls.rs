//! Passwords inside URLs: `postgres://user:password@host`.

use std::ops::Range;

use super::pairs::is_masked;

/// The password of the URL whose `://` begins at `at`, from the first `:` of the authority to its
/// last `@`, so that passwords with an `@` are found whole.
pub(super) fn password(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let scheme = at.checked_sub(1).and_then(|before| bytes.get(before))?;
    if !scheme.is_ascii_alphanumeric() {
        return None;
    }
    let start = at + 3;
    let rest = bytes.get(start..)?;
    let authority = rest.get(
        ..rest
            .iter()
            .position(|&b| ends_authority(b))
            .unwrap_or(rest.len()),
    )?;
    let host = authority.iter().rposition(|&b| b == b'@')?;
    let colon = authority.iter().take(host).position(|&b| b == b':')?;
    let password = authority.get(colon + 1..host)?;
    (!password.is_empty() && !is_masked(password)).then_some(start + colon + 1..start + host)
}

fn ends_authority(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'<' | b'>' | b'\\' | b'`')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        password(text.as_bytes(), text.find("://")?).map(|range| &text[range])
    }

    #[test]
    fn the_password_of_a_url_is_found_whole() {
        for (text, secret) in [
            ("postgres://user:hunter2@db.example.com/x", Some("hunter2")),
            ("see redis://:p@ss@host:6379/0", Some("p@ss")),
            ("https://user@host/", None),
            ("https://host:8080/a@b:c@d", None),
            ("https://user:@host/", None),
            ("https://user:[redacted-secret]@host/", None),
            ("://a:b@c", None),
            ("http://", None),
        ] {
            assert_eq!(found(text), secret, "{text}");
        }
    }
}
