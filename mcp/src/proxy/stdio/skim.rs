//! Whose message a line is that is too long to be kept.
//!
//! Its sender, or whoever waits for it, is to be told that it will not arrive; so its members are
//! skimmed as they pass by, and nothing is kept but the id. Nothing else is decided by it.

use sernixa_protocol::json::Document;

use crate::message::{Id, Refused, Seems};

/// The longest name that matters, `method`, with its quotes; the longest id is 256 bytes, each of which
/// may be written with six.
const NAME_MAX: usize = 8;
const VALUE_MAX: usize = 1_600;

/// Reads a JSON text byte by byte, and remembers of its outermost object what it asks or answers.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that was seen; they do not exclude each other"
)]
pub(super) struct Skim {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// At the outermost members: a value is awaited or read, not a name.
    in_value: bool,
    name: Vec<u8>,
    value: Vec<u8>,
    asks: bool,
    answers: bool,
    ids: usize,
    id: Option<Id>,
}

impl Skim {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.step(*byte);
        }
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            self.keep(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.keep(byte);
            }
            b'{' | b'[' => {
                self.keep(byte);
                self.depth += 1;
            }
            b'}' | b']' => {
                if self.depth == 1 {
                    self.member();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b',' if self.depth == 1 => self.member(),
            b':' if self.depth == 1 => self.in_value = true,
            b' ' | b'\t' | b'\r' => {}
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth != 1 {
            return;
        }
        let (kept, most) = if self.in_value {
            (&mut self.value, VALUE_MAX)
        } else {
            (&mut self.name, NAME_MAX)
        };
        // One more than fits says that it did not fit.
        if kept.len() <= most {
            kept.push(byte);
        }
    }

    /// An outermost member has ended.
    fn member(&mut self) {
        match self.name.as_slice() {
            b"\"method\"" => self.asks = true,
            b"\"result\"" | b"\"error\"" => self.answers = true,
            b"\"id\"" => {
                self.ids += 1;
                let text = std::str::from_utf8(&self.value).ok();
                let document = text.and_then(|text| Document::parse(text).ok());
                self.id = document.and_then(|document| Id::read(document.root()));
            }
            _ => {}
        }
        self.in_value = false;
        self.name.clear();
        self.value.clear();
    }

    /// The refusal of the line, once it has passed.
    pub(super) fn refused(self) -> Refused {
        let mut refused = Refused::too_long();
        refused.seems = match (self.asks, self.answers) {
            (true, false) if self.ids == 0 => Seems::Notification,
            (true, false) => Seems::Request,
            (false, true) => Seems::Answer,
            _ => Seems::Unclear,
        };
        refused.id = self.id.filter(|_| self.ids == 1);
        refused
    }
}
