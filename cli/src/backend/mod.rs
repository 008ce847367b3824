//! Who answers: a service over HTTP, or an engine in this process on a file. Both give the same
//! JSON, since the engine makes it.

mod address;
mod file;
mod http;
mod refusal;
mod route;

use std::path::{Path, PathBuf};

use sernixa_engine::{Answer, Request};
use url::Url;

use crate::{Failure, Global};

pub(crate) use address::DEFAULT_URL;
pub(crate) use file::FileStore;
pub(crate) use http::Service;

/// Whom a command asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A service; no userinfo, query or fragment, no slash at the end.
    Service(Url),
    /// The file of an embedded engine.
    File(PathBuf),
}

/// Answers the wire's requests.
pub(crate) enum Backend {
    /// A service.
    Service(Box<Service>),
    /// An engine in this process.
    File(FileStore),
}

impl Backend {
    /// The one that the options name. A service is not connected to yet; a file must exist.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        match global.target()? {
            Target::Service(url) => {
                Service::new(url, global.credential()?).map(|service| Self::Service(service.into()))
            }
            Target::File(file) => FileStore::open(&file).map(Self::File),
        }
    }

    /// The answer to a request, whatever it says.
    pub(crate) fn call(&self, request: Request<'_>) -> Result<Answer, Failure> {
        match self {
            Self::Service(service) => service.call(request),
            Self::File(file) => file.call(request),
        }
    }

    /// The JSON text of an answer that is a yes; every other is a failure that says why.
    pub(crate) fn ask(&self, request: Request<'_>) -> Result<String, Failure> {
        let answer = self.call(request)?;
        if (200..300).contains(&answer.status) {
            Ok(answer.body)
        } else {
            Err(refusal::failure(&answer))
        }
    }

    /// The file, where one answers.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Service(_) => None,
            Self::File(file) => Some(file.path()),
        }
    }
}
