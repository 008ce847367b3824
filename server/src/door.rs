//! The door: who asks, and whether they may come in. Everything but `/health` and `/ready` is
//! behind it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::Response;
use secrecy::{ExposeSecret as _, SecretString};
use sernixa_engine::{Agents, Engine, Principal, Role};
use subtle::ConstantTimeEq as _;

use crate::app::{App, Shared};
use crate::config::Mode;
use crate::outer::{LetIn, Peer};
use crate::rates::Kind;
use crate::reply::{Word, refuse, refuse_for};

/// The key of the local demonstration: the reference SDK's own default.
pub(crate) const DEMO_KEY: &str = "e2e-admin";

/// What answers without a key (DESIGN 11).
const OPEN: [&str; 2] = ["/health", "/ready"];

/// The reads of those who wait.
const READS: [&str; 2] = ["/api/approvals/{approval_id}", "/api/approvals/events"];

/// The key that a request came with, for those who have to look again whether it is still good.
#[derive(Clone)]
pub(crate) struct Presented {
    engine: Engine,
    /// `None` for the demonstration's, which is always good.
    key: Option<Arc<SecretString>>,
}

impl Presented {
    /// Whether the key still authenticates somebody. Reads the store; when that cannot be read, it
    /// does not.
    pub(crate) fn is_good(&self) -> bool {
        self.key.as_ref().is_none_or(|key| {
            let found = self.engine.authenticate(key.expose_secret());
            matches!(found, Ok(Some(_)))
        })
    }
}

/// Lets a request in with its [`Principal`] and [`Presented`] among its extensions, or answers it.
pub(crate) async fn door(
    State(app): State<App>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    if OPEN.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let (principal, presented) = match authenticate(&app, request.headers()).await {
        Ok(found) => found,
        Err(Turned::Stranger(reason)) => return stranger(&app, &request, reason),
        Err(Turned::Away(response)) => return *response,
    };
    let route = request.extensions().get::<MatchedPath>();
    let is_read = route.is_some_and(|route| READS.contains(&route.as_str()));
    let kind = if is_read { Kind::Read } else { Kind::Request };
    let mut response = match app.rates.request(&principal, kind) {
        Ok(()) => {
            let extensions = request.extensions_mut();
            extensions.insert(principal.clone());
            extensions.insert(presented);
            next.run(request).await
        }
        Err(wait) => {
            app.metrics.limited.inc();
            let reason = "this key asks more often than it may; wait, and try again";
            refuse_for(Word::TooMany, reason, wait)
        }
    };
    response.extensions_mut().insert(LetIn(principal));
    response
}

/// Why a request does not come in.
enum Turned {
    /// It has no good key.
    Stranger(&'static str),
    /// Something else, with the answer to it.
    Away(Box<Response>),
}

async fn authenticate(app: &Shared, headers: &HeaderMap) -> Result<(Principal, Presented), Turned> {
    let engine = app.engine.clone();
    let Some(key) = bearer(headers) else {
        let reason = "send a key: `Authorization: Bearer srnx_live_…`";
        return Err(Turned::Stranger(reason));
    };
    if app.config.mode == Mode::LocalDemo && bool::from(key.as_bytes().ct_eq(DEMO_KEY.as_bytes())) {
        return Ok((demo(app), Presented { engine, key: None }));
    }
    let key = Arc::new(SecretString::from(key));
    let (asked, presented) = (engine.clone(), Arc::clone(&key));
    let found = app
        .pool
        .run(move || asked.authenticate(presented.expose_secret()))
        .await;
    match found {
        Ok(Ok(Some(principal))) => {
            let key = Some(key);
            Ok((principal, Presented { engine, key }))
        }
        Ok(Ok(None)) => Err(Turned::Stranger("the key is not known, or was revoked")),
        // Whoever it is: nobody comes in while the keys cannot be read.
        Ok(Err(error)) => {
            tracing::error!(%error, "the keys cannot be read");
            let response = refuse(Word::Unavailable, "the keys cannot be read; try again");
            Err(Turned::Away(Box::new(response)))
        }
        Err(busy) => Err(Turned::Away(Box::new(busy.into()))),
    }
}

/// Everybody who can reach the loopback address may do everything.
fn demo(app: &Shared) -> Principal {
    let demo = Principal::new(Arc::clone(&app.config.organisation), "local-demo");
    let demo = demo.acting_as(Agents::Any);
    Role::ALL.into_iter().fold(demo, Principal::with)
}

/// The credential, if there is exactly one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (one, None) = (all.next()?, all.next()) else {
        return None;
    };
    let (scheme, key) = one.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| key.trim())
        .filter(|key| !key.is_empty())
}

/// The answer to a request without a good key. Good keys are never slowed by it: it counts only
/// what failed.
fn stranger(app: &Shared, request: &Request<Body>, reason: &str) -> Response {
    app.metrics.unauthenticated.inc();
    let from = request.extensions().get::<Peer>();
    if let Some(Peer(address)) = from
        && let Err(wait) = app.rates.attempt(*address)
    {
        let reason = "too many requests without a good key from this address; wait, and try again";
        return refuse_for(Word::TooMany, reason, wait);
    }
    let mut response = refuse(Word::Unauthenticated, reason);
    let bearer = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    response
}
