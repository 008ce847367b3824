//! Notices on their way to a real listener.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use secrecy::SecretString;
use sernixa_engine::{Engine, Moment, Principal, Request, Timestamp};

use super::deliver::{ATTEMPTS, Courier};
use super::resolve::{Lookup, system};
use super::{Counts, Notice, Reach, Webhook};
use crate::closing::closing;
use crate::events::{Hub, Limits};

const PATIENCE: Duration = Duration::from_secs(20);
const SECRET: &str = "a secret of the receiver";
const HERE: Reach = Reach {
    private: true,
    http: true,
};

/// A receiver that answers with these, the last one for ever, and passes on what came.
struct Receiver {
    address: SocketAddr,
    requests: mpsc::Receiver<String>,
}

impl Receiver {
    fn answering(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, requests) = mpsc::channel();
        std::thread::spawn(move || {
            for (nth, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let mut text = Vec::new();
                let mut piece = [0; 4_096];
                while !is_whole(&text) {
                    match stream.read(&mut piece) {
                        Ok(n) if n > 0 => text.extend(&piece[..n]),
                        _ => break,
                    }
                }
                let answer = answers[nth.min(answers.len() - 1)];
                let head =
                    format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes());
                if tell.send(String::from_utf8(text).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { address, requests }
    }

    fn hook(&self) -> Webhook {
        let url = format!("http://{}/path?token=t0ken", self.address);
        Webhook::new(&url, SecretString::from(SECRET), HERE).unwrap()
    }

    fn next(&self) -> String {
        self.requests.recv_timeout(PATIENCE).unwrap()
    }
}

fn is_whole(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let length = name.eq_ignore_ascii_case("content-length");
        length.then(|| value.trim().parse::<usize>().unwrap())
    });
    body.len() >= length.unwrap_or_default()
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let line = request.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    });
    line.unwrap_or_else(|| panic!("no {name} in {request}"))
}

fn notice() -> Notice {
    Notice {
        id: "apr-1.7".into(),
        body: r#"{"type":"approval.waiting"}"#.into(),
    }
}

fn courier(hook: &Webhook, counts: &Counts, lookup: Lookup) -> Courier {
    Courier::with(hook, counts.clone(), lookup, Duration::from_millis(1)).unwrap()
}

fn counted(counts: &Counts) -> [u64; 3] {
    [&counts.delivered, &counts.failed, &counts.dropped]
        .map(prometheus_client::metrics::counter::Counter::get)
}

#[tokio::test]
async fn what_waits_for_review_is_told_signed_and_without_its_metadata() {
    let receiver = Receiver::answering(&["204 No Content"]);
    let engine = Engine::builder().build().unwrap();
    let counts = Counts::default();
    let (close, closing) = closing();
    let watcher = super::start(&[receiver.hook()], &counts, &closing).unwrap();
    let hub = Hub::start(engine.clone(), Limits::default(), watcher).unwrap();
    let body = r#"{"intent_id":"pay","action_id":"pay","metadata":{"risk_level":"high",
        "operation_class":"financial","data_sensitivity":"financial","systems_touched":["bank"],
        "summary":"pay 5 to ann","captured":"of the call"}}"#;
    let me = Principal::local();
    let moment = Moment::new(Timestamp::from_millis(1_778_000_000_000), [7; 32]);
    assert_eq!(
        engine.handle(&me, Request::Submit { body }, &moment).status,
        202
    );
    let request = tokio::task::spawn_blocking(move || receiver.next())
        .await
        .unwrap();
    assert!(
        request.starts_with("POST /path?token=t0ken HTTP/1.1"),
        "{request}"
    );
    let body = request.split_once("\r\n\r\n").unwrap().1;
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(told["type"], "approval.waiting");
    assert_eq!(
        (&told["organisation"], &told["seq"]),
        (&"local".into(), &1.into())
    );
    assert_eq!(told["approval"]["summary"], "pay 5 to ann");
    assert!(
        !body.contains("of the call") && !body.contains("token"),
        "{body}"
    );
    let signed = header(&request, "sernixa-signature");
    let seconds = signed.split(['=', ',']).nth(1).unwrap().parse().unwrap();
    assert_eq!(
        signed,
        super::sign::signature(&SecretString::from(SECRET), seconds, body).unwrap()
    );
    let id = told["approval"]["approval_id"].as_str().unwrap();
    assert_eq!(header(&request, "sernixa-notice-id"), format!("{id}.1"));
    close.now();
    hub.close();
}

