//! A token as callers read it: what it says and where it stands, never its signature.

use super::{BrokenLink, Claims, DelegationToken};
use crate::audit::Receipt;
use crate::refusal::receipt_json;
use crate::text::Object;

/// A token as an answer shows it.
pub(crate) struct TokenView<'a> {
    token: &'a DelegationToken,
    /// `None` for a token that is not as it was signed: of that, only the name is shown.
    claims: Option<&'a Claims>,
    stands: Result<(), BrokenLink>,
    receipt: Option<Receipt>,
}

impl<'a> TokenView<'a> {
    pub(crate) const fn new(
        token: &'a DelegationToken,
        claims: Option<&'a Claims>,
        stands: Result<(), BrokenLink>,
    ) -> Self {
        Self {
            token,
            claims,
            stands,
            receipt: None,
        }
    }

    /// The same with the audit event that recorded it.
    pub(crate) const fn with_receipt(mut self, receipt: Receipt) -> Self {
        self.receipt = Some(receipt);
        self
    }

    /// The word for where it stands.
    const fn status(&self) -> &'static str {
        match self.stands {
            Ok(()) => "active",
            Err(BrokenLink::Expired) => "expired",
            Err(BrokenLink::Revoked) => "revoked",
            Err(BrokenLink::Invalid) => "invalid",
        }
    }

    pub(crate) fn json(&self) -> String {
        let token = self.token;
        let object = Object::with_capacity(768).string("token_id", &token.id.to_string());
        let Some(claims) = self.claims else {
            return object.string("status", self.status()).finish();
        };
        let object = object
            .string("chain_id", &claims.chain.to_string())
            .string("status", self.status())
            .optional(
                "parent_token_id",
                token.parent.map(|id| id.to_string()).as_deref(),
            )
            .number("depth", u64::from(claims.depth))
            .string("delegator_agent_id", &claims.delegator)
            .string("delegatee_agent_id", &claims.delegatee)
            .json("scope", &claims.scope.json());
        let object = claims
            .tools
            .write(object)
            .optional("root_human_session_id", claims.session.as_deref())
            .optional("reason", claims.reason.as_deref())
            .string("issued_by", &claims.issued_by)
            .time("issued_at", claims.issued_at)
            .time("expires_at", claims.expires_at)
            .optional_time("revoked_at", token.revoked_at);
        match self.receipt {
            Some(receipt) => object.json("receipt", &receipt_json(receipt)),
            None => object,
        }
        .finish()
    }
}
