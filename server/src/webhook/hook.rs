//! A webhook as it is configured, checked when the service starts.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::address::is_public;

/// The shortest secret, in bytes.
const SHORTEST_SECRET: usize = 16;

/// What a webhook may reach. By default: public addresses, over https.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Loopback, private, link-local and other addresses that are not public, too.
    pub private: bool,
    /// Plain http, too: others on the way can read what waits for review.
    pub http: bool,
}

/// An address that hears of what waits for review.
#[derive(Clone)]
pub struct Webhook {
    pub(super) url: Url,
    pub(super) secret: SecretString,
    pub(super) reach: Reach,
}

/// Never path or query, which may hold a token, nor the secret.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("host", &self.host())
            .field("reach", &self.reach)
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// A webhook at `url`, whose notices are signed with `secret`: at least 16 bytes.
    ///
    /// # Errors
    /// [`WebhookError`] says what is wrong with which of them.
    pub fn new(url: &str, secret: SecretString, reach: Reach) -> Result<Self, WebhookError> {
        let url = Url::parse(url).map_err(|_| WebhookError::Url("must be an https:// URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if reach.http => {}
            "http" => {
                let fault = "must be an https:// URL; plain http needs allow_http = true";
                return Err(WebhookError::Url(fault));
            }
            _ => return Err(WebhookError::Url("must be an https:// URL")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookError::Url("must hold no user name or password"));
        }
        let Some(host) = url.host_str() else {
            return Err(WebhookError::Url("must name a host"));
        };
        // Names are judged by what they resolve to, at each connection.
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = literal.parse::<IpAddr>()
            && !reach.private
            && !is_public(address)
        {
            let fault = "must not be an address of this machine or network; that needs \
                         allow_private = true";
            return Err(WebhookError::Url(fault));
        }
        if secret.expose_secret().len() < SHORTEST_SECRET {
            return Err(WebhookError::Secret("must have at least 16 bytes"));
        }
        Ok(Self { url, secret, reach })
    }

    /// The host, for logs: the rest of the URL may hold a token.
    pub(super) fn host(&self) -> Box<str> {
        let host = self.url.host_str().unwrap_or_default();
        sernixa_protocol::display::one_line(host).to_string().into()
    }
}

/// What is wrong with a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookError {
    /// With its URL.
    Url(&'static str),
    /// With its secret.
    Secret(&'static str),
}

impl fmt::Display for WebhookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(fault) => write!(f, "the webhook's url {fault}"),
            Self::Secret(fault) => write!(f, "the webhook's secret {fault}"),
        }
    }
}

impl std::error::Error for WebhookError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(url: &str, reach: Reach) -> Result<Webhook, WebhookError> {
        Webhook::new(url, SecretString::from("0123456789abcdef"), reach)
    }

    #[test]
    fn by_default_only_public_addresses_over_https() {
        let default = Reach::default();
        let (http, private) = (
            Reach {
                http: true,
                ..default
            },
            Reach {
                private: true,
                ..default
            },
        );
        for good in [
            "https://hooks.example/a?b=c",
            "https://1.1.1.1/",
            "https://[2606:4700::1]:8443/",
        ] {
            assert!(hook(good, default).is_ok(), "{good}");
        }
        for bad in [
            "",
            "hooks.example",
            "http://hooks.example/",
            "ftp://hooks.example/",
            "file:///etc",
            "https://user@hooks.example/",
            "https://:pw@hooks.example/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/",
            "https://[fd00:ec2::254]/",
            "https://0/",
        ] {
            assert!(
                matches!(hook(bad, default), Err(WebhookError::Url(_))),
                "{bad}"
            );
        }
        assert!(hook("http://hooks.example/", http).is_ok());
        assert!(hook("http://127.0.0.1/", http).is_err());
        assert!(hook("https://127.0.0.1/", private).is_ok());
        let weak = Webhook::new(
            "https://hooks.example/",
            SecretString::from("short"),
            default,
        );
        assert!(matches!(weak, Err(WebhookError::Secret(_))));
    }

    #[test]
    fn nothing_shows_the_secret_or_the_path() {
        let hook = hook(
            "https://hooks.example/services/T0/B1/token?key=token",
            Reach::default(),
        );
        let shown = format!("{:?}", hook.unwrap());
        assert!(shown.contains("hooks.example"), "{shown}");
        assert!(
            !shown.contains("token") && !shown.contains("0123456789"),
            "{shown}"
        );
    }
}
