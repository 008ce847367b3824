//! The global client (placeholder until the real one lands).

use crate::client::Client;
use crate::error::Error;

pub(crate) fn client() -> Result<&'static Client, Error> {
    Err(Error::configuration("not built yet"))
}
