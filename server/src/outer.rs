//! Around every request: its limits before it begins, its time while it runs, and what is told of
//! it afterwards.

use std::any::Any;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use sernixa_engine::Principal;
use sernixa_protocol::display::one_line;
use tokio::time::{Instant, timeout};

use crate::app::{App, Shared};
use crate::config::Mode;
use crate::reply::{No, Word, refuse, refuse_for};

/// The address that a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Who was let in, told back by the door for the log.
#[derive(Clone, Debug)]
pub(crate) struct LetIn(pub(crate) Principal);

/// Wraps everything else. Whatever happens inside, there is an answer, and it is JSON.
pub(crate) async fn outer(State(app): State<App>, request: Request<Body>, next: Next) -> Response {
    let began = Instant::now();
    let method = word(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = match admissible(&app, &request) {
        Ok(()) => answer(&app, request, next).await,
        Err(no) => no.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let took = began.elapsed();
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    app.metrics
        .request(route, method, response.status().as_u16(), took);
    log(route, method, &response, took);
    response
}

/// The answer of what is inside: within its time, also when that panics.
async fn answer(app: &Shared, request: Request<Body>, next: Next) -> Response {
    let inside = AssertUnwindSafe(next.run(request)).catch_unwind();
    match timeout(app.config.limits.request_timeout, inside).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            tracing::error!(panic = %one_line(text_of(&*panic)), "a request panicked");
            refuse(Word::Internal, "the service failed inside")
        }
        Err(_) => refuse_for(
            Word::TooSlow,
            "the service did not answer in time; try again",
            Duration::from_secs(1),
        ),
    }
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "not a text"
    }
}

/// Whether a request may be looked at.
fn admissible(app: &Shared, request: &Request<Body>) -> Result<(), No> {
    let limits = &app.config.limits;
    let headers = request.headers();
    let size: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let size = size + uri_length(request.uri());
    if size > limits.head_bytes || headers.len() > limits.head_count {
        let reason = format!(
            "the head is larger than {} bytes or has more than {} headers",
            limits.head_bytes, limits.head_count
        );
        return Err(No::new(Word::HeadTooLarge, reason));
    }
    // A page of the web may point a name of its own at this machine; its browser sends that name.
    if app.config.mode == Mode::LocalDemo && !is_local(headers, request.uri()) {
        let reason = "a local demonstration answers to localhost, 127.0.0.1 and [::1] alone";
        return Err(No::new(Word::Misdirected, reason));
    }
    Ok(())
}

fn uri_length(uri: &Uri) -> usize {
    uri.path_and_query().map_or(0, |path| path.as_str().len())
}

fn is_local(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let authority = match (uri.authority(), host) {
        (Some(authority), _) => Some(authority.clone()),
        (None, Some(host)) => host.to_str().ok().and_then(|host| host.parse().ok()),
        // HTTP/1.0 has no Host, and no browser speaks it.
        (None, None) => return true,
    };
    authority.is_some_and(|authority| {
        let host = authority.host().trim_start_matches('[');
        let host = host.trim_end_matches(']');
        let ip = host.parse::<IpAddr>();
        host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
    })
}

/// Methods that are not known are one, so that nobody fills the metrics with names.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// One line a request: the route, never its path or query, and the key's public id.
fn log(route: &str, method: &str, response: &Response, took: Duration) {
    let caller = response.extensions().get::<LetIn>().map(|LetIn(who)| who);
    tracing::info!(
        target: "sernixa::request",
        method,
        route,
        status = response.status().as_u16(),
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        organisation = caller.map_or("-", |who| who.organisation()),
        key = caller.map_or("-", |who| who.key()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::{Arc, mpsc};

    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use crate::Config;
    use crate::closing::{Close, closing};
    use crate::routes;
    use crate::server::open;

    /// The parts of a demonstration in memory, with other limits.
    fn app(change: impl FnOnce(&mut Config)) -> (App, Close) {
        let mut config = Config::local_demo();
        change(&mut config);
        let (close, closing) = closing();
        (Arc::new(open(config, closing).unwrap()), close)
    }

    async fn ask(router: Router, path: &str) -> (StatusCode, HeaderMap, serde_json::Value) {
        let request = Request::builder()
            .uri(path)
            .header("host", "localhost")
            .header("authorization", "Bearer e2e-admin")
            .body(Body::empty())
            .unwrap();
        let (head, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&body).unwrap();
        (head.status, head.headers, json)
    }

    fn wrapped(app: &App, router: Router<App>) -> Router {
        router
            .layer(from_fn_with_state(App::clone(app), outer))
            .with_state(App::clone(app))
    }

    #[tokio::test]
    async fn a_panic_is_answered_in_json_and_tells_nothing() {
        let (app, _close) = app(|_| {});
        let router = Router::new().route("/panics", get(panics));
        let (status, headers, json) = ask(wrapped(&app, router), "/panics").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(json["detail"]["status"], "internal_error");
        assert!(!json.to_string().contains("hunter2"));
    }

    async fn panics() -> Response {
        panic!("hunter2");
    }

    #[tokio::test]
    async fn what_takes_too_long_is_told_to_come_back() {
        let (app, _close) = app(|config| config.limits.request_timeout = Duration::ZERO);
        let router = Router::new().route("/never", get(std::future::pending::<Response>));
        let (status, headers, json) = ask(wrapped(&app, router), "/never").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(headers["retry-after"], "1");
        assert_eq!(json["detail"]["status"], "too_slow");
    }

    #[tokio::test]
    async fn when_every_place_is_taken_nothing_is_let_run() {
        let (app, _close) = app(|config| {
            config.limits.engine_calls = 1;
            config.limits.engine_patience = Duration::from_millis(1);
        });
        let (release, held) = mpsc::channel::<()>();
        let (tell, told) = tokio::sync::oneshot::channel();
        let holder = App::clone(&app);
        let holding = tokio::spawn(async move {
            let work = move || {
                tell.send(()).unwrap();
                let _ = held.recv();
            };
            holder.pool.run(work).await
        });
        told.await.unwrap();
        let router = routes::router(App::clone(&app));
        let (status, headers, json) = ask(router.clone(), "/api/approvals/pending").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(headers["retry-after"], "1");
        assert_eq!(json["detail"]["status"], "busy");
        drop(release);
        holding.await.unwrap().unwrap();
        let (status, ..) = ask(router, "/api/approvals/pending").await;
        assert_eq!(status, StatusCode::OK);
    }
}
