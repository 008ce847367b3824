//! Members and methods whose names are there twice, or that another reader takes for others.

use super::{call, read, refused, refused_seven, to_host, to_server};
use crate::message::{Code, Direction, Id, Seems};

#[test]
fn a_member_that_is_there_twice_is_refused_at_any_depth_either_way() {
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","m\u0065thod":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":{"x":[{"y":{"z":1,"z":1}}]}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","_meta":{"p":1,"p":2}}}"#,
    ] {
        refused_seven(to_server(text), Code::Invalid);
        refused_seven(to_host(text), Code::Invalid);
    }
    let answer =
        r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"a","text":"b"}]}}"#;
    for direction in [Direction::ToServer, Direction::ToHost] {
        let refused = refused(read(answer, direction), Code::Invalid);
        assert_eq!(refused.seems, Seems::Answer);
        assert_eq!(refused.id, Some(Id::Number("7".into())));
        assert!(!refused.is_answered());
    }
}

#[test]
fn an_id_that_is_there_twice_is_nobodys() {
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"ID":8,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","Id":7,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id\u0000":7,"method":"ping"}"#,
    ] {
        let refused = refused(to_server(text), Code::Invalid);
        assert_eq!(refused.id, None, "{text}");
        assert!(refused.is_answered());
    }
}

#[test]
fn names_that_fold_to_one_are_refused_at_any_depth_of_a_request() {
    for (a, b) in [
        ("path", "Path"),
        ("path", "PATH"),
        ("path", r"path\u0000"),
        ("path", r"\u0000pa\u0000th"),
        (r"path\u0000", r"path\u0000\u0000"),
        ("size", "ſize"),
        ("key", "\u{212a}ey"),
        ("straße", "STRASSE"),
        ("straße", "stra\u{1e9e}e"),
        ("id", "ıd"),
        ("id", "İd"),
        ("İd", "ıd"),
        ("İd", "i\u{307}d"),
        ("σ", "ς"),
        ("ω", "\u{2126}"),
        ("å", "\u{212b}"),
        ("ﬁle", "file"),
        ("ꭰ", "Ꭰ"),
        (r"p\u0061th", "PATH"),
    ] {
        for params in [
            format!(r#"{{"name":"t","{a}":1,"{b}":2}}"#),
            format!(r#"{{"name":"t","arguments":{{"{b}":1,"{a}":2}}}}"#),
            format!(
                r#"{{"name":"t","arguments":{{"deep":[[{{"{a}":{{}},"other":0,"{b}":2}}]]}}}}"#
            ),
            format!(r#"{{"name":"t","_meta":{{"{a}":1,"{b}":2}}}}"#),
        ] {
            refused_seven(call(&params), Code::Invalid);
            // A server's request is one, too.
            let asks = format!(
                r#"{{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{params}}}"#
            );
            refused_seven(to_host(&asks), Code::Invalid);
        }
        let notification = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"x":{{"{a}":1,"{b}":2}}}}}}"#
        );
        let refused = refused(to_server(&notification), Code::Invalid);
        assert_eq!(refused.seems, Seems::Notification);
        assert!(!refused.is_answered());
    }
}

#[test]
fn a_name_with_u0000_is_refused_alone() {
    // Some readers leave it out, others stop there.
    for name in [r"\u0000", r"x\u0000", r"x\u0000y", r"name\u0000x"] {
        for params in [
            format!(r#"{{"name":"t","{name}":1}}"#),
            format!(r#"{{"name":"t","arguments":{{"x":[{{"{name}":1}}]}}}}"#),
        ] {
            refused_seven(call(&params), Code::Invalid);
            let asks = format!(
                r#"{{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{params}}}"#
            );
            refused_seven(to_host(&asks), Code::Invalid);
        }
        let answer = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"{name}":1}}}}"#);
        refused(to_host(&answer), Code::Invalid);
        let below = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"x":{{"{name}":1}}}}}}"#);
        to_host(&below).unwrap();
    }
}

#[test]
fn answers_and_logs_may_hold_such_names_where_nobody_acts_on_them() {
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"result":{"structuredContent":{"id":1,"ID":2}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"t","inputSchema":{"properties":{"a":{},"A":{}}}}]}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"","data":{"a":1,"A":2}}}"#,
    ] {
        to_host(text).unwrap();
        to_server(text).unwrap();
    }
    to_host(
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":{"a":1,"A":2}}}"#,
    )
    .unwrap();
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"result":{},"x":1,"X":2}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"own":1,"Own":2}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"_meta":{"own":1,"Own":2}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"","own":1,"oWn":2}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"own":1,"OWN":2}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"_meta":{"own":1,"OWN":2}}}"#,
    ] {
        refused(to_host(text), Code::Invalid);
    }
}

#[test]
fn a_name_that_only_looks_like_one_that_matters_is_refused_alone() {
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"Method":"tools/call","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"METHOD":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","Params":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","param\u0000s":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","paramſ":{}}"#,
        r#"{"JSONRPC":"2.0","id":7,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","Name":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"nAme":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","argument\u017f":{}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","Arguments":{}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","tasK":{}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","_META":{}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","_meta":{"progresstoken":1}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","_meta":{"progressToKen":1}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","_meta":{"io.modelcontextprotocol/protocolversion":""}}}"#,
    ] {
        refused_seven(to_server(text), Code::Invalid);
    }
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"Result":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"Tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"iserror":true}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"resulttype":"complete"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"_meta":{"Sernixa/decision":{}}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"Code":1,"message":""}}"#,
    ] {
        refused(to_host(text), Code::Invalid);
        refused(to_server(text), Code::Invalid);
    }
}

#[test]
fn a_method_that_only_looks_like_one_is_refused() {
    for method in [
        "Tools/Call",
        "TOOLS/CALL",
        r"tools/call\u0000",
        r"\u0000tools/call",
        r"tools/call\u0000x",
        r"x/own\u0000",
        r"tool\u017f/call",
        "toolſ/call",
        "Ping",
        "logging/setlevel",
        "tasKs/get",
        "tas\u{212a}s/get",
        "İnitialize",
        "ınıtıalıze",
    ] {
        refused_seven(
            to_server(&format!(
                r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{{"name":"a"}}}}"#
            )),
            Code::Method,
        );
        let notification = format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#);
        refused(to_server(&notification), Code::Method);
        refused(to_host(&notification), Code::Method);
    }
}
