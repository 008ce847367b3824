//! What a thread, or a task, carries along unsaid: the delegation in scope, the `TestGate` in scope.
//!
//! A thread-local of our own, set while a closure runs and whenever a future is polled: that holds
//! under any executor, which an executor's task-locals do not.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::LocalKey;

/// A thread-local slot for what is in scope.
pub(crate) type Slot<A> = LocalKey<RefCell<Option<A>>>;

/// What can be in scope.
pub(crate) trait Ambient: Clone + 'static {
    /// The slot of this kind.
    fn slot() -> &'static Slot<Self>;
}

/// What is in scope. Nothing, once the thread's own destructors run.
pub(crate) fn current<A: Ambient>() -> Option<A> {
    let copy = A::slot().try_with(|slot| slot.borrow().clone());
    copy.ok().flatten()
}

/// Runs a closure with `ambient` in scope.
pub(crate) fn within<A: Ambient, T>(ambient: &A, body: impl FnOnce() -> T) -> T {
    let _entered = Entered::enter(ambient);
    body()
}

/// A future that is polled, and dropped, with `ambient` in scope.
pub(crate) fn carry<A: Ambient, F: Future>(ambient: &A, future: F) -> Carried<A, F> {
    Carried {
        ambient: ambient.clone(),
        future: Some(Box::pin(future)),
    }
}

/// In scope until dropped.
struct Entered<A: Ambient> {
    before: Option<A>,
}

impl<A: Ambient> Entered<A> {
    fn enter(ambient: &A) -> Self {
        Self {
            before: replace(Some(ambient.clone())),
        }
    }
}

impl<A: Ambient> Drop for Entered<A> {
    fn drop(&mut self) {
        replace(self.before.take());
    }
}

fn replace<A: Ambient>(ambient: Option<A>) -> Option<A> {
    // What leaves is handed out and dropped only when the slot is free again: its `Drop` may look.
    A::slot()
        .try_with(|slot| slot.replace(ambient))
        .ok()
        .flatten()
}

/// See [`carry`].
pub(crate) struct Carried<A: Ambient, F> {
    ambient: A,
    /// `None` only while it is dropped.
    future: Option<Pin<Box<F>>>,
}

// The future is boxed, so nothing in here is pinned in place.
impl<A: Ambient, F> Unpin for Carried<A, F> {}

impl<A: Ambient, F: Future> Future for Carried<A, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _entered = Entered::enter(&this.ambient);
        match &mut this.future {
            Some(future) => future.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

impl<A: Ambient, F> Drop for Carried<A, F> {
    fn drop(&mut self) {
        let _entered = Entered::enter(&self.ambient);
        self.future = None;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::task::Waker;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Number(u8);

    thread_local! {
        static NUMBER: RefCell<Option<Number>> = const { RefCell::new(None) };
    }

    impl Ambient for Number {
        fn slot() -> &'static Slot<Self> {
            &NUMBER
        }
    }

    fn now() -> Option<u8> {
        current::<Number>().map(|number| number.0)
    }

    #[test]
    fn scopes_nest_and_leave_nothing_behind_even_after_a_panic() {
        within(&Number(1), || {
            let inner = std::panic::catch_unwind(|| within(&Number(2), || panic!("on purpose")));
            assert!(inner.is_err());
            assert_eq!(now(), Some(1));
        });
        assert_eq!(now(), None);
    }

    #[test]
    fn a_carried_future_has_its_scope_while_polled_and_nobody_else_has() {
        let mut turns = 0;
        let mut future = Box::pin(carry(
            &Number(7),
            std::future::poll_fn(move |_| {
                assert_eq!(now(), Some(7));
                turns += 1;
                if turns == 2 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }),
        ));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert_eq!(now(), None);
        within(&Number(1), || {
            assert!(future.as_mut().poll(&mut context).is_ready());
            assert_eq!(now(), Some(1));
        });
    }

    #[test]
    fn what_a_dropped_future_drops_still_sees_the_scope() {
        struct Looks(Rc<Cell<Option<u8>>>);
        impl Drop for Looks {
            fn drop(&mut self) {
                self.0.set(now());
            }
        }
        let seen = Rc::new(Cell::new(None));
        let looks = Looks(seen.clone());
        drop(carry(&Number(3), async move {
            let _looks = looks;
            std::future::pending::<()>().await;
        }));
        assert_eq!(seen.get(), Some(3));
    }

    #[test]
    fn a_new_thread_starts_without_a_scope() {
        within(&Number(4), || {
            assert_eq!(std::thread::spawn(now).join().unwrap(), None);
        });
    }
}
