//! `sernixa audit export`: an evidence bundle into a new file.

use std::path::PathBuf;

use sernixa_engine::audit::verify_bundle;
use sernixa_engine::{Digest, Request};
use sernixa_protocol::json::{Document, Node};

use super::private_file::{self, Existing};
use crate::backend::Backend;
use crate::listing::member;
use crate::output::{self, one_line};
use crate::{Exit, Failure, Global};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The file to write; its owner alone may read it
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Replace a file that is there already
    #[arg(long)]
    force: bool,
    /// Everything about this approval; without it and without a time, the newest events
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "to", "limit"])]
    approval: Option<String>,
    /// From this time or day on, such as 2026-11-01 or 2026-11-01T09:00:00+01:00
    #[arg(long, value_name = "TIME", requires = "to")]
    from: Option<String>,
    /// Before this time, or to the end of this day
    #[arg(long, value_name = "TIME", requires = "from")]
    to: Option<String>,
    /// At most so many events, the newest of them
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=5_000))]
    limit: u16,
}

impl Options {
    fn request(&self) -> Request<'_> {
        let limit = self.limit.into();
        match (&self.approval, &self.from, &self.to) {
            (Some(approval_id), _, _) => Request::EvidenceApproval { approval_id },
            (None, Some(from), Some(to)) => Request::EvidenceRange { from, to, limit },
            _ => Request::EvidenceOrganisation { limit },
        }
    }
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit, Failure> {
    let bundle = Backend::open(global)?.ask(options.request())?;
    // Whoever answered, what is kept verifies.
    let report = verify_bundle(&bundle, &[], &[]);
    if !report.is_valid() {
        if global.json {
            output::json_text(&report.json())?;
        } else {
            output::line("INVALID · evidence bundle; it was not written")?;
            for failure in &report.failures {
                output::line(format_args!("Failure: {}", one_line(failure)))?;
            }
        }
        return Ok(Exit::No);
    }
    let existing = if options.force {
        Existing::Replace
    } else {
        Existing::Keep
    };
    private_file::write(&options.output, &bundle, existing)?;
    let document = Document::parse(&bundle)
        .map_err(|error| Failure::new("the bundle cannot be read").caused_by(error))?;
    let signature = report
        .signed_by
        .map_or_else(|| "none".to_owned(), |key| key.to_string());
    let id = report.bundle_id.as_deref().unwrap_or_default();
    let path = options.output.display().to_string();
    if global.json {
        output::json(&serde_json::json!({
            "bundle_id": id,
            "file": path,
            "sha256": Digest::of(bundle.as_bytes()).to_string(),
            "signed_by": report.signed_by.map(|key| key.to_string()),
            "events": report.events,
            "warnings": report.warnings,
        }))?;
        return Ok(Exit::Yes);
    }
    output::line(format_args!("VALID · evidence bundle {}", one_line(id)))?;
    output::line(format_args!("Saved: {}", one_line(&path)))?;
    output::line(format_args!("SHA-256: {}", Digest::of(bundle.as_bytes())))?;
    output::line(format_args!("Signature: {signature}"))?;
    let root = document.root();
    output::line(format_args!(
        "Events: {} of {}",
        report.events,
        one_line(&member(root, "organisation"))
    ))?;
    for limitation in root.get("limitations").iter().flat_map(Node::elements) {
        let text = limitation.as_str().unwrap_or_default();
        output::line(format_args!("Limitation: {}", one_line(&text)))?;
    }
    Ok(Exit::Yes)
}
