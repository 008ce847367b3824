//! An rmcp server whose tools ask before they run, and a client that calls them, in one process.
//!
//! A real server would be served on stdio: `server.serve(rmcp::transport::stdio())`, with its client
//! from the environment (`SERNIXA_BASE_URL`), and a person would decide.
//!
//! ```console
//! $ cargo run -p sernixa-mcp --example mcp_server
//! list: monday, tuesday
//! reviewer: high delete "backups: prune(name)"
//! prune monday: pruned monday
//! reviewer: high delete "backups: prune(name)"
//! prune tuesday: Not run: a person refused this call: one prune a day. (Approval apr_…)…
//! tuesday is still there: true
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::{ServerHandler, ServiceExt, schemars, tool, tool_handler, tool_router};
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Client, RiskLevel};
use sernixa_mcp::Governed;

#[derive(Clone)]
struct Backups {
    names: Arc<Mutex<Vec<String>>>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Backup {
    name: String,
}

#[tool_router]
impl Backups {
    #[tool(description = "Lists the backups", annotations(read_only_hint = true))]
    fn list(&self) -> String {
        self.lock().join(", ")
    }

    #[tool(description = "Deletes a backup", annotations(destructive_hint = true))]
    fn prune(&self, Parameters(Backup { name }): Parameters<Backup>) -> String {
        self.lock().retain(|kept| *kept != name);
        format!("pruned {name}")
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.names
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[tool_handler]
impl ServerHandler for Backups {}

/// Stands in for a person, who lets one backup go.
fn reviewer() -> impl Fn(&Record) -> Decision + Send + Sync {
    let asked = AtomicBool::new(false);
    move |record| {
        println!(
            "reviewer: {} {} {:?}",
            record.risk_level(),
            record.operation_class(),
            record.summary().unwrap_or_default()
        );
        if asked.swap(true, Ordering::Relaxed) {
            Decision::reject("one prune a day")
        } else {
            Decision::approve()
        }
    }
}

fn text(result: &CallToolResult) -> &str {
    result
        .content
        .first()
        .and_then(|block| block.as_text())
        .map_or("", |text| &text.text)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder()
        .engine(Engine::in_memory())
        .reviewer(reviewer())
        .build()?;
    let backups = Backups {
        names: Arc::new(Mutex::new(vec!["monday".into(), "tuesday".into()])),
    };
    let server = Governed::new("backups", backups.clone())
        .client(&client)
        // This program's own tools: what they say of themselves is true.
        .trust_annotations()
        .tool("prune", |tool| tool.risk(RiskLevel::High));

    let (ours, theirs) = tokio::io::duplex(4096);
    let serving = tokio::spawn(async move {
        server
            .serve(theirs)
            .await?
            .waiting()
            .await
            .map_err(Box::<dyn std::error::Error + Send + Sync>::from)
    });
    let host = ().serve(ours).await?;

    let listed = host.call_tool(CallToolRequestParams::new("list")).await?;
    println!("list: {}", text(&listed));
    for name in ["monday", "tuesday"] {
        let arguments = [("name".to_owned(), name.into())].into_iter().collect();
        let call = CallToolRequestParams::new("prune").with_arguments(arguments);
        println!("prune {name}: {}", text(&host.call_tool(call).await?));
    }
    let kept = backups.lock().contains(&"tuesday".to_owned());
    println!("tuesday is still there: {kept}");

    host.cancel().await?;
    serving.await?.map_err(|error| error.to_string())?;
    client.close().await;
    Ok(())
}
