//! Who hears of what waits: `[[webhook]]` with its secret in a file or a variable.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::fault::ConfigError;
use super::file::Written;
use super::private_file;
use super::section::Section;
use crate::webhook::{Reach, Webhook, WebhookError};

/// A webhook as it was written.
#[derive(Clone)]
pub(super) struct WrittenHook {
    url: String,
    secret: Secret,
    reach: Reach,
    /// What its members are called in a fault.
    faults: Faults,
}

#[derive(Clone)]
enum Secret {
    File(PathBuf),
    Variable(String),
}

#[derive(Clone)]
struct Faults {
    url: ConfigError,
    secret: ConfigError,
}

/// Never the URL: it may hold a token.
impl std::fmt::Debug for WrittenHook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WrittenHook")
            .field("reach", &self.reach)
            .finish_non_exhaustive()
    }
}

/// Reads every `[[webhook]]`.
pub(super) fn read(root: &mut Section<'_>) -> Result<Vec<WrittenHook>, ConfigError> {
    root.sections("webhook")?.into_iter().map(one).collect()
}

fn one(mut section: Section<'_>) -> Result<WrittenHook, ConfigError> {
    let url_rule = "must be the https:// URL of a receiver; an address of this machine or network \
                    needs allow_private = true, and plain http allow_http = true";
    let Some(url) = section.text("url")? else {
        return Err(section.fault("url", url_rule));
    };
    let sources = (section.path("secret_file")?, section.text("secret_env")?);
    let secret = match sources {
        (Some(path), None) => Secret::File(path),
        (None, Some(name)) => Secret::Variable(name),
        _ => {
            let rule = "or `secret_env` must be there, and not both: at least 16 bytes that the \
                        receiver knows, too";
            return Err(section.fault("secret_file", rule));
        }
    };
    let reach = Reach {
        private: section.flag("allow_private")?.unwrap_or(false),
        http: section.flag("allow_http")?.unwrap_or(false),
    };
    let faults = Faults {
        url: section.fault("url", url_rule),
        secret: match secret {
            Secret::File(_) => {
                section.fault("secret_file", "must name a file of at least 16 bytes")
            }
            Secret::Variable(_) => {
                let rule = "must name a variable that is set to at least 16 bytes";
                section.fault("secret_env", rule)
            }
        },
    };
    section.end()?;
    Ok(WrittenHook {
        url,
        secret,
        reach,
        faults,
    })
}

impl Written {
    /// The webhooks with their secrets.
    pub(super) fn webhooks(
        &self,
        environment: &dyn Fn(&str) -> Option<SecretString>,
    ) -> Result<Vec<Webhook>, ConfigError> {
        let hooks = self.webhooks.iter();
        hooks.map(|hook| open(hook, environment)).collect()
    }
}

fn open(
    hook: &WrittenHook,
    environment: &dyn Fn(&str) -> Option<SecretString>,
) -> Result<Webhook, ConfigError> {
    let secret = match &hook.secret {
        Secret::File(path) => private_file::read(path)?,
        Secret::Variable(name) => environment(name).ok_or_else(|| hook.faults.secret.clone())?,
    };
    // A file ends with a line break that is no part of the secret.
    let secret = SecretString::from(secret.expose_secret().trim());
    Webhook::new(&hook.url, secret, hook.reach).map_err(|error| match error {
        WebhookError::Url(_) => hook.faults.url.clone(),
        WebhookError::Secret(_) => hook.faults.secret.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn load(text: &str) -> Result<Vec<Webhook>, String> {
        let environment =
            |name: &str| (name == "HOOK_SECRET").then(|| SecretString::from("0123456789abcdef\n"));
        let read = || {
            let mut root = Section::root(Path::new("sernixa.toml"), text)?;
            let written = Written {
                webhooks: read(&mut root)?,
                ..Written::default()
            };
            written.webhooks(&environment)
        };
        read().map_err(|error: ConfigError| error.to_string())
    }

    #[test]
    fn a_webhook_has_a_url_and_one_source_of_its_secret() {
        let good =
            "[[webhook]]\nurl = \"https://hooks.example/t0ken\"\nsecret_env = \"HOOK_SECRET\"";
        assert_eq!(load(good).unwrap().len(), 1);
        let local = "[[webhook]]\nurl = \"http://127.0.0.1:9/\"\nsecret_env = \"HOOK_SECRET\"";
        let allowed = format!("{local}\nallow_private = true\nallow_http = true");
        assert_eq!(load(&allowed).unwrap().len(), 1);
        for (text, says) in [
            (local, "`webhook[0].url` must be"),
            (
                "[[webhook]]\nsecret_env = \"HOOK_SECRET\"",
                "`webhook[0].url`",
            ),
            (
                "[[webhook]]\nurl = \"https://hooks.example/t0ken\"",
                "`webhook[0].secret_file`",
            ),
            (
                &format!("{good}\nsecret_file = \"x\""),
                "`webhook[0].secret_file`",
            ),
            (
                &good.replace("HOOK", "OTHER"),
                "`webhook[0].secret_env` must name a variable",
            ),
            (
                &format!("{good}\nallow_htp = true"),
                "did you mean `allow_http`?",
            ),
        ] {
            let fault = load(text).unwrap_err();
            assert!(fault.contains(says), "{fault}");
            assert!(!fault.contains("t0ken"), "{fault}");
        }
    }
}
