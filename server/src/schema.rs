//! The shapes of requests and answers, for the `OpenAPI` document. The engine reads and writes the
//! texts themselves; nothing here is ever made.

#![allow(
    dead_code,
    clippy::struct_field_names,
    reason = "shapes that only the document is made of; nothing constructs them"
)]

use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Every "no", and why.
#[derive(ToSchema)]
pub(crate) struct Refusal {
    /// What it is.
    detail: RefusalDetail,
}

/// Which "no" it is.
#[derive(ToSchema)]
pub(crate) struct RefusalDetail {
    /// A word for programs, such as `blocked` or `not_found`.
    status: String,
    /// One line for people.
    reason: String,
    /// What supports it.
    evidence: Map<String, Value>,
}

/// The place of an audit event, to be kept: it proves later that the event was not cut off.
#[derive(ToSchema)]
pub(crate) struct Receipt {
    /// The event's number in its organisation's chain.
    #[schema(minimum = 1)]
    seq: u64,
    /// The chain's hash at that event.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    hash: String,
}

/// What is asked: may this action run? (PROTOCOL 2, 18, 22)
#[derive(ToSchema)]
pub(crate) struct Submission {
    #[schema(min_length = 1, max_length = 128)]
    intent_id: String,
    #[schema(min_length = 1)]
    action_id: String,
    #[schema(
        required = false,
        nullable = false,
        min_length = 1,
        max_length = 128,
        pattern = "^[!-~]+$"
    )]
    request_id: Option<String>,
    #[schema(required = false, nullable = false)]
    timestamp: Option<i64>,
    #[schema(required = false, nullable = false, pattern = "^[0-9a-f]{32}$")]
    nonce: Option<String>,
    metadata: SubmissionMetadata,
}

/// How grave the action is, and what it touches; further members are kept as they come.
#[derive(ToSchema)]
pub(crate) struct SubmissionMetadata {
    risk_level: RiskLevel,
    #[schema(min_length = 1, max_length = 64)]
    operation_class: String,
    #[schema(min_length = 1, max_length = 64)]
    data_sensitivity: String,
    #[schema(min_items = 1)]
    systems_touched: Vec<Name>,
}

/// A text with something in it that can be seen.
#[derive(ToSchema)]
#[schema(pattern = r"\S")]
pub(crate) struct Name(String);

/// How grave an action is.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(crate) enum RiskLevel {
    Low,
    Medium,
    High,
    Critical,
}

/// Leave to run now.
#[derive(ToSchema)]
pub(crate) struct Accepted {
    status: AcceptedStatus,
    decision: AcceptedDecision,
    approval_id: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    body_hash: String,
    #[schema(required = false, nullable = false)]
    request_id: Option<String>,
    capabilities: Vec<Capability>,
    receipt: Receipt,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum AcceptedStatus {
    Accepted,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum AcceptedDecision {
    AutoApproved,
}

/// A person decides first.
#[derive(ToSchema)]
pub(crate) struct Pending {
    status: PendingStatus,
    approval_id: String,
    /// What claims the approval once it is given. Shown here alone.
    claim_token: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    body_hash: String,
    #[schema(required = false, nullable = false)]
    request_id: Option<String>,
    #[schema(format = DateTime)]
    expires_at: String,
    capabilities: Vec<Capability>,
    receipt: Receipt,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum PendingStatus {
    PendingReview,
}

/// What this service can beyond the plain protocol.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Capability {
    Events,
    Claim,
    Outcome,
    Withdraw,
    Resume,
}

/// An approval.
#[derive(ToSchema)]
pub(crate) struct Record {
    approval_id: String,
    action_id: String,
    intent_id: String,
    status: Status,
    /// Why it waits, was let through, or ended.
    reason: String,
    decision_reason: Option<String>,
    decided_by: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
    #[schema(format = DateTime)]
    claim_by: Option<String>,
    risk_level: RiskLevel,
    operation_class: String,
    data_sensitivity: String,
    systems_touched: Vec<String>,
    summary: Option<String>,
    agent_id: Option<String>,
    delegation_chain_id: Option<String>,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    body_hash: String,
    /// What became of it: `none`, `claimed`, `delivered`, or an outcome.
    execution: String,
    /// When a client that waits for it was last noticed, of an approval that outlives its waiters
    /// (a resume key). Null for all others.
    #[schema(format = DateTime)]
    waiter_seen_at: Option<String>,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    policy_digest: String,
    self_decided: bool,
    /// As it was sent; in the single record alone.
    #[schema(required = false, nullable = false)]
    metadata: Option<Map<String, Value>>,
    /// In the answer to a decision alone.
    #[schema(required = false, nullable = false)]
    decision: Option<Decision>,
}

/// Where an approval stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Status {
    PendingReview,
    Approved,
    AutoApproved,
    Rejected,
    Blocked,
    Expired,
}

/// A person's word.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Decision {
    Approved,
    Rejected,
}

