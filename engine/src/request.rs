//! What can be asked of the engine, as the wire asks it, and the reading of those bodies.

use crate::approval::{ApprovalId, Decision, ExecutionOutcome};
use crate::delegation::StepSignature;
use crate::digest::{Digest, hex_to_bytes};
use crate::receive::{invalid, parse};
use crate::refusal::Refusal;
use crate::step::{ClaimAsk, DecideAsk, OutcomeReport, Proof, WithdrawAsk};
use sernixa_protocol::json::Node;

/// A request, with its body as it came. The caller has decoded the path.
#[derive(Clone, Copy)]
pub enum Request<'a> {
    /// `POST /api/actions/execute`
    Submit {
        /// The JSON body.
        body: &'a str,
    },
    /// `POST /api/mcp/tools/call`
    CallTool {
        /// The JSON body.
        body: &'a str,
    },
    /// `POST /api/mcp/tools/visible`
    VisibleTools {
        /// The JSON body.
        body: &'a str,
    },
    /// `GET /api/approvals/{id}`
    Record {
        /// The approval.
        approval_id: &'a str,
    },
    /// `GET /api/approvals/{id}?waiting=true`: the record, for one that waits for the decision.
    Await {
        /// The approval.
        approval_id: &'a str,
    },
    /// `GET /api/approvals/pending`
    Pending {
        /// At most so many, 1 to 100.
        limit: usize,
    },
    /// `POST /api/approvals/{id}/decision`
    Decide {
        /// The approval.
        approval_id: &'a str,
        /// The JSON body.
        body: &'a str,
    },
    /// `POST /api/approvals/{id}/claim`
    Claim {
        /// The approval.
        approval_id: &'a str,
        /// The JSON body.
        body: &'a str,
    },
    /// `POST /api/approvals/{id}/withdraw`
    Withdraw {
        /// The approval.
        approval_id: &'a str,
        /// The JSON body.
        body: &'a str,
    },
    /// `POST /api/approvals/outcomes`
    Outcomes {
        /// The JSON body.
        body: &'a str,
    },
    /// `POST /api/delegations`
    Delegate {
        /// The JSON body.
        body: &'a str,
    },
    /// `GET /api/delegations`
    Delegations {
        /// At most so many, 1 to 1,000.
        limit: usize,
    },
    /// `POST /api/delegations/{token_id}/revoke`
    RevokeDelegation {
        /// The token.
        token_id: &'a str,
    },
    /// `GET /api/memory`
    Memories,
    /// `DELETE /api/memory/{fingerprint}`
    Forget {
        /// What is remembered.
        fingerprint: &'a str,
    },
    /// `GET /api/audit/events`
    AuditEvents(AuditQuery<'a>),
    /// `GET /api/audit/head`
    AuditHead,
    /// `GET /api/audit/verify`
    AuditVerify {
        /// Receipts that the chain must hold, as `SEQ:HASH`.
        expected: &'a [&'a str],
    },
    /// `GET /api/evidence-bundles/approvals/{id}`
    EvidenceApproval {
        /// The approval.
        approval_id: &'a str,
    },
    /// `GET /api/evidence-bundles/time-range`
    EvidenceRange {
        /// From this time on: RFC 3339, or a date in UTC.
        from: &'a str,
        /// Until before this time, or until the end of this day in UTC.
        to: &'a str,
        /// At most so many events, 1 to 5,000.
        limit: usize,
    },
    /// `GET /api/evidence-bundles/org`
    EvidenceOrganisation {
        /// At most so many events, 1 to 5,000.
        limit: usize,
    },
    /// `POST /api/evidence-bundles/verify`
    VerifyEvidence {
        /// The bundle.
        body: &'a str,
    },
}

/// Which audit events are listed. What is `None` or empty asks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery<'a> {
    /// At most so many, 1 to 1,000; 0 stands for 50.
    pub limit: usize,
    /// Of this request.
    pub request_id: Option<&'a str>,
    /// Of this kind.
    pub event_type: Option<&'a str>,
    /// By a key of this owner.
    pub user_sub: Option<&'a str>,
    /// About this approval.
    pub approval_id: Option<&'a str>,
    /// Above this number, the oldest first; without it, the newest first.
    pub after: Option<u64>,
}

