//! The global client: what governed functions ask that name no client of their own.

use once_cell::sync::OnceCell;

use crate::client::Client;
use crate::error::Error;

static GLOBAL: OnceCell<Client> = OnceCell::new();

/// The global client: the one given to [`install`], else one made from the environment at its
/// first use.
///
/// # Errors
/// [`Error::Configuration`] for a variable that breaks its rule; the next call tries again.
pub fn client() -> Result<&'static Client, Error> {
    GLOBAL.get_or_try_init(Client::from_env)
}

/// Makes `client` the global one, before anything was asked through it.
///
/// # Errors
/// [`Error::Configuration`] if there is one already: calls that were made through it cannot move.
pub fn install(client: Client) -> Result<(), Error> {
    GLOBAL.set(client).map_err(|_| {
        Error::configuration(
            "there is a global client already; install yours before the first call",
        )
    })
}

/// Closes the global client, if there is one: see [`Client::close`].
pub async fn close() {
    if let Some(client) = GLOBAL.get() {
        client.close().await;
    }
}

/// As [`close`], blocking this thread.
pub fn close_blocking() {
    if let Some(client) = GLOBAL.get() {
        client.close_blocking();
    }
}
