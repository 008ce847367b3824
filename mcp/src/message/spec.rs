//! The methods of the specification, by generation and direction.
//!
//! Sources: `schema.ts` of 2024-11-05 to 2025-11-25 (one table: what a version does not have, its
//! server answers itself) and of 2026-07-28. The methods of extensions, official ones as well, are for
//! the operator to allow: tasks belong to 2025-11-25, and are an extension since.

use super::{Direction, names};

/// The specification's generation that a message speaks. They are never translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// Up to 2025-11-25: `initialize`, sessions, requests of the server's own.
    Sessions,
    /// From 2026-07-28 on: every request stands for itself; `input_required` in results.
    Stateless,
}

const SESSIONS_TO_SERVER: &[&str] = &[
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "tasks/result",
    "tasks/list",
    "tasks/cancel",
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
    "notifications/tasks/status",
];

const SESSIONS_TO_HOST: &[&str] = &[
    "ping",
    "sampling/createMessage",
    "roots/list",
    "elicitation/create",
    "tasks/get",
    "tasks/result",
    "tasks/list",
    "tasks/cancel",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/message",
    "notifications/tools/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/prompts/list_changed",
    "notifications/elicitation/complete",
    "notifications/tasks/status",
];

const STATELESS_TO_SERVER: &[&str] = &[
    "server/discover",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "subscriptions/listen",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "notifications/cancelled",
];

/// A server of this generation asks in its results (`inputRequests`), never by a request.
const STATELESS_TO_HOST: &[&str] = &[
    "notifications/cancelled",
    "notifications/progress",
    "notifications/message",
    "notifications/tools/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/prompts/list_changed",
    "notifications/subscriptions/acknowledged",
];

const TABLES: [&[&str]; 4] = [
    SESSIONS_TO_SERVER,
    SESSIONS_TO_HOST,
    STATELESS_TO_SERVER,
    STATELESS_TO_HOST,
];

/// Whether the specification of this generation lets a message with this method go this way.
pub fn is_known(generation: Generation, direction: Direction, method: &str) -> bool {
    let table = match (generation, direction) {
        (Generation::Sessions, Direction::ToServer) => SESSIONS_TO_SERVER,
        (Generation::Sessions, Direction::ToHost) => SESSIONS_TO_HOST,
        (Generation::Stateless, Direction::ToServer) => STATELESS_TO_SERVER,
        (Generation::Stateless, Direction::ToHost) => STATELESS_TO_HOST,
    };
    table.contains(&method)
}

/// Whether a method of any generation is a notification's (`true`), a request's (`false`), or in no
/// specification (`None`).
pub(super) fn is_notification(method: &str) -> Option<bool> {
    let known = TABLES.iter().any(|table| table.contains(&method));
    known.then(|| method.starts_with("notifications/"))
}

/// Whether it is no method of any generation, and a reader that minds neither case nor U+0000 takes it
/// for one.
pub(super) fn is_look_alike(method: &str) -> bool {
    is_notification(method).is_none()
        && TABLES
            .iter()
            .any(|table| names::is_look_alike(method, table))
}
