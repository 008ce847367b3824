//! What is submitted for a call.

use std::borrow::Cow;

use hmac::Mac as _;
use serde_json::Value;
use sernixa::boundary::{McpInvocation, McpToolBoundary};
use sernixa::{Action, Error};

use super::call::Call;
use super::classify::{Gravity, Pin};
use super::tools::Facts;
use super::{Core, hex};

/// The most characters of a host's name that are sent; it is its own word.
const HOST_MAX: usize = 128;

/// The most characters of the arguments' names that a summary shows.
const NAMES_MAX: usize = 200;

/// A call about which is asked.
pub(super) struct Asked<'a> {
    pub(super) call: &'a Call,
    pub(super) facts: &'a Facts,
    pub(super) gravity: &'a Gravity,
    pub(super) host: Option<&'a str>,
    /// Answers to the server's questions, and its own state: what makes a retry another call.
    pub(super) inputs: Option<&'a str>,
    pub(super) upstream: Option<&'a str>,
}

impl Asked<'_> {
    /// What tells it from other calls in this process.
    pub(super) fn key(&self, core: &Core) -> [u8; 32] {
        let call = core.call_digest(self.call);
        let rest = [self.host, self.inputs, self.upstream];
        core.digest(
            "identical calls",
            [Some(call.as_str())].into_iter().chain(rest),
        )
    }

    /// The submission. The same call makes the same one in every process, or nothing could be
    /// resumed: no request id, no session.
    ///
    /// # Errors
    /// As [`McpToolBoundary::action`].
    pub(super) fn action(&self, core: &Core, ordinal: u32) -> Result<Action, Error> {
        let server = core.server();
        let mut invocation =
            McpInvocation::new(server, &self.call.name).arguments_json(&self.call.arguments);
        if let Some(host) = self.host {
            invocation = invocation.client_name(host);
        }
        let action = McpToolBoundary::new(&core.settings.client, core.intent())
            .risk(self.gravity.risk)
            .class(self.gravity.class.clone())
            .sensitivity(self.gravity.sensitivity.clone())
            .systems(&self.gravity.systems)
            .action(&invocation)?;
        Ok(action
            .function(core.action_id(&self.call.name))
            .metadata(self.metadata(core))
            .summary(self.summary(server))
            .resume_key(format_args!("mcp-proxy {ordinal}")))
    }

    fn metadata(&self, core: &Core) -> Vec<(&'static str, Value)> {
        let mut out: Vec<(&'static str, Value)> = vec![("mcp_pin", self.facts.pin.word().into())];
        if let Some(digest) = self.facts.digest() {
            out.push(("mcp_tool_digest", digest.into()));
        }
        if let Some(last) = self.facts.definitions.last() {
            let hints = [
                ("mcp_read_only", last.hints.read_only),
                ("mcp_destructive", last.hints.destructive),
                ("mcp_idempotent", last.hints.idempotent),
                ("mcp_open_world", last.hints.open_world),
            ];
            out.extend(
                hints
                    .into_iter()
                    .filter_map(|(name, hint)| Some((name, hint?.into()))),
            );
        }
        if let Some(others) = &self.call.others {
            out.push((
                "mcp_params_digest",
                core.keyed("other params", &[others]).into(),
            ));
        }
        if self.inputs.is_some() || self.upstream.is_some() {
            out.push(("mcp_input_digest", self.input_digest(core).into()));
        }
        out
    }

    /// What the server was answered, and what it had said before.
    pub(super) fn input_digest(&self, core: &Core) -> String {
        let parts = [self.inputs, self.upstream].map(Option::unwrap_or_default);
        core.keyed("input responses", &parts)
    }

    fn summary(&self, server: &str) -> String {
        let names = self.call.argument_names.join(", ");
        let shown: String = names.chars().take(NAMES_MAX).collect();
        let cut = if shown.len() < names.len() { "…" } else { "" };
        // Why a policy does not count here, where a reviewer looks first.
        let unseen = match self.facts.pin {
            Pin::Changed => " – the tool changed: sernixa mcp tools show",
            Pin::Unknown => " – the server does not say what this tool is",
            Pin::Alike => " – not the tool that its action id names",
            Pin::Accepted | Pin::Unlisted => "",
        };
        format!("{server}: {}({shown}{cut}){unseen}", self.call.name)
    }
}

/// A host's name, as far as it is taken.
pub(super) fn host_name(name: Option<&str>) -> Option<String> {
    name.map(|name| name.chars().take(HOST_MAX).collect())
}

impl Core {
    /// The intent of every call of this server.
    pub(super) fn intent(&self) -> Cow<'_, str> {
        match &self.settings.rules.intent_id {
            Some(intent) => intent.into(),
            None => format!("mcp:{}", self.server()).into(),
        }
    }

    /// The action id of a tool, as [`McpToolBoundary`] gives it: `mcp.<server>.<tool>`.
    pub(super) fn action_id(&self, tool: &str) -> String {
        sernixa_protocol::action_id("mcp", &format!("{}.{tool}", self.server()))
    }

    /// A call's digest: tool, arguments, and what else the server acts on.
    pub(super) fn call_digest(&self, call: &Call) -> String {
        let parts = [
            Some(call.name.as_str()),
            Some(&call.arguments),
            call.others.as_deref(),
        ];
        hex(&self.digest("call", parts))
    }

    /// What an approval that a call leaves behind is noted under.
    pub(super) fn behind(&self, key: [u8; 32], ordinal: u32) -> [u8; 32] {
        let (call, ordinal) = (hex(&key), ordinal.to_string());
        let parts = [self.server(), &call, &ordinal];
        self.digest("left behind", parts.map(Some))
    }

    /// A keyed digest, as metadata shows it: nobody can guess values and compare.
    fn keyed(&self, purpose: &str, parts: &[&str]) -> String {
        let digest = self.digest(purpose, parts.iter().map(|part| Some(*part)));
        format!("hmac-sha256:{}", hex(&digest))
    }

    /// Each part with its length in front, so that none runs into the next.
    fn digest<'p>(
        &self,
        purpose: &'p str,
        parts: impl IntoIterator<Item = Option<&'p str>>,
    ) -> [u8; 32] {
        let mut mac = self.digests.clone();
        for part in [Some(purpose)].into_iter().chain(parts) {
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            mac.update(&length.to_be_bytes());
            mac.update(part.unwrap_or_default().as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}
