//! What a host may make the proxy's stdin and stdout of.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::thread::{self, JoinHandle};

use serde_json::json;

use super::{Proxy, SERVER, Value};

const CALLS: u64 = 20;

fn server(folder: &Path) -> Vec<OsString> {
    let script = folder.join("server.py");
    fs::write(&script, SERVER).unwrap();
    vec!["python3".into(), script.into(), folder.join("log").into()]
}

/// Says all calls, each longer than a pipe has room; gives the pipe back.
fn say<W: Write + Send + 'static>(mut input: W) -> JoinHandle<W> {
    let padding = "y".repeat(100_000);
    thread::spawn(move || {
        for id in 1..=CALLS {
            let params = json!({"name": "read", "arguments": {"n": id, "padding": padding}});
            let call =
                json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
            writeln!(input, "{call}").unwrap();
        }
        input
    })
}

/// Reads until every call is answered; other lines are skipped.
fn hear(lines: &mut impl Iterator<Item = std::io::Result<String>>) {
    let mut open: Vec<u64> = (1..=CALLS).collect();
    while !open.is_empty() {
        let line = lines.next().expect("an answer").unwrap();
        if line.starts_with('{') {
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(answer["result"]["content"][0]["text"], "read", "{line}");
            let before = open.len();
            open.retain(|id| answer["id"] != *id);
            assert_eq!(open.len(), before - 1, "{line}");
        }
    }
}

#[test]
fn a_host_on_node_gives_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut child = Proxy::command(folder.path(), &[], &server(folder.path()))
        .stdin(OwnedFd::from(theirs.try_clone().unwrap()))
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = say(ours.try_clone().unwrap());
    hear(&mut BufReader::new(&ours).lines());
    let input = said.join().unwrap();
    input.shutdown(Shutdown::Write).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn one_pipe_may_be_both_stdout_and_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut child = Proxy::command(
        folder.path(),
        &["--log-level", "debug"],
        &server(folder.path()),
    )
    .stdin(Stdio::piped())
    .stdout(writer.try_clone().unwrap())
    .stderr(writer)
    .spawn()
    .unwrap();
    let said = say(child.stdin.take().unwrap());
    let mut lines = BufReader::new(reader).lines();
    hear(&mut lines);
    drop(said.join().unwrap());
    // What it says at its end has room, too.
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
}
