//! Where an upstream server is, and what every request to it carries.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use super::super::headers::LAST_EVENT_ID;
use super::super::{EVENTS, JSON};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// After so long on a quiet connection the system asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Shorter than servers keep idle connections (Node and uvicorn: 5 s), so that no request goes into
/// one that is just being closed: it could not be told whether it arrived.
const IDLE: Duration = Duration::from_secs(4);

/// An upstream server.
pub(crate) struct UpstreamOptions {
    /// Its MCP endpoint.
    pub(crate) url: Url,
    /// Sent as `Authorization: Bearer …`. What a host sends the proxy is never passed on.
    pub(crate) token: Option<SecretString>,
    /// More that every request carries: names and values.
    pub(crate) headers: Vec<(String, SecretString)>,
    /// Whether plain http may leave this machine (`SERNIXA_ALLOW_INSECURE_HTTP`).
    pub(crate) allow_insecure: bool,
}

/// Never the token.
impl std::fmt::Debug for UpstreamOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamOptions")
            .field("host", &self.url.host_str())
            .field("token", &self.token.is_some())
            .finish_non_exhaustive()
    }
}

impl UpstreamOptions {
    /// A client for it: no redirects, no compression, no proxy for loopback.
    ///
    /// # Errors
    /// What is wrong with the address or the token; neither is quoted.
    pub(super) fn client(&self) -> Result<reqwest::Client, String> {
        let url = &self.url;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("the upstream is not an http or https URL".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "the upstream URL holds a user or password; give a token in the environment"
                    .to_owned(),
            );
        }
        let is_loopback = is_loopback(url);
        if url.scheme() == "http" && !is_loopback && !self.allow_insecure {
            return Err(
                "the upstream is plain http beyond this machine: use https, or set \
                 SERNIXA_ALLOW_INSECURE_HTTP=true"
                    .to_owned(),
            );
        }
        let mut headers = HeaderMap::new();
        let both = format!("{JSON}, {EVENTS}");
        headers.extend(HeaderValue::try_from(both).ok().map(|both| (ACCEPT, both)));
        if let Some(token) = &self.token {
            let text = format!("Bearer {}", token.expose_secret());
            let mut bearer = HeaderValue::try_from(text)
                .map_err(|_| "the upstream's token holds a character that no header can carry")?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        for (name, value) in &self.headers {
            let (name, value) = header(name, value)?;
            headers.insert(name, value);
        }
        // Another crate of the build may switch on features of reqwest: none may change what we do.
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("sernixa-mcp-proxy/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .http1_only()
            .connect_timeout(CONNECT)
            .tcp_keepalive(KEEPALIVE)
            .pool_idle_timeout(IDLE);
        if is_loopback {
            builder = builder.no_proxy();
        }
        builder
            .build()
            .map_err(|error| format!("the HTTP client cannot be set up: {error}"))
    }
}

/// A header of the operator's. What the transport says itself is not for others to say.
fn header(name: &str, value: &SecretString) -> Result<(HeaderName, HeaderValue), String> {
    let read = HeaderName::try_from(name)
        .map_err(|_| "an upstream header has a name that no header may have".to_owned())?;
    let is_ours = [
        ACCEPT,
        CONTENT_LENGTH,
        CONTENT_TYPE,
        HOST,
        TRANSFER_ENCODING,
    ]
    .contains(&read)
        || read == LAST_EVENT_ID
        || read.as_str().starts_with("mcp-");
    if is_ours {
        return Err(format!("the upstream header {read} is the proxy's own"));
    }
    let mut value = HeaderValue::try_from(value.expose_secret())
        .map_err(|_| format!("the upstream header {read} has a value that no header can carry"))?;
    value.set_sensitive(true);
    Ok((read, value))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str, allow_insecure: bool, token: Option<&str>) -> Result<(), String> {
        let options = UpstreamOptions {
            url: url.parse().unwrap(),
            token: token.map(Into::into),
            headers: Vec::new(),
            allow_insecure,
        };
        assert!(!format!("{options:?}").contains("hunter2"));
        options.client().map(drop)
    }

    #[test]
    fn plain_http_leaves_this_machine_only_when_that_is_allowed() {
        for local in [
            "http://localhost:1/mcp",
            "http://127.0.0.1/",
            "http://[::1]/mcp",
        ] {
            assert_eq!(client(local, false, None), Ok(()), "{local}");
        }
        assert_eq!(client("https://mcp.example/mcp", false, None), Ok(()));
        assert!(client("http://mcp.example/mcp", false, None).is_err());
        assert_eq!(client("http://mcp.example/mcp", true, None), Ok(()));
    }

    #[test]
    fn secrets_in_the_url_or_a_broken_token_are_refused_unquoted() {
        for (url, token) in [
            ("https://hunter2@mcp.example/", None),
            ("https://a:hunter2@mcp.example/", None),
            ("https://mcp.example/", Some("hunter2\n")),
            ("ftp://mcp.example/hunter2", None),
        ] {
            let error = client(url, false, token).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn headers_of_the_operators_are_checked_and_never_quoted() {
        let with = |name: &str, value: &str| {
            let options = UpstreamOptions {
                url: "https://mcp.example/".parse().unwrap(),
                token: None,
                headers: vec![(name.to_owned(), value.into())],
                allow_insecure: false,
            };
            assert!(!format!("{options:?}").contains("hunter2"));
            options.client().map(drop)
        };
        assert_eq!(with("X-Api-Key", "hunter2"), Ok(()));
        for (name, value) in [
            ("Host", "hunter2"),
            ("Mcp-Session-Id", "hunter2"),
            ("Last-Event-Id", "hunter2"),
            ("X-Api-Key", "hunter2\r\nX: y"),
            ("bad name", "hunter2"),
        ] {
            let error = with(name, value).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
