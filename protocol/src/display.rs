//! What a person reads: any text made one safe line of at most 500 characters.
//!
//! Summaries, reasons and evidence come from callers and services. Shown as they are, they could
//! move the cursor, hide a word or fake a second line on the reviewer's terminal, or in a log.

use std::fmt;

/// The most characters of one field that a person is shown.
pub const FIELD_LIMIT: usize = 500;

/// What stands at the end of a field that was cut.
const CUT: char = '…';

/// Shows `text` as one line: line breaks, control characters, ESC, bidirectional controls and
/// zero-width characters as escapes, and never more than [`FIELD_LIMIT`] characters in all.
pub fn one_line(text: &str) -> OneLine<'_> {
    OneLine(text)
}

/// See [`one_line`].
#[derive(Clone, Copy)]
pub struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;

        // The escape of one character is at most `\u{10ffff}`; text this short always fits.
        const LONGEST_ESCAPE: usize = 10;
        let sure_to_fit = self.0.len() <= FIELD_LIMIT / LONGEST_ESCAPE;
        if !sure_to_fit && !fits(self.0) {
            let mut left = FIELD_LIMIT - 1;
            for character in self.0.chars() {
                let width = width(character);
                if width > left {
                    break;
                }
                left -= width;
                write_escaped(f, character)?;
            }
            return f.write_char(CUT);
        }
        self.0.chars().try_for_each(|c| write_escaped(f, c))
    }
}

/// In quotes, so that a value of blanks can be seen in a `Debug` print.
impl fmt::Debug for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Whether all of `text`, escaped, is within the limit; stops reading as soon as it is not.
fn fits(text: &str) -> bool {
    let mut left = FIELD_LIMIT;
    text.chars().all(|c| match left.checked_sub(width(c)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    })
}

/// How many characters `write_escaped` writes.
fn width(character: char) -> usize {
    match character {
        '\n' | '\r' | '\t' => 2,
        c if hides(c) => c.escape_unicode().len(),
        _ => 1,
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    use fmt::Write as _;

    match character {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        c if hides(c) => write!(f, "{}", c.escape_unicode()),
        c => f.write_char(c),
    }
}

/// Characters that are not seen themselves but change what is seen around them.
pub fn hides(character: char) -> bool {
    matches!(
        character,
        // C0 with ESC, DEL, and C1 with NEL (U+0085) and the one-character CSI (U+009B).
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // Soft hyphen, grapheme joiner, Arabic letter mark.
        | '\u{ad}' | '\u{34f}' | '\u{61c}'
        // Fillers and invisible vowels that show as nothing.
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{3164}' | '\u{ffa0}'
        // Zero-width spaces and joiners, directional marks.
        | '\u{200b}'..='\u{200f}'
        // Line and paragraph separator, bidirectional embeddings and overrides.
        | '\u{2028}'..='\u{202e}'
        // Word joiner, invisible operators, bidirectional isolates, deprecated controls.
        | '\u{2060}'..='\u{206f}'
        // Variation selectors, byte order mark, interlinear annotation.
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        // Shorthand and musical format controls.
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        // Tags and the variation selectors supplement: whole hidden messages fit in them.
        | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_shown_as_it_is() {
        for text in [
            "",
            "adjust inv_1 by 1250 cents",
            "é 漢字 😀 עברית",
            r"C:\new",
            "a\"b",
        ] {
            assert_eq!(one_line(text).to_string(), text);
        }
    }

    #[test]
    fn whatever_hides_or_moves_is_shown_as_an_escape() {
        let shown = one_line("a\nb\r\tc\u{1b}[2Jd\u{9b}e\u{85}f\u{2028}g\u{2029}").to_string();
        assert_eq!(shown, r"a\nb\r\tc\u{1b}[2Jd\u{9b}e\u{85}f\u{2028}g\u{2029}");
        let hidden = "\u{202e}\u{2066}\u{200b}\u{200d}\u{feff}\u{ad}\u{e0041}\u{61c}\u{0}\u{7f}";
        let shown = one_line(hidden).to_string();
        assert!(shown.is_ascii(), "{shown}");
        assert_eq!(shown.matches("\\u{").count(), hidden.chars().count());
    }

    #[test]
    fn a_field_is_never_longer_than_five_hundred_characters() {
        for text in ["x", "\u{202e}", "é", "\n", "ab\u{1b}"] {
            let shown = one_line(&text.repeat(10_000)).to_string();
            assert!(shown.chars().count() <= FIELD_LIMIT);
            assert!(shown.chars().count() > FIELD_LIMIT - 12, "cut too early");
            assert!(shown.ends_with(CUT));
        }
        let exact = "y".repeat(FIELD_LIMIT);
        assert_eq!(one_line(&exact).to_string(), exact);
        let over = "y".repeat(FIELD_LIMIT + 1);
        assert_eq!(one_line(&over).to_string().chars().count(), FIELD_LIMIT);
    }
}
