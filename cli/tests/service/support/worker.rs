//! Worker processes: this test binary once more, told by an environment variable what to be. They
//! take one line at a time on standard input and answer each with one line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What a worker's answers begin with: the test harness writes to standard output, too.
const MARK: &str = "worker: ";

/// A process that works through lines.
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts the ignored test of this name as a process of its own.
    pub fn start(test: &str, environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                test,
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .envs(environment.iter().copied())
            .env("SERNIXA_TEST_WORKER", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
        self.input.flush().unwrap();
    }

    pub fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.output.read_line(&mut line).unwrap() > 0,
                "the worker ended"
            );
            if let Some((_, answer)) = line.split_once(MARK) {
                return answer.trim_end().to_owned();
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The inside of a worker: answers each line, until there are no more. Does nothing in a run of
/// the ignored tests that no [`Worker`] started.
pub fn work(mut answer: impl FnMut(&str) -> String) {
    if std::env::var_os("SERNIXA_TEST_WORKER").is_none() {
        return;
    }
    for line in std::io::stdin().lines() {
        println!("{MARK}{}", answer(&line.unwrap()));
    }
}
