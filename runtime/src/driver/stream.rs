//! The one stream of changes of a client: open while somebody waits whose service offers it.
//!
//! While it is up, waiters look only now and then; when it cannot be had, they look as often as
//! without it. Nothing that goes wrong here is an error of a call.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::Notify;

use super::desk::{Desk, spawn};
use super::race::race;
use crate::events::{Hearing, Pace, Unheard};
use crate::logging::event;
use crate::retry;

/// So long a stream stays open that nobody needs: the next call may come at once.
const LINGER: Duration = Duration::from_secs(5);

/// The state of the stream.
#[derive(Default)]
pub(super) struct Stream {
    /// How many wait for it.
    wanted: Cell<usize>,
    /// Rung when nobody does any more.
    unwanted: Notify,
    /// There is a task that has it, or tries to.
    running: Cell<bool>,
    /// It is open.
    up: Cell<bool>,
    /// Its refusal was logged.
    complained: Cell<bool>,
}

/// The stream's end of a waiter; dropped, it is wanted by one less.
pub(super) struct Wanted(Rc<Desk>);

impl Stream {
    pub(super) fn is_up(&self) -> bool {
        self.up.get()
    }
}

/// Counts one more who waits, and opens the stream if need be: from the audit event `attached` on,
/// which recorded the request of that one.
pub(super) fn want(desk: &Rc<Desk>, attached: Option<u64>) -> Wanted {
    let stream = &desk.stream;
    stream.wanted.set(stream.wanted.get() + 1);
    if !stream.running.replace(true) {
        let desk = Rc::clone(desk);
        // Not counted: `close` does not wait for it.
        spawn(async move {
            let running = Running(desk);
            let follow = pin!(follow(&running.0, attached));
            race(follow, pin!(unwanted(&running.0))).await;
        });
    }
    Wanted(Rc::clone(desk))
}

impl Drop for Wanted {
    fn drop(&mut self) {
        let stream = &self.0.stream;
        stream.wanted.set(stream.wanted.get().saturating_sub(1));
        if stream.wanted.get() == 0 {
            stream.unwanted.notify_one();
        }
    }
}

/// The task's own sign; dropped, there is no stream, also after a panic.
struct Running(Rc<Desk>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.stream.up.set(false);
        self.0.stream.running.set(false);
    }
}

/// Ends when nobody has waited for some time.
async fn unwanted(desk: &Desk) {
    let stream = &desk.stream;
    loop {
        // A sign of earlier may be left over.
        while stream.wanted.get() > 0 {
            stream.unwanted.notified().await;
        }
        desk.core.settings.clock.sleep(LINGER).await;
        if stream.wanted.get() == 0 {
            return;
        }
    }
}

/// Opens the stream, hears it out, and opens it again where it ended.
async fn follow(desk: &Rc<Desk>, attached: Option<u64>) {
    let (settings, transport) = (&desk.core.settings, &desk.core.transport);
    let mut last: Option<Box<str>> = attached.map(|seq| seq.to_string().into());
    let mut pace = Pace::default();
    // Waiters rely on the stream.
    let mut relied_on = false;
    loop {
        let Some(listening) = transport.listen(last.as_deref()) else {
            return;
        };
        let pause = match listening.await {
            Ok(hearing) => {
                let begin = settings.clock.monotonic();
                let told = hear(desk, hearing, &mut last, &mut pace).await;
                desk.stream.up.set(false);
                relied_on |= told;
                let lasted = settings.clock.monotonic().saturating_sub(begin);
                pace.after_stream(told, lasted, retry::chance())
            }
            Err(unheard) => unavailable(desk, &mut pace, &unheard),
        };
        // One break is mended before anybody notices.
        if relied_on && pace.is_in_trouble() {
            relied_on = false;
            desk.stream_lost();
        }
        settings.clock.sleep(pause).await;
    }
}

/// Hears a stream to its end. Returns whether it told anything.
async fn hear(
    desk: &Rc<Desk>,
    mut hearing: Hearing,
    last: &mut Option<Box<str>>,
    pace: &mut Pace,
) -> bool {
    let log = desk.core.settings.log;
    let mut told = false;
    loop {
        match hearing.next().await {
            Some(Ok(heard)) => {
                // Only what has told something is relied on.
                told = true;
                desk.stream.up.set(true);
                if let Some((id, push)) = heard.about {
                    desk.heard(&id, push);
                }
                if let Some(id) = heard.id {
                    *last = Some(id);
                }
                if let Some(retry) = heard.retry {
                    pace.asked(retry);
                }
            }
            Some(Err(error)) => {
                event!(log, DEBUG, %error, "the event stream ended; it is opened again");
                return told;
            }
            None => {
                event!(log, DEBUG, "the event stream ended; it is opened again");
                return told;
            }
        }
    }
}

/// There is no stream for now: says so once, if that was meant.
fn unavailable(desk: &Desk, pace: &mut Pace, unheard: &Unheard) -> Duration {
    let log = desk.core.settings.log;
    match unheard {
        Unheard::Refused(status) => {
            if !desk.stream.complained.replace(true) {
                let text = "the service offers events, but streams none to this client; it looks \
                            at its approvals at each poll interval instead";
                event!(log, WARN, status, "{text}");
            }
            pace.after_trouble(None, retry::chance());
            Pace::after_refusal()
        }
        Unheard::Busy(status, asked) => {
            event!(log, DEBUG, status, "the service opens no event stream now");
            pace.after_trouble(*asked, retry::chance())
        }
        Unheard::Fault(fault) => {
            event!(log, DEBUG, ?fault, "the event stream cannot be opened now");
            pace.after_trouble(None, retry::chance())
        }
    }
}
