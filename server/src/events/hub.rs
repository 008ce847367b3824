//! The hub: one thread that follows the audit chains, for all streams and for the webhooks.
//!
//! Changes of this process ring it at once; those of other processes on the same store it finds by
//! the store's version, which it asks for some twenty times a second. Either way it reads the chain
//! on from where it stands, so a lost ring is a delay, never a loss.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sernixa_engine::{Change, Engine, StoreError};

use super::places::Places;
use super::stream::Ended;
use super::trail::{Told, Trail};

/// How often the store is asked whether another process changed something.
const POLL: Duration = Duration::from_millis(50);

/// How often every trail is brought up to the head of its chain, rung or not: most audit events
/// change no approval, and a reader that comes back need not go over them again.
const CATCH_UP: Duration = Duration::from_secs(5);

/// How many audit events are read at once.
const PAGE: usize = 512;

/// How much there may be of what a client can ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Streams in all.
    pub(crate) streams: usize,
    /// Streams of one key.
    pub(crate) streams_of_key: usize,
    /// Approvals of each kind in a snapshot.
    pub(crate) snapshot: usize,
    /// How often a stream gives a sign of life.
    pub(crate) heartbeat: Duration,
    /// How often a stream's key is looked at again.
    pub(crate) key_check: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            streams: 1_024,
            streams_of_key: 32,
            snapshot: 1_000,
            heartbeat: Duration::from_secs(10),
            key_check: Duration::from_secs(2),
        }
    }
}

/// Called with every change of every organisation from the hub's start on, in the order of each
/// chain, on the hub's thread: it must not wait.
pub(crate) type Watcher = Box<dyn Fn(&Change) + Send + Sync>;

/// See the [module](self). [`close`](Self::close) ends its thread and all streams.
pub(crate) struct Hub {
    pub(super) inner: Arc<Inner>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

pub(super) struct Inner {
    pub(super) engine: Engine,
    pub(super) limits: Limits,
    pub(super) places: Arc<Places>,
    pub(super) ended: Ended,
    trails: Mutex<HashMap<Arc<str>, Arc<Trail>>>,
    watcher: Option<Watcher>,
    bell: Bell,
}

/// A trail with its organisation.
type Named = (Arc<str>, Arc<Trail>);

/// Wakes the thread.
#[derive(Default)]
struct Bell {
    rung: Mutex<Rung>,
    ringing: Condvar,
}

#[derive(Default)]
struct Rung {
    organisations: HashSet<Arc<str>>,
    closed: bool,
}

impl Bell {
    fn rung(&self) -> MutexGuard<'_, Rung> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self, organisation: &str) {
        let mut rung = self.rung();
        if !rung.organisations.contains(organisation) {
            rung.organisations.insert(organisation.into());
            self.ringing.notify_one();
        }
    }

    fn close(&self) {
        self.rung().closed = true;
        self.ringing.notify_one();
    }

    /// Whom it was rung for within [`POLL`]; `None` once it is closed.
    fn wait(&self) -> Option<HashSet<Arc<str>>> {
        let silent = |rung: &mut Rung| rung.organisations.is_empty() && !rung.closed;
        let (mut rung, _) = self
            .ringing
            .wait_timeout_while(self.rung(), POLL, silent)
            .unwrap_or_else(PoisonError::into_inner);
        (!rung.closed).then(|| std::mem::take(&mut rung.organisations))
    }
}

