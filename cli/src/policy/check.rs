//! `sernixa policy check`: whether a service would load a folder.

use std::path::Path;

use sernixa_engine::Policy as _;

use crate::policy::folder::Folder;
use crate::{Exit, Failure, Global, output};

pub(super) fn run(dir: &Path, zone: &str, global: &Global) -> Result<Exit, Failure> {
    let set = match Folder::load(dir, zone)?.set(global)? {
        Ok(set) => set,
        Err(exit) => return Ok(exit),
    };
    let ids: Vec<&str> = set.ids().collect();
    let digest = set.digest().to_string();
    if global.json {
        output::json(&serde_json::json!({
            "status": "ok", "policies": ids, "policy_digest": digest,
            "reads_time": set.reads_time(),
        }))?;
    } else {
        output::line(format_args!("ok: {} policies, digest {digest}", ids.len()))?;
    }
    Ok(Exit::Yes)
}
