//! What is submitted for a call.

use sernixa::Action;

use super::call::Call;
use super::classify::Facts;

pub(super) fn of(server: &str, call: &Call, facts: &Facts, host: Option<&str>) -> Action {
    let id = sernixa_protocol::action_id("mcp", &call.name);
    let mut metadata = vec![("mcp_server", server), ("mcp_tool", call.name.as_str())];
    metadata.extend(host.map(|host| ("mcp_client", host)));
    Action::new(format!("mcp:{server}"))
        .risk(facts.risk)
        .class(facts.class.clone())
        .sensitivity(facts.sensitivity.clone())
        .systems([server])
        .action_id(id.clone())
        .function(id)
        .metadata(metadata)
        .arguments(call.arguments.clone())
}
