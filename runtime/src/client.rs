//! The client (placeholder until the real one lands).

use std::sync::Arc;

use crate::action::Prepared;
use crate::config::{ClientBuilder, Settings};
use crate::error::Error;
use crate::permit::Permit;

/// Asks for leave to run.
#[derive(Clone, Debug)]
pub struct Client(Arc<Settings>);

impl Client {
    /// A builder.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(crate) fn from_settings(settings: Settings) -> Result<Self, Error> {
        Ok(Self(Arc::new(settings)))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0
    }

    /// Closes.
    pub fn close_blocking(&self) {}

    pub(crate) fn ask_blocking(&self, _: Prepared) -> Result<Permit, Error> {
        Err(Error::configuration("not built yet"))
    }

    pub(crate) fn ask(
        &self,
        _: Prepared,
    ) -> impl Future<Output = Result<Permit, Error>> + Send + 'static {
        std::future::ready(Err(Error::configuration("not built yet")))
    }
}
