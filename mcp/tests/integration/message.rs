//! Property: what the proxy's reader takes, every other reader understands in the same way.

use proptest::prelude::*;
use sernixa_mcp::message::Direction;

use crate::readers::agree;

/// Names as they are, and as those who would slip something past a gate write them.
fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "jsonrpc",
        "id",
        "method",
        "params",
        "result",
        "error",
        "name",
        "arguments",
        "_meta",
        "progressToken",
        "task",
        "x",
        "ſ",
        "K",
        "İ",
        "key",
    ]);
    (known, prop::collection::vec(0..12_usize, 0..2)).prop_map(|(known, twists)| {
        twists
            .into_iter()
            .fold(known.to_owned(), |name, twist| match twist {
                0 => name.to_uppercase(),
                1 => format!("{name}\\u0000"),
                2 => name.replacen('s', "ſ", 1),
                3 => name.replacen('k', "\u{212a}", 1),
                4 => name.replacen('i', "İ", 1),
                5 => name.replacen('i', "ı", 1),
                6 => name.replacen('e', "\\u0065", 1),
                7 => format!("\\u0000{name}"),
                8 => format!("{name} "),
                9 => name.replacen('m', "M", 1),
                _ => name,
            })
    })
}

fn value() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "1",
        "1.0",
        "-0",
        "1e400",
        "null",
        "true",
        "\"a\"",
        "\"\\u0061\"",
        "\"\"",
        "[]",
        "{}",
        "\"2.0\"",
        "\"tools/call\"",
        "\"Tools/Call\"",
        "\"ping\"",
        "\"tools\\/call\"",
        "\"x/own\"",
        "\"\u{2028}\"",
        "9007199254740993",
        "\"\\ud800\"",
        "\n1\r\n",
    ])
    .prop_map(str::to_owned);
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((name(), inner), 0..4).prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// Messages that are nearly, or quite, in order.
fn message() -> impl Strategy<Value = String> {
    let member = |name: &'static str, values: Vec<&'static str>| {
        let usual = prop::sample::select(values).prop_map(str::to_owned);
        prop_oneof![12 => usual, 1 => value()]
            .prop_map(move |value| (name.to_owned(), value))
            .boxed()
    };
    let version = member("jsonrpc", vec!["\"2.0\""]);
    let id = member("id", vec!["1", "\"a\"", "\"\\u0061\"", "-7"]);
    let method = member(
        "method",
        vec![
            "\"tools/call\"",
            "\"ping\"",
            "\"x/own\"",
            "\"tools\\/call\"",
        ],
    );
    let tool = member("name", vec!["\"a\"", "\"\\u0061\"", "\"rm -rf\""]);
    let more = prop::collection::vec((name(), value()), 0..2).boxed();
    let params = (tool, more.clone(), any::<bool>()).prop_map(|(tool, more, first)| {
        let mut members = more;
        let at = if first { 0 } else { members.len() };
        members.insert(at, tool);
        ("params".to_owned(), object(&members))
    });
    let asks = (version.clone(), id.clone(), method, params, more.clone()).prop_map(
        |(version, id, method, params, more)| [vec![version, id, method, params], more].concat(),
    );
    let answer = (version, id, value(), more).prop_map(|(version, id, result, more)| {
        [vec![version, id, ("result".to_owned(), result)], more].concat()
    });
    prop_oneof![3 => asks, 1 => answer]
        .prop_shuffle()
        .prop_map(|members: Vec<_>| object(&members))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn every_reader_agrees_with_ours(message in message(), to_server in any::<bool>()) {
        let direction = if to_server { Direction::ToServer } else { Direction::ToHost };
        agree(message.as_bytes(), direction);
    }

    #[test]
    fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), text in any::<String>()) {
        agree(&bytes, Direction::ToServer);
        agree(format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{{\"{text}\":1}}}}").as_bytes(), Direction::ToHost);
    }
}

/// The property says something only if much is taken and much is refused.
#[test]
fn the_messages_that_are_tried_are_both_taken_and_refused() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let taken = (0..1000)
        .filter(|_| {
            let text = message().new_tree(&mut runner).unwrap().current();
            agree(text.as_bytes(), Direction::ToServer)
        })
        .count();
    assert!((200..800).contains(&taken), "{taken} of 1000 were taken");
}
