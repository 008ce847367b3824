//! `mcp_metadata.json`: the metadata of an MCP tool call.

use serde_json::Value;
use sernixa_protocol::canonicalize;
use sernixa_protocol::mcp::{Invocation, metadata, metadata_json};

use super::{cases, member, object, optional, text, value};

#[test]
fn every_mcp_metadata_is_the_references() {
    let mut values = 0;
    for case in cases(include_str!("../mcp_metadata.json"), 60) {
        let fields = member(case, "fields");
        let (server, tool) = (text(fields, "server_name"), text(fields, "tool_name"));
        let [toolset, client, session, request] =
            ["toolset_id", "client_name", "session_id", "request_id"].map(|f| optional(fields, f));
        let hints: Vec<_> = member(fields, "resource_hints")
            .elements()
            .filter_map(|hint| hint.as_str())
            .collect();
        let hints: Vec<&str> = hints.iter().map(AsRef::as_ref).collect();
        let invocation = Invocation {
            server_name: &server,
            tool_name: &tool,
            toolset_id: toolset.as_deref(),
            client_name: client.as_deref(),
            session_id: session.as_deref(),
            request_id: request.as_deref(),
            resource_hints: &hints,
        };
        let (arguments, expected) = (member(case, "arguments"), member(case, "metadata"));

        let made = metadata_json(&invocation, Some(arguments.raw())).unwrap();
        assert_eq!(canonicalize(&made), canonicalize(expected.raw()));
        assert_eq!(
            made.replace(' ', ""),
            expected.raw().replace(' ', ""),
            "in the same order"
        );

        let given = if arguments.is_null() {
            Some(None)
        } else {
            object_if_it_fits(case)
        };
        if let (Some(given), Some(expected)) = (given, object(expected)) {
            values += 1;
            assert_eq!(metadata(&invocation, given.as_ref()), expected);
        }
    }
    assert_eq!(values, 60, "cases that fit a Value");
}

#[allow(clippy::option_option, reason = "does not fit, is null, is an object")]
fn object_if_it_fits(
    case: sernixa_protocol::json::Node<'_>,
) -> Option<Option<serde_json::Map<String, Value>>> {
    value(member(case, "arguments")).map(|value| value.as_object().cloned())
}

#[test]
fn arguments_that_are_no_object_are_refused() {
    for arguments in ["[]", "1", "{", r#"{"a":1,"a":2}"#] {
        assert!(
            metadata_json(&Invocation::default(), Some(arguments)).is_err(),
            "{arguments}"
        );
    }
}
