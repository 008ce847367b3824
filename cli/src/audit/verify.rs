//! `sernixa audit verify`: of a store's file or a bundle, without a service; or by the service.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sernixa_engine::audit::{
    ApprovalReport, AuditPublicKey, BUNDLE_MAX, KeyFault, Receipt, Report, TokenFault,
    verify_api_keys, verify_approvals, verify_bundle, verify_chain, verify_delegations,
};
use sernixa_engine::{Request, Store as _};
use sernixa_protocol::json::{Document, Node};
use sernixa_store::SqliteStore;

use crate::backend::{Backend, Target};
use crate::listing::member;
use crate::output::{self, one_line};
use crate::{Exit, Failure, Global};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A store's file or an evidence bundle; without it, the service is asked to verify its log
    file: Option<PathBuf>,
    /// A receipt or head that was kept elsewhere and must be in it; may be given more than once
    #[arg(long, value_name = "SEQ:HASH")]
    expect: Vec<Receipt>,
    /// It must be signed, and by this public key; may be given more than once, for keys that
    /// followed each other
    #[arg(long, value_name = "PUB")]
    key: Vec<AuditPublicKey>,
    /// Only the log of this organisation
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
}

/// How every file of SQLite begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit, Failure> {
    let file = match &options.file {
        Some(file) => file.clone(),
        None => match global.target()? {
            Target::File(file) => file,
            Target::Service(_) => return by_service(options, global),
        },
    };
    let mut start = Vec::with_capacity(SQLITE.len());
    let opened = open(&file)?;
    (&opened)
        .take(SQLITE.len() as u64)
        .read_to_end(&mut start)
        .map_err(|error| unreadable(&file, error))?;
    if start == SQLITE {
        store(&file, options, global)
    } else {
        bundle(&file, options, global)
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    let about = file.metadata().map_err(|error| unreadable(path, error))?;
    if about.is_file() {
        Ok(file)
    } else {
        let message = format!("{} is not a file; name a store or a bundle", path.display());
        Err(Failure::new(message))
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be read", path.display())).caused_by(error)
}

const fn exit(valid: bool) -> Exit {
    if valid { Exit::Yes } else { Exit::No }
}

const fn word(valid: bool) -> &'static str {
    if valid { "VALID" } else { "INVALID" }
}

fn warn(warnings: &[String]) -> Result<(), Failure> {
    for warning in warnings {
        output::line(format_args!("Warning: {}", one_line(warning)))?;
    }
    Ok(())
}

/// A bundle, from its text alone.
fn bundle(path: &Path, options: &Options, global: &Global) -> Result<Exit, Failure> {
    let mut bytes = Vec::new();
    open(path)?
        .take(BUNDLE_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, error))?;
    // What is no UTF-8 is no JSON, and says so as the rest does.
    let text = String::from_utf8_lossy(&bytes);
    let mut report = verify_bundle(&text, &options.expect, &options.key);
    if matches!(text, std::borrow::Cow::Owned(_)) {
        report.failures = vec!["the bundle is not UTF-8".to_owned()];
    }
    if let Some(wanted) = &options.organisation
        && report.organisation.as_deref() != Some(wanted)
    {
        report
            .failures
            .push("the bundle is of another organisation".to_owned());
    }
    if global.json {
        output::json_text(&report.json())?;
        return Ok(exit(report.is_valid()));
    }
    let name = report.bundle_id.as_deref().unwrap_or("without a name");
    output::line(format_args!(
        "{} · evidence bundle {}",
        word(report.is_valid()),
        one_line(name)
    ))?;
    for failure in &report.failures {
        output::line(format_args!("Failure: {}", one_line(failure)))?;
    }
    warn(&report.warnings)?;
    Ok(exit(report.is_valid()))
}

/// Every chain in a store's file, and the approvals, API keys and delegation tokens against them.
fn store(path: &Path, options: &Options, global: &Global) -> Result<Exit, Failure> {
    let unread =
        |error| Failure::new(format!("{} cannot be verified", path.display())).caused_by(error);
    let store = SqliteStore::open_read_only(path).map_err(unread)?;
    let recorded = store.organisations().map_err(unread)?;
    let asked_for = !options.expect.is_empty() || !options.key.is_empty();
    let organisations = match &options.organisation {
        None => recorded,
        // Also one that has no event: then an expected receipt or signature is missing. With
        // nothing expected of it, a misspelt name must not be valid.
        Some(name) if asked_for || recorded.iter().any(|known| **known == **name) => {
            vec![Arc::from(name.as_str())]
        }
        Some(name) => return Err(no_log_of(name, &recorded)),
    };
    if organisations.is_empty() && asked_for {
        return nothing_recorded(global);
    }
    if !options.expect.is_empty() && organisations.len() > 1 {
        return Err(Failure::new(
            "the store holds several audit logs; say whose receipt it is with --organisation",
        ));
    }
    let mut checked = Vec::with_capacity(organisations.len());
    let (mut keys, mut tokens) = (Vec::new(), Vec::new());
    for organisation in organisations {
        let report =
            verify_chain(&store, &organisation, &options.expect, &options.key).map_err(unread)?;
        keys.extend(verify_api_keys(&store, &organisation).map_err(unread)?);
        tokens.extend(verify_delegations(&store, &organisation).map_err(unread)?);
        checked.push((organisation, report));
    }
    let approvals = verify_approvals(&store).map_err(unread)?;
    let valid = checked.iter().all(|(_, report)| report.is_valid())
        && approvals.faults.is_empty()
        && keys.is_empty()
        && tokens.is_empty();
    if global.json {
        output::json(&as_json(valid, &checked, &approvals, &keys, &tokens)?)?;
    } else {
        for (organisation, report) in &checked {
            tell(organisation, report)?;
        }
        tell_approvals(&approvals)?;
        for fault in &keys {
            output::line(format_args!("Failure: {}", one_line(&fault.to_string())))?;
        }
        for fault in &tokens {
            output::line(format_args!("Failure: {fault}"))?;
        }
        if checked.is_empty() {
            output::line("Nothing has been recorded yet.")?;
        }
    }
    Ok(exit(valid))
}

