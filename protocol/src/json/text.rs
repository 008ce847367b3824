//! Strings of JSON: checking their escapes and undoing them.

use super::error::JsonErrorKind;

/// Checks the escape that begins with the `\` at `bytes[at]`; returns its length.
pub(super) fn check_escape(bytes: &[u8], at: usize) -> Result<usize, JsonErrorKind> {
    match bytes.get(at + 1) {
        None => Err(JsonErrorKind::UnexpectedEnd),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => match unit(bytes, at)? {
            0xDC00..=0xDFFF => Err(JsonErrorKind::LoneSurrogate),
            0xD800..=0xDBFF => {
                let escape_follows = bytes.get(at + 6..at + 8) == Some(b"\\u");
                if escape_follows && (0xDC00..=0xDFFF).contains(&unit(bytes, at + 6)?) {
                    Ok(12)
                } else {
                    Err(JsonErrorKind::LoneSurrogate)
                }
            }
            _ => Ok(6),
        },
        Some(_) => Err(JsonErrorKind::BadEscape),
    }
}

/// The UTF-16 unit of the `\uXXXX` at `bytes[at]`.
fn unit(bytes: &[u8], at: usize) -> Result<u32, JsonErrorKind> {
    let digits = bytes
        .get(at + 2..at + 6)
        .ok_or(JsonErrorKind::UnexpectedEnd)?;
    digits.iter().try_fold(0, |unit, &digit| {
        let digit = char::from(digit)
            .to_digit(16)
            .ok_or(JsonErrorKind::BadEscape)?;
        Ok(unit << 4 | digit)
    })
}

/// Undoes the escapes of the text between a string's quotes, which the parser has checked.
pub(crate) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escape.chars();
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let high = hex(chars.as_str());
                chars = chars.as_str().get(4..).unwrap_or_default().chars();
                let code = if (0xD800..0xDC00).contains(&high) {
                    let low = hex(chars.as_str().get(2..).unwrap_or_default());
                    chars = chars.as_str().get(6..).unwrap_or_default().chars();
                    0x1_0000 + ((high - 0xD800) << 10) + (low.saturating_sub(0xDC00))
                } else {
                    high
                };
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            // `"`, `\` and `/` stand for themselves.
            Some(other) => out.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

fn hex(text: &str) -> u32 {
    text.get(..4)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .unwrap_or(0xFFFD)
}
