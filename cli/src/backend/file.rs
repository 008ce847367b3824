//! An engine in this process on the file of an embedded engine.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use sernixa_engine::{
    Answer, Engine, Moment, Principal, Request, Role, Settings, Store, Timestamp,
};

use sernixa_store::SqliteStore;

use crate::Failure;

/// The engine on a file.
pub(crate) struct FileStore {
    engine: Engine,
    caller: Principal,
}

impl FileStore {
    /// The engine on an existing file: a wrong name must not make an empty one.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        check_file(path)?;
        let engine = Engine::builder()
            .shared_store(open_store(path)?)
            .settings(Settings::local())
            .build()
            .map_err(|error| Failure::new("the engine refuses its settings").caused_by(error))?;
        Ok(Self {
            engine,
            caller: caller(),
        })
    }

    /// A file in which others alone recorded something is a service's: here it would seem empty.
    pub(super) fn check_organisation(&self, path: &Path) -> Result<(), Failure> {
        let organisations = self.engine.organisations().map_err(|error| {
            let message = format!("the store {} cannot be read", path.display());
            Failure::new(message).caused_by(error)
        })?;
        let local = self.caller.organisation();
        if organisations.is_empty() || organisations.contains(local) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the store {} is a service's: it holds the organisation {}, and --store works on \
             `{local}` alone; ask the service with --base-url",
            path.display(),
            organisations.join(", "),
        )))
    }

    /// The engine itself.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whom this process acts as: the person who may read and write the file.
    pub(crate) fn caller(&self) -> &Principal {
        &self.caller
    }

    pub(crate) fn call(&self, request: Request<'_>) -> Result<Answer, Failure> {
        Ok(self.engine.handle(&self.caller, request, &moment()?))
    }
}

/// That the file of an engine is there: a wrong name is not a place where nothing happened yet.
pub(crate) fn check_file(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| {
        let message = format!("the store {shown} cannot be opened; check the name");
        Failure::new(message).caused_by(error)
    })?;
    if !metadata.is_file() {
        let message = format!("the store {shown} is not a file; name the file of an engine");
        return Err(Failure::new(message));
    }
    if metadata.len() == 0 {
        let message = format!("the store {shown} is empty; no engine has used it yet");
        return Err(Failure::new(message));
    }
    Ok(())
}

/// The person who may read and write the file. Another key than that of the process whose file it
/// is: a look from here is not that client's own look, which could start an action; of the same
/// owner: what is decided here is marked as self-decided.
fn caller() -> Principal {
    let local = Principal::new("local", "command-line").owned_by("local");
    [Role::Reviewer, Role::Auditor, Role::Admin]
        .into_iter()
        .fold(local, Principal::with)
}

/// The store on an existing file.
fn open_store(path: &Path) -> Result<Arc<dyn Store>, Failure> {
    let store = SqliteStore::open(path).map_err(|error| {
        let message = format!("the store {} cannot be opened", path.display());
        Failure::new(message).caused_by(error)
    })?;
    Ok(Arc::new(store))
}

/// Now, with fresh randomness.
pub(crate) fn moment() -> Result<Moment, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| {
        let message = "the system gives no random numbers; check its random source";
        Failure::new(message).caused_by(error)
    })?;
    Ok(Moment::new(now(), seed))
}

/// The system's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
