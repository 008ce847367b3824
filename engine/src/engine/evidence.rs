//! What auditors ask: events, the chain's head and its check, and evidence bundles (PROTOCOL 4, 10).

use crate::answer::Answer;
use crate::approval::ApprovalId;
use crate::audit::{Event, EventFilter, EventKind, InvalidReceipt, Receipt};
use crate::engine::Engine;
use crate::engine::typed::may_audit;
use crate::engine::wire::Stop;
use crate::moment::Moment;
use crate::principal::{Principal, Role};
use crate::receive::invalid;
use crate::refusal::{Refusal, Word};
use crate::request::{AuditQuery, Request};
use crate::store::StoreError;
use crate::text::{Object, array};
use sernixa_protocol::json::Document;

/// The most events in one list.
const LIST_MAX: usize = 1_000;
/// How many events a list holds when nobody says.
const LIST_DEFAULT: usize = 50;
/// How many events are read from the store at once.
const PAGE: usize = 1_024;

impl Engine {
    pub(super) fn evidence(
        &self,
        caller: &Principal,
        request: Request<'_>,
        moment: &Moment,
    ) -> Result<Answer, Stop> {
        let body = match request {
            Request::AuditEvents(query) => {
                may_audit(caller)?;
                array(self.audit_events(caller, query)?.iter().map(event_json))
            }
            Request::AuditHead => {
                may_audit(caller)?;
                self.head_json(caller)?
            }
            Request::AuditVerify { expected } => {
                let expected: Vec<Receipt> = expected
                    .iter()
                    .map(|text| text.parse())
                    .collect::<Result<_, InvalidReceipt>>()
                    .map_err(|error| invalid(error.to_string()))?;
                self.verify_audit(caller, &expected)?.json()
            }
            Request::EvidenceApproval { approval_id } => {
                self.approval_bundle(caller, approval_id, moment)?
            }
            Request::EvidenceRange { from, to, limit } => {
                self.range_bundle(caller, [from, to], limit, moment)?
            }
            Request::EvidenceOrganisation { limit } => {
                self.organisation_bundle(caller, limit, moment)?
            }
            Request::VerifyEvidence { body } => {
                may_verify(caller)?;
                self.verify_evidence(caller, body)?.json()
            }
            // Not reached: the other requests are answered elsewhere.
            _ => return Err(Refusal::new(Word::NotOffered, "this is no evidence").into()),
        };
        Ok(Answer { status: 200, body })
    }

    /// The end of the chain, and the key that signs it.
    fn head_json(&self, caller: &Principal) -> Result<String, StoreError> {
        let head = self.head(caller.organisation())?;
        let key = self.audit_public_key();
        let name = key.map(|key| key.id().to_string());
        let key = key.map(|key| key.to_string());
        Ok(Object::new()
            .string("organisation", caller.organisation())
            .number("seq", head.seq)
            .digest("hash", &head.hash)
            .optional("key_id", name.as_deref())
            .optional("public_key", key.as_deref())
            .finish())
    }

    /// The events that a query asks for: the newest first, or from a number on, the oldest first.
    fn audit_events(
        &self,
        caller: &Principal,
        query: AuditQuery<'_>,
    ) -> Result<Vec<Event>, StoreError> {
        let given = |text: Option<&'_ str>| text.map(str::to_owned).filter(|text| !text.is_empty());
        let limit = match query.limit {
            0 => LIST_DEFAULT,
            limit => limit.min(LIST_MAX),
        };
        let (kind, id) = (given(query.event_type), given(query.approval_id));
        let filter = EventFilter {
            kind: kind.as_deref().and_then(EventKind::parse),
            approval_id: id.as_deref().and_then(ApprovalId::parse),
            request_id: query.request_id.filter(|text| !text.is_empty()),
            owner: query.user_sub.filter(|text| !text.is_empty()),
            ..EventFilter::default()
        };
        // A kind or a name that cannot be ours is that of no event.
        if filter.kind.is_some() != kind.is_some() || filter.approval_id.is_some() != id.is_some() {
            return Ok(Vec::new());
        }
        let (store, organisation) = (&self.inner.store, caller.organisation());
        let Some(mut after) = query.after else {
            return store.find_events(organisation, &filter, limit);
        };
        let mut found = Vec::new();
        while found.len() < limit {
            let page = store.events(organisation, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            let fits = page.into_iter().filter(|event| filter.fits(event));
            found.extend(fits.take(limit - found.len()));
        }
        Ok(found)
    }
}

/// A bundle may be large, so fewer may send one (DESIGN 11).
fn may_verify(caller: &Principal) -> Result<(), Refusal> {
    if caller.has(Role::Auditor) || caller.has(Role::Admin) {
        Ok(())
    } else {
        let reason = "verifying evidence needs the auditor or admin role";
        Err(Refusal::new(Word::Forbidden, reason))
    }
}

/// An event as lists show it: the members that a person looks for first, its place in the chain,
/// and the exact text that was hashed.
fn event_json(event: &Event) -> String {
    const SHOWN: [&str; 10] = [
        "created_at",
        "event_type",
        "decision",
        "request_id",
        "approval_id",
        "intent_id",
        "action_id",
        "key",
        "owner",
        "reason",
    ];
    let mut object = Object::with_capacity(event.payload.len() * 2 + 256);
    if let Ok(document) = Document::parse(&event.payload) {
        for name in SHOWN {
            let value = document.root().get(name).and_then(|node| node.as_str());
            object = object.optional(name, value.as_deref());
        }
    }
    object
        .number("seq", event.seq)
        .digest("hash", &event.hash)
        .string("payload", &event.payload)
        .finish()
}
