//! Work that waits for the disk, on a thread of the runtime.
//!
//! A worker that stands still may be the one that looks after the pipes, and what it woke last cannot be
//! taken over by another: then every message of every session waits for the disk, not only the call that
//! has to.

use std::future::poll_fn;
use std::pin::pin;

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs what waits for the disk; other tasks go on meanwhile, where the runtime has threads for that.
pub(crate) fn off_worker<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// Awaits something that waits for the disk as it begins, and then as a future should.
pub(crate) async fn begin_off_worker<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut begun = false;
    poll_fn(|context| {
        if std::mem::replace(&mut begun, true) {
            future.as_mut().poll(context)
        } else {
            off_worker(|| future.as_mut().poll(context))
        }
    })
    .await
}
