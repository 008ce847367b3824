//! Signing every organisation's audit chain as far as it goes.

use crate::answer::Reply;
use crate::audit::{AuditKey, AuditPublicKey};
use crate::engine::Engine;
use crate::moment::Moment;
use crate::step::Command;
use crate::store::StoreError;

impl Engine {
    /// Signs the chain of each organisation that grew since it was signed last; returns how many
    /// were. Call it every minute and before the process ends. It does nothing without an
    /// [audit key](crate::EngineBuilder::audit_key).
    ///
    /// Besides, every thousandth event is signed in the transaction that appends it.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails. What was signed before that stays.
    pub fn checkpoint(&self, moment: &Moment) -> Result<usize, StoreError> {
        if self.inner.audit_key.is_none() {
            return Ok(0);
        }
        let mut signed = 0;
        for organisation in self.inner.store.organisations()? {
            let reply = self.run(Command::Checkpoint(&organisation), moment)?;
            signed += usize::from(matches!(reply, Reply::Checkpointed(true)));
        }
        Ok(signed)
    }

    /// The public half of the key that signs the audit chain: what `audit verify --key` takes.
    pub fn audit_public_key(&self) -> Option<AuditPublicKey> {
        self.inner.audit_key.as_ref().map(AuditKey::public)
    }
}
