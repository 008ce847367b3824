//! Whom a client asks, and as whom: as a digest, for what has to be bound to both.

use crate::client::Client;
use crate::config::{Base, InProcess, bytes_of};

impl Client {
    /// A digest of whom this client asks and as whom: the service or store, the credential, and what
    /// delegated requests are signed with. It is keyed with the binding key, so it tells nobody what
    /// they are, and nothing can be guessed from it.
    ///
    /// The same in every process whose client is the same in all of that; where no binding key lasts,
    /// in this process alone. It binds what a program hands out for later to the one who may use it.
    /// A base URL or credential that is written differently is another one.
    #[must_use]
    pub fn principal_digest(&self) -> [u8; 32] {
        let settings = self.settings();
        let (kind, place) = place(&settings.base);
        let (credential, signing) = (&settings.credential, &settings.signing);
        settings.binding.tag_of(
            b"sernixa.principal.v1",
            &[
                Some(kind.as_bytes()),
                Some(&place),
                credential.as_ref().map(bytes_of),
                signing.secret.as_ref().map(bytes_of),
                Some(signing.key_id.as_bytes()),
            ],
        )
    }
}

/// What kind of place decides, and which one of them.
fn place(base: &Base) -> (&'static str, Vec<u8>) {
    match base {
        Base::Http { url, .. } => ("service", url.as_str().as_bytes().to_vec()),
        // The store's own key tells one from another.
        Base::InProcess(InProcess::Engine) => ("engine", Vec::new()),
        #[cfg(feature = "sqlite")]
        Base::InProcess(InProcess::File { path, .. }) => {
            // Whatever links lead to it. The client has opened it, so it is there.
            let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            ("file", path.into_os_string().into_encoded_bytes())
        }
        #[cfg(feature = "testing")]
        Base::InProcess(InProcess::TestGate) => ("test gate", Vec::new()),
    }
}
