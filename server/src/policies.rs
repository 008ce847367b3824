//! Policies in a folder: reading them, and putting them in force when they change.
//!
//! A set that is broken never gets into force: the one before it stays, and [`Reloader::status`]
//! says so.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::future::Future;
use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sernixa_engine::cedar::{MAX_TEXT_BYTES, MAX_TOTAL_BYTES, PolicySet, Sources};
use sernixa_engine::{Digest, Engine, Policy as _, Timestamp};

/// The file in a policy folder that declares which metadata policies may read.
pub const METADATA_SCHEMA: &str = "metadata.cedarschema";
/// The most files of policies that a folder may hold.
pub const MAX_FILES: usize = 1_000;
/// How often a folder is looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A policy folder that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", .path.display())]
pub struct ReadError {
    path: PathBuf,
    what: String,
    source: Option<io::Error>,
}

impl ReadError {
    fn new(path: &Path, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            what: what.into(),
            source: None,
        }
    }

    fn io(path: &Path, error: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            what: error.to_string(),
            source: Some(error),
        }
    }

    /// The file or folder that cannot be read.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Reads every `*.cedar` of `dir`, in order of their names, and `metadata.cedarschema` if it is
/// there. Folders below it, hidden files and files of other names are left alone.
///
/// # Errors
/// [`ReadError`] names the first file that cannot be read: too large, not UTF-8, no regular file,
/// a link that leads out of the folder, or more than [`MAX_FILES`].
pub fn read(dir: &Path) -> Result<Sources, ReadError> {
    let root = fs::canonicalize(dir).map_err(|error| ReadError::io(dir, error))?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&root).map_err(|error| ReadError::io(dir, error))? {
        let entry = entry.map_err(|error| ReadError::io(dir, error))?;
        let name = entry.file_name();
        let path = Path::new(&name);
        let is_hidden = name.as_encoded_bytes().first() == Some(&b'.');
        let kind = path.extension().and_then(OsStr::to_str);
        if is_hidden || !matches!(kind, Some("cedar" | "cedarschema")) {
            continue;
        }
        let Some(name) = name.to_str() else {
            return Err(ReadError::new(
                &entry.path(),
                "the file's name is not UTF-8",
            ));
        };
        if kind == Some("cedarschema") && name != METADATA_SCHEMA {
            let what = format!("only {METADATA_SCHEMA} is read as a schema: rename or remove it");
            return Err(ReadError::new(&entry.path(), what));
        }
        names.push(name.to_owned());
    }
    if names.len() > MAX_FILES {
        let what = format!("it holds more than {MAX_FILES} policy files");
        return Err(ReadError::new(dir, what));
    }
    names.sort_unstable();
    let mut sources = Sources::new();
    let mut total = 0;
    for name in names {
        let text = read_file(&root, &root.join(&name))?;
        total += text.len();
        if total > MAX_TOTAL_BYTES {
            let what = format!("its files hold more than {} MiB", MAX_TOTAL_BYTES >> 20);
            return Err(ReadError::new(dir, what));
        }
        sources = if name == METADATA_SCHEMA {
            sources.metadata(name, text)
        } else {
            sources.policies(name, text)
        };
    }
    Ok(sources)
}

/// Reads one file. A link may stay inside the folder (mounted configuration is made so), but not
/// lead out of it: what is in force is what stands in the folder.
fn read_file(root: &Path, path: &Path) -> Result<String, ReadError> {
    let fail = |error| ReadError::io(path, error);
    let real = fs::canonicalize(path).map_err(fail)?;
    if !real.starts_with(root) {
        let what = "the link leads out of the policy folder: copy the file into it";
        return Err(ReadError::new(path, what));
    }
    // Asked before it is opened: opening a pipe would wait for its writer.
    let about = fs::metadata(&real).map_err(fail)?;
    if !about.is_file() {
        return Err(ReadError::new(path, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    let longest = u64::try_from(MAX_TEXT_BYTES).unwrap_or(u64::MAX);
    let file = File::open(&real).map_err(fail)?;
    file.take(longest + 1)
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    if bytes.len() > MAX_TEXT_BYTES {
        let what = format!("the file is longer than {} MiB", MAX_TEXT_BYTES >> 20);
        return Err(ReadError::new(path, what));
    }
    String::from_utf8(bytes).map_err(|_| ReadError::new(path, "the file is not UTF-8"))
}

/// How the policies stand: for `/ready`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The set in force.
    pub digest: Digest,
    /// Why the folder as it is now is not in force.
    pub failure: Option<Failure>,
}

/// Why a changed folder is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong; one fault per line.
    pub error: String,
    /// When it was found.
    pub since: Timestamp,
}

/// What a look at the folder came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing has changed since the last look.
    Same,
    /// It has changed; it is loaded when it is still the same at the next look.
    Changing,
    /// It was loaded, and is in force.
    Loaded,
    /// It cannot be loaded: the set before it stays in force.
    Failed,
}

