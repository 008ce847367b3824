//! Which audit events are asked for.

use sernixa_protocol::json::Document;

use crate::approval::ApprovalId;
use crate::audit::{Event, EventKind};
use crate::moment::Timestamp;

/// Which audit events are asked for: those that fit every part that is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventFilter<'a> {
    /// Of this kind.
    pub kind: Option<EventKind>,
    /// About this approval.
    pub approval_id: Option<ApprovalId>,
    /// Whose payload has this `request_id`.
    pub request_id: Option<&'a str>,
    /// Whose payload has this `owner`.
    pub owner: Option<&'a str>,
    /// Whose payload's `created_at` is not before this.
    pub from: Option<Timestamp>,
    /// Whose payload's `created_at` is before this.
    pub to: Option<Timestamp>,
}

impl EventFilter<'_> {
    /// Whether it lets an event through. A payload that cannot be read fits no part.
    pub fn fits(&self, event: &Event) -> bool {
        let by_column = self.kind.is_none_or(|kind| kind == event.kind)
            && self
                .approval_id
                .is_none_or(|id| Some(id) == event.approval_id);
        if !by_column {
            return false;
        }
        if *self
            == (Self {
                kind: self.kind,
                approval_id: self.approval_id,
                ..EventFilter::default()
            })
        {
            return true;
        }
        let Ok(document) = Document::parse(&event.payload) else {
            return false;
        };
        let text = |name| document.root().get(name).and_then(|node| node.as_str());
        let is = |name, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| text(name).as_deref() == Some(wanted))
        };
        // Times are RFC 3339 in UTC with milliseconds, all of one length: they order as texts.
        let made = text("created_at").unwrap_or_default();
        is("request_id", self.request_id)
            && is("owner", self.owner)
            && self.from.is_none_or(|from| *made >= *from.to_string())
            && self.to.is_none_or(|to| *made < *to.to_string())
    }
}
