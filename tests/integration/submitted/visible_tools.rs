//! Which tools a client may show: `Client::visible_tools`, and what a service offers.

use serde_json::json;
use sernixa::Client;
use sernixa::embedded::Engine;

use super::of;
use crate::support::reply::Reply;
use crate::support::server::Server;
use crate::support::service::{Says, Service};

#[test]
fn tools_are_visible_as_the_service_says_and_none_is_hidden_where_it_does_not_say() {
    let tools: Vec<String> = (0..450).map(|n| format!("mcp.tool-{n}")).collect();
    let tools: Vec<(&str, &str)> = tools.iter().map(|tool| (&**tool, "mcp:files")).collect();
    let server = Server::start(|request| {
        if request.path() != "/api/mcp/tools/visible" {
            return Reply::json(404, "{}");
        }
        let asked = request.json();
        let visible: Vec<bool> = asked["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["action_id"] != "mcp.tool-201" && tool["intent_id"] == "mcp:files")
            .collect();
        Reply::json(
            200,
            json!({"visible": visible, "policy_digest": ""}).to_string(),
        )
    });
    let client = of(&server);
    let visible = pollster::block_on(client.visible_tools(&tools))
        .unwrap()
        .unwrap();
    let hidden: Vec<usize> = (0..450).filter(|n| !visible[*n]).collect();
    assert_eq!((visible.len(), hidden), (450, vec![201]));
    assert_eq!(
        pollster::block_on(client.visible_tools(&[])).unwrap(),
        Some(Vec::new())
    );
    // Whom a delegated call acts as, the service is not asked.
    let delegation = sernixa::delegation::Delegation::new("agent", "token");
    let delegation = delegation.signing_secret("a secret of sixteen");
    let asked = delegation.run(client.visible_tools(&tools));
    assert_eq!(pollster::block_on(asked).unwrap(), None);
    client.close_blocking();

    let service = Service::full(Says::Pending);
    let client = service.client();
    assert_eq!(
        pollster::block_on(client.visible_tools(&tools)).unwrap(),
        None
    );
    client.close_blocking();
    let embedded = Client::embedded(Engine::in_memory()).unwrap();
    let visible = pollster::block_on(embedded.visible_tools(&tools)).unwrap();
    assert_eq!(visible, Some(vec![true; 450]));
    assert_eq!(
        pollster::block_on(embedded.offers("resume")).unwrap(),
        Some(true)
    );
    assert_eq!(
        pollster::block_on(embedded.offers("events")).unwrap(),
        Some(false)
    );
    embedded.close_blocking();
}
