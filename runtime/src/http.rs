//! The HTTP transport: `reqwest` with keep-alive, no redirects, and bodies of at most 1 MiB.
//!
//! Proxies: the environment's `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are honoured,
//! except for loopback, which never goes through a proxy. The proxy settings of macOS and Windows
//! are not read.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::try_unfold;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER,
};
use reqwest::{Method, Url};
use secrecy::ExposeSecret as _;

use crate::clock::Clock;
use crate::config::{Settings, is_loopback};
use crate::driver::race::{Either, race};
use crate::error::{Error, Refusal};
use crate::events::{self, Broken, Hearing, Unheard};
use crate::transport::{
    Answer, ApprovalId, Endpoint, Fault, Listening, Request, Sending, Subscription, Transport, Wake,
};

/// After so long without a sign of life a stream counts as lost: a service gives one every 10 to
/// 15 s.
const SILENCE: Duration = Duration::from_secs(45);

/// Longer than any stream lasts.
const ENDLESS: Duration = Duration::from_hours(24 * 365);

/// The number of the last event that was heard.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The longest answer that is read.
const LONGEST_ANSWER: usize = 1 << 20;

/// What may stand in a path segment as it is: RFC 3986 `unreserved`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A service behind a URL.
pub(crate) struct HttpTransport {
    client: reqwest::Client,
    /// The base URL with its path prefix, without a slash at the end.
    base: Box<str>,
    submit: Url,
    call_tool: Url,
    visible_tools: Url,
    outcomes: Url,
    delegations: Url,
    ready: Url,
    events: Url,
    /// How long the beginning of an answer is waited for.
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl HttpTransport {
    /// A transport to the service at `base`. Nothing is connected yet.
    ///
    /// # Errors
    /// `Configuration` if the TLS of this machine cannot be set up.
    pub(crate) fn new(base: &Url, settings: &Settings) -> Result<Self, Error> {
        let mut headers = HeaderMap::new();
        if let Some(credential) = &settings.credential {
            let text = format!("Bearer {}", credential.expose_secret());
            let mut bearer = HeaderValue::try_from(text).map_err(|_| {
                Error::configuration("the credential holds a character that no header can carry")
            })?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        // Another crate of the build may switch on features of reqwest: none may change what we do.
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("sernixa-rust/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .http1_only()
            .timeout(settings.timeout);
        if is_loopback(base) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            let message = "the HTTP client cannot be set up; see the source of this error";
            Error::Configuration(Refusal::new(message).caused_by(error).boxed())
        })?;
        let base: Box<str> = base.as_str().trim_end_matches('/').into();
        let at = |path: &str| {
            Url::parse(&format!("{base}{path}"))
                .map_err(|_| Error::configuration("the base URL cannot carry a path"))
        };
        Ok(Self {
            client,
            submit: at("/api/actions/execute")?,
            call_tool: at("/api/mcp/tools/call")?,
            visible_tools: at("/api/mcp/tools/visible")?,
            outcomes: at("/api/approvals/outcomes")?,
            delegations: at("/api/delegations")?,
            ready: at("/ready")?,
            events: at("/api/approvals/events")?,
            timeout: settings.timeout,
            base,
            clock: Arc::clone(&settings.clock),
        })
    }

    fn approval(&self, id: &ApprovalId, step: &str) -> Result<Url, Fault> {
        let id = utf8_percent_encode(id.as_str(), SEGMENT);
        let url = Url::parse(&format!("{}/api/approvals/{id}{step}", self.base));
        url.map_err(|error| Fault::Unreachable(error.into()))
    }

    fn target(&self, endpoint: &Endpoint) -> Result<(Method, Url), Fault> {
        Ok(match endpoint {
            Endpoint::Submit => (Method::POST, self.submit.clone()),
            Endpoint::CallTool => (Method::POST, self.call_tool.clone()),
            Endpoint::Record(id) => (Method::GET, self.approval(id, "")?),
            Endpoint::Await(id) => (Method::GET, self.approval(id, "?waiting=true")?),
            Endpoint::Claim(id) => (Method::POST, self.approval(id, "/claim")?),
            Endpoint::Withdraw(id) => (Method::POST, self.approval(id, "/withdraw")?),
            Endpoint::VisibleTools => (Method::POST, self.visible_tools.clone()),
            Endpoint::Outcomes => (Method::POST, self.outcomes.clone()),
            Endpoint::Delegations => (Method::POST, self.delegations.clone()),
            Endpoint::Ready => (Method::GET, self.ready.clone()),
        })
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Fault> {
        let (method, url) = self.target(&request.endpoint)?;
        let mut outgoing = reqwest::Request::new(method, url);
        if let Some(body) = request.body {
            let json = HeaderValue::from_static("application/json");
            outgoing.headers_mut().insert(CONTENT_TYPE, json);
            *outgoing.body_mut() = Some(body.into());
        }
        let mut response = self.client.execute(outgoing).await.map_err(fault)?;
        let json = is_json(response.headers());
        let retry_after = self.retry_after(response.headers());
        let status = response.status().as_u16();
        let body = read(&mut response).await?;
        Ok(Answer {
            status,
            json,
            retry_after,
            body,
        })
    }

    /// Opens the stream of changes.
    async fn stream(&self, after: Option<HeaderValue>) -> Result<Hearing, Unheard> {
        let mut outgoing = reqwest::Request::new(Method::GET, self.events.clone());
        // Of the whole answer, which has no end: silence ends it instead.
        *outgoing.timeout_mut() = Some(ENDLESS);
        let headers = outgoing.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.extend(after.map(|id| (LAST_EVENT_ID, id)));
        let opening = pin!(self.client.execute(outgoing));
        let response = match race(opening, self.clock.sleep(self.timeout).as_mut()).await {
            Either::First(Ok(response)) => response,
            Either::First(Err(error)) => return Err(Unheard::Fault(fault(error))),
            Either::Second(()) => return Err(Unheard::Fault(Fault::Timeout)),
        };
        let status = response.status().as_u16();
        match status {
            200 if is_plain(response.headers(), "text/event-stream") => {}
            408 | 429 | 500 | 502 | 503 | 504 => {
                return Err(Unheard::Busy(status, self.retry_after(response.headers())));
            }
            _ => return Err(Unheard::Refused(status)),
        }
        let begin = (response, Arc::clone(&self.clock));
        Ok(events::hearing(try_unfold(
            begin,
            |(mut response, clock)| async {
                let chunk = next_chunk(&mut response, &*clock).await?;
                Ok(chunk.map(|chunk| (chunk, (response, clock))))
            },
        )))
    }

    fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        retry_after(headers, || self.clock.unix_millis())
    }
}

/// Seconds, or a date (RFC 9110 10.2.3); anything else counts as not said.
fn retry_after(headers: &HeaderMap, unix_millis: impl Fn() -> u64) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let date = date
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Some(date.saturating_sub(Duration::from_millis(unix_millis())))
}

