//! `POST`: one message from a host.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use tokio::time::timeout;

use super::super::SESSION_VERSIONS;
use super::super::headers::{self, Mirrored, PROTOCOL_VERSION, SESSION, only};
use super::super::params::Params;
use super::body;
use super::reply::{self, HEADER_MISMATCH, No};
use super::session::{NoSession, Session};
use super::stateless::{self, HangUp, Nobody};
use super::stream::{self, Beginning, Reader, Stream};
use super::{Endpoint, primed};
use crate::message::{Code, Direction, Kind, Message};
use crate::proxy::seam::{Host, Relay};

/// An error that comes within this time has its own status; after it the stream begins, which shows
/// hosts and whoever is between that something happens.
const AT_ONCE: Duration = Duration::from_secs(5);

/// How long the server may take to list its tools.
const LISTING: Duration = Duration::from_secs(30);

pub(super) async fn post(
    State(endpoint): State<Arc<Endpoint>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, No> {
    body::must_be_json(&headers)?;
    body::must_accept_both(&headers)?;
    let bytes = body::read(&headers, body, endpoint.limits.patience).await?;
    let message = Message::read(bytes, Direction::ToServer)?;
    let mirrored = Mirrored::of(&message);
    let id = match message.kind() {
        Kind::Request { id, .. } => Some(id.clone()),
        Kind::Notification { .. } | Kind::Answer { .. } => None,
    };
    let answered = if let Err(reason) = headers::check_given(&headers, &message, &mirrored) {
        Err(mismatch(reason))
    } else if stands_for_itself(&headers, &mirrored)? {
        stateless(&endpoint, &headers, message, &mirrored).await
    } else if message.method() == Some("initialize") {
        begin(&endpoint, &headers, message).await
    } else {
        match endpoint.session(&headers) {
            Ok(session) => in_session(&session, &headers, message).await,
            Err(no) => Err(no),
        }
    };
    answered.map_err(|no| no.to(id.as_ref()))
}

/// Whether a request is of 2026-07-28 or later: it says so in its body, or it belongs to no session
/// and names a version that knows none.
fn stands_for_itself(headers: &HeaderMap, body: &Mirrored) -> Result<bool, No> {
    let version = only(headers, &PROTOCOL_VERSION).map_err(No::bad)?;
    let of_sessions = |version: &HeaderValue| SESSION_VERSIONS.iter().any(|known| version == known);
    Ok(body.version.is_some()
        || (version.is_some_and(|version| !of_sessions(version))
            && !headers.contains_key(&SESSION)))
}

/// `initialize`: a session begins, with a server of its own.
async fn begin(endpoint: &Endpoint, headers: &HeaderMap, message: Message) -> Result<Response, No> {
    if headers.contains_key(&SESSION) {
        return Err(No::bad(
            "`initialize` begins a session; send it without mcp-session-id",
        ));
    }
    if !matches!(message.kind(), Kind::Request { .. }) {
        return Err(No::bad("`initialize` is a request; it needs an id"));
    }
    let (name, session) = endpoint.sessions.begin().await.map_err(no_session)?;
    // Until the host knows the name of it, nobody but this request can end the session.
    let fresh = Fresh {
        endpoint,
        name: Some(&name),
    };
    let stream = session.streams.open().ok_or_else(too_many)?;
    let mut reader = stream.read(0);
    session
        .relay
        .from_host(message, Arc::clone(&stream) as Arc<dyn Host>)
        .await;
    let mut response = match timeout(AT_ONCE, reader.next()).await {
        Ok(None) => return Err(ended()),
        Ok(Some(answer)) if reader.is_through() => {
            let is_error = Message::read(answer.clone(), Direction::ToHost)
                .map_or(true, |answer| {
                    matches!(answer.kind(), Kind::Answer { is_error: true, .. })
                });
            let response = reply::json(StatusCode::OK, answer);
            if is_error {
                return Ok(response);
            }
            response
        }
        Ok(Some(first)) => streamed(Beginning::Message(first), reader, ()),
        Err(_) => streamed(Beginning::Plain, reader, ()),
    };
    let value = HeaderValue::from_str(&name).map_err(|_| ended())?;
    response.headers_mut().insert(SESSION, value);
    fresh.keep();
    Ok(response)
}

/// Ends a session that its host never heard of.
struct Fresh<'e> {
    endpoint: &'e Endpoint,
    name: Option<&'e str>,
}

