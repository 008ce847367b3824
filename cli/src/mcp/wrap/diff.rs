//! What a change does to a text, line by line, without the secrets in it.

use std::ops::Range;

use sernixa_protocol::json::{Kind, Node};

use super::text::{Edit, apply};
use crate::Failure;
use crate::output::one_line;

/// The lines that go and come, each hunk under the line where it begins. `edits` are in order.
pub(super) fn lines(
    text: &str,
    edits: &[Edit],
    secrets: &[String],
) -> Result<Vec<String>, Failure> {
    let mut out = Vec::new();
    for (range, edits) in hunks(text, edits) {
        let old = text.get(range.clone()).unwrap_or_default();
        let mut moved: Vec<Edit> = edits.iter().map(|edit| within(&range, edit)).collect();
        let new = apply(old, &mut moved)?;
        let first = text.get(..range.start).unwrap_or_default();
        out.push(format!("@@ line {} @@", first.matches('\n').count() + 1));
        out.extend(old.lines().map(|line| shown('-', line, secrets)));
        out.extend(new.lines().map(|line| shown('+', line, secrets)));
    }
    Ok(out)
}

fn within(range: &Range<usize>, edit: &Edit) -> Edit {
    let at = |place: usize| place.saturating_sub(range.start);
    Edit::new(at(edit.range.start)..at(edit.range.end), edit.with.clone())
}

/// Whole lines that are touched, and what touches them. Neighbours make one hunk.
fn hunks<'e>(text: &str, edits: &'e [Edit]) -> Vec<(Range<usize>, &'e [Edit])> {
    let mut hunks: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for (index, edit) in edits.iter().enumerate() {
        let before = text.get(..edit.range.start).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let after = text.get(edit.range.end..).unwrap_or_default();
        let end = edit.range.end + after.find('\n').map_or(after.len(), |at| at + 1);
        match hunks.last_mut() {
            Some((lines, edits)) if start <= lines.end => {
                lines.end = lines.end.max(end);
                edits.end = index + 1;
            }
            _ => hunks.push((start..end, index..index + 1)),
        }
    }
    let edits = |range: Range<usize>| edits.get(range).unwrap_or_default();
    hunks
        .into_iter()
        .map(|(lines, range)| (lines, edits(range)))
        .collect()
}

fn shown(sign: char, line: &str, secrets: &[String]) -> String {
    // A tab would be shown as an escape.
    let mut line = line.replace('\t', "    ");
    for secret in secrets {
        line = line.replace(secret, "\"…\"");
    }
    format!("{sign}{}", one_line(&line))
}

/// What a diff leaves out: the values of a server's variables and headers, and a URL that may hold a
/// key. A mere reference such as `${input:key}` is no secret.
pub(super) fn secrets(server: Node<'_>) -> Vec<String> {
    let values = ["env", "headers"]
        .into_iter()
        .filter_map(|name| server.get(name))
        .flat_map(|object| object.members().map(|(_, value)| value));
    let url = server.get("url").filter(|url| {
        let url = url.as_str().unwrap_or_default();
        super::entry::is_private(&url)
    });
    values
        .chain(url)
        .filter(|value| value.kind() == Kind::String && !is_reference(*value))
        .map(|value| value.raw().to_owned())
        .collect()
}

fn is_reference(value: Node<'_>) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.is_empty() || (text.starts_with("${") && text.find('}') == Some(text.len() - 1))
}
