//! The members that make an object a message (JSON-RPC 2.0; MCP, basic: messages).

use std::ops::Range;

use sernixa_protocol::json::Node;

use super::{Code, Id, Kind, Refused, spec};

/// What the object is, and where its id stands.
pub(super) fn read(root: Node<'_>) -> Result<(Kind, Option<Range<usize>>), Refused> {
    if !root.get("jsonrpc").is_some_and(|version| version.is("2.0")) {
        return Err(Refused::invalid("`jsonrpc` must be \"2.0\""));
    }
    let given = root.get("id");
    let place = given.map(|id| id.range());
    let id = match given.filter(|id| !id.is_null()) {
        None => None,
        Some(id) => Some(Id::read(id).ok_or_else(|| {
            Refused::invalid("`id` must be a string of at most 256 bytes or an integer below 2^53")
        })?),
    };
    let (result, error) = (root.get("result"), root.get("error"));
    let kind = match (root.get("method"), result, error) {
        (Some(method), None, None) => {
            let method = method
                .as_str()
                .ok_or_else(|| Refused::invalid("`method` must be a string"))?;
            let kind = asking(method.into(), id, given.is_some())?;
            params(root, &kind)?;
            kind
        }
        (None, Some(_), None) if id.is_some() => Kind::Answer {
            id,
            is_error: false,
        },
        (None, None, Some(error)) if error.is_object() => Kind::Answer { id, is_error: true },
        (None, None, Some(_)) => return Err(Refused::invalid("`error` must be an object")),
        _ => {
            return Err(Refused::invalid(
                "a message has a `method`, or an `id` and either `result` or `error`",
            ));
        }
    };
    Ok((kind, place))
}

/// A message with a method.
fn asking(method: Box<str>, id: Option<Id>, has_id: bool) -> Result<Kind, Refused> {
    if method.contains('\0') || spec::is_look_alike(&method) {
        return Err(Refused::new(
            Code::Method,
            "`method` only looks like one of the specification's",
        ));
    }
    match (id, spec::is_notification(&method)) {
        (None, _) if has_id => Err(Refused::invalid("the `id` of a request must not be null")),
        (None, Some(false)) => Err(Refused::invalid("a request needs an `id`")),
        (Some(_), Some(true)) => Err(Refused::invalid("a notification has no `id`")),
        (Some(id), _) => Ok(Kind::Request { id, method }),
        (None, _) => Ok(Kind::Notification { method }),
    }
}

/// The parts of `params` that the proxy acts on, or that the server must not understand otherwise.
fn params(root: Node<'_>, kind: &Kind) -> Result<(), Refused> {
    let wrong = |reason| Err(Refused::new(Code::Params, reason));
    let calls_tool = matches!(kind, Kind::Request { method, .. } if &**method == "tools/call");
    // `null` is how some clients say that there are none.
    let Some(params) = root.get("params").filter(|params| !params.is_null()) else {
        return if calls_tool {
            wrong("`tools/call` needs a string `name` in `params`")
        } else {
            Ok(())
        };
    };
    if !params.is_object() {
        return wrong("`params` must be an object");
    }
    if calls_tool {
        let Some(name) = params.get("name").and_then(|name| name.as_str()) else {
            return wrong("`tools/call` needs a string `name` in `params`");
        };
        if name.contains('\0') {
            return wrong("the `name` of `tools/call` must not have U+0000");
        }
        let arguments = params.get("arguments");
        if arguments.is_some_and(|arguments| !arguments.is_object() && !arguments.is_null()) {
            return wrong("the `arguments` of `tools/call` must be an object");
        }
    }
    let Some(meta) = params.get("_meta").filter(|meta| !meta.is_null()) else {
        return Ok(());
    };
    if !meta.is_object() {
        return wrong("`_meta` must be an object");
    }
    let token = meta.get("progressToken").filter(|token| !token.is_null());
    if token.is_some_and(|token| Id::read(token).is_none()) {
        return wrong(
            "`progressToken` must be a string of at most 256 bytes or an integer below 2^53",
        );
    }
    Ok(())
}
