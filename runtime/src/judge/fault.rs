//! When no answer came at all, after the retries.

use crate::config::Base;
use crate::error::{Error, Refusal};
use crate::transport::{Endpoint, Fault};

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something that changes nothing: readiness.
    Reading,
    /// A delegation token is asked for: it may have been made although nobody heard so.
    Delegating,
    /// The submission itself.
    Submitting,
    /// The claim.
    Claiming,
}

impl Step {
    /// Of a request that belongs to no call.
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        match endpoint {
            Endpoint::Delegations => Self::Delegating,
            _ => Self::Reading,
        }
    }
}

/// The error of a request without an answer. `sent_before`: an earlier attempt may have arrived.
pub(crate) fn fault(step: Step, base: &Base, fault: Fault, sent_before: bool) -> Error {
    let (refusal, may_have_arrived) = match fault {
        Fault::Unreachable(cause) => {
            let message = match base {
                // Nobody chose this URL, so say what there is to choose.
                Base::Http {
                    is_default: true, ..
                } => {
                    "no service answers at http://localhost:8000: start one and set \
                     SERNIXA_BASE_URL, or decide in this process with SERNIXA_BASE_URL=embedded: \
                     (feature `embedded`)"
                }
                Base::Http { .. } => {
                    "the service cannot be reached; check SERNIXA_BASE_URL and the network"
                }
                Base::InProcess(_) => "the engine in this process cannot be reached",
            };
            (Refusal::new(message).retryable().caused_by(cause), false)
        }
        Fault::Timeout => {
            let message = "the service did not answer in time (SERNIXA_TIMEOUT_SECONDS)";
            let refusal = Refusal::new(message).retryable();
            let refusal = if step == Step::Reading {
                refusal
            } else {
                refusal.maybe_submitted()
            };
            return Error::Timeout(refusal.boxed());
        }
        Fault::Interrupted(cause) => {
            let message = "the connection to the service broke before its answer was complete";
            (Refusal::new(message).retryable().caused_by(cause), true)
        }
        Fault::TooLarge => {
            let message = "the service sent an answer of more than 1 MiB";
            (Refusal::new(message), true)
        }
    };
    let submitted = step != Step::Reading && (may_have_arrived || sent_before);
    let refusal = if submitted {
        refusal.maybe_submitted()
    } else {
        refusal
    };
    Error::Api(refusal.boxed())
}
