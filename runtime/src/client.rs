//! The client (placeholder until the real one lands).

use crate::action::Prepared;
use crate::error::Error;
use crate::permit::Permit;

/// Asks for leave to run.
#[derive(Clone, Debug)]
pub struct Client;

impl Client {
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
