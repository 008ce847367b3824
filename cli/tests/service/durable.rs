//! Promise 6, nothing is lost when the power goes: an answer leaves the process only after the
//! write-ahead log was forced to disk, as `strace` sees it.

use std::process::Command;

use crate::support::asked::{Asked, unique};
use crate::support::flag;
use crate::support::house::House;
use crate::support::serve::Serve;

#[test]
fn an_answer_is_written_after_the_log_is_on_disk() {
    let works = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status();
    if !works.is_ok_and(|status| status.success()) {
        assert!(
            !flag("SERNIXA_REQUIRE_STRACE"),
            "strace is missing, or may not trace here"
        );
        eprintln!("NOT TESTED: strace is missing, or may not trace here");
        return;
    }
    let house = House::production();
    let (agent, reviewer) = (
        house.key("agent", "ann", &[]),
        house.key("reviewer", "rita", &[]),
    );
    let trace = house.path().join("trace");
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-y",
        "-s",
        "32",
        "-e",
        "trace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg",
    ]);
    command
        .arg("-o")
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_sernixa"));
    command.arg("serve").args(house.options());
    let serve = Serve::spawn(command);
    let (agent, reviewer) = (serve.caller(&agent), serve.caller(&reviewer));
    let count = 20;
    for _ in 0..count {
        let waiting = agent.ask(&Asked::new("pay"));
        reviewer.approve(&waiting.id);
        agent.claim(&waiting, &unique()).expect(200);
    }
    serve.end_trace();
    let trace = std::fs::read_to_string(&trace).unwrap();
    let answers = check(&trace);
    assert_eq!(answers, 3 * count, "answers in the trace");
}

/// Walks the trace: between any answer and the one before it the log was written, and then forced
/// to disk. Returns how many answers there were.
fn check(trace: &str) -> usize {
    let (mut written, mut forced, mut forcing, mut answers) = (false, false, Vec::new(), 0);
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').unwrap_or_default();
        let call = call.trim_start();
        let log = call.contains("-wal>");
        if call.starts_with("pwrite64") && log {
            written = true;
        } else if (call.starts_with("fdatasync") || call.starts_with("fsync")) && log {
            if call.contains("<unfinished") {
                forcing.push(thread);
            } else {
                forced = written && call.contains("= 0");
            }
        } else if call.starts_with("<... fdatasync resumed>")
            || call.starts_with("<... fsync resumed>")
        {
            if let Some(at) = forcing.iter().position(|known| *known == thread) {
                forcing.remove(at);
                forced = written && call.contains("= 0");
            }
        } else if call.contains("\"HTTP/1.1 2") {
            assert!(forced, "answered before the log was on disk: {line}");
            (written, forced) = (false, false);
            answers += 1;
        }
    }
    answers
}

#[test]
#[should_panic(expected = "answered before the log was on disk")]
fn the_check_finds_an_answer_that_was_written_too_early() {
    check(
        "7 pwrite64(9</s.db-wal>, \"…\", 4096, 32) = 4096\n\
         7 fdatasync(9</s.db-wal> <unfinished ...>\n\
         8 sendto(11<socket:[1]>, \"HTTP/1.1 202 Accepted\", 99) = 99\n\
         7 <... fdatasync resumed>) = 0\n",
    );
}
