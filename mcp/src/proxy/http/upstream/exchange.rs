//! One request to the upstream, until its answer came or cannot come any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderValue;
use reqwest::{Method, Request, Response, StatusCode};
use sernixa_protocol::json::Document;
use tokio::time::{sleep, timeout};

use super::super::headers::{LAST_EVENT_ID, SESSION};
use super::super::{EVENTS, JSON};
use super::Line;
use super::events::{Events, body, is};
use crate::message::{Direction, Id, Kind, Message, Seems};
use crate::proxy::seam::Relay;

/// How long the rest of a stream is read after the answer, so that its connection serves again.
const REST: Duration = Duration::from_secs(1);

/// So often a stream that broke off is taken up without anything new on it.
const MOST_TRIES: u32 = 8;
/// The wait before that, where the server says nothing of it, and the longest one.
pub(super) const RETRY: Duration = Duration::from_secs(1);
pub(super) const LONGEST_RETRY: Duration = Duration::from_mins(10);

/// A request that was asked.
pub(super) struct Asked {
    pub(super) id: Id,
    pub(super) in_session: bool,
    pub(super) initializes: bool,
    pub(super) lists_tools: bool,
    /// Whether the server may have it.
    pub(super) is_handed: Arc<AtomicBool>,
}

/// How a request ended.
enum End {
    Answered,
    /// No answer will come; why.
    Lost(String),
    /// Nor to any other one.
    SessionLost,
}

/// How a stream of events ended.
enum Stopped {
    Answered,
    Refused(String),
    /// It broke off, or was closed: what is needed to take it up again.
    Open,
}

/// Where a stream can be taken up.
#[derive(Default)]
struct Place {
    last: Option<HeaderValue>,
    retry: Option<Duration>,
    /// Something came since it was taken up last.
    is_new: bool,
}

impl Line {
    /// Runs a request, and tells the relay how it ended.
    pub(super) async fn run(self: Arc<Self>, request: Request, asked: Asked) {
        let Some(relay) = self.relay() else {
            return;
        };
        match self.exchange(&*relay, request, &asked).await {
            End::Answered => {}
            End::SessionLost => self.session_lost(),
            End::Lost(reason) => {
                // What was never handed over, its sender already knows.
                if asked.is_handed.load(Ordering::Acquire) {
                    self.running().remove(&asked.id);
                    relay.lost(&asked.id, &reason);
                }
            }
        }
    }

    async fn exchange(self: &Arc<Self>, relay: &dyn Relay, request: Request, asked: &Asked) -> End {
        let mut response = match self.client.execute(request).await {
            Ok(response) => response,
            Err(error) => return End::Lost(broke_off(&error)),
        };
        if asked.in_session && !asked.initializes && self.ended_with(&response) {
            return End::SessionLost;
        }
        if asked.initializes
            && response.status().is_success()
            && let Some(id) = response.headers().get(&SESSION)
        {
            self.session().id = Some(id.clone());
        }
        let status = response.status();
        if status == StatusCode::OK && is(response.headers(), EVENTS) {
            return self.follow(relay, response, asked).await;
        }
        if !is(response.headers(), JSON) {
            return End::Lost(said(status));
        }
        let body = match body(&mut response).await {
            Ok(body) => body,
            Err(fault) => return End::Lost(format!("the upstream server failed: {fault}")),
        };
        let read = Message::read(body.clone(), Direction::ToHost);
        if let Ok(answer) = read
            && answer.id() == Some(&asked.id)
            && matches!(answer.kind(), Kind::Answer { is_error, .. } if *is_error || status == StatusCode::OK)
        {
            self.answered(relay, answer, asked).await;
            return End::Answered;
        }
        match unnamed_error(&body, &asked.id) {
            Some(answer) => {
                self.answered(relay, answer, asked).await;
                End::Answered
            }
            None => End::Lost(said(status)),
        }
    }

    /// Reads the events of an answer; where the session allows it, over several connections.
    async fn follow(self: &Arc<Self>, relay: &dyn Relay, response: Response, asked: &Asked) -> End {
        let mut place = Place::default();
        let mut events = Events::of(response);
        let mut tries = 0;
        loop {
            match self.hear(relay, &mut events, asked, &mut place).await {
                Stopped::Answered => {
                    // Whatever follows is not for this request.
                    let _ = timeout(REST, events.next()).await;
                    return End::Answered;
                }
                Stopped::Refused(reason) => return End::Lost(reason),
                Stopped::Open => {}
            }
            if std::mem::take(&mut place.is_new) {
                tries = 0;
            }
            events = loop {
                let Some(last) = place.last.clone().filter(|_| asked.in_session) else {
                    return End::Lost(
                        "the upstream server's stream ended before its answer".to_owned(),
                    );
                };
                if tries == MOST_TRIES {
                    return End::Lost(
                        "the upstream server's stream broke off and could not be taken up again"
                            .to_owned(),
                    );
                }
                tries += 1;
                sleep(place.retry.unwrap_or(RETRY)).await;
                match self.client.execute(self.get(Some(last))).await {
                    Ok(again) if self.ended_with(&again) => return End::SessionLost,
                    Ok(again)
                        if again.status() == StatusCode::OK && is(again.headers(), EVENTS) =>
                    {
                        break Events::of(again);
                    }
                    Ok(again) if !is_passing(again.status()) => {
                        return End::Lost(said(again.status()));
                    }
                    Ok(_) | Err(_) => {}
                }
            };
        }
    }

