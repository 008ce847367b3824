//! Another process on the same file: this test binary, started again, with a part to play.

use std::env;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use sernixa_engine::{Engine, Settings};
use sernixa_store::SqliteStore;

/// What the lines of the other process begin with: the test harness prints, too.
const MARK: &str = "> ";

pub(crate) struct Process {
    child: Child,
    pipes: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
}

impl Process {
    /// Starts the part `name` (the path of an ignored test) on a file.
    pub(crate) fn start(name: &str, file: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                name,
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("TEST_FILE", file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let pipes = Mutex::new((child.stdin.take().unwrap(), lines));
        Self { child, pipes }
    }

    /// Says a line, and hears the answer.
    pub(crate) fn ask(&self, line: &str) -> String {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{line}").unwrap();
        hear(&mut pipes.1)
    }

    /// The next line that it says by itself.
    pub(crate) fn says(&self) -> String {
        hear(&mut self.pipes.lock().unwrap().1)
    }

    /// `kill -9`; what it had said until then.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let lines = &mut self.pipes.get_mut().unwrap().1;
        let whole = lines.map_while(Result::ok);
        whole
            .filter_map(|line| line.strip_prefix(MARK).map(str::to_owned))
            .collect()
    }
}

fn hear(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    loop {
        let line = lines.next().expect("the other process lives").unwrap();
        if let Some(said) = line.strip_prefix(MARK) {
            return said.to_owned();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In the other process: the file that it was started with.
pub(crate) fn file() -> PathBuf {
    env::var_os("TEST_FILE")
        .expect("started by another test")
        .into()
}

/// In the other process: says a line.
pub(crate) fn say(line: &str) {
    println!("\n{MARK}{line}");
}

/// A service's engine on a file.
pub(crate) fn engine(file: &Path) -> Engine {
    Engine::builder()
        .store(SqliteStore::open(file).unwrap())
        .settings(Settings::default())
        .build()
        .unwrap()
}

/// How many times something random is tried: `PROPTEST_CASES`, for the long run.
pub(crate) fn cases(regular: u32) -> u32 {
    let asked = env::var("PROPTEST_CASES").ok();
    asked.map_or(regular, |cases| cases.parse().unwrap())
}
