//! What the scripted server writes, and how: right answers, wrong ones, and broken ones.

use std::time::Duration;

/// How the end of the body is told to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// `Content-Length`.
    Length,
    /// `Transfer-Encoding: chunked`, in chunks.
    Chunked,
    /// Nothing: the connection closes after it.
    Close,
}

/// What is written after the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The next request is read.
    KeepOpen,
    /// The connection is closed in order (FIN).
    Close,
    /// The connection is reset (RST).
    Reset,
    /// Nothing, until the client goes away.
    Hang,
}

/// What the server writes, and how.
#[derive(Clone, Debug)]
pub struct Reply {
    version: &'static str,
    status: String,
    reason: &'static str,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    framing: Framing,
    raw: Option<Vec<u8>>,
    interim: Vec<u16>,
    pub(super) copies: usize,
    pub(super) cut: Option<usize>,
    pub(super) after: Duration,
    pub(super) pieces: Option<(usize, Duration)>,
    pub(super) then: Then,
}

impl Reply {
    /// An empty answer with a `Content-Length` of 0 and no content type.
    pub fn new(status: u16) -> Self {
        Self {
            version: "HTTP/1.1",
            status: format!("{status:03}"),
            reason: "Whatever",
            headers: Vec::new(),
            body: Vec::new(),
            framing: Framing::Length,
            raw: None,
            interim: Vec::new(),
            copies: 1,
            cut: None,
            after: Duration::ZERO,
            pieces: None,
            then: Then::KeepOpen,
        }
    }

    /// A well-behaved answer: `application/json`, `Content-Length`, the connection stays open.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status)
            .header("Content-Type", "application/json")
            .body(body)
    }

    /// Exactly these bytes in place of status line, headers and body.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            raw: Some(bytes.into()),
            ..Self::new(200)
        }
    }

    /// Nothing: the connection is closed without an answer.
    pub fn close_unanswered() -> Self {
        Self::raw("").close()
    }

    /// Nothing: the connection is reset without an answer.
    pub fn reset_unanswered() -> Self {
        Self::raw("").reset()
    }

    /// Nothing, until the client gives up.
    pub fn hang() -> Self {
        Self {
            then: Then::Hang,
            ..Self::raw("")
        }
    }

    /// Adds a header; a name may stand twice. `Content-Length` and the like are added by the
    /// framing unless [`raw`](Self::raw) or [`until_close`](Self::until_close) say otherwise.
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..self
        }
    }

    /// `HTTP/1.0`, or something that no one has heard of.
    pub fn version(self, version: &'static str) -> Self {
        Self { version, ..self }
    }

    /// A status that need not be a number.
    pub fn status_text(self, status: &str) -> Self {
        Self {
            status: status.to_owned(),
            ..self
        }
    }

    pub fn reason(self, reason: &'static str) -> Self {
        Self { reason, ..self }
    }

    /// The body in chunks: of 7 bytes, or 64 of them.
    pub fn chunked(self) -> Self {
        Self {
            framing: Framing::Chunked,
            ..self
        }
    }

    /// No length at all: the body ends where the connection closes.
    pub fn until_close(self) -> Self {
        Self {
            framing: Framing::Close,
            then: Then::Close,
            ..self
        }
    }

    /// An informational answer (103 and the like) goes before the real one.
    pub fn interim(mut self, status: u16) -> Self {
        self.interim.push(status);
        self
    }

    /// The whole answer `n` times in one write, as to a request that was never made.
    pub fn times(self, n: usize) -> Self {
        Self { copies: n, ..self }
    }

    /// Only the first `n` bytes on the wire, head included, then the connection closes.
    pub fn cut_at(self, n: usize) -> Self {
        Self {
            cut: Some(n),
            ..self.close()
        }
    }

    /// The whole head and the first `n` bytes of the body (as framed), then the connection closes.
    pub fn cut_body_at(self, n: usize) -> Self {
        let closing = self.close(); // which adds a header
        let head = closing.wire().len() - closing.framed_body().len();
        closing.cut_at(head + n)
    }

    /// Waits before the first byte.
    pub fn after(self, pause: Duration) -> Self {
        Self {
            after: pause,
            ..self
        }
    }

    /// In writes of `n` bytes, each on the wire before the next.
    pub fn in_pieces_of(self, n: usize) -> Self {
        self.dripping(n, Duration::ZERO)
    }

    /// In writes of `n` bytes with a pause before each but the first.
    pub fn dripping(self, n: usize, pause: Duration) -> Self {
        Self {
            pieces: Some((n, pause)),
            ..self
        }
    }

    /// Closes the connection after the last byte.
    pub fn close(self) -> Self {
        Self {
            then: Then::Close,
            ..self
        }
    }

    /// Resets the connection after the last byte.
    pub fn reset(self) -> Self {
        Self {
            then: Then::Reset,
            ..self
        }
    }

    /// Sends what there is and no more, until the client gives up: a body that never ends.
    pub fn and_hang(self) -> Self {
        Self {
            then: Then::Hang,
            ..self
        }
    }

    fn framed_body(&self) -> Vec<u8> {
        if self.framing != Framing::Chunked {
            return self.body.clone();
        }
        let mut framed = Vec::new();
        for chunk in self.body.chunks((self.body.len() / 64).max(7)) {
            framed.extend(format!("{:x}\r\n", chunk.len()).bytes());
            framed.extend(chunk);
            framed.extend(b"\r\n");
        }
        framed.extend(b"0\r\n\r\n");
        framed
    }

    /// The bytes of an uncut, single answer.
    pub fn wire(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut out = Vec::new();
        for status in &self.interim {
            out.extend(format!("HTTP/1.1 {status} Interim\r\nX-Interim: 1\r\n\r\n").bytes());
        }
        out.extend(format!("{} {} {}\r\n", self.version, self.status, self.reason).bytes());
        for (name, value) in &self.headers {
            out.extend(name.bytes());
            out.extend(b": ");
            out.extend(value);
            out.extend(b"\r\n");
        }
        match self.framing {
            Framing::Length => {
                out.extend(format!("Content-Length: {}\r\n", self.body.len()).bytes());
            }
            Framing::Chunked => out.extend(b"Transfer-Encoding: chunked\r\n"),
            Framing::Close => {}
        }
        if self.then != Then::KeepOpen {
            out.extend(b"Connection: close\r\n");
        }
        out.extend(b"\r\n");
        out.extend(self.framed_body());
        out
    }
}