impl Hub {
    /// A hub in front of `engine`, whose thread runs until [`close`](Self::close).
    ///
    /// # Errors
    /// When the store cannot be read, or the system gives no thread.
    pub(crate) fn start(
        engine: Engine,
        limits: Limits,
        watcher: Option<Watcher>,
    ) -> Result<Self, StoreError> {
        let follows_all = watcher.is_some();
        let inner = Arc::new(Inner {
            engine,
            limits,
            places: Arc::default(),
            ended: Ended::default(),
            trails: Mutex::default(),
            watcher,
            bell: Bell::default(),
        });
        // Before the heads are read, so that nothing falls in between.
        let weak = Arc::downgrade(&inner);
        let subscription = inner.engine.subscribe(Box::new(move |change| {
            if let Some(inner) = weak.upgrade() {
                inner.bell.ring(change.organisation());
            }
        }));
        if follows_all {
            for organisation in inner.engine.organisations()? {
                let head = inner.engine.head(&organisation)?.seq;
                inner
                    .trails()
                    .insert(organisation, Arc::new(Trail::beginning(head)));
            }
        }
        let thread = std::thread::Builder::new()
            .name("sernixa-events".into())
            .spawn({
                let inner = Arc::clone(&inner);
                move || {
                    let _subscription = subscription;
                    follow(&inner);
                }
            })
            .map_err(|error| StoreError::new("the system gives no thread").caused_by(error))?;
        Ok(Self {
            inner,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Ends all streams and the thread.
    pub(crate) fn close(&self) {
        self.inner.ended.say();
        self.inner.bell.close();
    }

    /// Waits until the thread has let go of the engine. After [`close`](Self::close), and where it
    /// may block.
    pub(crate) fn join(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // If it panicked, that was told then; it holds nothing any more either.
            let _ = thread.join();
        }
    }

    /// How many streams are open.
    pub(crate) fn streams(&self) -> usize {
        self.inner.places.taken()
    }
}

impl Inner {
    fn trails(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Trail>>> {
        self.trails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The trail of an organisation, which somebody is about to read. Reads the store.
    pub(super) fn trail(
        &self,
        organisation: &Arc<str>,
    ) -> Result<(Arc<Trail>, tokio::sync::watch::Receiver<u64>), StoreError> {
        // Outside of the lock: the store may take its time.
        let head = self.engine.head(organisation)?.seq;
        let mut trails = self.trails();
        let trail = trails
            .entry(Arc::clone(organisation))
            .or_insert_with(|| Arc::new(Trail::beginning(head)));
        // Under the lock, so that nobody drops a trail that is about to have a reader.
        let (trail, steps) = (Arc::clone(trail), trail.subscribe());
        drop(trails);
        // What happened since the head was read.
        self.bell.ring(organisation);
        Ok((trail, steps))
    }

    /// The trails that somebody reads. Those that nobody reads any more are dropped, unless
    /// everything is watched: then they are all read.
    fn followed(&self) -> Result<Vec<Named>, StoreError> {
        let known = match self.watcher {
            // What is not known by now had no events when the hub started.
            Some(_) => self.engine.organisations()?,
            None => Vec::new(),
        };
        let mut trails = self.trails();
        for organisation in known {
            trails
                .entry(organisation)
                .or_insert_with(|| Arc::new(Trail::beginning(0)));
        }
        if self.watcher.is_none() {
            trails.retain(|_, trail| trail.has_readers());
        }
        let all = trails.iter();
        Ok(all
            .map(|(name, trail)| (Arc::clone(name), Arc::clone(trail)))
            .collect())
    }

    /// Brings a trail up to the head of its chain.
    fn catch_up(&self, organisation: &str, trail: &Trail) -> Result<(), StoreError> {
        loop {
            let after = trail.reached();
            let feed = self.engine.changes(organisation, after, PAGE)?;
            if feed.reaches == after {
                return Ok(());
            }
            if let Some(watcher) = &self.watcher {
                feed.changes.iter().for_each(watcher);
            }
            let readers = trail.has_readers();
            let told = feed.changes.iter().filter(|_| readers).map(Told::new);
            // Asked after it was read: what was dropped before then is missing from the page.
            let is_whole = self.engine.kept_from(organisation)? <= after;
            if readers && is_whole {
                trail.advance(told, feed.reaches);
            } else {
                trail.pass(feed.reaches);
            }
        }
    }
}

/// The thread.
fn follow(inner: &Inner) {
    let mut version = None;
    let mut caught_up = Instant::now();
    let mut healthy = true;
    while let Some(rung) = inner.bell.wait() {
        let due = caught_up.elapsed() >= CATCH_UP;
        let looked = look(inner, &rung, &mut version, due);
        if due {
            caught_up = Instant::now();
        }
        match looked {
            Ok(()) => healthy = true,
            Err(error) => {
                // Once for each time of trouble; it is tried again all the time.
                if std::mem::take(&mut healthy) {
                    tracing::warn!(%error, "the audit log cannot be followed; events are late");
                }
                for organisation in &rung {
                    inner.bell.ring(organisation);
                }
                std::thread::sleep(POLL);
            }
        }
    }
}

/// One look at what was rung for, or at everything.
fn look(
    inner: &Inner,
    rung: &HashSet<Arc<str>>,
    version: &mut Option<u64>,
    due: bool,
) -> Result<(), StoreError> {
    let now = inner.engine.version()?;
    let everything = due || *version != Some(now);
    if !everything && rung.is_empty() {
        return Ok(());
    }
    for (organisation, trail) in inner.followed()? {
        if everything || rung.contains(&organisation) {
            inner.catch_up(&organisation, &trail)?;
        }
    }
    // Only now: after trouble everything is looked at again.
    *version = Some(now);
    Ok(())
}
