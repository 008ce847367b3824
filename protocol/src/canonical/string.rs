//! Strings in both dialects (PROTOCOL 23).

use std::fmt::Write as _;

use crate::text::first_special;

/// Appends `text` in quotes. Escaped are `"`, `\` and what is below U+0020, nothing else.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = first_special(rest.as_bytes()) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        // The byte found is ASCII, so one character is one byte.
        let (special, tail) = special.split_at(1);
        special.chars().for_each(|c| escape(c, out));
        rest = tail;
    }
    out.push_str(rest);
    out.push('"');
}

/// Appends `text` in quotes with everything outside U+0020 to U+007E escaped as UTF-16.
pub(super) fn write_ascii_string(text: &str, out: &mut String) {
    if is_plain_ascii(text) {
        return write_string(text, out);
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' | '\0'..='\u{1f}' => escape(c, out),
            ' '..='~' => out.push(c),
            _ => escape_unicode(c, out),
        }
    }
    out.push('"');
}

/// Whether the ASCII form escapes no more than the UTF-8 form does.
fn is_plain_ascii(text: &str) -> bool {
    text.is_ascii() && !text.as_bytes().contains(&0x7f)
}

/// Appends the escape of a character as UTF-16.
pub(super) fn escape_unicode(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        escape_unit(*unit, out);
    }
}

fn escape(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        other => escape_unit(other as u16, out),
    }
}

fn escape_unit(unit: u16, out: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = write!(out, "\\u{unit:04x}");
}
