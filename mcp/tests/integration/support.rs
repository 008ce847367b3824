//! A governed server and its client in one process, and whoever decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{CallToolRequestParams, ProgressNotificationParam};
use rmcp::service::{NotificationContext, RunningService};
use rmcp::{ClientHandler, RoleClient, RoleServer, ServerHandler, ServiceExt};
use rmcp::{tool, tool_handler, tool_router};
use sernixa::Client;
use sernixa::embedded::engine::{Change, ChangeKind, Subscription};
use sernixa::embedded::{Decision, Engine, Record};
use tokio::sync::mpsc;

/// Tools that count how often they ran.
#[derive(Clone, Default)]
pub struct Files {
    ran: Arc<AtomicUsize>,
}

#[derive(serde::Deserialize, serde::Serialize, rmcp::schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Backup {
    pub name: String,
}

#[tool_router]
impl Files {
    pub fn ran(&self) -> usize {
        self.ran.load(Ordering::SeqCst)
    }

    #[tool(annotations(read_only_hint = true))]
    fn list(&self) -> String {
        self.ran.fetch_add(1, Ordering::SeqCst);
        "a, b".to_owned()
    }

    #[tool(annotations(destructive_hint = true, idempotent_hint = false))]
    fn prune(&self, Parameters(backup): Parameters<Backup>) -> String {
        self.ran.fetch_add(1, Ordering::SeqCst);
        format!("pruned {}", backup.name)
    }

    #[tool]
    fn find(&self, Parameters(backup): Parameters<Backup>) -> Json<Backup> {
        self.ran.fetch_add(1, Ordering::SeqCst);
        Json(backup)
    }

    #[tool]
    fn fail(&self) -> Result<String, String> {
        self.ran.fetch_add(1, Ordering::SeqCst);
        Err("no space left".to_owned())
    }
}

#[tool_handler]
impl ServerHandler for Files {}

/// An engine in this process, with what happens to its approvals.
pub struct Decides {
    pub client: Client,
    changes: mpsc::UnboundedReceiver<Change>,
    _subscription: Subscription,
}

impl Decides {
    pub fn by(review: impl Fn(&Record) -> Decision + Send + Sync + 'static) -> Self {
        let engine = Engine::in_memory();
        let (told, changes) = mpsc::unbounded_channel();
        let subscription = engine.subscribe(Box::new(move |change| {
            let _ = told.send(change.clone());
        }));
        let client = Client::builder()
            .engine(engine)
            .reviewer(review)
            .build()
            .unwrap();
        Self {
            client,
            changes,
            _subscription: subscription,
        }
    }

    /// The next change of this kind.
    pub async fn next(&mut self, kind: ChangeKind) -> Record {
        loop {
            let change = self.changes.recv().await.unwrap();
            if change.kind() == kind {
                return change.record();
            }
        }
    }

    /// How the next one that ends has ended.
    pub async fn outcome(&mut self) -> String {
        let record = self.next(ChangeKind::Outcome).await;
        record.execution().as_str().to_owned()
    }
}

/// A client that keeps the progress it is told.
pub struct Host {
    told: mpsc::UnboundedSender<ProgressNotificationParam>,
}

impl ClientHandler for Host {
    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let _ = self.told.send(progress);
    }
}

pub struct Connected {
    pub host: RunningService<RoleClient, Host>,
    pub progress: mpsc::UnboundedReceiver<ProgressNotificationParam>,
    pub server: tokio::task::JoinHandle<()>,
}

/// Connects a client to this server.
pub async fn connect<S: rmcp::Service<RoleServer>>(server: S) -> Connected {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = tokio::spawn(async move {
        server.serve(theirs).await.unwrap().waiting().await.unwrap();
    });
    let (told, progress) = mpsc::unbounded_channel();
    let host = Host { told }.serve(ours).await.unwrap();
    Connected {
        host,
        progress,
        server,
    }
}

pub fn call(tool: &'static str, arguments: &serde_json::Value) -> CallToolRequestParams {
    CallToolRequestParams::new(tool).with_arguments(arguments.as_object().unwrap().clone())
}
