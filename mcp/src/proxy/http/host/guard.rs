//! Who may call: the names that the endpoint answers to (against DNS rebinding), the pages that may
//! call it, and a bearer token.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use url::Url;

use super::super::headers::only;
use super::reply::No;
use crate::message::Code;

/// The shortest token that is taken, in bytes.
const SHORTEST_TOKEN: usize = 16;

/// Who may call. Loopback names always may, with any port.
#[derive(Default)]
pub(crate) struct Access {
    /// Names that the endpoint answers to: `HOST` with any port, or `HOST:PORT`.
    pub(crate) hosts: Vec<String>,
    /// Pages that may call: `https://HOST` or `https://HOST:PORT`.
    pub(crate) origins: Vec<String>,
    /// What every request brings as `Authorization: Bearer …`; required beyond loopback.
    pub(crate) token: Option<SecretString>,
}

impl Access {
    /// Whether it is safe to listen at `address`. What listens beyond loopback can be called by
    /// anybody there, so it needs a token, and the names that it answers to.
    ///
    /// # Errors
    /// What is missing, and what to do.
    pub(crate) fn check(&self, address: SocketAddr) -> Result<(), String> {
        if let Some(token) = &self.token
            && token.expose_secret().len() < SHORTEST_TOKEN
        {
            return Err(format!(
                "the token that hosts must send is shorter than {SHORTEST_TOKEN} bytes; make a \
                 longer one"
            ));
        }
        for host in &self.hosts {
            host.parse::<Authority>()
                .map_err(|_| "an allowed host is not `HOST` or `HOST:PORT`")?;
        }
        for origin in &self.origins {
            let url = Url::parse(origin)
                .ok()
                .filter(|url| url.origin().is_tuple());
            url.filter(|url| url.origin().ascii_serialization() == *origin)
                .ok_or("an allowed origin is not written as browsers do: `https://HOST[:PORT]`")?;
        }
        if address.ip().is_loopback() {
            return Ok(());
        }
        if self.token.is_none() {
            return Err(format!(
                "{address} can be reached from elsewhere: set SERNIXA_LISTEN_TOKEN to a token that \
                 hosts must send, or listen on 127.0.0.1"
            ));
        }
        if self.hosts.is_empty() {
            return Err(format!(
                "{address} can be reached from elsewhere: say by which names, with --allow-host \
                 NAME, or listen on 127.0.0.1"
            ));
        }
        Ok(())
    }

    /// Lets a request in, or says why not.
    pub(super) fn admit(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), No> {
        let forbidden = |reason: &str| No::new(StatusCode::FORBIDDEN, Code::Invalid, reason);
        if !self.answers_to(headers, uri) {
            return Err(forbidden(
                "this endpoint does not answer to that Host; call it as localhost, or start it with \
                 --allow-host",
            ));
        }
        if !self.may_come_from(headers) {
            return Err(forbidden(
                "pages of that Origin may not call this endpoint; start it with --allow-origin",
            ));
        }
        if self.knows(headers) {
            Ok(())
        } else {
            let reason = "send the token of this endpoint: `Authorization: Bearer …`";
            Err(No::new(StatusCode::UNAUTHORIZED, Code::Invalid, reason))
        }
    }

    fn answers_to(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let Ok(Some(host)) = only(headers, &HOST) else {
            return false;
        };
        let host = host.to_str().ok().and_then(|host| host.parse().ok());
        let Some(host): Option<Authority> = host else {
            return false;
        };
        // The request line may name another one (RFC 9112 3.2.2): both must be ours.
        [Some(&host), uri.authority()]
            .into_iter()
            .flatten()
            .all(|host| self.is_ours(host))
    }

    fn is_ours(&self, host: &Authority) -> bool {
        !host.as_str().contains('@')
            && (is_loopback(host.host())
                || self.hosts.iter().any(|ours| {
                    ours.eq_ignore_ascii_case(host.as_str())
                        || ours.eq_ignore_ascii_case(host.host())
                }))
    }

