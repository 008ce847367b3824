//! What is taken, what is refused, and what its sender is told.

mod envelope;
mod measured;
mod methods;
mod names;
mod text;

use bytes::Bytes;

use crate::message::{Code, Direction, Id, Message, Refused, Seems};

fn read(text: impl Into<Bytes>, direction: Direction) -> Result<Message, Refused> {
    Message::read(text.into(), direction)
}

fn to_server(text: &str) -> Result<Message, Refused> {
    read(text.to_owned(), Direction::ToServer)
}

fn to_host(text: &str) -> Result<Message, Refused> {
    read(text.to_owned(), Direction::ToHost)
}

fn call(params: &str) -> Result<Message, Refused> {
    to_server(&format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#
    ))
}

#[track_caller]
fn refused(read: Result<Message, Refused>, code: Code) -> Refused {
    let refused = read.expect_err("this must not be taken");
    assert_eq!(refused.code, code, "{refused:?}");
    refused
}

/// A request that is refused, and answered under its id.
#[track_caller]
fn refused_seven(read: Result<Message, Refused>, code: Code) {
    let refused = refused(read, code);
    assert_eq!(refused.id, Some(Id::Number("7".into())), "{refused:?}");
    assert_eq!(refused.seems, Seems::Request);
    assert!(
        refused
            .to_message()
            .starts_with(r#"{"jsonrpc":"2.0","id":7,"error":"#)
    );
}
