//! What is too large, too slow or too much.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::security::assert_refusal;
use crate::support::asked::Asked;
use crate::support::house::House;
use crate::support::http::{self, parse};

#[test]
fn bodies_and_headers_have_a_limit() {
    let house = House::production();
    let agent = house.key("agent", "ann", &[]);
    let serve = house.serve();
    let caller = serve.caller(&agent);
    // What the engine refuses by its own rule (256 KiB), and what the door does (1 MiB).
    let large = caller.submit(&Asked::new("pay").with("note", "x".repeat(300 << 10)));
    assert!(
        matches!(large.status, 413 | 422),
        "{} {}",
        large.status,
        large.body
    );
    let larger = caller
        .submit(&Asked::new("pay").with("note", "x".repeat(1 << 20)))
        .expect(413);
    assert_refusal(&larger.json());
    // Whether or not it is announced.
    let chunked = format!(
        "POST /api/actions/execute HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {agent}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let body = chunked + &chunk.repeat(17) + "0\r\n\r\n";
    assert_eq!(
        http::raw(serve.address, body.as_bytes()).unwrap().status,
        413
    );
    let header = format!(
        "GET /health HTTP/1.1\r\nhost: x\r\nx-large: {}\r\nconnection: close\r\n\r\n",
        "x".repeat(1 << 20)
    );
    match http::raw(serve.address, header.as_bytes()) {
        Ok(answer) => assert_eq!(answer.status, 431, "{}", answer.body),
        // Closed in mid-sentence.
        Err(error) => assert!(
            !matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            ),
            "{error}"
        ),
    }
    // It took no harm.
    caller.submit(&Asked::harmless("look")).expect(200);
}

#[test]
fn deep_nesting_is_refused() {
    let house = House::production();
    let agent = house.key("agent", "ann", &[]);
    let serve = house.serve();
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = format!(r#"{{"intent_id":"x","action_id":"y","metadata":{{"deep":{deep}}}}}"#);
    let answer = http::send(
        serve.address,
        "POST",
        "/api/actions/execute",
        Some(&agent),
        Some(&body),
    )
    .unwrap();
    assert!(
        matches!(answer.status, 400 | 422),
        "{} {}",
        answer.status,
        answer.body
    );
    serve
        .caller(&agent)
        .submit(&Asked::harmless("look"))
        .expect(200);
}

#[test]
fn slow_clients_are_cut() {
    let house = House::production()
        .limit("head_timeout = \"1s\"")
        .limit("body_timeout = \"1s\"");
    let agent = house.key("agent", "ann", &[]);
    let serve = house.serve();
    let head = format!(
        "POST /api/actions/execute HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {agent}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
    );
    // Says nothing; half a head; a head and half a body.
    for said in ["", "GET /health HT", head.as_str()] {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(serve.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        let mut answered = Vec::new();
        // To the end of the connection, not to our own patience.
        stream
            .read_to_end(&mut answered)
            .unwrap_or_else(|error| panic!("{said:?}: {error}"));
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "{said:?} took {:?}",
            begun.elapsed()
        );
        if let Some(answer) = parse(&answered) {
            assert_eq!(answer.status, 408, "{answer:?}");
        }
    }
}

#[test]
fn a_key_that_asks_too_much_is_told_to_wait() {
    let house = House::production().limit("requests_per_second = 5");
    let agent = house.key("agent", "ann", &[]);
    let other = house.key("agent", "bob", &[]);
    let serve = house.serve();
    let caller = serve.caller(&agent);
    let refused = (0..100)
        .map(|_| caller.submit(&Asked::harmless("look")))
        .find(|answer| answer.status == 429);
    let refused = refused.expect("100 requests at once were all taken");
    assert!(
        refused
            .header("retry-after")
            .unwrap()
            .parse::<u32>()
            .unwrap()
            >= 1,
        "{refused:?}"
    );
    assert_refusal(&refused.json());
    // Another key has an allowance of its own.
    serve
        .caller(&other)
        .submit(&Asked::harmless("look"))
        .expect(200);
}
