//! What every request shares.

use std::sync::Arc;

use axum::response::Response;
use sernixa_engine::{Answer, Engine, Moment, Principal};
use tokio::sync::Semaphore;

use crate::closing::Closing;
use crate::config::Config;
use crate::events::Hub;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::moments::Moments;
use crate::policies::Reloader;
use crate::pool::Pool;
use crate::rates::Rates;
use crate::reply;

/// What every request shares. Cheap to clone.
pub(crate) type App = Arc<Shared>;

/// The parts of a running service.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) engine: Engine,
    pub(crate) moments: Moments,
    pub(crate) pool: Pool,
    /// Places for those who verify bundles: their bodies are large.
    pub(crate) bundles: Semaphore,
    pub(crate) rates: Rates,
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    /// The folder of policies, if there is one.
    pub(crate) policies: Option<Arc<Reloader>>,
    pub(crate) hub: Hub,
    /// Whoever streams or loops ends when it says so.
    pub(crate) closing: Closing,
}

impl Shared {
    /// Asks the engine on a thread that may block, and answers with what it says.
    pub(crate) async fn ask(
        &self,
        caller: Principal,
        ask: impl FnOnce(&Engine, &Principal, &Moment) -> Answer + Send + 'static,
    ) -> Response {
        let (engine, moment) = (self.engine.clone(), self.moments.now());
        match self.pool.run(move || ask(&engine, &caller, &moment)).await {
            Ok(answer) => reply::answer(answer),
            Err(busy) => busy.into(),
        }
    }
}
