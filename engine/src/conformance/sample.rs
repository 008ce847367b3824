//! Things to put into a store.

use std::borrow::Cow;
use std::sync::Arc;

use sernixa_protocol::RiskLevel;

use crate::api_key::ApiKey;
use crate::approval::{
    Approval, ApprovalId, Claim, ClientKind, Decided, Decision, Execution, ExecutionOutcome,
    Expiry, Resume, Status, Subject,
};
use crate::audit::Receipt;
use crate::delegation::{DelegationToken, TokenId};
use crate::digest::Digest;
use crate::memory::Memory;
use crate::moment::Timestamp;
use crate::principal::{Agents, Role};
use crate::store::{Answered, NonceKey, StoredAnswer};

pub(super) const ORGANISATION: &str = "acme";
pub(super) const OTHER: &str = "other, \"quoted\"";

pub(super) fn organisation(name: &str) -> Arc<str> {
    Arc::from(name)
}

fn subject(seed: u8, name: &str, resume: Resume) -> Subject {
    let millis = 1_000 + u64::from(seed);
    Subject {
        organisation: organisation(name),
        key: format!("key-{seed}").into(),
        owner: "owner é\u{2028}".into(),
        agent_id: seed.is_multiple_of(2).then(|| "agent".into()),
        delegation_chain_id: seed.is_multiple_of(2).then(|| "chain".into()),
        delegation_token_id: seed.is_multiple_of(2).then_some(TokenId([seed; 16])),
        delegation_depth: seed % 2,
        delegator_owners: ["ana", "b \"b\""].into_iter().map(Into::into).collect(),
        signing_key_id: seed.is_multiple_of(2).then(|| "a-key".into()),
        request_id: (seed % 2 == 1).then(|| "request".into()),
        intent_id: "an intent".into(),
        action_id: "an-action".into(),
        risk: RiskLevel::Medium,
        operation_class: "Wire_Transfer".into(),
        data_sensitivity: "PII".into(),
        systems: ["stripe", "a \"b\""].into_iter().map(Into::into).collect(),
        summary: (seed % 2 == 1).then(|| "line\none\u{1b}".into()),
        metadata: r#"{"a": 1.0, "b": 123456789012345678901234567890}"#.into(),
        body_hash: Digest([seed; 32]),
        resume,
        fingerprint: (seed % 2 == 1).then_some(Digest([seed; 32])),
        client: if seed % 2 == 1 {
            ClientKind::Claims
        } else {
            ClientKind::Unknown
        },
        created_at: Timestamp::from_millis(millis),
        expires_at: Timestamp::from_millis(millis + 900_000),
    }
}

fn of_subject(seed: u8, subject: Subject) -> Approval {
    let due = Some(subject.expires_at);
    Approval {
        id: ApprovalId([seed; 16]),
        subject: Arc::new(subject),
        status: Status::PendingReview,
        execution: Execution::None,
        reason: Cow::Borrowed("the policy asks for a person"),
        decided: None,
        expiry: None,
        claim_by: None,
        claim: None,
        attachment: 1,
        waiter_seen_at: None,
        policy_digest: Digest([0xab; 32]),
        seq: 1,
        due,
    }
}

/// An approval that waits, asked in the order of `seed`, by the key `key-<seed>`.
pub(super) fn approval(seed: u8) -> Approval {
    of_subject(seed, subject(seed, ORGANISATION, Resume::Never))
}

pub(super) fn of_organisation(seed: u8, name: &str) -> Approval {
    of_subject(seed, subject(seed, name, Resume::Detached))
}

pub(super) fn resumable(seed: u8, key: Digest) -> Approval {
    of_subject(seed, subject(seed, ORGANISATION, Resume::By(key)))
}