impl Fresh<'_> {
    fn keep(mut self) {
        self.name = None;
    }
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        if let Some(name) = self.name {
            self.endpoint.sessions.end(name);
        }
    }
}

fn no_session(why: NoSession) -> No {
    match why {
        NoSession::Full => No::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Internal,
            "there are as many sessions as this proxy takes; end one, or try again later",
        ),
        NoSession::Failed(reason) => No::new(StatusCode::BAD_GATEWAY, Code::Internal, reason),
    }
}

fn too_many() -> No {
    No::new(
        StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal,
        "too many requests of this session wait for their answers",
    )
}

fn ended() -> No {
    let reason = "the server ended before it answered";
    No::new(StatusCode::BAD_GATEWAY, Code::Internal, reason)
}

/// A message of a session. A stream that breaks off cancels nothing.
async fn in_session(
    session: &Session,
    headers: &HeaderMap,
    message: Message,
) -> Result<Response, No> {
    if !matches!(message.kind(), Kind::Request { .. }) {
        let standing = Arc::clone(&session.streams) as Arc<dyn Host>;
        session.relay.from_host(message, standing).await;
        return Ok(reply::accepted());
    }
    let stream = session.streams.open().ok_or_else(too_many)?;
    let reader = stream.read(0);
    let host = Arc::clone(&stream) as Arc<dyn Host>;
    session.relay.from_host(message, host).await;
    Ok(streamed(primed(headers), reader, ()))
}

/// A message that stands for itself.
async fn stateless(
    endpoint: &Endpoint,
    headers: &HeaderMap,
    message: Message,
    mirrored: &Mirrored,
) -> Result<Response, No> {
    match message.kind() {
        Kind::Request { .. } => {}
        Kind::Notification { .. } => {
            let relay = endpoint.shared.relay().await.map_err(not_started)?;
            // Whose request it would cancel cannot be told; here a closed stream cancels.
            if message.method() != Some("notifications/cancelled") {
                relay.from_host(message, Arc::new(Nobody)).await;
            }
            return Ok(reply::accepted());
        }
        Kind::Answer { .. } => {
            return Err(No::bad(
                "this version knows no answers of a host: they travel in the next request",
            ));
        }
    }
    if mirrored.version.is_none() || !mirrored.capabilities {
        let reason = "the request's `_meta` must hold \
             `io.modelcontextprotocol/protocolVersion` and \
             `io.modelcontextprotocol/clientCapabilities`";
        return Err(No::new(StatusCode::BAD_REQUEST, Code::Params, reason));
    }
    headers::check(headers, &message, mirrored).map_err(mismatch)?;
    let relay = endpoint.shared.relay().await.map_err(not_started)?;
    if message.method() == Some("tools/call") {
        check_params(&*relay, headers, &message).await?;
    }
    let stream = Stream::new(None);
    let mut reader = stream.read(0);
    let hang_up = HangUp::new(Arc::clone(&relay), Arc::clone(&stream));
    relay.from_host(message, stream).await;
    Ok(match timeout(AT_ONCE, reader.next()).await {
        Ok(None) => return Err(ended()),
        Ok(Some(first)) => match stateless::status(&first) {
            StatusCode::OK => streamed(Beginning::Message(first), reader, hang_up),
            status => reply::json(status, first),
        },
        Err(_) => streamed(Beginning::Plain, reader, hang_up),
    })
}

/// `Mcp-Param-*` must say what the arguments say, where the tool wants them.
async fn check_params(relay: &dyn Relay, headers: &HeaderMap, call: &Message) -> Result<(), No> {
    let tool = timeout(LISTING, relay.tool(call)).await.map_err(|_| {
        let reason = "the server did not list its tools in time";
        No::new(StatusCode::GATEWAY_TIMEOUT, Code::Internal, reason)
    })?;
    // A tool that breaks the rules has no headers to check.
    let params = tool.and_then(|tool| Params::of(&tool).ok());
    match params {
        Some(params) => params.check(headers, call).map_err(mismatch),
        None => Ok(()),
    }
}

fn mismatch(reason: String) -> No {
    No::coded(StatusCode::BAD_REQUEST, HEADER_MISMATCH, reason)
}

fn not_started(reason: String) -> No {
    No::new(StatusCode::BAD_GATEWAY, Code::Internal, reason)
}

fn streamed<G: Send + 'static>(beginning: Beginning, reader: Reader, guard: G) -> Response {
    reply::events(stream::body(beginning, reader, guard))
}