    /// A program sends no `Origin`, a browser does; `null` is a page of nobody's.
    fn may_come_from(&self, headers: &HeaderMap) -> bool {
        let Ok(origin) = only(headers, &ORIGIN) else {
            return false;
        };
        let Some(origin) = origin else {
            return true;
        };
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        if self.origins.iter().any(|allowed| allowed == origin) {
            return true;
        }
        let Ok(url) = Url::parse(origin) else {
            return false;
        };
        matches!(url.scheme(), "http" | "https")
            && url.origin().ascii_serialization() == origin
            && url.host_str().is_some_and(is_loopback)
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let Ok(Some(given)) = only(headers, &AUTHORIZATION) else {
            return false;
        };
        let Some((scheme, given)) = given.to_str().ok().and_then(|given| given.split_once(' '))
        else {
            return false;
        };
        let same = given
            .trim()
            .as_bytes()
            .ct_eq(token.expose_secret().as_bytes());
        scheme.eq_ignore_ascii_case("bearer") && bool::from(same)
    }
}

/// Never the token.
impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("hosts", &self.hosts)
            .field("origins", &self.origins)
            .field("token", &self.token.is_some())
            .finish()
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    use axum::http::{HeaderName, HeaderValue};

    fn headers(of: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in of {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn admitted(access: &Access, of: &[(HeaderName, &str)]) -> bool {
        access
            .admit(&headers(of), &Uri::from_static("/mcp"))
            .is_ok()
    }

    #[test]
    fn only_loopback_names_and_allowed_hosts_are_answered_to() {
        let access = Access {
            hosts: vec!["mcp.example".into(), "other.example:8443".into()],
            ..Access::default()
        };
        for good in [
            "localhost",
            "LOCALHOST:3000",
            "127.0.0.1:3000",
            "127.8.8.8",
            "[::1]:3000",
            "mcp.example",
            "MCP.example:1",
            "other.example:8443",
        ] {
            assert!(admitted(&access, &[(HOST, good)]), "{good}");
        }
        for bad in [
            "evil.example",
            "other.example",
            "other.example:1",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "evil.example@localhost",
            "192.168.0.1",
            "",
        ] {
            assert!(!admitted(&access, &[(HOST, bad)]), "{bad}");
        }
        assert!(!admitted(&access, &[]));
        assert!(!admitted(
            &access,
            &[(HOST, "localhost"), (HOST, "localhost")]
        ));
        let both = headers(&[(HOST, "localhost")]);
        let uri = Uri::from_static("http://evil.example/mcp");
        assert!(access.admit(&both, &uri).is_err());
    }

    #[test]
    fn pages_from_elsewhere_do_not_call() {
        let access = Access {
            origins: vec!["https://app.example".into()],
            ..Access::default()
        };
        let from = |origin| admitted(&access, &[(HOST, "localhost"), (ORIGIN, origin)]);
        for good in [
            "http://localhost:3000",
            "https://127.0.0.1",
            "http://[::1]:9",
            "https://app.example",
        ] {
            assert!(from(good), "{good}");
        }
        for bad in [
            "null",
            "",
            "http://evil.example",
            "https://app.example.evil.example",
            "http://app.example",
            "https://app.example/",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "file://localhost",
        ] {
            assert!(!from(bad), "{bad}");
        }
    }

    #[test]
    fn a_token_once_set_is_asked_of_everybody() {
        let access = Access {
            token: Some("0123456789abcdef".into()),
            ..Access::default()
        };
        let with = |value| admitted(&access, &[(HOST, "localhost"), (AUTHORIZATION, value)]);
        assert!(with("Bearer 0123456789abcdef"));
        assert!(with("bearer 0123456789abcdef"));
        assert!(!with("Bearer 0123456789abcdeg"));
        assert!(!with("Bearer 0123456789abcdef0"));
        assert!(!with("Basic 0123456789abcdef"));
        assert!(!with("0123456789abcdef"));
        assert!(!admitted(&access, &[(HOST, "localhost")]));
        assert!(!format!("{access:?}").contains("0123456789abcdef"));
    }

    #[test]
    fn listening_beyond_loopback_needs_a_token_and_names() {
        let local = "127.0.0.1:0".parse().unwrap();
        let all = "0.0.0.0:0".parse().unwrap();
        let with = |token: Option<&str>, hosts: &[&str]| Access {
            token: token.map(Into::into),
            hosts: hosts.iter().map(|host| (*host).into()).collect(),
            ..Access::default()
        };
        let long = Some("0123456789abcdef");
        assert_eq!(with(None, &[]).check(local), Ok(()));
        assert!(with(None, &[]).check(all).is_err());
        assert!(with(None, &["a.example"]).check(all).is_err());
        assert!(with(long, &[]).check(all).is_err());
        assert!(with(long, &["not a host"]).check(all).is_err());
        assert_eq!(with(long, &["a.example"]).check(all), Ok(()));
        assert!(with(Some("short"), &[]).check(local).is_err());
    }
}
