//! What the proxy adds to the time of other messages while one call waits for a person.
//!
//! Every message goes to the server directly and through the proxy in turn, so that both see the same
//! machine; what is added is the difference of the same percentiles. With `SERNIXA_TEST_LONG` there are
//! five rounds of 1,000 of each kind, and the limit is exact: for a machine on which nothing else runs,
//! and an optimised build (`SERNIXA_TEST_BINARY`).

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Proxy, SERVER, Value};

/// The most that a message may take longer, at p99.
const MOST: Duration = Duration::from_millis(1);

/// The same with unoptimised code, or on a busy machine.
const MOST_ANYWHERE: Duration = Duration::from_millis(250);

/// How many calls are under way at a time in the last part.
const AT_ONCE: u64 = 16;

/// One end of a connection.
struct Peer {
    child: Option<Child>,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// The server itself.
    fn direct(server: &[OsString]) -> Self {
        let mut child = Command::new(&server[0])
            .args(&server[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child: Some(child),
        }
    }

    fn through(proxy: &mut Proxy) -> Self {
        Self {
            input: proxy.input.take().unwrap(),
            output: BufReader::new(proxy.child.stdout.take().unwrap()),
            child: None,
        }
    }

    fn say(&mut self, messages: &[Value]) {
        // In one piece: the other side shall not read between two of them.
        let mut text = String::new();
        for message in messages {
            writeln!(text, "{message}").unwrap();
        }
        self.input.write_all(text.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// The next line with this text in it; others, progress of the held call, are skipped.
    fn hear(&mut self, with: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0);
            if line.contains(with) {
                return line;
            }
        }
    }

    /// From the messages to the answer to request `id`.
    fn time(&mut self, messages: &[Value], id: u64, fails: bool) -> Duration {
        let begin = Instant::now();
        self.say(messages);
        let line = self.hear("\"id\"");
        let took = begin.elapsed();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["id"], id, "{answer}");
        let failed = answer.get("error").is_some() || answer["result"]["isError"] == true;
        assert_eq!(failed, fails, "{answer}");
        took
    }

    /// The times of calls of which `AT_ONCE` are under way.
    fn time_together(&mut self, ids: std::ops::Range<u64>) -> Vec<Duration> {
        let begin = Instant::now();
        let calls: Vec<Value> = ids.clone().map(|id| call(id, "read", None)).collect();
        self.say(&calls);
        ids.map(|_| {
            let line = self.hear("\"id\"");
            assert!(
                !line.contains("isError") && !line.contains("error"),
                "{line}"
            );
            begin.elapsed()
        })
        .collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn request(id: u64, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method})
}

fn call(id: u64, tool: &str, token: Option<&str>) -> Value {
    let mut call = request(id, "tools/call");
    call["params"] = json!({"name": tool, "arguments": {"n": id}});
    if let Some(token) = token {
        call["params"]["_meta"] = json!({"progressToken": token});
    }
    call
}

fn notification(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

/// How long one message of this kind takes to be answered.
fn round(kind: &str, id: u64, peer: &mut Peer) -> Duration {
    match kind {
        // Of a call that the server works at, which it answers then.
        "cancellation" => {
            peer.say(&[call(id, "slow", Some("begun"))]);
            peer.hear("begun");
            let cancelled = notification("notifications/cancelled", &json!({"requestId": id}));
            peer.time(&[cancelled], id, true)
        }
        // And a cancellation of nothing; what follows waits for neither.
        "notification" => peer.time(
            &[
                notification("notifications/cancelled", &json!({"requestId": -1})),
                notification("notifications/roots/list_changed", &json!({})),
                request(id, "ping"),
            ],
            id,
            false,
        ),
        "tools/call" => peer.time(&[call(id, "read", None)], id, false),
        method => peer.time(&[request(id, method)], id, false),
    }
}

fn percentile(times: &mut [Duration], of_hundred: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * of_hundred / 100]
}

/// What two series took, in words, and how much more the second took at p99.
fn compare(kind: &str, plain: &mut [Duration], through: &mut [Duration]) -> Duration {
    let [p50, p99] = [50, 99].map(|of| (percentile(plain, of), percentile(through, of)));
    let added = p99.1.saturating_sub(p99.0);
    println!(
        "{kind}: direct p50 {:?} p99 {:?}; through p50 {:?} p99 {:?}; added p50 {:?} p99 {added:?}",
        p50.0,
        p99.0,
        p50.1,
        p99.1,
        p50.1.saturating_sub(p50.0),
    );
    added
}