#[tokio::test]
async fn a_notice_is_sent_again_after_trouble_under_the_same_id_and_not_after_a_no() {
    let counts = Counts::default();
    let receiver = Receiver::answering(&["503 Busy", "429 Slow", "200 OK"]);
    courier(&receiver.hook(), &counts, system())
        .bring(&notice())
        .await;
    assert_eq!(counted(&counts), [1, 0, 0]);
    let requests = [receiver.next(), receiver.next(), receiver.next()];
    assert!(
        requests
            .iter()
            .all(|one| header(one, "sernixa-notice-id") == "apr-1.7")
    );
    for no in [
        &["400 No"][..],
        &["302 Found\r\nLocation: http://127.0.0.1:1/"],
        &["410 Gone"],
    ] {
        let receiver = Receiver::answering(no);
        courier(&receiver.hook(), &counts, system())
            .bring(&notice())
            .await;
        receiver.next();
        assert!(receiver.requests.try_recv().is_err());
    }
    assert_eq!(counted(&counts), [1, 3, 0]);
}

#[tokio::test]
async fn a_receiver_that_stays_away_is_given_up() {
    let counts = Counts::default();
    let receiver = Receiver::answering(&["500 Broken"]);
    courier(&receiver.hook(), &counts, system())
        .bring(&notice())
        .await;
    for _ in 0..ATTEMPTS {
        receiver.next();
    }
    assert!(receiver.requests.try_recv().is_err());
    assert_eq!(counted(&counts), [0, 1, 0]);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mapped = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
    let http = Reach {
        http: true,
        ..Reach::default()
    };
    let hook = |reach| {
        let url = format!("http://rebound.example:{port}/");
        Webhook::new(&url, SecretString::from(SECRET), reach).unwrap()
    };
    for inside in [v4, mapped] {
        let lookup: Lookup =
            Arc::new(move |_| Box::pin(async move { Ok(vec![SocketAddr::new(inside, 0)]) }));
        let counts = Counts::default();
        courier(&hook(http), &counts, Arc::clone(&lookup))
            .bring(&notice())
            .await;
        assert_eq!(counted(&counts), [0, 1, 0]);
        assert!(listener.accept().is_err(), "{inside} was connected to");
        // The same address, where it is allowed: it is the check that kept it out.
        let (courier, notice) = (courier(&hook(HERE), &counts, lookup), notice());
        let brought = courier.bring(&notice);
        let accepted = async {
            loop {
                match listener.accept() {
                    Ok(connection) => break connection,
                    Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        };
        tokio::select! {
            () = brought => panic!("nobody was connected to"),
            _ = tokio::time::timeout(PATIENCE, accepted) => {}
        }
        while listener.accept().is_ok() {}
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_nothing_and_what_does_not_fit_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let hook = Webhook::new(&url, SecretString::from(SECRET), HERE).unwrap();
    let counts = Counts::default();
    let (close, closing) = closing();
    let watcher = super::start(&[hook], &counts, &closing).unwrap().unwrap();
    let engine = Engine::builder().build().unwrap();
    let me = Principal::local();
    let body = r#"{"intent_id":"pay","action_id":"pay","metadata":{"risk_level":"high",
        "operation_class":"financial","data_sensitivity":"financial","systems_touched":["bank"]}}"#;
    let moment = Moment::new(Timestamp::from_millis(1_778_000_000_000), [7; 32]);
    engine.handle(&me, Request::Submit { body }, &moment);
    let feed = engine.changes("local", 0, 9).unwrap();
    let begun = std::time::Instant::now();
    for _ in 0..5_000 {
        watcher(&feed.changes[0]);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    let [delivered, failed, dropped] = counted(&counts);
    assert_eq!((delivered, failed), (0, 0));
    assert!(dropped >= 3_900, "{dropped}");
    close.now();
}