/// Which request, never its body: that may hold a claim token.
impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Submit { .. } => "Submit",
            Self::CallTool { .. } => "CallTool",
            Self::VisibleTools { .. } => "VisibleTools",
            Self::Record { .. } => "Record",
            Self::Await { .. } => "Await",
            Self::Pending { .. } => "Pending",
            Self::Decide { .. } => "Decide",
            Self::Claim { .. } => "Claim",
            Self::Withdraw { .. } => "Withdraw",
            Self::Outcomes { .. } => "Outcomes",
            Self::Delegate { .. } => "Delegate",
            Self::AuditEvents(_) => "AuditEvents",
            Self::AuditHead => "AuditHead",
            Self::AuditVerify { .. } => "AuditVerify",
            Self::EvidenceApproval { .. } => "EvidenceApproval",
            Self::EvidenceRange { .. } => "EvidenceRange",
            Self::EvidenceOrganisation { .. } => "EvidenceOrganisation",
            Self::VerifyEvidence { .. } => "VerifyEvidence",
            Self::Delegations { .. } => "Delegations",
            Self::RevokeDelegation { .. } => "RevokeDelegation",
            Self::Memories => "Memories",
            Self::Forget { .. } => "Forget",
        })
    }
}

/// The most bytes that the body of a step may hold.
const STEP_MAX: usize = 16 << 10;
/// The most bytes that a batch of outcomes may hold.
const BATCH_MAX: usize = 1 << 20;
/// The most outcomes in a batch (DESIGN 7).
const OUTCOMES_MAX: usize = 256;
/// The most tools that are asked about at once.
const TOOLS_MAX: usize = 5_000;
/// The most characters that are kept of an error's name or text.
const ERROR_MAX: usize = 500;

fn string(node: Node<'_>, name: &str) -> Result<Box<str>, Refusal> {
    node.get(name)
        .and_then(|node| node.as_str())
        .map(Into::into)
        .ok_or_else(|| invalid(format!("`{name}` must be a string")))
}

/// `{decision, reason}`
pub(crate) fn decision(body: &str) -> Result<DecideAsk, Refusal> {
    let document = parse(body, STEP_MAX)?;
    let root = document.root();
    let decision = Decision::parse(&string(root, "decision")?)
        .ok_or_else(|| invalid("`decision` must be approved or rejected"))?;
    DecideAsk::new(decision, &string(root, "reason")?)
}

/// `{claim_token, claim_id, body_hash}`
pub(crate) fn claim(body: &str) -> Result<ClaimAsk, Refusal> {
    let document = parse(body, STEP_MAX)?;
    let root = document.root();
    Ok(ClaimAsk {
        token: string(root, "claim_token")?,
        id: hex_to_bytes(&string(root, "claim_id")?)
            .ok_or_else(|| invalid("`claim_id` must be 32 lower-case hex digits"))?,
        body_hash: Digest::parse(&string(root, "body_hash")?)
            .ok_or_else(|| invalid("`body_hash` must be 64 lower-case hex digits"))?,
        signature: signature(root)?,
        verdict: None,
    })
}

/// `{claim_token}`
pub(crate) fn withdrawal(body: &str) -> Result<WithdrawAsk, Refusal> {
    let document = parse(body, STEP_MAX)?;
    let root = document.root();
    Ok(WithdrawAsk {
        token: string(root, "claim_token")?,
        signature: signature(root)?,
    })
}

/// `{timestamp, nonce, key_id, algorithm, signature}`, beside the members of a step. A signature
/// must come with all of the others; without one they mean nothing.
fn signature(step: Node<'_>) -> Result<Option<StepSignature>, Refusal> {
    if step.get("signature").is_none() {
        return Ok(None);
    }
    Ok(Some(StepSignature {
        timestamp: step
            .get("timestamp")
            .and_then(|seconds| seconds.as_i64())
            .ok_or_else(|| invalid("`timestamp` must be an integer of Unix seconds"))?,
        nonce: string(step, "nonce")?,
        key_id: string(step, "key_id")?,
        algorithm: string(step, "algorithm")?,
        signature: string(step, "signature")?,
    }))
}

