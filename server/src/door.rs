//! The door: who asks, and whether they may come in. Everything but `/health` and `/ready` is
//! behind it.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::Response;
use secrecy::{ExposeSecret as _, SecretString};
use sernixa_engine::{Agents, Principal, Role};
use subtle::ConstantTimeEq as _;

use crate::app::{App, Shared};
use crate::config::Mode;
use crate::reply::{Word, refuse};

/// The key of the local demonstration: the reference SDK's own default.
pub(crate) const DEMO_KEY: &str = "e2e-admin";

/// What answers without a key (DESIGN 11).
const OPEN: [&str; 2] = ["/health", "/ready"];

/// Lets a request in with its [`Principal`] among its extensions, or answers it.
pub(crate) async fn door(State(app): State<App>, mut request: Request<Body>, next: Next) -> Response {
    if OPEN.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    match authenticate(&app, request.headers()).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(response) => response,
    }
}

async fn authenticate(app: &Shared, headers: &HeaderMap) -> Result<Principal, Response> {
    let Some(key) = bearer(headers) else {
        return Err(unauthenticated(
            "send a key: `Authorization: Bearer srnx_live_…`",
        ));
    };
    if app.config.mode == Mode::LocalDemo && bool::from(key.as_bytes().ct_eq(DEMO_KEY.as_bytes())) {
        return Ok(demo(app));
    }
    let (engine, key) = (app.engine.clone(), SecretString::from(key));
    let found = app
        .pool
        .run(move || engine.authenticate(key.expose_secret()))
        .await;
    match found {
        Ok(Ok(Some(principal))) => Ok(principal),
        Ok(Ok(None)) => Err(unauthenticated("the key is not known, or was revoked")),
        // Whoever it is: nobody comes in while the keys cannot be read.
        Ok(Err(_)) => Err(refuse(Word::Unavailable, "the keys cannot be read; try again")),
        Err(busy) => Err(busy.into()),
    }
}

/// Everybody who can reach the loopback address may do everything.
fn demo(app: &Shared) -> Principal {
    let demo = Principal::new(app.config.organisation.clone(), "local-demo").acting_as(Agents::Any);
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

fn unauthenticated(reason: &str) -> Response {
    let mut response = refuse(Word::Unauthenticated, reason);
    let bearer = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    response
}
