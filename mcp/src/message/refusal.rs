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

/// What a refused message seems to be. Nothing else of it is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seems {
    /// It asks, and has an id.
    Request,
    /// It asks, and has none. Its sender gets no answer.
    Notification,
    /// It answers a request of the other side, which still waits.
    Answer,
    /// That cannot be told.
    Unclear,
}

/// A message that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What kind of fault it is.
    pub code: Code,
    /// What it seems to be.
    pub seems: Seems,
    /// Its id, where that could be read: of a request, its sender's; of an answer, the id of the request
    /// that it answers.
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

    pub(crate) fn new(code: Code, reason: impl Into<String>) -> Self {
        Self {
            code,
            seems: Seems::Unclear,
            id: None,
            reason: reason.into(),
        }
    }

    /// Refuses a message of more than [`LONGEST`](super::LONGEST) bytes, for a transport that did not
    /// even keep it.
    pub fn too_long() -> Self {
        Self::invalid(format!("a message has at most {} bytes", super::LONGEST))
    }

    /// Whether its sender is told: notifications and answers are never answered (JSON-RPC 2.0, sections
    /// 4.1 and 5).
    pub fn is_answered(&self) -> bool {
        matches!(self.seems, Seems::Request | Seems::Unclear)
    }

    /// The error as a message to whoever sent the refused one. Without an id that could be read it has
    /// none (2025-11-25 and 2026-07-28, basic: error responses).
    pub fn to_message(&self) -> String {
        let id = self
            .id
            .as_ref()
            .filter(|_| self.seems == Seems::Request)
            .map(|id| format!(r#""id":{},"#, id.to_json()))
            .unwrap_or_default();
        let text = serde_json::Value::from(self.reason.as_str());
        let code = self.code.number();
        format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":{code},"message":{text}}}}}"#)
    }
}
