//! Waiting for whichever comes first, without a macro and without `unsafe`.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Which of two came first.
pub(crate) enum Either<A, B> {
    First(A),
    Second(B),
}

/// Awaits both; the one that ends first wins, the first at a tie.
///
/// They are pinned where they stand: a future that is moved into an `async fn` takes its place in
/// memory twice, and ten thousand calls wait here.
pub(crate) fn race<A: Future + ?Sized, B: Future + ?Sized>(
    mut first: Pin<&mut A>,
    mut second: Pin<&mut B>,
) -> impl Future<Output = Either<A::Output, B::Output>> {
    poll_fn(move |context| {
        if let Poll::Ready(value) = first.as_mut().poll(context) {
            return Poll::Ready(Either::First(value));
        }
        second.as_mut().poll(context).map(Either::Second)
    })
}
