//! One scripted answer: what goes on the wire, and what of it a client can see.

use std::time::Duration;

use super::predicate::{Answer, Seen};
use crate::support::reply::Reply;

/// The client's own timeout in these tests; [`Delivery::Hang`] and its like outlast it.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// How the answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Delivery {
    Whole,
    Chunked,
    UntilClose,
    Http10,
    /// In writes of a few bytes.
    Pieces,
    /// A pause before it that the timeout allows.
    Patient,
    /// 103 Early Hints before it.
    AfterInterim,
    /// The whole answer twice in one write.
    Twice,
    /// The right answer to an allow follows at once, unasked.
    ThenUnasked,
    /// Cut somewhere in the head, at this many parts of 256.
    CutHead(u8),
    /// Cut somewhere in the body, at this many parts of 256.
    CutBody(u8),
    ChunkedCut(u8),
    /// No length, and cut: the client cannot know.
    UntilCloseCut(u8),
    Closed,
    Reset,
    /// Nothing ever comes.
    Hang,
    /// The head and half of the body come.
    HangInBody,
    /// More than a MiB of white space follows the body, which stays JSON.
    Oversized,
    /// The same without a length.
    OversizedUntilClose,
    /// Bytes that are not HTTP, though the right answer is among them.
    NotHttp(&'static str),
}

/// An answer whose texts may hold placeholders for what only the request knows.
#[derive(Clone)]
pub struct Shot {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub delivery: Delivery,
}

/// Shown when a case fails.
impl std::fmt::Debug for Shot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body)
            .chars()
            .take(600)
            .collect();
        write!(f, "{} {:?}", self.status, self.delivery)?;
        for (name, value) in &self.headers {
            write!(f, " {name}: {:?}", String::from_utf8_lossy(value))?;
        }
        write!(f, " {body}")
    }
}

/// What the placeholders stand for.
#[derive(Clone, Debug, Default)]
pub struct Values {
    pub request_id: String,
    pub body_hash: String,
    pub approval_id: String,
    pub claim_id: String,
    /// Where a redirect leads: to a path of the same server that allows everything.
    pub trap: String,
}

impl Values {
    pub fn fill(&self, template: &[u8]) -> Vec<u8> {
        let quoted = serde_json::Value::from(self.approval_id.as_str()).to_string();
        let approval_id = quoted[1..quoted.len() - 1].to_owned();
        let mut filled = template.to_vec();
        let places = [
            ("{request_id}", &self.request_id),
            ("{body_hash}", &self.body_hash),
            ("{approval_id}", &approval_id),
            ("{claim_id}", &self.claim_id),
            ("{trap}", &self.trap),
        ];
        for (place, value) in places {
            while let Some(at) = filled
                .windows(place.len())
                .position(|w| w == place.as_bytes())
            {
                filled.splice(at..at + place.len(), value.bytes());
            }
        }
        filled
    }
}

impl Shot {
    /// A well-behaved JSON answer.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), b"application/json".to_vec())];
        Self {
            status,
            headers,
            body: body.into(),
            delivery: Delivery::Whole,
        }
    }

    pub fn by(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    /// HTTP gives these no body, whatever is sent.
    fn bodiless(&self) -> bool {
        self.status < 200 || matches!(self.status, 204 | 304)
    }

    /// How it travels. After an interim answer nothing follows, and without a body the head is all
    /// there is: what cannot be itself travels as a whole.
    fn delivery(&self) -> Delivery {
        match self.delivery {
            Delivery::HangInBody if self.bodiless() || self.body.is_empty() => Delivery::Whole,
            Delivery::HangInBody | Delivery::ThenUnasked if self.status < 200 => Delivery::Whole,
            delivery => delivery,
        }
    }

    /// What goes on the wire.
    pub fn reply(&self, values: &Values) -> Reply {
        let body = values.fill(&self.body);
        let mut reply = Reply::new(self.status).body(body.clone());
        for (name, value) in &self.headers {
            reply = reply.header(name, values.fill(value));
        }
        if self.status < 200 {
            reply = reply.close(); // an interim answer that nothing follows
        }
        let part = |n: u8| body.len() * usize::from(n) / 256;
        let padded = || [body.clone(), vec![b' '; (1 << 20) + 1]].concat();
        match self.delivery() {
            Delivery::Whole => reply,
            Delivery::Chunked => reply.chunked(),
            Delivery::UntilClose => reply.until_close(),
            Delivery::Http10 => reply.version("HTTP/1.0"),
            Delivery::Pieces => reply.in_pieces_of(11),
            Delivery::Patient => reply
                .after(TIMEOUT / 20)
                .dripping(body.len() / 8 + 64, TIMEOUT / 200),
            Delivery::AfterInterim => reply.interim(103).interim(100),
            Delivery::Twice => reply.times(2),
            Delivery::ThenUnasked => {
                let allow = Reply::json(200, r#"{"status":"accepted"}"#);
                Reply::raw([reply.wire(), allow.wire()].concat())
            }
            Delivery::CutHead(n) => {
                let head = reply.wire().len() - body.len();
                // Without the last byte of the blank line it is never whole.
                reply.close().cut_at((head - 1) * usize::from(n) / 256)
            }
            Delivery::CutBody(n) => reply.cut_body_at(part(n)),
            Delivery::ChunkedCut(n) => reply.chunked().cut_body_at(part(n)),
            Delivery::UntilCloseCut(n) => reply.until_close().body(&body[..part(n)]),
            Delivery::Closed => Reply::close_unanswered(),
            Delivery::Reset => Reply::reset_unanswered(),
            Delivery::Hang => Reply::hang(),
            Delivery::HangInBody => {
                let (head, half) = (reply.wire().len() - body.len(), body.len() / 2);
                Reply::raw(&reply.wire()[..head + half]).and_hang()
            }
            Delivery::Oversized => reply.body(padded()),
            Delivery::OversizedUntilClose => reply.body(padded()).until_close(),
            Delivery::NotHttp(junk) => {
                Reply::raw([junk.as_bytes(), &reply.wire()].concat()).close()
            }
        }
    }

    /// What of it a client can see.
    pub fn seen(&self, values: &Values) -> Seen {
        let body = if self.bodiless() {
            Vec::new()
        } else {
            values.fill(&self.body)
        };
        let part = |n: u8| body.len() * usize::from(n) / 256;
        // 101 is final; the other interim answers announce one that never comes.
        let interim = self.status < 200 && self.status != 101;
        let answer = |body: &[u8]| {
            if interim {
                return Seen::Broken;
            }
            let is_type = |name: &str| name.eq_ignore_ascii_case("content-type");
            let types = self.headers.iter().filter(|(name, _)| is_type(name));
            let content_types = types.map(|(_, value)| value.clone()).collect();
            Seen::Answer(Answer {
                status: self.status,
                content_types,
                body: body.to_vec(),
            })
        };
        match self.delivery() {
            Delivery::Hang | Delivery::HangInBody => Seen::Late,
            Delivery::Closed | Delivery::Reset | Delivery::NotHttp(_) | Delivery::CutHead(_) => {
                Seen::Broken
            }
            Delivery::CutBody(n) if part(n) < body.len() => Seen::Broken,
            Delivery::ChunkedCut(_) if !self.bodiless() => Seen::Broken,
            Delivery::UntilCloseCut(n) => answer(&body[..part(n)]),
            Delivery::Oversized | Delivery::OversizedUntilClose if !self.bodiless() => {
                Seen::TooLarge
            }
            _ => answer(&body),
        }
    }
}
