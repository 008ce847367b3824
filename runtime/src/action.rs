//! From an action to what is submitted: [`Action`] and the call site of an attribute end in the
//! same [`Submission`].

use crate::client::Client;
use crate::error::Error;
use crate::support::Call;

/// A submission on its way to the door.
pub(crate) struct Prepared {
    /// The client that was chosen: `TestGate` in scope, the one given, the global one.
    pub(crate) client: Client,
}

/// Prepares a call of a governed function.
pub(crate) fn prepare_call(call: &Call<'_>) -> Result<Prepared, Error> {
    let _ = call;
    Err(Error::configuration("not built yet"))
}