impl Transport for HttpTransport {
    fn answer_now(&self, _: &Request) -> Option<Result<Answer, Fault>> {
        None
    }

    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(self.exchange(request))
    }

    fn subscribe(&self, _: Wake) -> Option<Subscription> {
        None
    }

    fn listen(&self, after: Option<&str>) -> Option<Listening<'_>> {
        let after = after.and_then(|id| HeaderValue::try_from(id).ok());
        Some(Box::pin(self.stream(after)))
    }

    fn retries(&self) -> bool {
        true
    }
}

/// Reads the body, and stops as soon as it is too long, whatever `Content-Length` said.
async fn read(response: &mut reqwest::Response) -> Result<Bytes, Fault> {
    if response
        .content_length()
        .is_some_and(|length| length > LONGEST_ANSWER as u64)
    {
        return Err(Fault::TooLarge);
    }
    // Nearly every answer is one chunk, which is taken as it is.
    let Some(first) = response.chunk().await.map_err(fault)? else {
        return Ok(Bytes::new());
    };
    let mut whole = None;
    while let Some(chunk) = response.chunk().await.map_err(fault)? {
        let whole = whole.get_or_insert_with(|| BytesMut::from(&*first));
        if whole.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Fault::TooLarge);
        }
        whole.extend_from_slice(&chunk);
    }
    let whole = whole.map_or(first, BytesMut::freeze);
    if whole.len() > LONGEST_ANSWER {
        Err(Fault::TooLarge)
    } else {
        Ok(whole)
    }
}

