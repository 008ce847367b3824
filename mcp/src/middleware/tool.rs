//! Finding a tool's own description.

use rmcp::model::{PaginatedRequestParams, Tool};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};

/// The most pages of tools that are looked through.
const PAGES: usize = 100;

/// The tool as its server describes it: by `get_tool`, which `#[tool_handler]` makes, else from the list
/// of tools. `None` for a tool that the server does not know.
pub(super) async fn find<H: ServerHandler>(
    handler: &H,
    name: &str,
    context: &RequestContext<RoleServer>,
) -> Option<Tool> {
    if let Some(tool) = handler.get_tool(name) {
        return Some(tool);
    }
    let mut page = None;
    for _ in 0..PAGES {
        let listed = handler.list_tools(page, context.clone()).await.ok()?;
        if let Some(tool) = listed.tools.into_iter().find(|tool| tool.name == name) {
            return Some(tool);
        }
        let cursor = listed.next_cursor?;
        page = Some(PaginatedRequestParams::default().with_cursor(Some(cursor)));
    }
    None
}
