//! Why a message is not taken, and what its sender is told.

use super::Id;

/// The error codes of JSON-RPC and MCP that the proxy answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// -32700: not JSON.
    Parse,
    /// -32600: JSON, and no message.
    Invalid,
    /// -32601: a method that is not known.
    Method,
    /// -32602: its parameters are wrong.
    Params,
    /// -32603: the proxy's own fault, or the server's that went away.
    Internal,
}

impl Code {
    /// The number on the wire.
    pub const fn number(self) -> i32 {
        match self {
            Self::Parse => -32_700,
            Self::Invalid => -32_600,
            Self::Method => -32_601,
            Self::Params => -32_602,
            Self::Internal => -32_603,
        }
    }
}

/// A message that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What kind of fault it is.
    pub code: Code,
    /// The request's id, where it could be read.
    pub id: Option<Id>,
    /// What is wrong; nothing of the message.
    pub reason: String,
}

impl Refused {
    pub(crate) fn parse(reason: impl Into<String>) -> Self {
        Self::new(Code::Parse, reason)
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::new(Code::Invalid, reason)
    }

    fn new(code: Code, reason: impl Into<String>) -> Self {
        Self {
            code,
            id: None,
            reason: reason.into(),
        }
    }

    /// The error as a message to whoever sent the refused one.
    pub fn to_message(&self) -> String {
        let id = self
            .id
            .as_ref()
            .map_or_else(|| "null".to_owned(), Id::to_json);
        let text = serde_json::Value::from(self.reason.as_str());
        let code = self.code.number();
        format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{text}}}}}"#)
    }
}
