//! Which server the proxy stands in front of.

use secrecy::SecretString;
use sernixa_mcp::proxy::To;
use url::Url;

use super::{Command, name};
use crate::global::variable;
use crate::{Failure, Global};

/// What refers to a variable of the environment instead of saying a value.
const VARIABLE: &str = "env:";

/// A server.
pub(super) struct Server {
    /// What the operator calls it.
    pub(super) name: String,
    /// For people; no secrets.
    pub(super) shown: String,
    pub(super) to: To,
}

/// The server that the options name.
pub(super) fn of(command: &Command) -> Result<Server, Failure> {
    let (derived, shown, to) = if let Some(upstream) = &command.upstream {
        let url = address(upstream)?;
        let derived = name::of_url(&url);
        // A path may hold a key.
        let shown = url.origin().ascii_serialization();
        let to = To::Url {
            url,
            token: secret("SERNIXA_UPSTREAM_TOKEN")?,
            headers: headers(&command.header)?,
            allow_insecure: Global::allows_insecure()?,
        };
        (derived, shown, to)
    } else {
        let [program, arguments @ ..] = command.words.as_slice() else {
            return Err(Failure::new(
                "no server is named: put its command after `--` (sernixa mcp proxy --store agents.db \
                 -- npx -y some-server), or its URL after --upstream",
            ));
        };
        // Arguments may hold secrets.
        let shown = program.to_string_lossy().into_owned();
        let to = To::Command {
            program: program.clone(),
            arguments: arguments.to_vec(),
        };
        (name::of_command(&command.words), shown, to)
    };
    let name = command
        .server
        .clone()
        .or(derived)
        .ok_or_else(|| Failure::new("say what the server is called, with --server NAME"))?;
    Ok(Server { name, shown, to })
}

fn address(upstream: &str) -> Result<Url, Failure> {
    let text = match upstream.strip_prefix(VARIABLE) {
        Some(name) => required(name)?,
        None => upstream.to_owned(),
    };
    // Not quoted: it may hold a key.
    Url::parse(&text)
        .map_err(|_| Failure::new("--upstream is not a URL; expected https://HOST/PATH"))
}

fn headers(options: &[String]) -> Result<Vec<(String, SecretString)>, Failure> {
    options
        .iter()
        .map(|option| {
            let (name, value) = option.split_once('=').unwrap_or_default();
            let variable = value.strip_prefix(VARIABLE);
            let variable = variable.filter(|_| !name.is_empty()).ok_or_else(|| {
                Failure::new(
                    "--header expects NAME=env:VARIABLE: every process on this machine can read \
                     arguments, so values come from the environment",
                )
            })?;
            Ok((name.to_owned(), required(variable)?.into()))
        })
        .collect()
}

fn required(name: &str) -> Result<String, Failure> {
    variable(name)?.ok_or_else(|| Failure::new(format!("the variable {name} is not set")))
}

/// A secret of the environment's.
pub(super) fn secret(name: &str) -> Result<Option<SecretString>, Failure> {
    Ok(variable(name)?.map(SecretString::from))
}
