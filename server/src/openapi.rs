//! The `OpenAPI` document: what the routes say of themselves, and what is true of all of them.

use axum::http::StatusCode;
use axum::response::Response as HttpResponse;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, Info, OpenApi, OpenApiBuilder, Ref, RefOr,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::reply::json_text;
use crate::schema::{Refusal, RefusalDetail};

/// The name of the one way to authenticate.
const BEARER: &str = "api_key";

/// What every operation behind the door may answer, whatever it does.
const ALWAYS: [(&str, &str); 7] = [
    (
        "401",
        "There is no key, or it is not known, or was revoked.",
    ),
    (
        "421",
        "A local demonstration was asked under another name than this machine's.",
    ),
    (
        "429",
        "Too many requests; `Retry-After` says when to come back.",
    ),
    ("431", "The head is too large."),
    ("500", "The service failed inside."),
    ("501", "This service does not do that."),
    ("503", "Not now; try again."),
];

/// What every operation with a body may answer.
const WITH_BODY: [(&str, &str); 3] = [
    ("408", "The body did not come in time."),
    ("413", "The body is too large."),
    ("415", "The body is not `application/json`."),
];

/// The document before the routes are in it.
pub(crate) fn head() -> OpenApi {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("`Authorization: Bearer srnx_live_…`"))
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(scheme))
        .schema(Refusal::name(), Refusal::schema())
        .schema(RefusalDetail::name(), RefusalDetail::schema())
        .build();
    let mut info = Info::new("Sernixa approval service", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Asks whether actions of agents may run, and lets people decide. Every \"no\" is \
         `{\"detail\": {\"status\", \"reason\", \"evidence\"}}` with a status of 400 or more."
            .to_owned(),
    );
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .build()
}

/// The document, with what is true of all operations.
pub(crate) fn finish(mut document: OpenApi) -> String {
    for (path, item) in &mut document.paths.paths {
        let is_open = matches!(&**path, "/health" | "/ready");
        for operation in operations(item) {
            finish_operation(operation, is_open);
        }
    }
    // The document is made of what the program itself holds.
    document.to_json().unwrap_or_default()
}

/// Its own answer.
pub(crate) fn answer(document: &str) -> HttpResponse {
    json_text(StatusCode::OK, document.to_owned())
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

fn finish_operation(operation: &mut Operation, is_open: bool) {
    let with_body = operation.request_body.is_some();
    let always = ALWAYS
        .iter()
        .filter(|(status, _)| !is_open || matches!(*status, "421" | "431" | "500" | "503"));
    let with_body = WITH_BODY.iter().filter(|_| with_body);
    for (status, description) in always.chain(with_body) {
        operation
            .responses
            .responses
            .entry((*status).to_owned())
            .or_insert_with(|| RefOr::T(refusal(description)));
    }
    if !is_open {
        let bearer = SecurityRequirement::new::<&str, [&str; 0], &str>(BEARER, []);
        operation.security = Some(vec![bearer]);
    }
}

fn refusal(description: &str) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(RefOr::<utoipa::openapi::Schema>::Ref(
            Ref::from_schema_name("Refusal"),
        )))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .build()
}
