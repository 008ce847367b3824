//! Group commit: callers that come while others wait for the disk share the next commit.
//!
//! ```text
//! caller 1   BEGIN IMMEDIATE · its work ·············· waits ─┐
//! caller 2                     SAVEPOINT · its work ·· waits ─┤
//! caller 3 (the last in line)    SAVEPOINT · its work · COMMIT ┴─ all answer
//! ```
//!
//! Everybody runs their own work on their own thread, one after the other on the one connection.
//! Whoever finds nobody behind them commits for all. Nobody answers before the commit that holds
//! their work is on disk; if it fails, it fails for all of them. Work that errs or panics is undone
//! alone. A group that wrote nothing costs no access to the disk.
//!
//! Nothing is remembered from one group to the next: another process may have written in between.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Row};
use sernixa_engine::{State, StoreError};

use crate::error::{Result, TAKEN_BACK, failed, message};
use crate::open::{Link, PATIENCE};
use crate::query;
use crate::state::Transaction;
use crate::value::column;

/// The most that share a commit: another process waits for the lock as long as a group takes.
const MOST: usize = 128;

/// The least that another process's lock is waited for.
const A_MOMENT: Duration = Duration::from_millis(50);

/// How a transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With the lock that one process has at a time.
    Locked,
    /// Without: nothing can be written.
    Unlocked,
}

/// The one connection that changes the store, and those who wait for it.
pub(crate) struct Writer {
    /// How many are on their way to the desk. Each of them will get there: whoever leaves a group
    /// open because of them leaves it to them.
    line: AtomicUsize,
    desk: Mutex<Desk>,
}

/// What the caller whose turn it is works with.
struct Desk {
    link: Link,
    begin: Begin,
    open: Option<Open>,
}

/// A transaction that is not yet committed.
struct Open {
    group: Arc<Group>,
    /// Those whose work it holds.
    members: usize,
}

/// Those who wait for one commit.
#[derive(Default)]
struct Group {
    end: Mutex<Option<std::result::Result<(), Failure>>>,
    ended: Condvar,
}

/// Why a commit failed, for all who are told.
#[derive(Clone)]
struct Failure {
    message: &'static str,
    cause: Arc<str>,
}

/// How one caller's work ended.
enum Ran {
    /// It is part of the group.
    Kept,
    /// It was undone.
    Undone(StoreError),
    /// It was undone, and goes on unwinding.
    Panicked(Box<dyn Any + Send>),
}

impl Writer {
    pub(crate) fn new(link: Link, begin: Begin) -> Self {
        Self {
            line: AtomicUsize::new(0),
            desk: Mutex::new(Desk {
                link,
                begin,
                open: None,
            }),
        }
    }