/// The next piece of a stream, unless it has ended; or nothing came for too long.
async fn next_chunk(
    response: &mut reqwest::Response,
    clock: &dyn Clock,
) -> Result<Option<Bytes>, Broken> {
    match race(pin!(response.chunk()), clock.sleep(SILENCE).as_mut()).await {
        Either::First(Ok(chunk)) => Ok(chunk),
        Either::First(Err(error)) => Err(Broken::Interrupted(error.without_url().into())),
        Either::Second(()) => Err(Broken::Silent),
    }
}

/// Whether it is `application/json`; `+json` is not it (DESIGN 6).
fn is_json(headers: &HeaderMap) -> bool {
    is_plain(headers, "application/json")
}

/// One `Content-Type`, the wanted one in any case and with any parameters, and not encoded: we ask
/// for no compression, so what comes compressed is not what it claims to be.
fn is_plain(headers: &HeaderMap, wanted: &str) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return false;
    };
    let essence = only
        .as_bytes()
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default();
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    essence.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes())
        && headers.get_all(CONTENT_ENCODING).iter().all(plain)
}

/// What went wrong, by how far the request had come.
fn fault(error: reqwest::Error) -> Fault {
    // Of a connection that was never made in time nothing can have arrived, but reqwest's one
    // timeout does not say how far it came.
    if error.is_timeout() {
        Fault::Timeout
    } else if error.is_connect() || error.is_builder() {
        Fault::Unreachable(error.without_url().into())
    } else {
        Fault::Interrupted(error.without_url().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        pairs.collect()
    }

    #[test]
    fn application_json_is_known_in_any_case_and_with_parameters() {
        for json in [
            "application/json",
            "Application/JSON; charset=utf-8",
            " application/json ;",
        ] {
            assert!(is_json(&headers(&[("content-type", json)])), "{json}");
        }
    }

    #[test]
    fn whatever_else_is_no_json() {
        assert!(!is_json(&HeaderMap::new()));
        for other in [
            "text/html",
            "application/problem+json",
            "application/jsonp",
            "json",
            "",
        ] {
            assert!(!is_json(&headers(&[("content-type", other)])), "{other}");
        }
        let encoded = [
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ];
        assert!(!is_json(&headers(&encoded)));
        let mut twice = headers(&[("content-type", "application/json")]);
        twice.append(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        assert!(!is_json(&twice));
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_and_else_not_at_all() {
        // Sun, 06 Nov 1994 08:49:37 GMT, less seven seconds.
        let read = |text| retry_after(&headers(&[("retry-after", text)]), || 784_111_770_000);
        assert_eq!(read("0"), Some(Duration::ZERO));
        assert_eq!(read(" 17 "), Some(Duration::from_secs(17)));
        assert_eq!(
            read("99999999999999999999"),
            Some(Duration::from_secs(u64::MAX))
        );
        assert_eq!(
            read("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Duration::from_secs(7))
        );
        assert_eq!(read("Sun, 06 Nov 1994 08:49:29 GMT"), Some(Duration::ZERO));
        for odd in ["", "-1", "1.5", "nan", "inf", "soon", "1 2"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    #[test]
    fn an_id_is_one_path_segment_whatever_it_holds() {
        let encoded = utf8_percent_encode("../x y?z=1#f%2e/é", SEGMENT).to_string();
        assert_eq!(encoded, "..%2Fx%20y%3Fz%3D1%23f%252e%2F%C3%A9");
        let url = Url::parse(&format!("http://h/pre/api/approvals/{encoded}/claim")).unwrap();
        assert_eq!(url.path(), format!("/pre/api/approvals/{encoded}/claim"));
        assert_eq!(url.query(), None);
    }
}
