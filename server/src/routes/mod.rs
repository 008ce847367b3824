//! Which path leads where.

mod account;
mod actions;
mod approvals;
mod events;
mod state;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};

use crate::app::App;
use crate::door::door;
use crate::outer::outer;
use crate::reply::{Word, refuse};

/// The whole service.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/health", get(state::health))
        .route("/ready", get(state::ready))
        .route("/metrics", get(state::metrics))
        .route("/api/actions/execute", post(actions::execute))
        .route("/api/approvals/pending", get(approvals::pending))
        .route("/api/approvals/events", get(events::stream))
        .route("/api/approvals/outcomes", post(approvals::outcomes))
        .route("/api/approvals/{id}", get(approvals::record))
        .route("/api/approvals/{id}/decision", post(approvals::decision))
        .route("/api/approvals/{id}/claim", post(approvals::claim))
        .route("/api/approvals/{id}/withdraw", post(approvals::withdraw))
        .route("/api/auth/whoami", get(account::whoami))
        .route("/api/billing/current-plan", get(account::current_plan))
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
