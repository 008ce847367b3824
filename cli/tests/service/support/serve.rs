//! `sernixa serve` as a process: started, read until it says where it listens, ended on drop.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::client::Caller;

/// How long the service may take to say that it listens.
const START: Duration = Duration::from_mins(1);

/// The `sernixa` command that was built with these tests, or the one that `SERNIXA_TEST_BINARY` names:
/// what is measured has to be optimised.
pub fn sernixa() -> Command {
    let other = std::env::var_os("SERNIXA_TEST_BINARY");
    let mut command = Command::new(other.unwrap_or_else(|| env!("CARGO_BIN_EXE_sernixa").into()));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERNIXA_")) {
        command.env_remove(name);
    }
    command
}

/// A running service.
#[derive(Debug)]
pub struct Serve {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Log>,
    readers: Vec<JoinHandle<()>>,
}

/// All that it wrote to its two streams.
#[derive(Debug, Default)]
struct Log {
    text: Mutex<Vec<u8>>,
    grown: Condvar,
}

impl Serve {
    /// Starts `sernixa serve` with these options, and waits until it listens.
    pub fn start(options: &[&str]) -> Self {
        let mut command = sernixa();
        command.arg("serve").args(options);
        Self::spawn(command)
    }

    /// Starts a prepared command that ends in `sernixa serve`.
    pub fn spawn(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Log::default());
        let readers = vec![
            collect(child.stdout.take().unwrap(), Arc::clone(&log)),
            collect(child.stderr.take().unwrap(), Arc::clone(&log)),
        ];
        let mut serve = Self {
            child,
            address: ([127, 0, 0, 1], 0).into(),
            log,
            readers,
        };
        serve.address = serve.wait_for_address();
        serve
    }

    fn wait_for_address(&mut self) -> SocketAddr {
        let end = Instant::now() + START;
        let mut text = self.log.text.lock().unwrap();
        loop {
            let said = String::from_utf8_lossy(&text).into_owned();
            if let Some(address) = listening(&said) {
                return address;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "`sernixa serve` ended ({ended:?}):\n{said}"
            );
            assert!(
                Instant::now() < end,
                "`sernixa serve` does not listen:\n{said}"
            );
            let (more, _) = self
                .log
                .grown
                .wait_timeout(text, Duration::from_millis(50))
                .unwrap();
            text = more;
        }
    }

    /// Somebody with this key.
    pub fn caller(&self, key: &str) -> Caller {
        Caller {
            address: self.address,
            key: key.to_owned(),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`; under `strace`, of what it traces: that would live on without it.
    pub fn kill(&mut self) {
        let id = self.id();
        let traced = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        for traced in traced.unwrap_or_default().split_whitespace() {
            let _ = Command::new("kill").args(["-9", traced]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until `strace` has written all, which ends with what it traces.
    pub fn end_trace(mut self) {
        let id = self.id();
        let traced = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let killed = Command::new("kill").arg(traced.trim()).status();
        assert!(killed.unwrap().success());
        self.child.wait().unwrap();
    }

    /// SIGTERM, as a service manager ends it.
    pub fn terminate(&mut self) -> ExitStatus {
        let signal = Command::new("kill").arg(self.id().to_string()).status();
        assert!(signal.unwrap().success());
        self.child.wait().unwrap()
    }

    /// All that it wrote, standard output and errors, up to now or, once it ended, to its end.
    pub fn log(&mut self) -> String {
        if self.child.try_wait().unwrap().is_some() {
            for reader in self.readers.drain(..) {
                reader.join().unwrap();
            }
        }
        String::from_utf8_lossy(&self.log.text.lock().unwrap()).into_owned()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let last = lines
                .get(lines.len().saturating_sub(20)..)
                .unwrap_or_default();
            eprintln!(
                "--- the end of the service's log:\n{}\n---",
                last.join("\n")
            );
        }
    }
}

fn collect(stream: impl Read + Send + 'static, log: Arc<Log>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            log.text.lock().unwrap().append(&mut line);
            log.grown.notify_all();
        }
    })
}

/// The address in the line that says where it listens.
fn listening(said: &str) -> Option<SocketAddr> {
    said.split("http://").skip(1).find_map(|after| {
        let end = after.find(|c: char| !matches!(c, '0'..='9' | '.' | ':'));
        after.get(..end?)?.trim_end_matches(['.', ':']).parse().ok()
    })
}

/// Runs a `sernixa` command to its end.
pub fn run(arguments: &[&str]) -> std::process::Output {
    sernixa().args(arguments).output().unwrap()
}

/// Runs `sernixa audit verify` on a database.
pub fn audit_verify(store: &Path, more: &[&str]) -> std::process::Output {
    let mut arguments = vec!["audit", "verify", store.to_str().unwrap()];
    arguments.extend(more);
    run(&arguments)
}
