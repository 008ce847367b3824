//! The stream of changes (PROTOCOL 3.5, DESIGN 7).

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use sernixa_engine::Principal;

use crate::app::App;
use crate::door::Presented;
use crate::events::{OpenError, Position, Still};
use crate::reply::{Word, refuse, refuse_for};

/// The number of the last event that a client has seen.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Keeps proxies of a common make from holding events back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What happens to the approvals that the key may see, as it happens.
///
/// Server-sent events; the data of each is a record with `change` and `seq`. With `Last-Event-ID` it
/// goes on after that event; without, it begins with how things stand.
#[utoipa::path(
    get, path = "/api/approvals/events", tag = "approvals",
    params(("last-event-id" = Option<String>, Header, description = "The id of the last event that was seen.")),
    responses(
        (status = 200, description = "The stream.", body = String, content_type = "text/event-stream"),
    ),
)]
pub(crate) async fn stream(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    Extension(presented): Extension<Presented>,
    headers: HeaderMap,
) -> Response {
    let position = headers.get(LAST_EVENT_ID).map(HeaderValue::as_bytes);
    let position = Position::parse(position);
    let moment = app.moments.now();
    let still: Still = Arc::new(move || presented.is_good());
    let shared = App::clone(&app);
    let opening = move || shared.hub.open(caller, position, still, &moment);
    match app.pool.run(opening).await {
        Ok(Ok(stream)) => {
            let mut response = Response::new(Body::from_stream(stream.frames()));
            for (name, value) in [
                (CONTENT_TYPE, "text/event-stream"),
                (CACHE_CONTROL, "no-store"),
                (X_ACCEL_BUFFERING, "no"),
            ] {
                let value = HeaderValue::from_static(value);
                response.headers_mut().insert(name, value);
            }
            response
        }
        Ok(Err(error)) => refused(&error),
        Err(busy) => busy.into(),
    }
}

fn refused(error: &OpenError) -> Response {
    let later = std::time::Duration::from_secs(5);
    match error {
        OpenError::TooMany => {
            let reason = "there are as many event streams as there may be; close one, or poll";
            refuse_for(Word::TooMany, reason, later)
        }
        OpenError::Closing => refuse_for(Word::Busy, "the service is closing", later),
        OpenError::Store(error) => {
            tracing::warn!(%error, "an event stream could not begin");
            refuse(Word::Unavailable, "engine_error")
        }
    }
}
