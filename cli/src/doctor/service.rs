//! A service: reachable, ready, the credential accepted, the clocks together.

use reqwest::header::{DATE, HeaderMap};
use sernixa_protocol::json::{Document, Node};

use super::Findings;
use crate::backend::{Response, Service, Target, failure, is_insecure};
use crate::listing::member;
use crate::{Global, when};

/// Clocks further apart than this make signed requests stale (DESIGN 9: 300 s) before long.
const SKEW_SECONDS: i64 = 30;
/// From here on they are refused.
const STALE_SECONDS: i64 = 300;

/// How requests travel.
pub(super) fn check_address(target: &Target, findings: &mut Findings) {
    let Target::Service(url) = target else { return };
    if is_insecure(url) {
        let advice = "use https://; others can read and change what is sent";
        findings.warning("transport", "plain http to another machine", advice);
    } else if url.scheme() == "https" {
        findings.good("transport", "https");
    } else {
        findings.good("transport", "http that does not leave this machine");
    }
}

/// Asks the service about itself.
pub(super) async fn check(service: &Service, global: &Global, findings: &mut Findings) {
    let response = match service.get("/ready").await {
        Ok(response) => response,
        Err(failure) => return findings.failed("reachable", &failure),
    };
    findings.good("reachable", service.base());
    check_ready(&response, findings);
    check_clock(&response.headers, findings);
    // The rest is told to those with a credential alone.
    if check_credential(service, global, findings).await {
        check_events(service, findings).await;
        check_version(service, findings).await;
    }
}

fn check_ready(response: &Response, findings: &mut Findings) {
    let advice = "see the service's log";
    let Ok(document) = Document::parse_within(&response.answer.body, 64) else {
        let found = format!("/ready answered {} without JSON", response.answer.status);
        return findings.wrong("ready", found, "is it the service's URL?");
    };
    let root = document.root();
    let status = member(root, "status");
    if status.eq_ignore_ascii_case("ready") {
        let mode = member(root, "runtime_mode");
        findings.good(
            "ready",
            if mode.is_empty() {
                status
            } else {
                format!("{status}, mode {mode}")
            },
        );
        if mode == "local_demo" {
            let advice = "for more than trying it, run `sernixa serve` with a production config";
            findings.warning(
                "mode",
                "local demo: everyone on this machine may decide",
                advice,
            );
        }
    } else {
        let found = format!("{} ({})", status_or(&status), response.answer.status);
        findings.wrong("ready", found, advice);
    }
    let checks = root.get("checks");
    for (name, check) in checks.into_iter().flat_map(|checks| checks.members()) {
        let name = name.as_str().unwrap_or_default();
        let fine = ["", "ok", "skipped", "ready"];
        let status = member(check, "status");
        if !fine.contains(&&*status) {
            findings.warning("ready", format!("{name}: {status}{}", said(check)), advice);
        }
    }
}

fn status_or(status: &str) -> &str {
    if status.is_empty() {
        "no status"
    } else {
        status
    }
}

fn said(check: Node<'_>) -> String {
    match member(check, "error") {
        error if error.is_empty() => error,
        error => format!(": {error}"),
    }
}

/// The service's clock against this one, by the `Date` header, which is whole seconds.
fn check_clock(headers: &HeaderMap, findings: &mut Findings) {
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let Some(then) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else {
        return findings.good("clock", "the service does not tell its time");
    };
    let apart = when::now().duration_since(then.timestamp()).as_secs();
    let found = format!("{} s apart", apart.abs());
    let advice = "set both clocks, for example by NTP; signed requests must be within 300 s";
    match apart.abs() {
        ..SKEW_SECONDS => findings.good("clock", found),
        SKEW_SECONDS..STALE_SECONDS => findings.warning("clock", found, advice),
        _ => findings.wrong("clock", found, advice),
    }
}

/// Whether the service takes the credential.
async fn check_credential(service: &Service, global: &Global, findings: &mut Findings) -> bool {
    let source = match global.credential() {
        Ok(Some(credential)) => credential.source,
        Ok(None) => {
            let advice = "set SERNIXA_ACCESS_TOKEN or SERNIXA_API_KEY, or give a --token-file";
            findings.wrong("credential", "none is set", advice);
            return false;
        }
        Err(failure) => {
            findings.failed("credential", &failure);
            return false;
        }
    };
    if let Some(file) = global.token_file() {
        super::file::check_mode(file, "the token file", findings);
    }
    let response = match service.get("/api/auth/whoami").await {
        Ok(response) => response,
        Err(failure) => {
            findings.failed("credential", &failure);
            return false;
        }
    };
    match response.answer.status {
        200 => {}
        401 | 403 => {
            let found = format!(
                "{source} is not accepted: {}",
                failure(&response.answer).chain()
            );
            let advice = "make a key with `sernixa keys create`, or check the one that is set";
            findings.wrong("credential", found, advice);
            return false;
        }
        404 => {
            let found = "the service does not say who one is; is it a Sernixa service?";
            findings.warning("credential", found, "check the base URL");
            return true;
        }
        _ => {
            findings.failed("credential", &failure(&response.answer));
            return false;
        }
    }
    let Ok(document) = Document::parse_within(&response.answer.body, 64) else {
        let advice = "is it the service's URL?";
        findings.wrong("credential", "whoami answered without JSON", advice);
        return false;
    };
    let root = document.root();
    let (who, organisation) = (
        member(root, "principal_id"),
        member(root, "organization_id"),
    );
    findings.good("credential", format!("{source}: {who} of {organisation}"));
    let roles = member(root, "roles");
    if roles.is_empty() {
        let advice =
            "a key without a role may do nothing; make one with `sernixa keys create --role …`";
        findings.warning("roles", "none", advice);
    } else {
        let decides = if roles.split(", ").any(|role| role == "reviewer") {
            "may decide"
        } else {
            "may not decide: that is for the reviewer role"
        };
        findings.good("roles", format!("{roles} ({decides})"));
    }
    true
}

async fn check_events(service: &Service, findings: &mut Findings) {
    if service.offers_events().await {
        findings.good("events", "changes are told as they happen");
    } else {
        let found = "changes are not told; `wait` and `watch` ask every 2 s";
        findings.good("events", found);
    }
}

/// The version that the service's own description names.
async fn check_version(service: &Service, findings: &mut Findings) {
    let Ok(response) = service.get("/api/openapi.json").await else {
        return;
    };
    let Ok(document) = Document::parse_within(&response.answer.body, 256) else {
        return;
    };
    let info = document.root().get("info");
    let version = info.map(|info| member(info, "version")).unwrap_or_default();
    if version.is_empty() {
        return;
    }
    let ours = env!("CARGO_PKG_VERSION");
    if version == ours {
        findings.good("service", format!("version {version}"));
    } else {
        let advice = "use the same version on both sides where something is missing";
        findings.warning("service", format!("version {version}, not {ours}"), advice);
    }
}
