//! Streams as others read them, or do not.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use sernixa_engine::{Agents, Engine, Moment, NewKey, Principal, Role, Timestamp};
use sernixa_server::Limits;
use sernixa_store::SqliteStore;

use crate::rig::{KEY, Reader, Service, config, on_file};

/// The reference's `approvals wait` reads the record, opens the stream, and does not look again
/// while that is open (PROTOCOL 28).
#[tokio::test]
async fn a_decision_between_the_first_look_and_the_stream_is_told_by_the_stream() {
    let service = Service::start(config()).await;
    let id = service.ask(&["db"]).await;
    let record = service.get(&format!("/api/approvals/{id}")).await;
    assert!(record.contains("pending_review"), "{record}");
    service.approve(&id).await;
    let mut stream = Reader::new(service.stream(KEY, None).await);
    let event = stream.event().await.unwrap();
    assert_eq!(
        (&event["approval_id"], &event["status"]),
        (&id.into(), &"approved".into())
    );
    service.stop().await;
}

#[tokio::test]
async fn a_stream_ends_with_the_service_and_the_next_one_goes_on_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sernixa.db");
    let service = Service::start(on_file(&path)).await;
    let first = service.ask(&["db"]).await;
    let mut stream = Reader::new(service.stream(KEY, Some("0")).await);
    let event = stream.event().await.unwrap();
    assert_eq!(event["approval_id"], first.as_str());
    let seq = event["seq"].to_string();
    let begun = Instant::now();
    service.stop().await;
    assert!(stream.event().await.is_none());
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    let service = Service::start(on_file(&path)).await;
    service.approve(&first).await;
    let second = service.ask(&["db"]).await;
    let mut stream = Reader::new(service.stream(KEY, Some(&seq)).await);
    assert_eq!(stream.event().await.unwrap()["change"], "decided");
    assert_eq!(
        stream.event().await.unwrap()["approval_id"],
        second.as_str()
    );
    service.stop().await;
}

#[tokio::test]
async fn the_stream_of_a_key_that_another_process_revokes_ends_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sernixa.db");
    let service = Service::start(on_file(&path)).await;
    // As `sernixa keys` does it on the same file.
    let store = SqliteStore::open(&path).unwrap();
    let engine = Engine::builder().store(store).build().unwrap();
    let admin = Principal::new("local", "console").with(Role::Admin);
    let moment = |seed| Moment::new(Timestamp::from_millis(1_778_000_000_000), [seed; 32]);
    let asked = NewKey {
        owner: "payments".into(),
        roles: vec![Role::Agent],
        agents: Agents::Any,
        delegated_only: false,
    };
    let (key, secret) = engine.create_key(&admin, &asked, &moment(1)).unwrap();
    let mut stream = Reader::new(service.stream(secret.expose(), None).await);
    // What others asked is not for it.
    service.ask(&["db"]).await;
    while !stream.block().await.unwrap().contains("id: ") {}
    engine.revoke_key(&admin, &key.id, &moment(2)).unwrap();
    let begun = Instant::now();
    while let Some(block) = stream.block().await {
        assert!(!block.contains("data:"), "{block}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(service.stream(secret.expose(), None).await.status(), 401);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_slows_nobody_and_is_cut() {
    const EVENTS: usize = 400;
    let mut config = config();
    config.limits = Limits {
        write_timeout: Duration::from_secs(1),
        ..config.limits
    };
    let service = Service::start(config).await;
    // A small window, and then silence.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(&service.address.into()).unwrap();
    let mut deaf: TcpStream = socket.into();
    let request = format!(
        "GET /api/approvals/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    );
    std::io::Write::write_all(&mut deaf, request.as_bytes()).unwrap();
    service.until_streams(1).await;
    let mut hears = Reader::new(service.stream(KEY, None).await);
    // Events of 40 kB each: more than the system takes for a connection.
    let wide: Vec<String> = (0..10).map(|n| format!("{n}").repeat(4_000)).collect();
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..EVENTS {
        let begun = Instant::now();
        let id = service.ask(&wide).await;
        while hears.event().await.unwrap()["approval_id"] != id.as_str() {}
        slowest = slowest.max(begun.elapsed());
    }
    println!("the slowest of {EVENTS} events beside it: {slowest:?}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    // The one that hears is left.
    service.until_streams(1).await;
    service.ask(&["db"]).await;
    assert!(hears.event().await.is_some());
    drop(deaf);
    service.stop().await;
}
