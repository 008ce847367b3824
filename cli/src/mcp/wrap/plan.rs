//! What is to be done to one file, before anything is written.

use std::collections::BTreeSet;

use super::diff;
use super::entry::{self, Proxy, Reason, Standing};
use super::file::Found;
use super::hosts::Host;
use super::text::{Edit, apply, blanked, parse};
use crate::Failure;
use crate::output::one_line;

/// Which way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    Wrap(&'a Proxy),
    Unwrap,
}

/// What happens to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Changed,
    /// It is as it was asked for already.
    Already(Standing),
    /// Nobody asked.
    NotAsked,
    /// It cannot be done.
    Impossible(Reason),
}

/// One server of a plan.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) project: Option<String>,
    pub(super) fate: Fate,
}

/// What is to be done to a file.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) servers: Vec<Planned>,
    /// The text afterwards, if it changes.
    pub(super) text: Option<String>,
    /// The lines of the difference.
    pub(super) difference: Vec<String>,
}

/// Plans a file. `asked` are names of servers; none means all.
pub(super) fn plan(
    found: &Found,
    host: Host,
    way: Way<'_>,
    asked: &[String],
) -> Result<Plan, Failure> {
    let about = |failure: Failure| {
        let fault = format!("{}: {}", found.path.display(), failure.chain());
        Failure::new(format!("{fault}; nothing was changed"))
    };
    let is_asked = |_, name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    let (servers, mut edits, secrets) = read(&found.text, host, way, is_asked).map_err(about)?;
    if edits.is_empty() {
        return Ok(Plan {
            servers,
            text: None,
            difference: Vec::new(),
        });
    }
    let text = apply(&found.text, &mut edits).map_err(about)?;
    check(&found.text, &text, host, way, &servers).map_err(about)?;
    let difference = diff::lines(&found.text, &edits, &secrets).map_err(about)?;
    Ok(Plan {
        servers,
        text: Some(text),
        difference,
    })
}

type Read = (Vec<Planned>, Vec<Edit>, Vec<String>);

/// What happens to each server of a text, the changes, and what a difference does not show.
/// `is_asked` gets a server's place in the text, and its name.
fn read(
    text: &str,
    host: Host,
    way: Way<'_>,
    is_asked: impl Fn(usize, &str) -> bool,
) -> Result<Read, Failure> {
    let blank = blanked(text, host.dialect());
    let document = parse(&blank)?;
    if !document.root().is_object() {
        return Err(Failure::new("it is JSON, but no object"));
    }
    let (mut servers, mut edits, mut secrets) = (Vec::new(), Vec::new(), Vec::new());
    let all = host.servers(document.root());
    let called: BTreeSet<(String, String)> = all
        .iter()
        .map(|server| (entry::name(&server.name), server.name.clone()))
        .collect();
    for (place, server) in all.into_iter().enumerate() {
        let (name, node) = (server.name, server.node);
        secrets.extend(diff::secrets(node));
        let fate = match (way, entry::standing(node)) {
            _ if !is_asked(place, &name) => Fate::NotAsked,
            (Way::Wrap(proxy), Standing::Direct) => {
                let wrapped =
                    call(&name, &called).and_then(|called| entry::wrap(text, &called, node, proxy));
                changed(&mut edits, wrapped)
            }
            (Way::Unwrap, Standing::Wrapped) => changed(&mut edits, entry::unwrap(text, node)),
            (_, standing) => Fate::Already(standing),
        };
        let project = server.project;
        servers.push(Planned {
            name,
            project,
            fate,
        });
    }
    Ok((servers, edits, secrets))
}

/// What the proxy calls a server: pins, policies and approvals know it by that, so no two may share
/// it.
fn call(key: &str, called: &BTreeSet<(String, String)>) -> Result<String, Reason> {
    let name = entry::name(key);
    if name.is_empty() {
        return Err("its name has no letter or digit".to_owned());
    }
    let mut same = called.iter().filter(|(other, _)| *other == name);
    match same.find(|(_, other)| other != key) {
        None => Ok(name),
        Some((_, other)) => {
            let other = one_line(other);
            Err(format!(
                "the proxy would call it `{name}`, as it would `{other}`"
            ))
        }
    }
}

fn changed(edits: &mut Vec<Edit>, more: Result<Vec<Edit>, Reason>) -> Fate {
    match more {
        Ok(more) => {
            edits.extend(more);
            Fate::Changed
        }
        Err(reason) => Fate::Impossible(reason),
    }
}

/// Nothing is written that cannot be read again, or, after `wrap`, undone to the last byte.
fn check(
    old: &str,
    new: &str,
    host: Host,
    way: Way<'_>,
    servers: &[Planned],
) -> Result<(), Failure> {
    let is_changed = |place: usize, _: &str| {
        let server = servers.get(place);
        server.is_some_and(|server| server.fate == Fate::Changed)
    };
    let undone = read(new, host, Way::Unwrap, is_changed).and_then(|(_, mut edits, _)| match way {
        Way::Wrap(_) => Ok(apply(new, &mut edits)? == old),
        Way::Unwrap => Ok(true),
    });
    match undone {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new(
            "its text could not be restored later; edit it by hand",
        )),
        Err(fault) => {
            let failure = Failure::new("its text cannot be changed safely; edit it by hand");
            Err(failure.caused_by(fault.chain()))
        }
    }
}
