//! A service over HTTP: no redirects, no proxy for loopback, and answers of bounded size.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use secrecy::ExposeSecret as _;
use sernixa_engine::{Answer, Request};
use url::Url;

use super::address::is_loopback;
use super::route::{Route, route};
use crate::Failure;
use crate::global::{Credential, variable};

/// The longest answer that is read.
const LONGEST_ANSWER: usize = 64 << 20;

/// How long connecting, and each pause of an answer, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A service behind a URL.
pub(crate) struct Service {
    client: Client,
    base: Box<str>,
    timeout: Duration,
}

impl Service {
    /// The service at `base`. Nothing is connected yet.
    pub(super) fn new(base: &Url, credential: Option<Credential>) -> Result<Self, Failure> {
        let mut headers = HeaderMap::new();
        if let Some(Credential { secret, source }) = credential {
            let text = format!("Bearer {}", secret.expose_secret());
            let mut bearer = HeaderValue::try_from(text)
                .map_err(|_| Failure::new(format!("{source} cannot stand in an HTTP header")))?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let timeout = timeout()?;
        let mut builder = Client::builder()
            .default_headers(headers)
            .user_agent(concat!("sernixa-cli-rust/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .http1_only()
            .connect_timeout(timeout.min(PATIENCE));
        if is_loopback(base) {
            builder = builder.no_proxy();
        }
        let broken = || Failure::new("the HTTP client cannot be set up");
        let client = builder.build().map_err(|error| broken().caused_by(error))?;
        Ok(Self {
            client,
            base: base.as_str().trim_end_matches('/').into(),
            timeout,
        })
    }
}

/// What came of opening the stream of events.
pub(super) enum Events {
    /// It is open.
    Open(reqwest::Response),
    /// Not now.
    Later,
    /// Not here.
    NotOffered,
}

/// An answer with what `doctor` reads besides status and body.
pub(crate) struct Response {
    pub(crate) answer: Answer,
    pub(crate) headers: HeaderMap,
}

impl Service {
    /// Where it is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(super) async fn call(&self, request: Request<'_>) -> Result<Answer, Failure> {
        Ok(self.exchange(route(request)?).await?.answer)
    }

    /// The answer to a plain GET of `path`.
    pub(crate) async fn get(&self, path: &str) -> Result<Response, Failure> {
        let route = Route {
            method: Method::GET,
            path: path.to_owned(),
            body: None,
        };
        self.exchange(route).await
    }

    /// Opens the stream of events, after the one with the id `last`.
    pub(super) async fn events(&self, last: Option<&str>) -> Result<Events, Failure> {
        let mut request = self
            .client
            .get(format!("{}/api/approvals/events", self.base))
            .header(ACCEPT, "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        // The answer's beginning has a time limit; its end is the stream's.
        let response = tokio::time::timeout(self.timeout, request.send())
            .await
            .map_err(|_| Failure::new(format!("{} did not answer in time", self.base)))?
            .map_err(|error| self.fault(&error.without_url()))?;
        let streams = has_type(response.headers(), "text/event-stream");
        Ok(match response.status().as_u16() {
            200 if streams => Events::Open(response),
            // It may be there again in a moment.
            429 | 500.. => Events::Later,
            _ => Events::NotOffered,
        })
    }

    /// Whether the stream of events can be opened.
    pub(crate) async fn offers_events(&self) -> bool {
        matches!(self.events(None).await, Ok(Events::Open(_)))
    }

    async fn exchange(&self, route: Route<'_>) -> Result<Response, Failure> {
        let mut request = self
            .client
            .request(route.method, format!("{}{}", self.base, route.path))
            .timeout(self.timeout);
        if let Some(body) = route.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_owned());
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.fault(&error.without_url()))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = self.read(response).await?;
        if status < 300 && !has_type(&headers, "application/json") {
            let message = format!(
                "{} answered something that is no JSON; is it the service's URL?",
                self.base
            );
            return Err(Failure::new(message));
        }
        let answer = Answer { status, body };
        Ok(Response { answer, headers })
    }

    /// Reads a body, and stops as soon as it is too long, whatever `Content-Length` said.
    async fn read(&self, mut response: reqwest::Response) -> Result<String, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.fault(&error.without_url()))?
        {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(Failure::new("the answer is longer than 64 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body).map_err(|_| Failure::new("the answer is not UTF-8"))
    }

    /// What went wrong on the way, and what to do about it.
    fn fault(&self, error: &reqwest::Error) -> Failure {
        let base = &self.base;
        let message = if error.is_timeout() {
            format!("{base} did not answer in time (SERNIXA_TIMEOUT_SECONDS)")
        } else if error.is_connect() {
            format!(
                "{base} cannot be reached; start a service with `sernixa serve`, name another \
                 with --base-url, or work on a file with --store"
            )
        } else {
            format!("the connection to {base} broke")
        };
        // The innermost cause says it; those around it repeat each other.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Failure::new(message).caused_by(cause.to_string())
    }
}

/// `SERNIXA_TIMEOUT_SECONDS`, 10 s by default.
fn timeout() -> Result<Duration, Failure> {
    let Some(text) = variable("SERNIXA_TIMEOUT_SECONDS")? else {
        return Ok(PATIENCE);
    };
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse::<f64>()
        .ok()
        .filter(|seconds| plain && *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        // Sums with it must not overflow.
        .map(|timeout| timeout.min(Duration::from_hours(24)))
        .ok_or_else(|| {
            let rule = "expected seconds as a decimal number above 0, such as 10 or 2.5";
            Failure::new(format!("SERNIXA_TIMEOUT_SECONDS is no duration; {rule}"))
        })
}

/// Whether the content is of this type, in any case and with any parameters.
fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| {
        let essence = kind.as_bytes().split(|byte| *byte == b';').next();
        essence
            .unwrap_or_default()
            .trim_ascii()
            .eq_ignore_ascii_case(wanted.as_bytes())
    })
}
