//! Tests of lines, outlets and children; the whole proxy is tested as a process (`cli/tests/service`).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;

use super::ends::Output;
use super::lines::Lines;
use super::outlet::Outlet;
use super::skim::Skim;
use crate::message::{Direction, Id, Kind, LONGEST, Seems};
use crate::proxy::seam::Gone;

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("in time")
}

#[tokio::test]
async fn an_overlong_line_is_refused_by_its_id_and_the_next_one_is_read() {
    let long = format!(
        "{{\"jsonrpc\":\"2.0\",\"params\":{{\"id\":3,\"method\":\"[\\\"\",\"x\":\"{}\"}},\"method\":\"tools/call\",\"id\":7}}\r\n",
        "y".repeat(LONGEST)
    );
    let text = format!(
        "\n{long}  \r\n{{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"}}\r\n{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}}"
    );
    let mut lines = Lines::new(text.as_bytes(), Direction::ToServer);
    let refused = lines.next().await.unwrap().unwrap_err();
    assert_eq!(refused.id, Some(Id::Number("7".into())));
    assert_eq!(refused.seems, Seems::Request);
    let ping = lines.next().await.unwrap().unwrap();
    assert_eq!(ping.method(), Some("ping"));
    // The last line needs no end.
    let last = lines.next().await.unwrap().unwrap();
    assert!(matches!(last.kind(), Kind::Notification { .. }));
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn a_line_that_is_no_message_is_refused_and_the_next_one_is_read() {
    let text: &[u8] =
        b"[]\n\xff\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"id\":1";
    let mut lines = Lines::new(text, Direction::ToHost);
    assert!(lines.next().await.unwrap().is_err());
    assert!(lines.next().await.unwrap().is_err());
    assert!(lines.next().await.unwrap().is_ok());
    // One that broke off is none.
    assert!(lines.next().await.unwrap().is_err());
    assert!(lines.next().await.is_none());
}