/// Keeps an engine's policy that of a folder.
#[derive(Debug)]
pub struct Reloader {
    engine: Engine,
    dir: PathBuf,
    zone: String,
    watch: Mutex<Watch>,
}

#[derive(Debug)]
struct Watch {
    status: Status,
    /// What the folder held when it was last loaded, well or not.
    judged: Seen,
    /// What it held at the last look.
    seen: Seen,
}

/// What a look at the folder found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Texts(Digest),
    Nothing(String),
}

impl Reloader {
    /// Loads the folder, puts it in force, and keeps watch over it. `zone` is the time zone of
    /// `context.time`, an IANA name.
    ///
    /// # Errors
    /// What is wrong with the folder, one fault per line: there is no set to fall back to.
    pub fn start(engine: &Engine, dir: &Path, zone: &str) -> Result<Self, String> {
        let (seen, loaded) = look(dir, zone);
        let set = loaded()?;
        let digest = set.digest();
        engine.replace_policy(Arc::new(set));
        Ok(Self {
            engine: engine.clone(),
            dir: dir.to_owned(),
            zone: zone.to_owned(),
            watch: Mutex::new(Watch {
                status: Status {
                    digest,
                    failure: None,
                },
                judged: seen.clone(),
                seen,
            }),
        })
    }

    /// How the policies stand.
    pub fn status(&self) -> Status {
        self.watch().status.clone()
    }

    /// Looks at the folder. What has changed is loaded once it is the same at two looks in a row,
    /// so that files are not taken half written, nor without the ones that are still to come.
    pub fn poll(&self, now: Timestamp) -> Look {
        self.look(now, true)
    }

    /// Looks at the folder and loads what has changed at once, as on `SIGHUP`.
    pub fn reload(&self, now: Timestamp) -> Look {
        self.look(now, false)
    }

    /// Polls every [`LOOK_EVERY`], on a thread that may block, until `stop` is done. `now` gives
    /// the time.
    pub async fn watch_folder(
        self: Arc<Self>,
        now: impl Fn() -> Timestamp + Send,
        stop: impl Future<Output = ()> + Send,
    ) {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let (reloader, time) = (Arc::clone(&self), now());
            // A look that panics is no reason to stop looking.
            let _ = tokio::task::spawn_blocking(move || reloader.poll(time)).await;
        }
    }

    fn watch(&self) -> std::sync::MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, now: Timestamp, wait: bool) -> Look {
        let mut watch = self.watch();
        let (seen, loaded) = look(&self.dir, &self.zone);
        let is_settled = !wait || seen == watch.seen;
        watch.seen = seen.clone();
        if seen == watch.judged {
            return Look::Same;
        }
        if !is_settled {
            return Look::Changing;
        }
        watch.judged = seen;
        match loaded() {
            Ok(set) => {
                let digest = set.digest();
                // The same policies in other words keep what they know.
                if digest != watch.status.digest {
                    self.engine.replace_policy(Arc::new(set));
                }
                watch.status = Status {
                    digest,
                    failure: None,
                };
                tracing::info!(policy_digest = %digest, "the policies were reloaded");
                Look::Loaded
            }
            Err(error) => {
                tracing::error!(
                    policy_digest = %watch.status.digest,
                    "the policies have changed but cannot be loaded, so those before stay in force: {}",
                    sernixa_protocol::display::one_line(&error)
                );
                watch.status.failure = Some(Failure { error, since: now });
                Look::Failed
            }
        }
    }
}

/// What the folder holds, and the way to load just that.
fn look(dir: &Path, zone: &str) -> (Seen, impl FnOnce() -> Result<PolicySet, String>) {
    let sources = read(dir).map(|sources| sources.zone(zone));
    let seen = match &sources {
        Ok(sources) => Seen::Texts(sources.fingerprint()),
        Err(error) => Seen::Nothing(error.to_string()),
    };
    let load = move || {
        let sources = sources.map_err(|error| error.to_string())?;
        // A bug in the parser must not end the service.
        catch_unwind(AssertUnwindSafe(|| PolicySet::load(&sources)))
            .map_err(|_| "the policies could not be read: the parser failed".to_owned())?
            .map_err(|error| error.to_string())
    };
    (seen, load)
}

#[cfg(test)]
mod tests;
