//! The text of a host's configuration: read strictly, changed by splices, so that comments, order and
//! layout stay.

use std::ops::Range;

use sernixa_protocol::json::{Document, Node};

use crate::Failure;

/// Levels of a configuration; what is deeper was not written by a person.
const DEEPEST: usize = 128;

/// What a text may hold beside strict JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nothing: the host reads JSON.
    Json,
    /// Comments and trailing commas, as the editors read them.
    WithComments,
}

/// The text with its byte order mark, and for [`Dialect::WithComments`] its comments and trailing
/// commas, blanked: strict JSON in which every value stands at the byte where it stood.
pub(super) fn blanked(text: &str, dialect: Dialect) -> String {
    let mut out = text.to_owned();
    if text.starts_with('\u{feff}') {
        out.replace_range(..'\u{feff}'.len_utf8(), "   ");
    }
    if dialect == Dialect::Json {
        return out;
    }
    let mut blanks: Vec<Range<usize>> = Vec::new();
    // The comma that only what closes may follow, and what came before it.
    let (mut comma, mut last) = (None, '[');
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        match character {
            '"' => {
                comma = None;
                while let Some((_, character)) = rest.next() {
                    match character {
                        '\\' => drop(rest.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '/' if matches!(rest.peek(), Some((_, '/' | '*'))) => {
                let inside = text.get(at..).unwrap_or_default();
                let length = if inside.starts_with("//") {
                    inside.find(['\n', '\r'])
                } else {
                    // Without its end it is no comment, and the strict reader stumbles over it.
                    let end = inside.get(2..).and_then(|inside| inside.find("*/"));
                    Some(end.map_or(0, |end| end + 4))
                };
                let end = at + length.unwrap_or(inside.len());
                blanks.push(at..end);
                while rest.next_if(|(at, _)| *at < end).is_some() {}
                continue;
            }
            ' ' | '\t' | '\r' | '\n' | '\u{feff}' => continue,
            ',' => comma = (!matches!(last, '[' | '{' | ',' | ':')).then_some(at),
            ']' | '}' => blanks.extend(comma.take().map(|at| at..at + 1)),
            _ => comma = None,
        }
        last = character;
    }
    for range in blanks {
        let blank = " ".repeat(range.len());
        out.replace_range(range, &blank);
    }
    out
}

/// Reads what [`blanked`] made of a text. Members that stand twice are an error: hosts differ in
/// which of them they take.
pub(super) fn parse(blanked: &str) -> Result<Document<'_>, Failure> {
    Document::parse_within(blanked, DEEPEST).map_err(|error| {
        let before = blanked.get(..error.offset()).unwrap_or(blanked);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default();
        let column = column.chars().count() + 1;
        let kind = error.to_string();
        let fault = kind.split(" at byte").next().unwrap_or_default();
        Failure::new(format!("line {line}, column {column}: {fault}"))
    })
}

/// One change: what stands in `range` becomes `with`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) with: String,
}

impl Edit {
    pub(super) fn new(range: Range<usize>, with: impl Into<String>) -> Self {
        let with = with.into();
        Self { range, with }
    }

    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::new(at..at, text)
    }

    pub(super) fn remove(range: Range<usize>) -> Self {
        Self::new(range, "")
    }
}

/// The text with all changes made; they are put in order, and may not overlap.
pub(super) fn apply(text: &str, edits: &mut [Edit]) -> Result<String, Failure> {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for edit in &*edits {
        let kept = text.get(done..edit.range.start);
        let kept = kept.ok_or_else(|| Failure::new("its members stand in an unusual order"))?;
        out.push_str(kept);
        out.push_str(&edit.with);
        done = edit.range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Ok(out)
}

/// Where the member at `index` of an object stands, together with the comma that it takes along.
pub(super) fn member_range(members: &[(Node<'_>, Node<'_>)], index: usize) -> Option<Range<usize>> {
    let (key, value) = members.get(index)?;
    let before = index.checked_sub(1).and_then(|index| members.get(index));
    Some(match (before, members.get(index + 1)) {
        (Some((_, before)), _) => before.range().end..value.range().end,
        (None, Some((next, _))) => key.range().start..next.range().start,
        (None, None) => key.range().start..value.range().end,
    })
}

/// The whitespace before `at`: what two members of one object are parted by.
pub(super) fn space_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let kept = before.trim_end_matches([' ', '\t', '\r', '\n']).len();
    match before.get(kept..) {
        Some(space) if !space.is_empty() => space,
        _ => " ",
    }
}

/// Text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_blanked_and_nothing_moves() {
        let text =
            "\u{feff}{ // one, {\n \"a\": [1, /* ] */ 2,], \"u//\": \"/* \\\" */,}\",\r\n /**/}";
        let blank = blanked(text, Dialect::WithComments);
        assert_eq!(blank.len(), text.len());
        let document = parse(&blank).unwrap();
        assert_eq!(document.root().get("u//").unwrap().raw(), r#""/* \" */,}""#);
        assert_eq!(document.root().get("a").unwrap().elements().count(), 2);
        assert!(parse(&blanked(text, Dialect::Json)).is_err());
    }

    #[test]
    fn what_is_no_json_says_where() {
        for (text, fault) in [
            ("", "line 1, column 1: JSON ends"),
            ("{\n  \"a\": 1,\n  \"a\": 2}", "line 3, column 3: duplicate"),
            ("{\"a\": 1 /* {", "line 1, column 9: unexpected"),
            ("{,}", "line 1, column 2: unexpected"),
            ("[1,,]", "line 1, column 4: unexpected"),
            ("{} // end\n x", "line 2, column 2: text after"),
        ] {
            let blank = blanked(text, Dialect::WithComments);
            let error = parse(&blank).unwrap_err().chain();
            assert!(error.starts_with(fault), "{text}: {error}");
        }
    }
}
