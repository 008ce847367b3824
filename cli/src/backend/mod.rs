//! Who answers: a service over HTTP, or an engine in this process on a file. Both give the same
//! JSON, since the engine makes it.

mod address;
mod file;
mod follow;
mod http;
mod refusal;
mod route;

use std::path::PathBuf;

use sernixa_engine::{Answer, Request};
use tokio::runtime::Runtime;
use url::Url;

use crate::{Failure, Global, output};

pub(crate) use address::{DEFAULT_URL, is_insecure};
pub(crate) use file::{FileStore, check_file, moment, now};
pub(crate) use follow::{Signal, follow};
pub(crate) use http::{Response, Service};
pub(crate) use refusal::failure;

/// Whom a command asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A service; no userinfo, query or fragment, no slash at the end.
    Service(Url),
    /// The file of an embedded engine.
    File(PathBuf),
}

/// Answers the wire's requests.
pub(crate) struct Backend {
    runtime: Runtime,
    who: Who,
}

/// One that answers.
enum Who {
    Service(Box<Service>),
    File(Box<FileStore>),
}

impl Backend {
    /// The one that the options name. A service is not connected to yet; a file must exist.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let who = match global.target()? {
            Target::Service(url) => {
                if is_insecure(&url) {
                    output::note("warning: plain http to another machine")?;
                }
                Who::Service(Service::new(&url, global.credential()?)?.into())
            }
            Target::File(file) => {
                let store = FileStore::open(&file)?;
                store.check_organisation(&file)?;
                Who::File(store.into())
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new("no event loop can be made").caused_by(error))?;
        Ok(Self { runtime, who })
    }

    /// The JSON text of an answer that is a yes; every other is a failure that says why.
    pub(crate) fn ask(&self, request: Request<'_>) -> Result<String, Failure> {
        self.block_on(self.ask_async(request))
    }

    /// The answer to a request, whatever it says, for those who wait for several things at once.
    pub(crate) async fn call_async(&self, request: Request<'_>) -> Result<Answer, Failure> {
        match &self.who {
            Who::Service(service) => service.call(request).await,
            Who::File(file) => file.call(request),
        }
    }

    /// [`ask`](Self::ask) for those who wait for several things at once.
    pub(crate) async fn ask_async(&self, request: Request<'_>) -> Result<String, Failure> {
        let answer = self.call_async(request).await?;
        if (200..300).contains(&answer.status) {
            Ok(answer.body)
        } else {
            Err(failure(&answer))
        }
    }

    /// Runs a future to its end on this thread.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The file, where one answers.
    pub(crate) fn file(&self) -> Option<&FileStore> {
        match &self.who {
            Who::Service(_) => None,
            Who::File(file) => Some(file),
        }
    }

    /// The service, where one answers.
    pub(crate) fn service(&self) -> Option<&Service> {
        match &self.who {
            Who::Service(service) => Some(service),
            Who::File(_) => None,
        }
    }
}
