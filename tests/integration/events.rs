//! The stream of changes: what wakes a waiter, what does not, and that nothing on it is an error of
//! a call or leave to start.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use sernixa::{Client, Error, RiskLevel};

use crate::support::latch::{Latch, PATIENCE};
use crate::support::reply::Reply;
use crate::support::server::Request;
use crate::support::service::{EVENTS, Says, Service, action};

/// Looks so seldom that only an event can wake it within [`PATIENCE`].
fn hearing(service: &Service) -> Client {
    let builder = service.builder().poll_interval(Duration::from_mins(10));
    builder
        .poll_timeout(Duration::from_mins(20))
        .build()
        .unwrap()
}

/// An answer that streams these frames.
fn stream(frames: impl Into<Vec<u8>>) -> Reply {
    Reply::new(200)
        .header("Content-Type", "text/event-stream")
        .body(frames)
        .until_close()
}

/// An event about the first approval.
fn event(id: u64, status: &str) -> String {
    format!("id: {id}\ndata: {{\"approval_id\":\"apr-1\",\"status\":\"{status}\"}}\n\n")
}

/// One governed call on a thread of its own, and how often bodies began.
struct Call {
    running: thread::JoinHandle<Result<(), Error>>,
    begun: Arc<AtomicUsize>,
}

