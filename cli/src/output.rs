//! What is written: lines and tables for people, JSON for scripts. Never a colour where nobody
//! looks, never a character that moves the cursor or hides.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, presets};
use serde::Serialize;
use sernixa_protocol::display::{FIELD_LIMIT, hides};
use sernixa_protocol::json::{Document, Kind, Node};

use crate::Failure;

/// Any text as one safe line of at most 500 characters (DESIGN 4).
pub(crate) use sernixa_protocol::display::one_line;

/// What stands where nothing is known.
pub(crate) const NOTHING: &str = "-";

/// Levels of JSON that are written; what is deeper is no answer of a service.
const DEEPEST: usize = 256;

/// One line on stdout. Texts of others in it must have been through [`one_line`].
pub(crate) fn line(text: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// One line on stderr: what belongs to no answer.
pub(crate) fn note(text: impl Display) -> Result<(), Failure> {
    Ok(writeln!(io::stderr().lock(), "{text}")?)
}

/// A value as indented JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value)
        .map_err(|error| Failure::new("the answer is no JSON").caused_by(error))?;
    json_text(&text)
}

/// A JSON text, indented, members by name. Numbers stay as they are written, of any size; what
/// would hide or move on a terminal is escaped.
pub(crate) fn json_text(text: &str) -> Result<(), Failure> {
    line(pretty(text)?)
}

/// See [`json_text`].
pub(crate) fn pretty(text: &str) -> Result<String, Failure> {
    let document = Document::parse_within(text, DEEPEST)
        .map_err(|error| Failure::new("the answer is no JSON").caused_by(error))?;
    Ok(Writer::new(Layout::Indented, Texts::Whole).write(document.root()))
}

/// A value as indented JSON for a person: each text and name is cut to 500 characters.
pub(crate) fn pretty_cut(node: Node<'_>) -> String {
    Writer::new(Layout::Indented, Texts::Cut).write(node)
}

/// A value as JSON in one line.
pub(crate) fn compact(node: Node<'_>) -> String {
    Writer::new(Layout::OneLine, Texts::Whole).write(node)
}

/// How JSON is laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Indented,
    OneLine,
}

/// How much of each text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    Whole,
    /// At most 500 characters: no JSON any more where something is cut, for a person alone.
    Cut,
}

/// Writes JSON with the members of objects by name.
struct Writer {
    layout: Layout,
    texts: Texts,
    out: String,
}

impl Writer {
    const fn new(layout: Layout, texts: Texts) -> Self {
        Self {
            layout,
            texts,
            out: String::new(),
        }
    }

    fn write(mut self, node: Node<'_>) -> String {
        self.value(node, 0);
        self.out
    }

    /// The reader bounds the depth.
    fn value(&mut self, node: Node<'_>, depth: usize) {
        match node.kind() {
            Kind::Object => {
                let mut members: Vec<_> = node
                    .members()
                    .map(|(key, value)| (key.as_str().unwrap_or_default(), key, value))
                    .collect();
                members.sort_by(|(one, ..), (other, ..)| one.cmp(other));
                let items = members
                    .into_iter()
                    .map(|(_, key, value)| (Some(key), value));
                self.items(['{', '}'], items, depth);
            }
            Kind::Array => {
                let items = node.elements().map(|value| (None, value));
                self.items(['[', ']'], items, depth);
            }
            _ => self.scalar(node),
        }
    }

    fn items<'d>(
        &mut self,
        [open, close]: [char; 2],
        items: impl Iterator<Item = (Option<Node<'d>>, Node<'d>)>,
        depth: usize,
    ) {
        self.out.push(open);
        let mut first = true;
        for (key, value) in items {
            if !first {
                self.out.push(',');
            }
            self.next_line(depth + 1, first);
            first = false;
            if let Some(key) = key {
                self.scalar(key);
                self.out.push_str(": ");
            }
            self.value(value, depth + 1);
        }
        if !first {
            self.next_line(depth, true);
        }
        self.out.push(close);
    }

    /// A line break, or between two items of one line a blank.
    fn next_line(&mut self, depth: usize, at_bracket: bool) {
        match self.layout {
            Layout::Indented => {
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n("  ", depth));
            }
            Layout::OneLine if at_bracket => {}
            Layout::OneLine => self.out.push(' '),
        }
    }

    /// The text of a string, number or word as it came. In JSON only strings hold characters that
    /// hide, and there an escape means the same.
    fn scalar(&mut self, node: Node<'_>) {
        use fmt::Write as _;

        let raw = node.raw();
        if self.texts == Texts::Cut && raw.chars().count() > FIELD_LIMIT {
            let _ = write!(self.out, "{}", one_line(raw));
            return;
        }
        for character in raw.chars() {
            if hides(character) {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(self.out, "\\u{unit:04x}");
                }
            } else {
                self.out.push(character);
            }
        }
    }
}

