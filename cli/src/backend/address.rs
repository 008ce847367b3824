//! Reading `--base-url` and `SERNIXA_BASE_URL` by the rules of DESIGN 12.

use url::{Host, Url};

use super::Target;
use crate::{Failure, Global};

/// Where a service on this machine listens, and where the reference's clients look for it.
pub(crate) const DEFAULT_URL: &str = "http://localhost:8000";

const RULE: &str = "expected http://HOST, https://HOST or embedded:FILE";

impl Target {
    /// Reads the base URL that `name` holds. Messages never quote it: it may hold a password.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Failure> {
        let wrong = |fault: &str, rule: &str| Failure::new(format!("{name} {fault}; {rule}"));
        if let Some(file) = text.strip_prefix("embedded:") {
            if file.is_empty() {
                let fault = "is `embedded:`, an engine in the memory of another process";
                return Err(wrong(
                    fault,
                    "name a file with --store FILE or embedded:FILE",
                ));
            }
            return Ok(Self::File(file.into()));
        }
        // The parser drops tabs and line breaks and reads `\` as `/`; what was written is meant.
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
            let fault = "holds a blank, a control character or a backslash";
            return Err(wrong(fault, RULE));
        }
        let mut url = Url::parse(text).map_err(|_| wrong("is not a URL", RULE))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("is no http(s) URL", RULE));
        }
        let authority = text.split_once("://").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            let rule = "put the credential into SERNIXA_ACCESS_TOKEN or a --token-file";
            return Err(wrong("holds a user name or password", rule));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("holds a query or a fragment", RULE));
        }
        if is_insecure(&url) && !Global::allows_insecure()? {
            let rule = "use https://, or set SERNIXA_ALLOW_INSECURE_HTTP=true to accept that \
                        others can read and change what is sent";
            return Err(wrong("is plain http to another machine", rule));
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&prefix);
        Ok(Self::Service(url))
    }
}

/// Whether requests travel unencrypted to another machine.
pub(crate) fn is_insecure(url: &Url) -> bool {
    url.scheme() == "http" && !is_loopback(url)
}

/// Whether requests stay on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        // RFC 6761 6.3: names under `localhost` are loopback.
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}
