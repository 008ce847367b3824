//! The body of a request that tells when it is taken: from then on the server may have it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

/// See the [module](self). Dropped untaken, it drops what it would tell with.
pub(super) struct Handed {
    bytes: Option<Bytes>,
    tell: Option<oneshot::Sender<()>>,
    is_taken: Arc<AtomicBool>,
}

impl Handed {
    pub(super) fn new(bytes: Bytes, is_taken: Arc<AtomicBool>) -> (Self, oneshot::Receiver<()>) {
        let (tell, told) = oneshot::channel();
        let body = Self {
            bytes: Some(bytes),
            tell: Some(tell),
            is_taken,
        };
        (body, told)
    }
}

impl Body for Handed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(tell) = self.tell.take() {
            self.is_taken.store(true, Ordering::Release);
            // Whoever asked may have gone.
            let _ = tell.send(());
        }
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64)
    }
}
