//! What keeps a stream from growing without end in our memory: a limit to a line and to an event.
//!
//! Comments do not count once their line has ended: they may come for ever.

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt as _};

use super::Broken;

/// The longest line, and the longest event, in bytes. A record is a few thousand.
pub(super) const LONGEST: usize = 1 << 20;

/// Counts what a parser has to hold.
#[derive(Default)]
struct Guard {
    /// Bytes of the event so far, without the line under way.
    event: usize,
    /// Bytes of the line under way.
    line: usize,
    comment: bool,
    /// The last line ended with a carriage return, so a line feed ends no other.
    returned: bool,
}

impl Guard {
    /// Whether this chunk may go on to the parser.
    fn takes(&mut self, chunk: &[u8]) -> bool {
        for byte in chunk {
            let follows_return = std::mem::take(&mut self.returned);
            match byte {
                b'\n' if follows_return => {}
                b'\n' | b'\r' => {
                    self.returned = *byte == b'\r';
                    match (self.line, self.comment) {
                        (0, _) => self.event = 0,
                        (_, true) => {}
                        (line, false) => self.event += line,
                    }
                    (self.line, self.comment) = (0, false);
                }
                _ => {
                    self.comment |= self.line == 0 && *byte == b':';
                    self.line += 1;
                }
            }
            if self.event + self.line > LONGEST {
                return false;
            }
        }
        true
    }
}

/// The same chunks, to the first one that makes a line or an event too long.
pub(super) fn guarded(
    chunks: impl Stream<Item = Result<Bytes, Broken>>,
) -> impl Stream<Item = Result<Bytes, Broken>> {
    let mut guard = Guard::default();
    chunks.map(move |chunk| {
        let chunk = chunk?;
        if guard.takes(&chunk) {
            Ok(chunk)
        } else {
            Err(Broken::TooLong)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(guard: &mut Guard, piece: &[u8], times: usize) -> bool {
        (0..times).all(|_| guard.takes(piece))
    }

    #[test]
    fn comments_and_events_may_come_for_ever() {
        let mut guard = Guard::default();
        assert!(takes(&mut guard, b": still here\n\n", 1_000_000));
        assert!(takes(&mut guard, b": still here\r\n", 1_000_000));
        assert!(takes(&mut guard, b"id: 7\ndata: {}\n\n", 1_000_000));
        assert!(takes(&mut guard, b"data: {}\r\n\r\n", 1_000_000));
        assert!(takes(&mut guard, b"data: {}\r\r", 1_000_000));
    }

    #[test]
    fn a_line_or_an_event_without_end_ends_the_stream() {
        for piece in [
            &b"data: x\n"[..],
            b"data: x\r\n",
            b"data: x\r",
            b"x",
            b": x",
            b"id: 1\n: comment\n",
        ] {
            let mut guard = Guard::default();
            assert!(!takes(&mut guard, piece, LONGEST + 1), "{piece:?}");
        }
    }

    #[test]
    fn an_event_of_the_greatest_length_still_passes() {
        let mut guard = Guard::default();
        let longest = [&b"data: "[..], &vec![b'x'; LONGEST - 6]].concat();
        assert!(guard.takes(&longest));
        assert!(guard.takes(b"\n\n"));
        assert!(guard.takes(&longest));
        assert!(!guard.takes(b"x"));
    }
}