    /// Runs `work` in a transaction and returns once it is on disk.
    pub(crate) fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn State) -> Result<()>,
    ) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        self.line.fetch_add(1, Ordering::SeqCst);
        let mut desk = self.desk();
        self.line.fetch_sub(1, Ordering::SeqCst);
        let group = desk.enter(until)?;
        let ran = desk.run(work);
        if self.line.load(Ordering::SeqCst) == 0 || desk.is_full() {
            desk.commit();
        }
        drop(desk);
        match ran {
            Ran::Kept => group.wait(),
            Ran::Undone(error) => Err(error),
            Ran::Panicked(panic) => resume_unwind(panic),
        }
    }

    /// Runs `work` while no other process can write.
    pub(crate) fn alone<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let desk = self.desk();
        if desk.open.is_some() {
            // Those in line will commit it; the lock is held meanwhile.
            return work();
        }
        desk.begin(Instant::now() + PATIENCE)?;
        let done = catch_unwind(AssertUnwindSafe(work));
        desk.rollback();
        drop(desk);
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// A number that changes when another process has committed.
    pub(crate) fn version(&self) -> Result<u64> {
        let desk = self.desk();
        let read = |row: &Row<'_>| column::<u32>(row, 0);
        let version = query::one(desk.connection(), "PRAGMA data_version", [], read)?;
        Ok(version.unwrap_or_default().into())
    }

    /// Work that panicked was undone on its way out, so the desk is in order.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    fn connection(&self) -> &Connection {
        &self.link.connection
    }

    /// Joins the open group, or opens one.
    fn enter(&mut self, until: Instant) -> Result<Arc<Group>> {
        if let Some(open) = &self.open {
            return Ok(Arc::clone(&open.group));
        }
        self.begin(until)?;
        let group = Arc::<Group>::default();
        self.open = Some(Open {
            group: Arc::clone(&group),
            members: 0,
        });
        Ok(group)
    }

    fn begin(&self, until: Instant) -> Result<()> {
        // Whoever waited long for its own process's turn still has a moment for the other's.
        self.link.wait_until(until.max(Instant::now() + A_MOMENT));
        self.sql(match self.begin {
            Begin::Locked => "BEGIN IMMEDIATE",
            Begin::Unlocked => "BEGIN",
        })
        .map_err(failed)
    }

    fn is_full(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.members >= MOST)
    }

    fn run(&mut self, work: &mut dyn FnMut(&mut dyn State) -> Result<()>) -> Ran {
        // The first has the transaction to itself, and is undone with it.
        let is_first = self.open.as_ref().is_none_or(|open| open.members == 0);
        if !is_first && let Err(error) = self.sql("SAVEPOINT member") {
            return Ran::Undone(self.give_up(&error));
        }
        let ran = catch_unwind(AssertUnwindSafe(|| {
            work(&mut Transaction::new(self.connection()))
        }));
        // After some errors (a full disk, a failed read) SQLite has taken back everything.
        if self.connection().is_autocommit() {
            let lost = self.lose(TAKEN_BACK, "SQLite ended the transaction");
            return match ran {
                Ok(Ok(())) => Ran::Undone(lost),
                Ok(Err(error)) => Ran::Undone(error),
                Err(panic) => Ran::Panicked(panic),
            };
        }
        let ran = match ran {
            Ok(Ok(())) => Ran::Kept,
            Ok(Err(error)) => Ran::Undone(error),
            Err(panic) => Ran::Panicked(panic),
        };
        let settled = match (&ran, is_first) {
            (Ran::Kept, true) => Ok(()),
            (Ran::Kept, false) => self.sql("RELEASE member"),
            (_, true) => {
                self.open = None;
                self.rollback();
                return ran;
            }
            (_, false) => self
                .sql("ROLLBACK TO member")
                .and_then(|()| self.sql("RELEASE member")),
        };
        match settled {
            Ok(()) => {
                if let (Ran::Kept, Some(open)) = (&ran, &mut self.open) {
                    open.members += 1;
                }
                ran
            }
            Err(error) => {
                let lost = self.give_up(&error);
                match ran {
                    Ran::Kept => Ran::Undone(lost),
                    undone => undone,
                }
            }
        }
    }

    /// Puts the group on disk, and tells all who wait for it.
    fn commit(&mut self) {
        if self.open.is_none() {
            return;
        }
        match self.sql("COMMIT") {
            Ok(()) => self.end(Ok(())),
            Err(error) => drop(self.give_up(&error)),
        }
    }

    /// Takes everything back, and tells all who wait for it.
    fn give_up(&mut self, error: &rusqlite::Error) -> StoreError {
        self.rollback();
        self.lose(message(error), error.to_string())
    }

    /// Everything is taken back already.
    fn lose(&mut self, message: &'static str, cause: impl Into<Arc<str>>) -> StoreError {
        let cause = cause.into();
        let failure = Failure { message, cause };
        self.end(Err(failure.clone()));
        failure.into()
    }

    fn end(&mut self, end: std::result::Result<(), Failure>) {
        if let Some(open) = self.open.take() {
            open.group.tell(end);
        }
    }

    fn rollback(&self) {
        // Where it fails there is no transaction any more, or the next BEGIN says what is wrong.
        if !self.connection().is_autocommit() {
            let _ = self.sql("ROLLBACK");
        }
    }

    fn sql(&self, text: &str) -> rusqlite::Result<()> {
        let mut statement = self.connection().prepare_cached(text)?;
        statement.execute([]).map(|_| ())
    }
}

impl Group {
    fn tell(&self, end: std::result::Result<(), Failure>) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        self.ended.notify_all();
    }

    fn wait(&self) -> Result<()> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let end = self
            .ended
            .wait_while(end, |end| end.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        match &*end {
            Some(Ok(())) => Ok(()),
            Some(Err(failure)) => Err(failure.clone().into()),
            None => Err(StoreError::new(
                "the store did not say how the commit ended",
            )),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        StoreError::new(failure.message).caused_by(&*failure.cause)
    }
}
