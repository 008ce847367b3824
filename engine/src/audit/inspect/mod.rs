//! Checking what a store holds, without an engine: its chains, and what else it keeps against them.

mod approvals;
mod keys;
mod tokens;

use sernixa_protocol::json::{Document, Node};

use crate::audit::{AuditPublicKey, Event, Receipt, Report, Verifier};
use crate::store::{Store, StoreError};

pub use approvals::{ApprovalFault, ApprovalFaultKind, ApprovalReport, verify_approvals};
pub use keys::{KeyFault, KeyFaultKind, verify_api_keys};
pub use tokens::{TokenFault, TokenFaultKind, verify_delegations};

/// How many events or approvals are read from the store at once.
const PAGE: usize = 1_024;

/// Checks the chain of an organisation in a store, from its first kept event to its end, page by
/// page: every link, copied column and checkpoint, and that it holds every `expected` receipt.
/// Where keys are given, it must be signed, and by these alone.
///
/// # Errors
/// [`StoreError`] when the store cannot be read; then nothing was found out.
pub fn verify_chain(
    store: &dyn Store,
    organisation: &str,
    expected: &[Receipt],
    trusted: &[AuditPublicKey],
) -> Result<Report, StoreError> {
    let start = store.first_anchor(organisation)?;
    let mut verifier = Verifier::new(organisation, start)
        .expecting(expected)
        .trusting(trusted);
    let mut after = start.seq;
    loop {
        let page = store.events(organisation, after, PAGE)?;
        let Some(last) = page.last() else { break };
        // What does not go up would be read for ever. The verifier finds it, too.
        let stuck = last.seq <= after;
        after = last.seq;
        let faulty = page.iter().any(|event| verifier.push(event).is_err());
        if faulty || stuck {
            break;
        }
    }
    Ok(verifier.finish())
}

/// Whether an event's payload can be read, and `check` holds for it.
fn says(event: &Event, check: impl FnOnce(Node<'_>) -> bool) -> bool {
    Document::parse(&event.payload).is_ok_and(|document| check(document.root()))
}

fn is(event: Node<'_>, name: &str, text: &str) -> bool {
    event.get(name).is_some_and(|node| node.is(text))
}