/// Columns that are no wider are never cut.
const SHORT: u16 = 14;

/// Rows under a heading. On a terminal each row is one line and long cells are cut; elsewhere
/// nothing is cut beyond 500 characters a cell. Cells are made safe here.
pub(crate) fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<(), Failure> {
    let lines = table_lines(heading, rows, terminal_width());
    line(lines.join("\n"))
}

/// The lines of a [`table`], the heading first; `width` is that of the terminal, if it is for one.
pub(crate) fn table_lines<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    width: Option<u16>,
) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_truncation_indicator("…");
    match width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    let one_high = |mut row: Row| {
        if width.is_some() {
            row.max_height(1);
        }
        row
    };
    table.set_header(one_high(Row::from(heading)));
    for cells in rows {
        let cells = cells.iter().map(|cell| Line(cell).to_string());
        table.add_row(one_high(Row::from(cells)));
    }
    // What is short is shown whole; the room that is left is for the long ones.
    let widths = table.column_max_content_widths();
    for (column, content) in table.column_iter_mut().zip(widths) {
        column.set_padding((0, 2));
        if width.is_some() && content <= SHORT {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect()
}

/// The width of the terminal on stdout, if it is one.
pub(crate) fn terminal_width() -> Option<u16> {
    io::stdout().is_terminal().then(|| terminal_size().0)
}

/// The columns and rows of the terminal; some do not say.
pub(crate) fn terminal_size() -> (u16, u16) {
    match crossterm::terminal::size() {
        Ok((columns @ 1.., rows @ 1..)) => (columns, rows),
        _ => (80, 24),
    }
}

/// A cell: safe, and a dash when empty.
struct Line<'a>(&'a str);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.trim().is_empty() {
            f.write_str(NOTHING)
        } else {
            one_line(self.0).fmt(f)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_by_name_and_keeps_its_numbers() {
        let text =
            r#"{"b":[1.0,1e400,123456789012345678901234567890,-0,[],{}],"a":{"é":"\u001b\/"}}"#;
        let expected = r#"{
  "a": {
    "é": "\u001b\/"
  },
  "b": [
    1.0,
    1e400,
    123456789012345678901234567890,
    -0,
    [],
    {}
  ]
}"#;
        assert_eq!(pretty(text).unwrap(), expected);
        let document = Document::parse(text).unwrap();
        let line = compact(document.root());
        let again = Document::parse(&line).unwrap();
        assert_eq!(compact(again.root()), line);
        assert!(
            !line.contains('\n') && line.starts_with(r#"{"a": {"é": "#),
            "{line}"
        );
    }

    #[test]
    fn json_shows_nothing_that_a_terminal_obeys_and_means_the_same() {
        let odd = "\u{9b}\u{202e}\u{2028}\u{e0041}\u{7f}\u{1b}\n";
        let text = serde_json::json!({ odd: [odd] }).to_string();
        let shown = pretty(&text).unwrap();
        assert!(!shown.chars().any(|c| c != '\n' && hides(c)), "{shown:?}");
        let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(
            read,
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        );
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_an_error() {
        for text in ["", "{", "[] []", "{\"a\":1,\"a\":2}", &"[".repeat(100_000)] {
            assert!(pretty(text).is_err());
        }
        let deep = format!("{}{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1));
        assert!(pretty(&deep).is_err());
    }

    #[test]
    fn on_a_terminal_a_row_is_a_line_and_elsewhere_nothing_is_lost() {
        let long = "word ".repeat(60);
        let rows = || {
            [
                ["apr_12345678".to_owned(), long.clone()],
                [String::new(), "\n\u{1b}".to_owned()],
            ]
        };
        for width in [1, 20, 40, 80, 500] {
            let lines = table_lines(["ID", "TEXT"], rows(), Some(width));
            assert_eq!(lines.len(), 3, "{width}: {lines:?}");
        }
        let lines = table_lines(["ID", "TEXT"], rows(), Some(60));
        assert!(
            lines.iter().all(|line| line.chars().count() <= 60),
            "{lines:?}"
        );
        assert!(
            lines[1].starts_with("apr_12345678") && lines[1].ends_with('…'),
            "{lines:?}"
        );
        let lines = table_lines(["ID", "TEXT"], rows(), None);
        assert!(lines[1].contains(long.trim_end()));
        assert_eq!(lines[2], r"-             \n\u{1b}");
    }
}