/// A name under which nothing was recorded, and those under which something was.
fn no_log_of(name: &str, recorded: &[Arc<str>]) -> Failure {
    let held = match recorded {
        [] => "it holds none".to_owned(),
        _ => format!("it holds those of: {}", recorded.join(", ")),
    };
    Failure::new(format!("the store holds no audit log of {name}; {held}"))
}

/// Neither a receipt nor a signature can be in a log that is not there.
fn nothing_recorded(global: &Global) -> Result<Exit, Failure> {
    let failure = "the store holds no audit log: its events are gone, or were never there";
    if global.json {
        let logs: [u8; 0] = [];
        output::json(&serde_json::json!({"valid": false, "logs": logs, "failure": failure}))?;
    } else {
        output::line(format_args!("INVALID · {failure}"))?;
    }
    Ok(Exit::No)
}

fn tell(organisation: &str, report: &Report) -> Result<(), Failure> {
    output::line(format_args!(
        "{} · audit log of {} · {} events",
        word(report.is_valid()),
        one_line(organisation),
        report.events
    ))?;
    if let Some(fault) = report.fault {
        output::line(format_args!("Failure: {fault}"))?;
        return Ok(());
    }
    output::line(format_args!("Head: {}", report.head))?;
    if let Some(signed) = report.signed {
        let keys: Vec<String> = report.keys.iter().map(ToString::to_string).collect();
        output::line(format_args!(
            "Signed: to event {} by {}",
            signed.seq,
            keys.join(", ")
        ))?;
    }
    warn(&report.warnings())
}

fn tell_approvals(report: &ApprovalReport) -> Result<(), Failure> {
    if report.faults.is_empty() {
        output::line(format_args!(
            "Approvals: {} stand as the audit says",
            report.checked
        ))?;
    }
    for fault in &report.faults {
        output::line(format_args!("Failure: {fault}"))?;
    }
    Ok(())
}

fn as_json(
    valid: bool,
    checked: &[(Arc<str>, Report)],
    approvals: &ApprovalReport,
    keys: &[KeyFault],
    tokens: &[TokenFault],
) -> Result<serde_json::Value, Failure> {
    let mut logs = Vec::with_capacity(checked.len());
    for (organisation, report) in checked {
        let mut log: serde_json::Map<_, _> = serde_json::from_str(&report.json())
            .map_err(|error| Failure::new("the report is no JSON").caused_by(error))?;
        log.insert("organisation".to_owned(), (**organisation).into());
        logs.push(serde_json::Value::Object(log));
    }
    let faults: Vec<String> = approvals.faults.iter().map(ToString::to_string).collect();
    let key_faults: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let token_faults: Vec<String> = tokens.iter().map(ToString::to_string).collect();
    Ok(serde_json::json!({
        "valid": valid,
        "logs": logs,
        "approvals": {
            "checked": approvals.checked,
            "skipped": approvals.skipped,
            "failures": faults,
        },
        "api_keys": {"failures": key_faults},
        "delegations": {"failures": token_faults},
    }))
}

/// The service's own word.
fn by_service(options: &Options, global: &Global) -> Result<Exit, Failure> {
    if !options.key.is_empty() || options.organisation.is_some() {
        return Err(Failure::new(
            "a service verifies its own log with its own keys; --key and --organisation need a FILE",
        ));
    }
    let expected: Vec<String> = options.expect.iter().map(ToString::to_string).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    let request = Request::AuditVerify {
        expected: &expected,
    };
    let body = Backend::open(global)?.ask(request)?;
    let document = Document::parse_within(&body, 8)
        .map_err(|error| Failure::new("the answer cannot be read").caused_by(error))?;
    let root = document.root();
    let valid = root
        .get("valid")
        .and_then(|node| node.as_bool())
        .ok_or_else(|| Failure::new("the answer does not say whether the log is valid"))?;
    if global.json {
        output::json_text(&body)?;
        return Ok(exit(valid));
    }
    output::line(format_args!(
        "{} · the service's audit log · {} events",
        word(valid),
        one_line(&member(root, "events"))
    ))?;
    if let Some(head) = root.get("head") {
        output::line(format_args!(
            "Head: {}:{}",
            one_line(&member(head, "seq")),
            one_line(&member(head, "hash"))
        ))?;
    }
    if let Some(fault) = root.get("fault").filter(Node::is_object) {
        output::line(format_args!(
            "Failure: {}",
            one_line(&member(fault, "reason"))
        ))?;
    }
    for warning in root.get("warnings").iter().flat_map(Node::elements) {
        let text = warning.as_str().unwrap_or_default();
        output::line(format_args!("Warning: {}", one_line(&text)))?;
    }
    Ok(exit(valid))
}
