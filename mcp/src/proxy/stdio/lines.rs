//! Lines of messages, with a limit.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::skim::Skim;
use crate::message::{Direction, LONGEST, Message, Refused};

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// Messages, a line each.
pub(super) struct Lines<R> {
    input: R,
    direction: Direction,
    buffer: BytesMut,
    /// Of the buffer: looked through already, without a line break.
    seen: usize,
    /// The line that is too long, as far as it came.
    skimmed: Option<Skim>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(input: R, direction: Direction) -> Self {
        Self {
            input,
            direction,
            buffer: BytesMut::new(),
            seen: 0,
            skimmed: None,
        }
    }

    /// The next message, or why it is none; `None` at the end. Blank lines are skipped, and of a line
    /// that is too long nothing is kept. Safe to drop and call again.
    pub(super) async fn next(&mut self) -> Option<Result<Message, Refused>> {
        loop {
            if let Some(line) = self.line() {
                match line {
                    Ok(line) if line.trim_ascii().is_empty() => continue,
                    Ok(line) => return Some(Message::read(line, self.direction)),
                    Err(refused) => return Some(Err(refused)),
                }
            }
            self.buffer.reserve(CHUNK);
            match self.input.read_buf(&mut self.buffer).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return self.rest(),
            }
        }
    }

    /// A line that came whole.
    fn line(&mut self) -> Option<Result<Bytes, Refused>> {
        let fresh = self.buffer.get(self.seen..).unwrap_or_default();
        let found = fresh.iter().position(|byte| *byte == b'\n');
        let Some(at) = found else {
            self.seen = self.buffer.len();
            if self.seen > LONGEST {
                let skimmed = self.skimmed.get_or_insert_default();
                skimmed.feed(&self.buffer);
                self.buffer.clear();
                self.seen = 0;
            }
            return None;
        };
        let end = self.seen + at;
        let mut line = self.buffer.split_to(end + 1);
        self.seen = 0;
        line.truncate(end);
        Some(match self.skimmed.take() {
            None if line.len() <= LONGEST => Ok(line.freeze()),
            skimmed => {
                let mut skimmed = skimmed.unwrap_or_default();
                skimmed.feed(&line);
                Err(skimmed.refused())
            }
        })
    }

    /// What stood there without a line break at the end.
    fn rest(&mut self) -> Option<Result<Message, Refused>> {
        let line = std::mem::take(&mut self.buffer);
        self.seen = 0;
        if let Some(mut skimmed) = self.skimmed.take() {
            skimmed.feed(&line);
            return Some(Err(skimmed.refused()));
        }
        (!line.trim_ascii().is_empty()).then(|| Message::read(line.freeze(), self.direction))
    }
}