/// States of an approval in which every field takes each of its forms.
pub(super) fn all_states(first: &Approval) -> Vec<Approval> {
    let at = Timestamp::from_millis(2_000);
    let mut states = Vec::new();
    for status in Status::ALL {
        let executions = [Execution::None, Execution::Claimed, Execution::Delivered];
        let ended = ExecutionOutcome::ALL.map(Execution::Ended);
        for execution in executions.into_iter().chain(ended) {
            states.push(Approval {
                status,
                execution,
                ..first.clone()
            });
        }
    }
    states.push(Approval {
        waiter_seen_at: Some(at),
        ..first.clone()
    });
    for expiry in Expiry::ALL {
        states.push(Approval {
            expiry: Some(expiry),
            due: None,
            ..first.clone()
        });
    }
    for (decision, self_decided) in [(Decision::Approve, true), (Decision::Reject, false)] {
        let decided = Decided {
            decision,
            reason: "because \"so\"".into(),
            by: "rita".into(),
            at,
            self_decided,
        };
        states.push(Approval {
            decided: Some(Arc::new(decided)),
            ..first.clone()
        });
    }
    let receipt = Receipt {
        seq: u64::from(u32::MAX) + 7,
        hash: Digest([3; 32]),
    };
    states.push(Approval {
        claim: Some(Arc::new(Claim {
            id: [0xfe; 16],
            at,
            receipt,
        })),
        claim_by: Some(at),
        attachment: u32::MAX,
        reason: Cow::Owned("a reason of a policy's own".to_owned()),
        seq: receipt.seq,
        ..first.clone()
    });
    states
}

pub(super) fn memory(seed: u8) -> Memory {
    Memory {
        fingerprint: Digest([seed; 32]),
        organisation: organisation(ORGANISATION),
        key: "key".into(),
        intent_id: "an intent".into(),
        action_id: "an-action".into(),
        approved_at: vec![Timestamp::from_millis(5), Timestamp::from_millis(9)],
    }
}

pub(super) fn nonce_key(seed: u8) -> NonceKey {
    NonceKey {
        organisation: organisation(ORGANISATION),
        signer: "key".into(),
        nonce: [seed; 16],
    }
}

pub(super) fn token(seed: u8, name: &str) -> DelegationToken {
    DelegationToken {
        id: TokenId([seed; 16]),
        organisation: organisation(name),
        parent: seed.is_multiple_of(2).then_some(TokenId([seed / 2; 16])),
        payload: r#"{"scope": {"n": 1.0}, "é": "\u0000"}"#.into(),
        signature: Digest([seed; 32]),
        issued_at: Timestamp::from_millis(u64::from(seed)),
        expires_at: Timestamp::from_millis(u64::from(seed) + 3_600_000),
        revoked_at: (seed % 3 == 1).then_some(Timestamp::from_millis(77)),
    }
}

pub(super) fn api_key(seed: u8, name: &str) -> ApiKey {
    ApiKey {
        id: format!("key_{seed}").into(),
        organisation: organisation(name),
        hash: Digest([seed; 32]),
        owner: "rita".into(),
        roles: match seed % 2 {
            0 => vec![Role::Agent],
            _ => Role::ALL.to_vec(),
        },
        agents: match seed % 2 {
            0 => Agents::Any,
            _ => Agents::Only(["a", "b \"b\""].into_iter().map(Into::into).collect()),
        },
        delegated_only: seed.is_multiple_of(2),
        created_at: Timestamp::from_millis(u64::from(seed)),
        revoked_at: (seed % 3 == 1).then_some(Timestamp::from_millis(78)),
    }
}

/// An answer that tells its `seed`, kept until `until`.
pub(super) fn answered(seed: u8, until: u64) -> Answered {
    Answered {
        request: Digest([seed; 32]),
        key: "key".into(),
        answer: StoredAnswer::Refused {
            status: 403,
            body: "{\"detail\":{}}".into(),
        },
        until: Timestamp::from_millis(until),
    }
}

/// Answers of every kind.
pub(super) fn all_answers(until: u64) -> Vec<Answered> {
    let approval_id = ApprovalId([5; 16]);
    let receipt = Receipt {
        seq: 12,
        hash: Digest([6; 32]),
    };
    let kinds = [
        StoredAnswer::Allowed {
            approval_id,
            receipt,
            policy: Digest([7; 32]),
        },
        StoredAnswer::Pending {
            approval_id,
            attachment: 3,
            expires_at: Timestamp::from_millis(99),
            receipt,
        },
        StoredAnswer::Step,
        StoredAnswer::Refused {
            status: 403,
            body: "{\"é\":\"\\u0000\"}".into(),
        },
    ];
    kinds
        .into_iter()
        .map(|answer| Answered {
            answer,
            ..answered(1, until)
        })
        .collect()
}
