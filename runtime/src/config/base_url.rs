//! Who is asked: a service behind a URL, or an engine inside the process.

use std::fmt;

use url::{Host, Url};

use super::read::{Name, wrong};
use crate::error::Error;

/// Where `SERNIXA_BASE_URL` points when it is not set (PROTOCOL 16).
const DEFAULT: &str = "http://localhost:8000";

/// The rule, as messages say it.
const RULE: &str = "expected http://HOST, https://HOST (with a path prefix, if need be), embedded: or \
     embedded:FILE";

/// Who is asked.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// A service.
    Http {
        /// No userinfo, query or fragment; no slash at the end; the path prefix is kept.
        url: Url,
        /// Nobody configured it: the error of a refused connection says what else there is.
        is_default: bool,
    },
    /// Whoever answers inside the process.
    InProcess(InProcess),
}

/// Who answers inside the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InProcess {
    /// The embedded engine, in memory unless the program gives one.
    Engine,
    /// The embedded engine on a file, which other processes may share.
    #[cfg(feature = "sqlite")]
    File {
        /// The setting that names it.
        name: Name,
        /// As it was written: neither `~` nor variables are expanded.
        path: std::path::PathBuf,
    },
    /// A `TestGate`.
    #[cfg(feature = "testing")]
    TestGate,
}

impl Base {
    /// The service on this machine that the reference's defaults reach, too.
    pub(super) fn default_service() -> Result<Self, Error> {
        let url = service("the default base URL", DEFAULT, Insecure::Refused)?;
        Ok(Self::Http {
            url,
            is_default: true,
        })
    }

    /// Reads a base URL. Messages never quote it: userinfo and queries hold secrets.
    pub(super) fn parse(name: Name, text: &str, insecure: Insecure) -> Result<Self, Error> {
        match text.strip_prefix("embedded:") {
            Some("") => embedded(name).map(Self::InProcess),
            Some(path) => embedded_file(name, path).map(Self::InProcess),
            None => Ok(Self::Http {
                url: service(name, text, insecure)?,
                is_default: false,
            }),
        }
    }

    /// Whether requests travel unencrypted to another machine.
    pub(crate) fn is_insecure(&self) -> bool {
        matches!(self, Self::Http { url, .. } if url.scheme() == "http" && !is_loopback(url))
    }
}

/// The URL itself: it holds no userinfo and no query.
impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { url, .. } => f.write_str(url.as_str()),
            Self::InProcess(who) => who.fmt(f),
        }
    }
}

/// Whether plain http may leave this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Insecure {
    /// Only to loopback.
    Refused,
    /// `SERNIXA_ALLOW_INSECURE_HTTP`.
    Allowed,
}

#[cfg(feature = "embedded")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "without the feature `embedded` this is the error"
)]
fn embedded(_: Name) -> Result<InProcess, Error> {
    Ok(InProcess::Engine)
}

#[cfg(not(feature = "embedded"))]
fn embedded(name: Name) -> Result<InProcess, Error> {
    let fault = "asks for the embedded engine, which is not compiled in";
    Err(wrong(
        name,
        fault,
        "enable the feature `embedded` of sernixa",
    ))
}

#[cfg(feature = "sqlite")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "without the feature `sqlite` this is the error"
)]
fn embedded_file(name: Name, path: &str) -> Result<InProcess, Error> {
    let path = path.into();
    Ok(InProcess::File { name, path })
}

#[cfg(not(feature = "sqlite"))]
fn embedded_file(name: Name, _: &str) -> Result<InProcess, Error> {
    let fault = "names a file for the embedded engine, which is not compiled in";
    Err(wrong(name, fault, "enable the feature `sqlite` of sernixa"))
}

fn service(name: Name, text: &str, insecure: Insecure) -> Result<Url, Error> {
    // The parser drops tabs and line breaks and reads `\` as `/`; what was written must be meant.
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if text.contains(odd) {
        return Err(wrong(
            name,
            "holds a blank, a control character or a backslash",
            RULE,
        ));
    }
    let scheme = text
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err(wrong(name, "is no http(s) URL", RULE));
    }
    let mut url = Url::parse(text).map_err(|_| wrong(name, "is not a URL", RULE))?;
    if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
        let rule = "put the credential into SERNIXA_ACCESS_TOKEN or SERNIXA_API_KEY";
        return Err(wrong(name, "holds a user name or password", rule));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(name, "holds a query or a fragment", RULE));
    }
    if url.port() == Some(0) {
        return Err(wrong(name, "has port 0", RULE));
    }
    if url.scheme() == "https" && cfg!(not(feature = "rustls")) {
        let fault = "is an https URL, but TLS is not compiled in";
        return Err(wrong(name, fault, "enable the feature `rustls` of sernixa"));
    }
    if url.scheme() == "http" && !is_loopback(&url) && insecure == Insecure::Refused {
        let rule = "use https://, or set SERNIXA_ALLOW_INSECURE_HTTP=true to accept that others \
                    can read and change what is sent";
        return Err(wrong(name, "is plain http to another machine", rule));
    }
    let prefix = url.path().trim_end_matches('/').to_owned();
    url.set_path(&prefix);
    Ok(url)
}

/// What stands between `//` and the path. An empty userinfo (`http://@host`) is gone once parsed.
fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
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
