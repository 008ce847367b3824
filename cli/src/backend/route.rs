//! Where a request of the engine lives on the wire: method, path, query and body.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use sernixa_engine::Request;

use crate::Failure;

/// A request as HTTP carries it.
#[derive(Debug)]
pub(super) struct Route<'a> {
    pub(super) method: Method,
    /// With its query, percent-encoded.
    pub(super) path: String,
    pub(super) body: Option<&'a str>,
}

/// What may stand in a path segment as it is: RFC 3986 `unreserved`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The route of a request that a person makes.
///
/// # Errors
/// For an id that no path can carry, and for what only clients of actions send.
pub(super) fn route(request: Request<'_>) -> Result<Route<'_>, Failure> {
    let get = |path| Route {
        method: Method::GET,
        path,
        body: None,
    };
    Ok(match request {
        Request::Pending { limit } => get(format!("/api/approvals/pending?limit={limit}")),
        Request::Record { approval_id } => get(format!("/api/approvals/{}", segment(approval_id)?)),
        Request::Decide { approval_id, body } => Route {
            method: Method::POST,
            path: format!("/api/approvals/{}/decision", segment(approval_id)?),
            body: Some(body),
        },
        Request::Delegations { limit } => get(format!("/api/delegations?limit={limit}")),
        Request::RevokeDelegation { token_id } => Route {
            method: Method::POST,
            path: format!("/api/delegations/{}/revoke", segment(token_id)?),
            body: None,
        },
        Request::Memories => get("/api/memory".to_owned()),
        Request::Forget { fingerprint } => Route {
            method: Method::DELETE,
            path: format!("/api/memory/{}", segment(fingerprint)?),
            body: None,
        },
        Request::AuditEvents(query) => get(with_query(
            "/api/audit/events",
            [
                ("limit", Some(query.limit.to_string())),
                ("request_id", query.request_id.map(str::to_owned)),
                ("event_type", query.event_type.map(str::to_owned)),
                ("user_sub", query.user_sub.map(str::to_owned)),
                ("approval_id", query.approval_id.map(str::to_owned)),
                ("after", query.after.map(|after| after.to_string())),
            ],
        )),
        Request::AuditHead => get("/api/audit/head".to_owned()),
        Request::AuditVerify { expected } => {
            let expect = (!expected.is_empty()).then(|| expected.join(","));
            get(with_query("/api/audit/verify", [("expect", expect)]))
        }
        Request::EvidenceApproval { approval_id } => get(format!(
            "/api/evidence-bundles/approvals/{}",
            segment(approval_id)?
        )),
        Request::EvidenceRange { from, to, limit } => get(with_query(
            "/api/evidence-bundles/time-range",
            [
                ("date_from", Some(from.to_owned())),
                ("date_to", Some(to.to_owned())),
                ("limit", Some(limit.to_string())),
            ],
        )),
        Request::EvidenceOrganisation { limit } => {
            get(format!("/api/evidence-bundles/org?limit={limit}"))
        }
        other => {
            let message = format!("{other:?} is nothing that the command line asks a service");
            return Err(Failure::new(message));
        }
    })
}

/// A path with those parameters that are given.
fn with_query<const N: usize>(path: &str, parameters: [(&str, Option<String>); N]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// An id as one path segment, whatever it holds.
fn segment(id: &str) -> Result<String, Failure> {
    match id {
        // URLs take these for steps, even encoded.
        "" | "." | ".." => Err(Failure::new(format!("`{id}` is no id"))),
        other => Ok(utf8_percent_encode(other, SEGMENT).to_string()),
    }
}