    /// A GET of events in this session.
    pub(super) fn get(&self, after: Option<HeaderValue>) -> Request {
        let mut request = Request::new(Method::GET, self.url.clone());
        *request.headers_mut() = self.session().headers();
        let headers = request.headers_mut();
        headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static(EVENTS));
        headers.extend(after.map(|after| (LAST_EVENT_ID, after)));
        request
    }

    async fn hear(
        self: &Arc<Self>,
        relay: &dyn Relay,
        events: &mut Events,
        asked: &Asked,
        place: &mut Place,
    ) -> Stopped {
        while let Some(event) = events.next().await {
            if let Some(id) = event.id.as_deref() {
                place.last = HeaderValue::from_str(id).ok().filter(|id| !id.is_empty());
                place.is_new = true;
            }
            if let Some(retry) = event.retry {
                place.retry = Some(Duration::from_millis(retry).min(LONGEST_RETRY));
            }
            let Some(message) = message_of(event) else {
                continue;
            };
            match Message::read(message, Direction::ToHost) {
                Ok(message) => match message.kind() {
                    Kind::Answer { id, .. } if id.as_ref() == Some(&asked.id) => {
                        self.answered(relay, message, asked).await;
                        return Stopped::Answered;
                    }
                    Kind::Answer { .. } => {
                        tracing::warn!("the upstream answers another request on this stream");
                    }
                    Kind::Request { .. } | Kind::Notification { .. } => {
                        relay.from_server(message, Some(&asked.id)).await;
                    }
                },
                Err(refused) if refused.seems == Seems::Request => {
                    self.say_at_all(refused.to_message());
                }
                Err(refused) if refused.seems == Seems::Notification => {
                    tracing::warn!(reason = refused.reason, "a notification is refused");
                }
                Err(refused) => {
                    let reason = refused.reason;
                    return Stopped::Refused(format!(
                        "the upstream server's answer is refused: {reason}"
                    ));
                }
            }
        }
        Stopped::Open
    }

    /// Gives the answer to the relay.
    async fn answered(&self, relay: &dyn Relay, answer: Message, asked: &Asked) {
        self.running().remove(&asked.id);
        if asked.initializes {
            let version = answer.look(|root| {
                let version = root.get("result")?.get("protocolVersion")?;
                HeaderValue::from_str(&version.as_str()?).ok()
            });
            self.session().version = version.flatten();
        }
        let changed = asked
            .lists_tools
            .then(|| self.tools.learn(&answer))
            .flatten()
            .and_then(|changed| Message::read(changed, Direction::ToHost).ok());
        relay
            .from_server(changed.unwrap_or(answer), Some(&asked.id))
            .await;
    }
}

/// The message that an event holds: of the default type, and not empty.
pub(super) fn message_of(event: sse_stream::Sse) -> Option<Bytes> {
    let is_message = event
        .event
        .is_none_or(|name| name.is_empty() || name == "message");
    event
        .data
        .filter(|data| is_message && !data.is_empty())
        .map(Bytes::from)
}

/// Whether a status may be another one soon.
pub(super) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        )
}

/// The error of a body that names no request: it is for the one it answers.
fn unnamed_error(body: &[u8], id: &Id) -> Option<Message> {
    let text = std::str::from_utf8(body).ok()?;
    let document = Document::parse(text).ok()?;
    let root = document.root();
    let is_unnamed = root.get("id").is_none_or(|id| id.is_null());
    let error = root.get("error").filter(|error| {
        error.is_object()
            && is_unnamed
            && error
                .get("code")
                .is_some_and(|code| code.as_i64().is_some())
    })?;
    let id = id.to_json();
    let error = error.raw();
    let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#);
    Message::read(answer.into(), Direction::ToHost).ok()
}

/// What a status without a message says, to a person.
fn said(status: StatusCode) -> String {
    let code = status.as_u16();
    match code {
        200 => "the upstream server answered with no MCP message".to_owned(),
        300..=399 => format!(
            "the upstream server redirects (HTTP {code}), which is not followed; give its own URL"
        ),
        401 => {
            "the upstream server wants a token (HTTP 401): set SERNIXA_UPSTREAM_TOKEN".to_owned()
        }
        _ => format!("the upstream server answered HTTP {code} without an MCP message"),
    }
}

fn broke_off(error: &reqwest::Error) -> String {
    let what = if error.is_connect() {
        "cannot be reached"
    } else {
        "broke off before it answered"
    };
    format!("the upstream server {what}")
}
