//! A host that dispatches MCP tools itself, with a gate in front of each call.
//!
//! `McpToolBoundary` sends the digest of the arguments and no value; `mcp_call_gate` asks through the
//! service's own MCP gate, which decides on the arguments and therefore gets them. Either way the
//! tool runs here, after a yes. (A whole MCP session goes through `sernixa mcp proxy` instead.)
//!
//! ```console
//! $ cargo run --example mcp_boundary
//! read /srv/report.csv: 42 rows
//! asked: mcp.files.delete_file, arguments digested
//! delete /srv/report.csv: done
//! asked: mcp.files.delete_file, arguments digested
//! delete /etc: rejected: a reviewer said no: seen enough…
//! asked: refund, arguments {…}
//! refund 7: done
//! ```

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use sernixa::boundary::{McpInvocation, McpToolBoundary, mcp_call_gate};
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Client, Error, OperationClass, RiskLevel};

/// Where an MCP host would talk to the server.
fn dispatch(tool: &str) -> &'static str {
    match tool {
        "read_file" => "42 rows",
        _ => "done",
    }
}

fn show(what: &str, called: Result<&'static str, Error>) {
    match called {
        Ok(result) => println!("{what}: {result}"),
        Err(refusal) => println!("{what}: {refusal}"),
    }
}

/// Stands in for a person, who lets one deletion pass.
fn review(asked: &Record) -> Decision {
    static DELETIONS: AtomicU32 = AtomicU32::new(0);

    let metadata: Value = serde_json::from_str(asked.metadata()).unwrap_or_default();
    let arguments = match metadata.get("mcp_arguments") {
        None => "digested".to_owned(),
        Some(values) => values.to_string(),
    };
    println!("asked: {}, arguments {arguments}", asked.action_id());
    if asked.action_id().ends_with("delete_file") && DELETIONS.fetch_add(1, Ordering::Relaxed) > 0 {
        return Decision::reject("seen enough");
    }
    Decision::approve()
}

fn main() -> Result<(), Error> {
    let client = Client::builder()
        .engine(Engine::in_memory())
        .reviewer(review)
        .build()?;
    let file = |tool: &str, path: &str| {
        McpInvocation::new("files", tool)
            .client_name("example-host")
            .arguments([("path".to_owned(), json!(path))])
    };

    let files = McpToolBoundary::new(&client, "keep-files-tidy");
    let reads = files.clone().class(OperationClass::Read);
    let call = file("read_file", "/srv/report.csv");
    show(
        "read /srv/report.csv",
        reads.invoke(&call, || Ok(dispatch("read_file"))),
    );

    let deletions = files.risk(RiskLevel::High).class(OperationClass::Delete);
    for path in ["/srv/report.csv", "/etc"] {
        let deleted = deletions.invoke(&file("delete_file", path), || Ok(dispatch("delete_file")));
        show(&format!("delete {path}"), deleted);
    }

    let refunds = mcp_call_gate(&client, "refund-order").class(OperationClass::Financial);
    let call = McpInvocation::new("shop", "refund")
        .toolset_id("shop-tools")
        .arguments_json(r#"{"order": 7, "cents": 700}"#);
    show("refund 7", refunds.invoke(&call, || Ok(dispatch("refund"))));

    client.close_blocking();
    Ok(())
}
