//! How long reading takes, as messages grow.

use bytes::Bytes;

use super::to_server;
use crate::message::{Direction, Message};

/// Run with `--ignored --nocapture` for the figures.
#[test]
#[ignore = "it measures"]
fn reading_takes_linear_time() {
    type Part<'p> = Box<dyn Fn(usize) -> String + 'p>;
    let filled = |part: &dyn Fn(usize) -> String, length: usize| {
        let mut text = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":{"x":["#.to_owned();
        let mut at = 0;
        while text.len() < length {
            text.push_str(&part(at));
            text.push(',');
            at += 1;
        }
        text.push_str("0]}}}");
        text
    };
    let members = |name: &dyn Fn(usize) -> String| {
        let all: Vec<String> = (0..1000).map(|at| format!(r#""{}":1"#, name(at))).collect();
        format!("{{{}}}", all.join(","))
    };
    let parts: [(&str, Part<'_>); 6] = [
        ("numbers", Box::new(|_| "1".to_owned())),
        ("brackets", Box::new(|_| "[[[]]]".to_owned())),
        (
            "text",
            Box::new(|_| format!("\"{}\"", "lorem ipsum ".repeat(100))),
        ),
        (
            "members in lower case",
            Box::new(|_| members(&|at| format!("m{at}"))),
        ),
        (
            "members in upper case",
            Box::new(|_| members(&|at| format!("M{at}"))),
        ),
        (
            "members in Greek, escaped",
            Box::new(|_| members(&|at| format!("\\u03a9Ω{at}"))),
        ),
    ];
    for (called, part) in parts {
        let mut took = Vec::new();
        for length in [2_000_000, 4_000_000, 8_000_000] {
            let bytes = Bytes::from(filled(&*part, length));
            let start = std::time::Instant::now();
            Message::read(bytes, Direction::ToServer).unwrap();
            took.push(start.elapsed());
        }
        println!("{called}: 2, 4, 8 MB in {took:?}");
    }
    let wide: Vec<String> = (0..400_000).map(|at| format!(r#""Ω{at}":1"#)).collect();
    for share in [4, 2, 1] {
        let some = wide.get(..wide.len() / share).unwrap().join(",");
        let text = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"x","params":{{{some}}}}}"#);
        let start = std::time::Instant::now();
        to_server(&text).unwrap();
        println!("one object of {} bytes: {:?}", text.len(), start.elapsed());
    }
}
