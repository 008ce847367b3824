//! What the live table shows, as lines of text: a function of what is known, without a terminal.

use jiff::Timestamp;

use super::lines::ended;
use super::{News, Watch};
use crate::approvals::decide::Answer;
use crate::approvals::list::{HEADING, row};
use crate::approvals::resolve::short_ids;
use crate::approvals::show;
use crate::output::{one_line, table_lines};
use crate::record::Record;

/// What ended lately is shown below the table.
const LATELY: usize = 5;

/// The state of the screen.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The chosen approval; it stays chosen while the table moves.
    chosen: Option<String>,
    /// One approval in full, instead of the table.
    pub(super) open: Option<Open>,
    /// What ended, the latest last.
    lately: Vec<String>,
    /// What came of the last key.
    pub(super) remark: String,
}

/// One approval in full.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: String,
    /// Its fields.
    text: String,
    /// The first line that is shown.
    pub(super) top: usize,
    /// The decision that is being made, and its reason so far.
    pub(super) deciding: Option<(Answer, String)>,
}

impl Open {
    pub(super) fn new(id: &str, record: &Record, deciding: Option<Answer>) -> Self {
        Self {
            id: id.to_owned(),
            text: show::text(record, usize::MAX),
            top: 0,
            deciding: deciding.map(|answer| (answer, String::new())),
        }
    }
}

/// A line of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) look: Look,
}

/// How a line looks, where looks are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Heading,
    Chosen,
}

impl Line {
    fn plain(text: impl Into<String>) -> Self {
        let (text, look) = (text.into(), Look::Plain);
        Self { text, look }
    }
}

impl View {
    /// Takes in what happened.
    pub(super) fn tell(&mut self, news: &[News]) {
        for news in news {
            let News::Ended(record) = news else { continue };
            let mut text = format!("{}  {}", ended(record), one_line(record.id()));
            for (before, field) in [
                ("  ", &record.action_id),
                ("  by ", &record.decided_by),
                (": ", &record.decision_reason),
            ] {
                if let Some(field) = field {
                    text.push_str(before);
                    text.push_str(&one_line(field).to_string());
                }
            }
            self.lately.push(text);
        }
        let surplus = self.lately.len().saturating_sub(LATELY);
        self.lately.drain(..surplus);
    }

    /// The chosen approval of the table, the first by default.
    pub(super) fn chosen<'w>(&self, watch: &'w Watch<'_>) -> Option<&'w str> {
        let mut waiting = watch.board.waiting().map(Record::id);
        let chosen = self.chosen.as_deref();
        let found = waiting.find(|id| Some(*id) == chosen);
        found.or_else(|| watch.board.waiting().map(Record::id).next())
    }

    /// Chooses the one so many places further down or up.
    pub(super) fn step(&mut self, watch: &Watch<'_>, by: isize) {
        if let Some(open) = &mut self.open {
            open.top = open.top.saturating_add_signed(by);
            return;
        }
        let ids: Vec<&str> = watch.board.waiting().map(Record::id).collect();
        let chosen = self.chosen(watch);
        let at = ids.iter().position(|id| Some(*id) == chosen).unwrap_or(0);
        let to = at
            .saturating_add_signed(by)
            .min(ids.len().saturating_sub(1));
        self.chosen = ids.get(to).map(|id| (*id).to_owned());
    }

    /// The lines of a screen of this size.
    pub(super) fn lines(
        &self,
        watch: &Watch<'_>,
        now: Timestamp,
        (width, height): (u16, u16),
    ) -> Vec<Line> {
        let height = usize::from(height.max(4));
        let mut lines = match &self.open {
            Some(open) => open_lines(open, height - 2),
            None => self.table(watch, now, width, height - 2),
        };
        lines.truncate(height - 2);
        let state = match (&watch.trouble, watch.told) {
            (Some(trouble), _) => format!("{}; trying again", one_line(trouble)),
            (None, true) => "live".to_owned(),
            (None, false) => format!("every {} s", watch.interval.as_secs()),
        };
        let remark = match &self.open {
            Some(Open {
                deciding: Some((answer, reason)),
                ..
            }) => format!("{} because: {}_", answer.question(), one_line(reason)),
            _ => self.remark.clone(),
        };
        lines.push(Line::plain(remark));
        lines.push(Line {
            text: format!("{}  [{state}]", self.keys()),
            look: Look::Heading,
        });
        for line in &mut lines {
            cut(&mut line.text, width.into());
        }
        lines
    }

    fn keys(&self) -> &'static str {
        match &self.open {
            Some(Open {
                deciding: Some(_), ..
            }) => "type a reason (3 to 500 characters) · Enter decides · up/down · Esc goes back",
            Some(_) => "a approve · r reject · up/down · Esc goes back",
            None => "up/down choose · Enter show · a approve · r reject · q quit",
        }
    }

    fn table(&self, watch: &Watch<'_>, now: Timestamp, width: u16, room: usize) -> Vec<Line> {
        let records: Vec<Record> = watch.board.waiting().cloned().collect();
        let mut lines = Vec::new();
        if records.is_empty() {
            lines.push(Line::plain("Nothing waits for a decision."));
        } else {
            let ids = short_ids(&records);
            let rows = records
                .iter()
                .zip(ids)
                .map(|(record, id)| row(record, id, now));
            let chosen = self.chosen(watch);
            let chosen = records
                .iter()
                .position(|r| Some(r.id()) == chosen)
                .unwrap_or(0);
            // Two columns mark the chosen one, also where there are no colours.
            let mut all = table_lines(HEADING, rows, Some(width.saturating_sub(2))).into_iter();
            lines.extend(all.next().map(|text| Line {
                text: format!("  {text}"),
                look: Look::Heading,
            }));
            // The chosen one stays in sight.
            let room = room.saturating_sub(2 + self.lately.len()).max(1);
            let skip = (chosen + 1).saturating_sub(room);
            for (at, text) in all.enumerate().skip(skip).take(room) {
                lines.push(if at == chosen {
                    Line {
                        text: format!("> {text}"),
                        look: Look::Chosen,
                    }
                } else {
                    Line::plain(format!("  {text}"))
                });
            }
            let hidden = records.len().saturating_sub(room);
            if hidden > 0 {
                lines.push(Line::plain(format!("… {hidden} more")));
            }
        }
        if !self.lately.is_empty() {
            lines.push(Line::plain(""));
            lines.extend(self.lately.iter().rev().map(Line::plain));
        }
        lines
    }
}

fn open_lines(open: &Open, room: usize) -> Vec<Line> {
    let total = open.text.lines().count();
    let top = open.top.min(total.saturating_sub(room));
    open.text
        .lines()
        .skip(top)
        .take(room)
        .map(Line::plain)
        .collect()
}

/// Cuts a line to the width of the screen, so that no line becomes two.
fn cut(text: &mut String, width: usize) {
    // Characters may be two columns wide: the terminal does not wrap, so the worst is a cut.
    if let Some((at, _)) = text.char_indices().nth(width) {
        text.truncate(at);
    }
}