impl Call {
    fn start(client: &Client) -> Self {
        let (client, begun) = (client.clone(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&begun);
        let running = thread::spawn(move || {
            client.run(&action(RiskLevel::High), || {
                counted.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
        });
        Self { running, begun }
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    fn end(self) -> Result<(), Error> {
        self.running.join().unwrap()
    }
}

fn looks(service: &Service) -> usize {
    service.server.requests_to("GET", &Service::path("")).len()
}

#[test]
fn an_event_wakes_the_waiter_which_claims_without_another_look() {
    let decided = Latch::new();
    let service = Service::streaming(Says::Pending, {
        let decided = decided.clone();
        move |_| {
            decided.wait();
            stream(event(9, "approved")).and_hang()
        }
    });
    let client = service
        .builder()
        .access_token("a-token-of-mine")
        .poll_interval(Duration::from_mins(10))
        .build()
        .unwrap();
    let call = Call::start(&client);
    let opened = service.server.wait_for("GET", EVENTS, 1);
    assert_eq!(opened.header("accept"), Some("text/event-stream"));
    assert_eq!(
        opened.header("authorization"),
        Some("Bearer a-token-of-mine")
    );
    // From the submission on, so that nothing in between is missed.
    assert_eq!(opened.header("last-event-id"), Some("5"));
    service.server.wait_for("GET", &Service::path(""), 1);
    service.decide("approved");
    decided.open();
    call.end().unwrap();
    assert_eq!(looks(&service), 1);
    client.close_blocking();
}

#[test]
fn where_nothing_is_claimed_an_event_is_a_hint_and_the_record_decides() {
    let decided = Latch::new();
    let service = Service::streaming(Says::Pending, {
        let decided = decided.clone();
        move |_| {
            decided.wait();
            stream(event(9, "approved")).and_hang()
        }
    });
    service.offer(&["events"]);
    let client = hearing(&service);
    let call = Call::start(&client);
    service.server.wait_for("GET", &Service::path(""), 1);
    // The event says approved; the record says no.
    service.decide("rejected");
    decided.open();
    let error = call.end().unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    client.close_blocking();
}

#[test]
fn an_event_that_lies_starts_nothing_and_ends_nothing() {
    let service = Service::streaming(Says::Pending, |_| {
        let lies = event(9, "approved") + &event(10, "approved");
        stream(lies).and_hang()
    });
    let client = service
        .builder()
        .poll_interval(Duration::from_mins(10))
        .build()
        .unwrap();
    let call = Call::start(&client);
    // It was believed once, and told "not yet".
    service.server.wait_for("POST", &Service::path("/claim"), 1);
    service.server.wait_for("GET", &Service::path(""), 2);
    assert_eq!((call.begun(), call.running.is_finished()), (0, false));
    assert_eq!(
        service
            .server
            .requests_to("POST", &Service::path("/claim"))
            .len(),
        1
    );
    drop(call);
    client.close_blocking();
}

#[test]
fn a_client_comes_back_with_the_last_id_it_heard() {
    let service = Service::streaming(Says::Pending, |request: &Request| match request.nth {
        1 => stream("retry: 50\n: hello\n\nid: 41\ndata: {}\n\n"),
        // Of half an event nothing counts.
        2 => stream(": hello\n\nid: 43\n\nid: 99\ndata: {\"approval_id\":\"apr-1\""),
        _ => stream(event(44, "approved")).and_hang(),
    });
    let client = hearing(&service);
    service.decide("pending_review");
    let hold = service.hold("/claim");
    let call = Call::start(&client);
    let ids: Vec<_> = (1..=3)
        .map(|nth| {
            let request = service.server.wait_for("GET", EVENTS, nth);
            request.header("last-event-id").unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids, ["5", "41", "43"]);
    service.decide("approved");
    hold.open();
    call.end().unwrap();
    client.close_blocking();
}

#[test]
fn two_hundred_waiters_share_one_stream() {
    const MANY: usize = 200;
    let decided = Latch::new();
    let service = Service::streaming(Says::Pending, {
        let decided = decided.clone();
        move |_| {
            decided.wait();
            let events =
                (1..=MANY).map(|n| event(9, "approved").replace("apr-1", &format!("apr-{n}")));
            stream(events.collect::<String>()).and_hang()
        }
    });
    let client = hearing(&service);
    let calls: Vec<_> = (0..MANY).map(|_| Call::start(&client)).collect();
    service.server.wait_until("a look of each", |requests| {
        let looked = requests
            .iter()
            .filter(|r| r.method == "GET" && r.path() != EVENTS);
        looked.count() >= MANY
    });
    service.decide("approved");
    decided.open();
    for call in calls {
        call.end().unwrap();
    }
    assert_eq!(service.server.requests_to("GET", EVENTS).len(), 1);
    client.close_blocking();
}

#[test]
fn a_call_that_another_one_took_up_is_told_so() {
    let service = Service::streaming(Says::Pending, |_| {
        let resumed = "data: {\"approval_id\":\"apr-1\",\"status\":\"pending_review\",\
                       \"change\":\"resumed\"}\n\n";
        // The first is its own; the second one came after it.
        stream(format!("id: 5\n{resumed}id: 6\n{resumed}")).and_hang()
    });
    let client = hearing(&service);
    let error = Call::start(&client).end().unwrap_err();
    assert!(matches!(error, Error::Replay(_)), "{error}");
    assert_eq!(
        service
            .server
            .requests_to("POST", &Service::path("/claim"))
            .len(),
        0
    );
    client.close_blocking();
}

#[test]
fn a_lost_stream_that_cannot_be_had_again_is_replaced_by_looking() {
    let service = Service::streaming(Says::Pending, |request| match request.nth {
        // Up for a second or more: it tells something, gives signs of life, and breaks.
        1 => stream(format!("id: 6\n\n{}", ": still here\n\n".repeat(100)))
            .dripping(64, Duration::from_millis(50))
            .reset(),
        _ => Reply::json(503, "{}"),
    });
    let first_look = service.hold("/apr-1");
    let client = service.client();
    let call = Call::start(&client);
    service.server.wait_for("GET", EVENTS, 1);
    // By now the stream is up, if this machine is not too busy: then the waiter relies on it.
    thread::sleep(Duration::from_millis(300));
    first_look.open();
    let second = service.server.wait_for("GET", EVENTS, 2);
    assert_eq!(second.header("last-event-id"), Some("6"));
    service.server.wait_for("GET", EVENTS, 3);
    // Every 30 s with a stream, which is more than anybody waits for here.
    service
        .server
        .wait_for("GET", &Service::path(""), looks(&service) + 3);
    service.decide("approved");
    call.end().unwrap();
    client.close_blocking();
}

#[test]
fn no_stream_however_odd_is_an_error_of_a_call_or_leave_to_start() {
    let endless = |text: &str, bytes: usize| stream(text.repeat(bytes / text.len())).and_hang();
    let sse = |status| Reply::new(status).header("Content-Type", "text/event-stream");
    let unknown = event(9, "approved").replace("apr-1", "another");
    let twice =
        "data: {\"approval_id\":\"apr-1\",\"status\":\"approved\",\"status\":\"approved\"}\n\n";
    let odd: Vec<(&str, Reply)> = vec![
        (
            "html",
            Reply::new(200)
                .header("Content-Type", "text/html")
                .body(event(9, "approved")),
        ),
        ("json", Reply::json(200, "[]")),
        ("no type", Reply::new(200).body(event(9, "approved"))),
        ("two types", stream("").header("Content-Type", "text/html")),
        (
            "compressed",
            stream(event(9, "approved")).header("Content-Encoding", "gzip"),
        ),
        ("no content", sse(204)),
        ("accepted", sse(202).body(event(9, "approved"))),
        (
            "redirect",
            sse(302).header("Location", "http://127.0.0.1:1/"),
        ),
        ("unauthorised", Reply::json(401, "{}")),
        ("forbidden", Reply::json(403, "{}")),
        ("not found", Reply::json(404, "{}")),
        (
            "too many",
            Reply::json(429, "{}").header("Retry-After", "99999999999999999999"),
        ),
        ("broken", Reply::json(500, "<html>")),
        ("not implemented", Reply::json(501, "{}")),
        ("unanswered", Reply::close_unanswered()),
        ("reset", Reply::reset_unanswered()),
        ("silence", Reply::hang()),
        ("nothing", stream("")),
        ("garbage", stream(vec![0xff; 4_096]).and_hang()),
        (
            "not utf-8",
            stream(b"data: \xff\xfe\n\n".to_vec()).and_hang(),
        ),
        (
            "half an event",
            stream(event(9, "approved").trim_end().to_owned()),
        ),
        (
            "a cut chunk",
            stream(event(9, "approved")).chunked().cut_body_at(9),
        ),
        ("unknown approvals", endless(&unknown, 1 << 20)),
        ("members twice", stream(twice).and_hang()),
        ("endless line", endless("data: x", 3 << 20)),
        ("endless comment", endless(": still", 3 << 20)),
        ("endless event", endless("data: x\n", 3 << 20)),
        ("endless comments", endless(": still here\n\n", 3 << 20)),
        ("endless ids", endless("id: 77\n\n", 1 << 20)),
        ("endless retries", endless("retry: 0\n\n", 1 << 20)),
        ("an odd id", stream("id: a b\u{e9}\ndata: {}\n\n")),
        ("a retry of ages", stream("retry: 18446744073709551615\n\n")),
        ("piece by piece", endless(": x\n\n", 512).in_pieces_of(1)),
        (
            "no bodies",
            stream("data\n\ndata:\n\nevent: approval\n\n:\n\n\n\n\n").and_hang(),
        ),
        (
            "others' json",
            stream("data: null\n\ndata: [1]\n\ndata: \"x\"\n\n").and_hang(),
        ),
    ];
    let running: Vec<_> = odd
        .into_iter()
        .map(|(name, reply)| {
            thread::spawn(move || {
                let service = Service::streaming(Says::Pending, move |_| reply.clone());
                // A stream that tells something, if nothing of use, is relied on: the look that
                // comes all the same, every 30 s, finds the decision.
                let builder = service.builder().poll_timeout(Duration::from_mins(2));
                let client = builder.build().unwrap();
                let call = Call::start(&client);
                service.server.wait_for("GET", EVENTS, 1);
                service.server.wait_for("GET", &Service::path(""), 1);
                assert_eq!(call.begun(), 0, "{name}");
                assert!(!call.running.is_finished(), "{name}");
                service.decide("approved");
                call.end().unwrap_or_else(|error| panic!("{name}: {error}"));
                client.close_blocking();
            })
        })
        .collect();
    for one in running {
        one.join().unwrap();
    }
}

#[test]
fn a_stream_that_is_refused_is_not_asked_for_again_and_looking_goes_on() {
    let service = Service::streaming(Says::Pending, |_| Reply::json(403, "{}"));
    let client = service.client();
    let call = Call::start(&client);
    service.server.wait_for("GET", &Service::path(""), 10);
    assert_eq!(service.server.requests_to("GET", EVENTS).len(), 1);
    service.decide("approved");
    call.end().unwrap();
    client.close_blocking();
}

#[test]
fn a_client_that_is_closed_closes_its_stream() {
    let service = Service::streaming(Says::Pending, |_| stream(": hello\n\n").and_hang());
    let client = hearing(&service);
    let call = Call::start(&client);
    service.server.wait_for("GET", EVENTS, 1);
    service.server.wait_for("GET", &Service::path(""), 1);
    let begun = std::time::Instant::now();
    client.close_blocking();
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
    assert!(matches!(call.end().unwrap_err(), Error::Configuration(_)));
    service.server.wait_for_open(0);
}
