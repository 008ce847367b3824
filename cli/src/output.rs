//! What is written: lines and tables for people, JSON for scripts. Never a colour where nobody
//! looks, never a character that moves the cursor or hides.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use sernixa_protocol::display::hides;
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
    let mut out = String::with_capacity(text.len() * 2);
    write_json(document.root(), 0, &mut out);
    Ok(out)
}

fn write_json(node: Node<'_>, depth: usize, out: &mut String) {
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
            write_items(['{', '}'], items, depth, out);
        }
        Kind::Array => {
            let items = node.elements().map(|value| (None, value));
            write_items(['[', ']'], items, depth, out);
        }
        _ => write_scalar(node, out),
    }
}

fn write_items<'d>(
    [open, close]: [char; 2],
    items: impl Iterator<Item = (Option<Node<'d>>, Node<'d>)>,
    depth: usize,
    out: &mut String,
) {
    out.push(open);
    let mut first = true;
    for (key, value) in items {
        out.push_str(if first { "\n" } else { ",\n" });
        first = false;
        indent(depth + 1, out);
        if let Some(key) = key {
            write_scalar(key, out);
            out.push_str(": ");
        }
        write_json(value, depth + 1, out);
    }
    if !first {
        out.push('\n');
        indent(depth, out);
    }
    out.push(close);
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// The text of a string, number or word. In JSON only strings hold characters that hide, and there
/// an escape means the same.
fn write_scalar(node: Node<'_>, out: &mut String) {
    for character in node.raw().chars() {
        if hides(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
}

/// Rows under a heading, in columns as wide as the terminal allows; on a pipe each row is one line.
///
/// Cells are made safe here.
pub(crate) fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<(), Failure> {
    line(table_text(heading, rows, terminal_width()))
}

/// See [`table`]; `width` is that of the terminal.
pub(crate) fn table_text<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    width: Option<u16>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(heading);
    for row in rows {
        table.add_row(row.iter().map(|cell| Line(cell).to_string()));
    }
    match width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    let mut lines = String::new();
    for line in table.lines() {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(line.trim_end());
    }
    lines
}

/// The width of the terminal on stdout, if it is one.
pub(crate) fn terminal_width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    Some(crossterm::terminal::size().map_or(80, |(width, _)| width.max(40)))
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
