//! What every command accepts: whom to ask, with which credential, and in which form to answer.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::Failure;
use crate::backend::Target;

/// Options that stand before or after any command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Options for every command")]
pub(crate) struct Global {
    /// Answer in JSON, for scripts
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[arg(
        long,
        global = true,
        value_name = "URL",
        conflicts_with = "store",
        help = "The service to ask (else SERNIXA_BASE_URL, else http://localhost:8000)"
    )]
    base_url: Option<String>,

    /// Work on the file of an embedded engine, without a service; for `serve` and `keys`: on the
    /// service's file
    #[arg(long, global = true, value_name = "FILE")]
    store: Option<PathBuf>,

    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help = "Read the credential from this file (else SERNIXA_ACCESS_TOKEN, else \
                SERNIXA_API_KEY)"
    )]
    token_file: Option<PathBuf>,
}

/// Where a credential was found.
#[derive(Debug)]
pub(crate) struct Credential {
    /// What stands behind `Bearer`: visible ASCII.
    pub(crate) secret: SecretString,
    /// The variable or file, for messages.
    pub(crate) source: String,
}

impl Global {
    /// Whom to ask: a flag, then `SERNIXA_BASE_URL`, then the service on this machine.
    pub(crate) fn target(&self) -> Result<Target, Failure> {
        if let Some(file) = &self.store {
            return Ok(Target::File(file.clone()));
        }
        if let Some(url) = &self.base_url {
            return Target::parse("--base-url", url);
        }
        match variable("SERNIXA_BASE_URL")? {
            Some(url) => Target::parse("SERNIXA_BASE_URL", &url),
            None => Target::parse("the default base URL", crate::backend::DEFAULT_URL),
        }
    }

    /// The file of `--store`, for what keeps its state there and asks nobody.
    pub(crate) fn store_flag(&self) -> Option<PathBuf> {
        self.store.clone()
    }

    /// The file of `--token-file`.
    pub(crate) fn token_file(&self) -> Option<&Path> {
        self.token_file.as_deref()
    }

    /// The credential: the file of `--token-file`, else the environment. Never an argument, which
    /// every process on the machine could read.
    pub(crate) fn credential(&self) -> Result<Option<Credential>, Failure> {
        if let Some(file) = &self.token_file {
            let text = std::fs::read_to_string(file).map_err(|error| {
                let message = format!("the token file {} cannot be read", file.display());
                Failure::new(message).caused_by(error)
            })?;
            let source = format!("the token file {}", file.display());
            let found = credential(text, source)?;
            return found
                .map(Some)
                .ok_or_else(|| Failure::new("the token file is empty"));
        }
        for name in ["SERNIXA_ACCESS_TOKEN", "SERNIXA_API_KEY"] {
            if let Some(text) = variable(name)?
                && let Some(found) = credential(text, name.to_owned())?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whether plain http may leave this machine.
    pub(crate) fn allows_insecure() -> Result<bool, Failure> {
        let Some(text) = variable("SERNIXA_ALLOW_INSECURE_HTTP")? else {
            return Ok(false);
        };
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => Err(Failure::new(
                "SERNIXA_ALLOW_INSECURE_HTTP is neither yes nor no; expected 1, true, yes, on, 0, \
                 false, no or off",
            )),
        }
    }
}

/// A variable without blanks around it; `None` if unset or empty.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    let Some(value) = std::env::var_os(name) else {
        return Ok(None);
    };
    let text = value
        .into_string()
        .map_err(|_| Failure::new(format!("{name} is not UTF-8")))?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn credential(text: String, source: String) -> Result<Option<Credential>, Failure> {
    // Wiped when dropped.
    let text = SecretString::from(text);
    let trimmed = secrecy::ExposeSecret::expose_secret(&text).trim();
    if trimmed.is_empty() {
        return Ok(None);
    }
    if !trimmed.bytes().all(|byte| byte.is_ascii_graphic()) {
        let rule = "expected visible ASCII without blanks";
        let message = format!("{source} holds a character that no HTTP header may carry; {rule}");
        return Err(Failure::new(message));
    }
    let secret = SecretString::from(trimmed);
    Ok(Some(Credential { secret, source }))
}
