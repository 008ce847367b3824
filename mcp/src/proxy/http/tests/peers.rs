//! Real peers: a client and a server of rmcp's, in both generations.

use std::sync::Arc;

use axum::Router;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ProgressNotificationParam, ProtocolVersion,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RequestContext, RunningService,
};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{
    StreamableHttpClientTransport, StreamableHttpServerConfig, StreamableHttpService,
};
use rmcp::{
    ClientHandler, ErrorData, RoleClient, RoleServer, ServerHandler, tool, tool_handler,
    tool_router,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::rig::{Fate, Proxy, soon};

#[derive(Clone)]
struct Upstream;

#[derive(serde::Deserialize, rmcp::schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Text {
    text: String,
}

#[tool_router]
impl Upstream {
    #[tool]
    fn echo(Parameters(Text { text }): Parameters<Text>) -> String {
        text
    }

    /// Tells how far it is, three times.
    #[tool]
    async fn steps(&self, context: RequestContext<RoleServer>) -> Result<String, ErrorData> {
        let token = context.meta.get_progress_token();
        for step in 1..=3 {
            if let Some(token) = token.clone() {
                let told = ProgressNotificationParam::new(token, f64::from(step));
                let told = context.peer.notify_progress(told).await;
                told.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
            }
        }
        Ok("done".to_owned())
    }
}

#[tool_handler]
impl ServerHandler for Upstream {}

async fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let service = StreamableHttpService::new(
        || Ok(Upstream),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let router = Router::new().nest_service("/mcp", service);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A client that keeps what it is told.
struct Listener(mpsc::UnboundedSender<f64>);

impl ClientHandler for Listener {
    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let _ = self.0.send(progress.progress);
    }
}

async fn connect(
    url: &str,
    lifecycle: ClientLifecycleMode,
) -> (
    RunningService<RoleClient, Listener>,
    mpsc::UnboundedReceiver<f64>,
) {
    let (tell, told) = mpsc::unbounded_channel();
    let transport = StreamableHttpClientTransport::from_uri(url);
    let client = Listener(tell).serve_with_lifecycle(transport, lifecycle);
    (soon(client).await.unwrap(), told)
}

fn text_of(result: &CallToolResult) -> &str {
    &result.content[0].as_text().unwrap().text
}

async fn talks(lifecycle: ClientLifecycleMode) {
    let mut proxy = Proxy::to(&upstream().await).await;
    let (client, mut progress) = connect(&proxy.url, lifecycle).await;
    let tools = soon(client.list_all_tools()).await.unwrap();
    assert_eq!(tools.len(), 2);
    let mut arguments = serde_json::Map::new();
    arguments.insert("text".to_owned(), "Grüezi".into());
    let echo = CallToolRequestParams::new("echo").with_arguments(arguments);
    let said = soon(client.call_tool(echo)).await.unwrap();
    assert_eq!(text_of(&said), "Grüezi");
    assert_eq!(proxy.fate().await, Fate::Answered);
    let done = soon(client.call_tool(CallToolRequestParams::new("steps")))
        .await
        .unwrap();
    assert_eq!(text_of(&done), "done");
    for step in 1..=3 {
        assert_eq!(soon(progress.recv()).await, Some(f64::from(step)));
    }
    let unknown = soon(client.call_tool(CallToolRequestParams::new("unknown"))).await;
    assert!(unknown.is_err());
    soon(client.cancel()).await.unwrap();
}

#[tokio::test]
async fn rmcp_talks_to_rmcp_in_a_session() {
    talks(ClientLifecycleMode::Initialize).await;
}

#[tokio::test]
async fn rmcp_talks_to_rmcp_without_sessions() {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    talks(ClientLifecycleMode::Discover { preferred_versions }).await;
}