#[test]
fn a_skimmed_line_is_known_by_its_outermost_members_alone() {
    for (text, seems, id) in [
        (
            r#"{"result":{"id":1,"method":"m"},"jsonrpc":"2.0","id": "a\"b"}"#,
            Seems::Answer,
            Some(Id::Text("a\"b".into())),
        ),
        (
            r#"{"id":5,"error":{}}"#,
            Seems::Answer,
            Some(Id::Number("5".into())),
        ),
        (r#"{"method":"m"}"#, Seems::Notification, None),
        (r#"{"id":1,"id":2,"method":"m"}"#, Seems::Request, None),
        (r#"{"id":[1],"method":"m"}"#, Seems::Request, None),
        (r#"{"id":1.5,"result":1}"#, Seems::Answer, None),
        (
            r#"{"a":"}","id":4,"result":[{"id":9}]}"#,
            Seems::Answer,
            Some(Id::Number("4".into())),
        ),
        (
            r#"{"id":1,"method":"m","result":1}"#,
            Seems::Unclear,
            Some(Id::Number("1".into())),
        ),
        ("]]]}}}\"", Seems::Unclear, None),
        ("", Seems::Unclear, None),
    ] {
        // In pieces of every size.
        for size in 1..=text.len().max(1) {
            let mut skim = Skim::default();
            for piece in text.as_bytes().chunks(size) {
                skim.feed(piece);
            }
            let refused = skim.refused();
            assert_eq!(
                (refused.seems, refused.id),
                (seems, id.clone()),
                "{text} by {size}"
            );
        }
    }
}

#[tokio::test]
async fn a_pipe_that_is_not_read_makes_others_wait_and_is_given_up_before_it_fills_the_memory() {
    let (ours, _theirs) = tokio::io::duplex(16);
    let outlet = Outlet::start(Output::awaited(ours));
    let message = Bytes::from(vec![b' '; LONGEST]);
    for _ in 0..2 {
        soon(outlet.wait_for_room()).await;
        outlet.push(message.clone()).unwrap();
    }
    let waited = tokio::time::timeout(Duration::from_millis(20), outlet.wait_for_room());
    assert!(waited.await.is_err());
    // Whoever does not wait comes to an end, too.
    let mut taken = 2;
    while outlet.push(message.clone()) != Err(Gone) {
        taken += 1;
        assert!(taken < 20);
    }
    soon(outlet.wait_for_room()).await;
    assert_eq!(outlet.push(Bytes::from_static(b"{}")), Err(Gone));
}

#[tokio::test]
async fn what_is_queued_is_written_in_order_before_the_end() {
    let (ours, mut theirs) = tokio::io::duplex(8);
    let outlet = Outlet::start(Output::awaited(ours));
    for n in 0..100 {
        outlet.push(Bytes::from(n.to_string())).unwrap();
    }
    outlet.finish();
    assert_eq!(outlet.push(Bytes::from_static(b"late")), Err(Gone));
    let mut text = String::new();
    soon(theirs.read_to_string(&mut text)).await.unwrap();
    let expected: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    soon(outlet.ended()).await;
}

#[tokio::test]
async fn a_pipe_that_breaks_is_gone() {
    let (ours, theirs) = tokio::io::duplex(8);
    drop(theirs);
    let outlet = Outlet::start(Output::awaited(ours));
    let _ = outlet.push(Bytes::from_static(b"{}"));
    soon(outlet.ended()).await;
    assert_eq!(
        Arc::clone(&outlet).push(Bytes::from_static(b"{}")),
        Err(Gone)
    );
}

/// A pipe of the system's, which takes part of a message when it is nearly full.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_many_threads_stay_whole_and_in_the_order_of_each() {
    const EACH: usize = 400;
    let (ours, mut theirs) = tokio::net::unix::pipe::pipe().unwrap();
    let outlet = Outlet::start(Output::at_once(ours));
    let line = |thread: usize, n: usize| {
        // Some longer than the pipe, some that fill it nearly.
        let length = (n * 7_919 + thread * 104_729) % 70_000;
        format!("{thread} {n} {}", "x".repeat(length / (1 + n % 5)))
    };
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let outlet = Arc::clone(&outlet);
            std::thread::spawn(move || {
                for n in 0..EACH {
                    outlet.push(Bytes::from(line(thread, n))).unwrap();
                }
            })
        })
        .collect();
    let mut text = String::new();
    let read = async {
        // Slowly at first, so that it fills up.
        while text.len() < 1 << 20 {
            let mut piece = vec![0; 1_000];
            let length = theirs.read(&mut piece).await.unwrap();
            text.push_str(str::from_utf8(&piece[..length]).unwrap());
            tokio::task::yield_now().await;
        }
        let end = async {
            tokio::task::spawn_blocking(|| threads.into_iter().for_each(|t| t.join().unwrap()))
                .await
                .unwrap();
            outlet.finish();
        };
        tokio::join!(theirs.read_to_string(&mut text), end).0
    };
    soon(read).await.unwrap();
    let mut next = [0; 4];
    for heard in text.lines() {
        let thread: usize = heard[..1].parse().unwrap();
        assert_eq!(heard, line(thread, next[thread]));
        next[thread] += 1;
    }
    assert_eq!(next, [EACH; 4]);
    soon(outlet.ended()).await;
}

/// No task runs in between.
#[cfg(unix)]
#[tokio::test]
async fn a_message_is_in_the_pipe_once_it_was_handed_over() {
    let (ours, theirs) = tokio::net::UnixStream::pair().unwrap();
    let outlet = Outlet::start(Output::at_once(ours));
    let mut read = std::os::unix::net::UnixStream::from(
        std::os::fd::AsFd::as_fd(&theirs)
            .try_clone_to_owned()
            .unwrap(),
    );
    for message in ["{}", "[1]"] {
        outlet.push(Bytes::from_static(message.as_bytes())).unwrap();
        let mut heard = [0; 16];
        let length = std::io::Read::read(&mut read, &mut heard).unwrap();
        assert_eq!(&heard[..length], format!("{message}\n").as_bytes());
    }
}