/// A person's decision.
#[derive(ToSchema)]
pub(crate) struct DecisionAsk {
    decision: Decision,
    /// 3 to 500 characters after blanks around it are gone.
    #[schema(min_length = 3, max_length = 500)]
    reason: String,
}

/// The start of what was approved.
#[derive(ToSchema)]
pub(crate) struct ClaimAsk {
    claim_token: String,
    /// Made once for each started call: the same again gets the same answer again.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    claim_id: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    body_hash: String,
}

/// The action may start, now and once.
#[derive(ToSchema)]
pub(crate) struct Claimed {
    status: ClaimedStatus,
    approval_id: String,
    #[schema(pattern = "^[0-9a-f]{32}$")]
    claim_id: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    body_hash: String,
    receipt: Receipt,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ClaimedStatus {
    Claimed,
}

/// Nobody waits for it any more.
#[derive(ToSchema)]
pub(crate) struct WithdrawAsk {
    claim_token: String,
}

/// How actions ended.
#[derive(ToSchema)]
pub(crate) struct Outcomes {
    #[schema(min_items = 1, max_items = 256)]
    outcomes: Vec<Outcome>,
}

/// How one action ended: with its `claim_token`, or its `request_id`.
#[derive(ToSchema)]
pub(crate) struct Outcome {
    approval_id: String,
    #[schema(required = false, nullable = false)]
    claim_token: Option<String>,
    #[schema(required = false, nullable = false)]
    request_id: Option<String>,
    outcome: OutcomeWord,
    #[schema(required = false, minimum = 0)]
    duration_ms: Option<u64>,
    #[schema(required = false)]
    error: Option<String>,
    /// Keyed digest of what an action that goes on is told now; with the outcome `continued` alone.
    /// Each stands in the audit.
    #[schema(required = false, pattern = "^hmac-sha256:[0-9a-f]{64}$")]
    input_digest: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum OutcomeWord {
    Succeeded,
    Failed,
    Panicked,
    Cancelled,
    Returned,
    Continued,
    NotStarted,
    OutcomeUnknown,
}

/// What was made of each report.
#[derive(ToSchema)]
pub(crate) struct OutcomeResults {
    results: Vec<OutcomeResult>,
}

#[derive(ToSchema)]
pub(crate) struct OutcomeResult {
    approval_id: String,
    /// `recorded`, or why not.
    status: String,
}

/// Tools that somebody may be shown.
#[derive(ToSchema)]
pub(crate) struct Tools {
    #[schema(min_items = 1, max_items = 5000)]
    tools: Vec<Tool>,
}

/// A tool, as the submissions of its calls name it.
#[derive(ToSchema)]
pub(crate) struct Tool {
    action_id: String,
    intent_id: String,
}

/// Which tools some call may be permitted of.
#[derive(ToSchema)]
pub(crate) struct VisibleTools {
    /// In the order of the question. False: each call is refused, whatever it says.
    visible: Vec<bool>,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    policy_digest: String,
}

/// A call of an MCP tool (PROTOCOL 7). Further members are ignored; what it says of a plan is
/// recorded and not relied on.
#[derive(ToSchema)]
pub(crate) struct ToolCall {
    #[schema(min_length = 1)]
    tool_name: String,
    #[schema(min_length = 1, max_length = 128)]
    intent_id: String,
    risk_level: RiskLevel,
    #[schema(min_length = 1, max_length = 64)]
    operation_class: String,
    #[schema(min_length = 1, max_length = 64)]
    data_sensitivity: String,
    #[schema(required = false)]
    mcp_toolset_id: Option<String>,
    #[schema(required = false)]
    server_name: Option<String>,
    #[schema(required = false)]
    action_id: Option<String>,
    #[schema(required = false)]
    arguments: Option<Map<String, Value>>,
    #[schema(required = false)]
    metadata: Option<Map<String, Value>>,
    #[schema(
        required = false,
        min_length = 1,
        max_length = 128,
        pattern = "^[!-~]+$"
    )]
    request_id: Option<String>,
    #[schema(required = false)]
    timestamp: Option<i64>,
    #[schema(required = false, pattern = "^[0-9a-f]{32}$")]
    nonce: Option<String>,
}