/// `{outcomes: [{approval_id, claim_token or request_id, outcome, duration_ms, error?, input_digest?}]}`
pub(crate) fn outcomes(body: &str) -> Result<Vec<OutcomeReport>, Refusal> {
    let document = parse(body, BATCH_MAX)?;
    let rule = || invalid("`outcomes` must be a list of 1 to 256 reports");
    let list = document.root().get("outcomes").ok_or_else(rule)?;
    let reports: Vec<OutcomeReport> = list
        .elements()
        .take(OUTCOMES_MAX + 1)
        .map(report)
        .collect::<Result<_, _>>()?;
    if (1..=OUTCOMES_MAX).contains(&reports.len()) {
        Ok(reports)
    } else {
        Err(rule())
    }
}

fn report(node: Node<'_>) -> Result<OutcomeReport, Refusal> {
    let proof = match (node.get("claim_token"), node.get("request_id")) {
        (Some(_), _) => Proof::ClaimToken(string(node, "claim_token")?),
        (None, Some(_)) => Proof::RequestId(string(node, "request_id")?),
        (None, None) => {
            return Err(invalid(
                "a report needs its `claim_token` or its `request_id`",
            ));
        }
    };
    let error = node.get("error").filter(|error| !error.is_null());
    let outcome = ExecutionOutcome::parse(&string(node, "outcome")?)
        .ok_or_else(|| invalid("`outcome` is not a known word"))?;
    Ok(OutcomeReport {
        // A name that cannot be ours names nothing, as any other that is not known.
        approval_id: ApprovalId::parse(&string(node, "approval_id")?)
            .unwrap_or(ApprovalId([0; 16])),
        proof,
        outcome,
        duration_ms: node.get("duration_ms").and_then(|millis| millis.as_u64()),
        error: match error {
            Some(_) => Some(string(node, "error")?.chars().take(ERROR_MAX).collect()),
            None => None,
        },
        input_digest: input_digest(node, outcome)?,
        signature: signature(node)?,
    })
}

/// A digest and nothing else: the audit keeps it for good.
fn input_digest(node: Node<'_>, outcome: ExecutionOutcome) -> Result<Option<Box<str>>, Refusal> {
    if node
        .get("input_digest")
        .is_none_or(|digest| digest.is_null())
    {
        return Ok(None);
    }
    if outcome != ExecutionOutcome::Continued {
        return Err(invalid(
            "`input_digest` comes with the outcome `continued` alone",
        ));
    }
    let digest = string(node, "input_digest")?;
    let is_digest = digest
        .strip_prefix("hmac-sha256:")
        .is_some_and(|hex| Digest::parse(hex).is_some());
    if is_digest {
        Ok(Some(digest))
    } else {
        let rule = "`input_digest` must be `hmac-sha256:` and 64 lowercase hex digits";
        Err(invalid(rule))
    }
}

/// A tool that is asked about.
pub(crate) struct AskedTool {
    pub(crate) action_id: Box<str>,
    pub(crate) intent_id: Box<str>,
}

/// `{tools: [{action_id, intent_id}]}`
pub(crate) fn tools(body: &str) -> Result<Vec<AskedTool>, Refusal> {
    let document = parse(body, BATCH_MAX)?;
    let rule = || invalid("`tools` must be a list of 1 to 5000 tools");
    let list = document.root().get("tools").ok_or_else(rule)?;
    let tool = |tool| {
        Ok(AskedTool {
            action_id: string(tool, "action_id")?,
            intent_id: string(tool, "intent_id")?,
        })
    };
    let elements = list.elements().take(TOOLS_MAX + 1);
    let tools: Vec<AskedTool> = elements.map(tool).collect::<Result<_, _>>()?;
    if (1..=TOOLS_MAX).contains(&tools.len()) {
        Ok(tools)
    } else {
        Err(rule())
    }
}
