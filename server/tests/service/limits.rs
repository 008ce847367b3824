//! What is too large, too slow, too often, or too much.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use sernixa_engine::Role;

use crate::rig::{DEMO, Reply, Service, action, make_key, request};

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let service = Service::start();
    // Announced, and never sent.
    let text = format!(
        "POST /api/actions/execute HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \
         {DEMO}\r\ncontent-type: application/json\r\ncontent-length: 1048577\r\n\r\n"
    );
    let reply = service.raw(text.as_bytes());
    assert_eq!(
        (reply.status, reply.word()),
        (413, "body_too_large".to_owned())
    );
}

#[test]
fn a_body_that_grows_over_the_limit_is_cut() {
    let service = Service::with(|config| config.limits.body_bytes = 1_024);
    let mut stream = service.connect();
    let head = format!(
        "POST /api/actions/execute HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \
         {DEMO}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..3 {
        let chunk = format!("200\r\n{}\r\n", " ".repeat(512));
        let _ = stream.write_all(chunk.as_bytes());
    }
    assert_eq!(Reply::read(&mut stream).word(), "body_too_large");
}

#[test]
fn a_head_with_too_much_in_it_is_refused_in_json() {
    let service = Service::start();
    let with = |lines: &str| {
        let text = format!("GET /api/auth/whoami HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n");
        service.raw(text.as_bytes())
    };
    let long = with(&format!("x: {}\r\n", "a".repeat(20_000)));
    assert_eq!(
        (long.status, long.word()),
        (431, "head_too_large".to_owned())
    );
    assert_eq!(with(&"x: y\r\n".repeat(70)).status, 431);
    let path = format!("/api/approvals/{}", "a".repeat(20_000));
    assert_eq!(service.get(&path, DEMO).status, 431);
}

#[test]
fn a_head_that_comes_too_slowly_is_cut() {
    let service = Service::with(|config| config.limits.head_timeout = Duration::from_millis(300));
    let mut stream = service.connect();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: lo")
        .unwrap();
    let began = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    assert!(began.elapsed() < Duration::from_secs(5));
    // Others are served all the while, and after.
    assert_eq!(service.get("/health", "").status, 200);
}

#[test]
fn a_body_that_comes_too_slowly_is_cut() {
    let service = Service::with(|config| config.limits.body_timeout = Duration::from_millis(300));
    let mut stream = service.connect();
    let whole = request(
        "POST",
        "/api/actions/execute",
        DEMO,
        Some(&action("low", "look")),
    );
    stream
        .write_all(&whole.as_bytes()[..whole.len() - 1])
        .unwrap();
    let reply = Reply::read(&mut stream);
    assert_eq!(
        (reply.status, reply.word()),
        (408, "request_timeout".to_owned())
    );
}

#[test]
fn a_client_that_takes_nothing_of_its_answers_is_cut() {
    let service = Service::with(|config| config.limits.write_timeout = Duration::from_millis(300));
    let mut stream = service.connect();
    stream.set_nonblocking(true).unwrap();
    let text = request("GET", "/api/openapi.json", DEMO, None);
    // Asks on and on, and reads nothing, until the service gives up.
    let began = Instant::now();
    let broke = loop {
        match stream.write(text.as_bytes()) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                std::thread::yield_now();
            }
            Err(error) => break error,
            Ok(_) => {}
        }
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "it was never cut"
        );
    };
    assert!(matches!(
        broke.kind(),
        std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe
    ));
    assert_eq!(service.get("/health", "").status, 200);
}

#[test]
fn a_key_that_asks_too_often_is_told_when_to_come_back_and_others_are_not() {
    let service = Service::with(|config| config.limits.requests_per_second = 1);
    let (_, other) = make_key(&service, "local", "other", &[Role::Agent]);
    let asked: Vec<Reply> = (0..6)
        .map(|_| service.get("/api/auth/whoami", DEMO))
        .collect();
    let limited = asked.iter().find(|reply| reply.status == 429).unwrap();
    assert_eq!(limited.word(), "rate_limited");
    assert!(
        limited
            .header("retry-after")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    assert_eq!(service.get("/api/auth/whoami", &other).status, 200);
    // Waiters' reads have a budget of their own.
    assert_eq!(service.get("/api/approvals/x", DEMO).status, 404);
}

#[test]
fn attempts_without_a_good_key_are_limited_and_good_keys_are_not_slowed() {
    let service = Service::with(|config| config.limits.attempts_per_minute = 3);
    let statuses: Vec<u16> = (0..6)
        .map(|n| {
            service
                .get("/api/auth/whoami", &format!("srnx_live_{n}"))
                .status
        })
        .collect();
    assert_eq!(statuses, [401, 401, 401, 429, 429, 429]);
    assert_eq!(service.get("/api/auth/whoami", DEMO).status, 200);
    assert_eq!(service.get("/ready", "").status, 200);
}

#[test]
fn connections_over_the_limit_wait_for_a_place() {
    let service = Service::with(|config| config.limits.connections = 1);
    let mut first = service.connect();
    first
        .write_all(request("GET", "/health", "", None).as_bytes())
        .unwrap();
    assert_eq!(Reply::read(&mut first).status, 200);
    let mut second = service.connect();
    second
        .write_all(request("GET", "/health", "", None).as_bytes())
        .unwrap();
    second
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(
        Reply::try_read(&mut second).is_none(),
        "it has no place yet"
    );
    drop(first);
    second
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert_eq!(Reply::read(&mut second).status, 200);
}

#[test]
fn what_is_no_http_ends_the_connection_and_nothing_else() {
    let service = Service::start();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST /health HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\nx",
    ] {
        let mut stream = service.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        let text = String::from_utf8_lossy(&rest);
        assert!(!text.starts_with("HTTP/1.1 2"), "{text}");
    }
    assert_eq!(service.get("/health", "").status, 200);
}