/// What the disk alone takes to keep 4 KB where there was something before, as in a log that is used again.
struct Disk(File);

impl Disk {
    fn at(path: &Path) -> Self {
        let mut file = File::create(path).unwrap();
        file.write_all(&[7; 4_096]).unwrap();
        file.sync_all().unwrap();
        Self(file)
    }

    fn time(&mut self) -> Duration {
        let begin = Instant::now();
        self.0.rewind().unwrap();
        self.0.write_all(&[7; 4_096]).unwrap();
        self.0.sync_data().unwrap();
        begin.elapsed()
    }
}

/// Both ways to the server, and the disk.
struct Bench {
    direct: Peer,
    through: Peer,
    disk: Disk,
    last_id: u64,
}

impl Bench {
    /// How much longer messages of this kind take through the proxy, at p99.
    fn added(&mut self, kind: &str, times: u64) -> Duration {
        let (mut plain, mut gated) = (Vec::new(), Vec::new());
        for _ in 0..times {
            self.last_id += 1;
            plain.push(round(kind, self.last_id, &mut self.direct));
            gated.push(round(kind, self.last_id, &mut self.through));
        }
        let added = compare(kind, &mut plain, &mut gated);
        if kind != "tools/call" {
            return added;
        }
        // Not in between: what else is written makes the disk slower for the decisions, too.
        let mut kept: Vec<_> = (0..times).map(|_| self.disk.time()).collect();
        // A decision is on disk before the call is made.
        let [p50, p99] = [50, 99].map(|of| percentile(&mut kept, of));
        let own = added.saturating_sub(p99);
        println!(
            "  the disk alone, 4 KB and fdatasync: p50 {p50:?} p99 {p99:?}; without it {own:?}"
        );
        // What is promised is the whole of it; the disk's part only says where it goes.
        added
    }

    /// A report: how long the last of them waits is the server's work, too, which does one at a time.
    fn together(&mut self, times: u64) {
        let (mut plain, mut gated) = (Vec::new(), Vec::new());
        for _ in 0..times / AT_ONCE {
            let ids = self.last_id + 1..self.last_id + 1 + AT_ONCE;
            self.last_id += AT_ONCE;
            plain.extend(self.direct.time_together(ids.clone()));
            gated.extend(self.through.time_together(ids));
        }
        compare("16 calls at once", &mut plain, &mut gated);
    }
}

#[test]
fn while_a_call_waits_other_messages_are_hardly_slower() {
    let exact = std::env::var_os("SERNIXA_TEST_LONG").is_some();
    let (rounds, times, most) = if exact {
        (5, 1_000, MOST)
    } else {
        (1, 100, MOST_ANYWHERE)
    };
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("server.py");
    std::fs::write(&script, SERVER).unwrap();
    let server: Vec<OsString> = vec![
        "python3".into(),
        script.into(),
        folder.path().join("log").into(),
    ];
    let disk = Disk::at(&folder.path().join("disk"));
    let mut proxy = Proxy::bare(folder, &[], &server);
    let mut bench = Bench {
        direct: Peer::direct(&server),
        through: Peer::through(&mut proxy),
        disk,
        last_id: 0,
    };
    bench.through.say(&[call(0, "write", None)]);
    super::until("a call waits", || {
        (!proxy.approvals().is_empty()).then_some(())
    });

    let kinds = [
        "ping",
        "notification",
        "cancellation",
        "tools/list",
        "tools/call",
    ];
    let mut added = kinds.map(|_| Vec::new());
    for _ in 0..rounds {
        for (kind, added) in kinds.iter().zip(&mut added) {
            added.push(bench.added(kind, times));
        }
        bench.together(times);
    }
    for (kind, added) in kinds.iter().zip(&mut added) {
        // The round in the middle: what else the machine did meanwhile came and went.
        let middle = percentile(added, 50);
        println!("{kind}: adds {middle:?} at p99");
        assert!(middle <= most, "{kind}: {added:?}");
    }
}