/// Leave to call the tool now.
#[derive(ToSchema)]
pub(crate) struct ToolAccepted {
    #[serde(flatten)]
    accepted: Accepted,
    /// The caller makes the call itself: this service dispatches nothing.
    dispatch_mode: DispatchMode,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum DispatchMode {
    CallerOwnedAfterAllowed,
}

/// The caller.
#[derive(ToSchema)]
pub(crate) struct Caller {
    principal_id: String,
    auth_provider: String,
    organization_id: String,
    team_id: Option<String>,
    key_id: Option<String>,
    owner: String,
    roles: Vec<String>,
    permissions: Vec<String>,
}

/// Where an installation of a client says that it exists.
#[derive(ToSchema)]
pub(crate) struct Installed {
    accepted: bool,
    first_seen: bool,
    #[schema(format = DateTime)]
    observed_at: String,
}

/// The state of the service (PROTOCOL 6).
#[derive(ToSchema)]
pub(crate) struct Readiness {
    status: ReadinessStatus,
    /// `local_demo` or `production_like`.
    runtime_mode: String,
    /// As in the answers to submissions.
    capabilities: Vec<Capability>,
    checks: Map<String, Value>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ReadinessStatus {
    Ready,
    NotReady,
}

/// The process lives.
#[derive(ToSchema)]
pub(crate) struct Alive {
    status: String,
}

/// A delegation token (PROTOCOL 5).
#[derive(ToSchema)]
pub(crate) struct Token {
    token_id: String,
    status: String,
}

/// A delegation token to be made.
#[derive(ToSchema)]
pub(crate) struct TokenAsk {
    #[schema(required = false)]
    parent_token_id: Option<String>,
    delegator_agent_id: String,
    delegatee_agent_id: String,
    scope: Map<String, Value>,
    #[schema(required = false)]
    tool_subset: Option<Vec<String>>,
    #[schema(required = false)]
    root_human_session_id: Option<String>,
    #[schema(required = false)]
    expires_in_seconds: Option<i64>,
    #[schema(required = false)]
    reason: Option<String>,
}

/// A call that people have approved before.
#[derive(ToSchema)]
pub(crate) struct Memory {
    #[schema(pattern = "^[0-9a-f]{64}$")]
    fingerprint: String,
    key: String,
    intent_id: String,
    action_id: String,
    approved_at: Vec<String>,
}

/// It is done.
#[derive(ToSchema)]
pub(crate) struct Done {
    status: String,
}

/// Any JSON object.
#[derive(ToSchema)]
#[schema(value_type = Object)]
pub(crate) struct Anything(Map<String, Value>);
