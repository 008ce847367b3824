//! How the service ends: it loses nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use sernixa_engine::{Engine, Principal, Role};
use sernixa_store::SqliteStore;

use crate::rig::{DEMO, Reply, Service, action, request};

#[test]
fn what_is_in_flight_is_finished_and_nothing_new_is_taken() {
    let mut service = Service::start();
    let mut stream = service.connect();
    let whole = request(
        "POST",
        "/api/actions/execute",
        DEMO,
        Some(&action("high", "pay")),
    );
    let (most, last) = whole.as_bytes().split_at(whole.len() - 1);
    // `Expect` tells when the service has begun to read the body.
    let most = String::from_utf8(most.to_vec()).unwrap();
    let most = most.replacen("host:", "expect: 100-continue\r\nhost:", 1);
    stream.write_all(most.as_bytes()).unwrap();
    assert_eq!(Reply::read(&mut stream).status, 100);
    service.stop();
    while TcpStream::connect(service.address).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(last).unwrap();
    let reply = Reply::read(&mut stream);
    assert_eq!(reply.status, 202);
    let id = reply.json()["approval_id"].as_str().unwrap().to_owned();
    service.wait();
    let engine = Engine::builder()
        .store(SqliteStore::open(service.store()).unwrap())
        .build()
        .unwrap();
    let reviewer = Principal::new("local", "r").with(Role::Reviewer);
    let pending = engine
        .pending(&reviewer, 10, &crate::rig::moment())
        .unwrap();
    assert_eq!(pending[0].approval_id().to_string(), id);
}

#[test]
fn event_streams_end_and_do_not_hold_the_service_up() {
    let mut service = Service::start();
    let mut stream = service.connect();
    let text = request("GET", "/api/approvals/events", DEMO, None);
    stream.write_all(text.as_bytes()).unwrap();
    assert_eq!(Reply::read(&mut stream).status, 200);
    let began = Instant::now();
    service.stop();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(
        rest.ends_with(b"0\r\n\r\n"),
        "the stream was not ended, but cut"
    );
    service.wait();
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn idle_connections_do_not_hold_the_service_up() {
    let mut service = Service::start();
    let mut stream = service.connect();
    stream
        .write_all(request("GET", "/health", "", None).as_bytes())
        .unwrap();
    assert_eq!(Reply::read(&mut stream).status, 200);
    let fresh = service.connect();
    let began = Instant::now();
    service.stop();
    service.wait();
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    drop(fresh);
}

#[test]
fn the_end_is_signed_into_the_audit() {
    let mut service = Service::with(|config| {
        let folder = match &config.store {
            sernixa_server::StoreAt::File(path) => path.with_extension("audit-key"),
            sernixa_server::StoreAt::Memory => panic!("a file"),
        };
        config.audit_key = Some(folder);
    });
    service.post("/api/actions/execute", DEMO, &action("low", "look"));
    service.stop();
    service.wait();
    let engine = Engine::builder()
        .store(SqliteStore::open(service.store()).unwrap())
        .build()
        .unwrap();
    let auditor = Principal::new("local", "a").with(Role::Auditor);
    let report = engine.verify_audit(&auditor, &[]).unwrap();
    assert!(report.is_valid());
    assert_eq!(report.checkpoints, 1);
}
