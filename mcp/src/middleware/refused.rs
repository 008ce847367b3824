//! A refusal as rmcp's types: for the middleware, and for `#[sernixa::intercept(refused = …)]` on a
//! tool.

use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, ErrorCode, MetaObject, Tool};
use sernixa::Error;

use crate::decision::{Decision, KEY, of_error};

/// The code of [`refused_error`], outside the range that JSON-RPC and MCP keep for themselves.
pub const REFUSED: ErrorCode = ErrorCode(-31_403);

/// What a tool returns that [`refused_result`] can make: a tool result, alone or as the `Ok` of a
/// `Result`.
pub trait RefusedResult: sealed::Sealed {
    #[doc(hidden)]
    fn of(result: CallToolResult) -> Self;
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for CallToolResult {}
impl sealed::Sealed for CallToolResponse {}
impl<T: RefusedResult, E> sealed::Sealed for Result<T, E> {}

impl RefusedResult for CallToolResult {
    fn of(result: CallToolResult) -> Self {
        result
    }
}

impl RefusedResult for CallToolResponse {
    fn of(result: CallToolResult) -> Self {
        result.into()
    }
}

impl<T: RefusedResult, E> RefusedResult for Result<T, E> {
    fn of(result: CallToolResult) -> Self {
        Ok(T::of(result))
    }
}

/// The refusal as a tool result, which the model that called gets to read: `isError`, a text that says
/// why, and the reason for programs in `_meta["sernixa/decision"]`.
///
/// For `#[sernixa::intercept(refused = sernixa_mcp::refused_result)]` on a tool that returns
/// [`CallToolResult`] or a `Result` of it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "`refused = …` hands the error over"
)]
pub fn refused_result<R: RefusedResult>(error: Error) -> R {
    let (text, decision) = of_error(&error);
    R::of(result(&text, &decision, None))
}

/// The refusal as a protocol error with the code [`REFUSED`], the reason for programs in its data.
/// Clients show it less well than a [`refused_result`]; it is for a tool that returns something else,
/// such as `Result<Json<T>, ErrorData>`.
///
/// # Errors
/// Always.
#[expect(
    clippy::needless_pass_by_value,
    reason = "`refused = …` hands the error over"
)]
pub fn refused_error<T>(error: Error) -> Result<T, ErrorData> {
    let (text, decision) = of_error(&error);
    let data = serde_json::json!({ KEY: decision.to_json() });
    Err(ErrorData::new(REFUSED, text, Some(data)))
}

/// A tool result that says why the tool did not run. Some clients hold structured content, that of an
/// error too, against the output schema: it is there only for a `tool` that is known to have none.
pub(super) fn result(text: &str, decision: &Decision<'_>, tool: Option<&Tool>) -> CallToolResult {
    let decision = decision.to_json();
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    if tool.is_some_and(|tool| tool.output_schema.is_none()) {
        result.structured_content = Some(decision.clone());
    }
    let mut meta = MetaObject::new();
    meta.0.insert(KEY.to_owned(), decision);
    result.meta = Some(meta);
    result
}
