//! Which path leads where, and what is told of each in the `OpenAPI` document.

mod account;
mod actions;
mod approvals;
mod audit;
mod delegations;
mod events;
mod evidence;
mod memory;
mod state;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::Request;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use sernixa_engine::{Answer, Engine, Moment, Principal};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{App, Shared};
use crate::body;
use crate::door::door;
use crate::openapi;
use crate::outer::outer;
use crate::reply::{No, Word, refuse};

/// The whole service.
pub(crate) fn router(app: App) -> Router {
    let (router, document) = OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(state::health))
        .routes(routes!(state::ready))
        .routes(routes!(state::metrics))
        .routes(routes!(actions::execute))
        .routes(routes!(actions::call_tool))
        .routes(routes!(actions::visible_tools))
        .routes(routes!(approvals::pending))
        .routes(routes!(approvals::outcomes))
        .routes(routes!(approvals::record))
        .routes(routes!(approvals::decision))
        .routes(routes!(approvals::claim))
        .routes(routes!(approvals::withdraw))
        .routes(routes!(events::stream))
        .routes(routes!(delegations::create, delegations::list))
        .routes(routes!(delegations::revoke))
        .routes(routes!(memory::list))
        .routes(routes!(memory::forget))
        .routes(routes!(audit::events))
        .routes(routes!(audit::head))
        .routes(routes!(audit::verify))
        .routes(routes!(evidence::approval))
        .routes(routes!(evidence::time_range))
        .routes(routes!(evidence::organisation))
        .routes(routes!(evidence::verify))
        .routes(routes!(account::whoami))
        .routes(routes!(account::current_plan))
        .routes(routes!(account::installation))
        .split_for_parts();
    let document = openapi::finish(document);
    router
        .route(
            "/api/openapi.json",
            get(move || async move { openapi::answer(&document) }),
        )
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(from_fn_with_state(App::clone(&app), door))
        .layer(from_fn_with_state(App::clone(&app), outer))
        .with_state(app)
}

async fn nowhere() -> Response {
    refuse(Word::NotFound, "there is no such path here")
}

async fn not_so() -> Response {
    refuse(Word::MethodNotAllowed, "this path takes another method")
}

/// A name in a path. One that cannot be read names nothing.
fn name(path: Result<Path<String>, PathRejection>) -> String {
    path.map(|Path(name)| name).unwrap_or_default()
}

/// A query that breaks a rule.
impl From<QueryRejection> for No {
    fn from(rejection: QueryRejection) -> Self {
        let reason = format!("the query cannot be read: {}", rejection.body_text());
        Self::new(Word::Invalid, reason)
    }
}

/// A `limit` within bounds.
fn limit(asked: Option<u32>, default: u32, most: u32) -> Result<usize, No> {
    let limit = asked.unwrap_or(default);
    if (1..=most).contains(&limit) {
        Ok(limit as usize)
    } else {
        let reason = format!("`limit` must be a whole number from 1 to {most}");
        Err(No::new(Word::Invalid, reason))
    }
}

impl Shared {
    /// Reads a body of ordinary length, then asks the engine about it.
    async fn ask_with(
        &self,
        caller: Principal,
        request: Request<Body>,
        ask: impl FnOnce(&Engine, &Principal, &Moment, &str) -> Answer + Send + 'static,
    ) -> Result<Response, No> {
        let body = body::read(self, request, self.config.limits.body_bytes).await?;
        let ask = move |engine: &Engine, caller: &Principal, moment: &Moment| {
            ask(engine, caller, moment, &body)
        };
        Ok(self.ask(caller, ask).await)
    }
}
