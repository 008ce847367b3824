//! How often a key, or a stranger, may ask.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use sernixa_engine::Principal;

use crate::config::Limits;

/// The budgets. Each refills steadily; an unused one allows a burst.
pub(crate) struct Rates {
    requests: DefaultKeyedRateLimiter<Arc<str>>,
    reads: DefaultKeyedRateLimiter<Arc<str>>,
    attempts: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

/// What a request counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A read of someone who waits: those are many, cheap, and must not hinder the rest.
    Read,
    /// Anything else.
    Request,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let each_second = |count: u32| {
            let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(count).allow_burst(count.saturating_mul(TWO))
        };
        let attempts = NonZeroU32::new(limits.attempts_per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            requests: DefaultKeyedRateLimiter::keyed(each_second(limits.requests_per_second)),
            reads: DefaultKeyedRateLimiter::keyed(each_second(limits.reads_per_second)),
            attempts: DefaultKeyedRateLimiter::keyed(Quota::per_minute(attempts)),
            clock: DefaultClock::default(),
        }
    }

    /// Whether a key may ask now; else how long it has to wait.
    pub(crate) fn request(&self, caller: &Principal, kind: Kind) -> Result<(), Duration> {
        // Neither part can hold a line break, so no two keys share a budget.
        let key: Arc<str> = format!("{}\n{}", caller.organisation(), caller.key()).into();
        let limiter = match kind {
            Kind::Read => &self.reads,
            Kind::Request => &self.requests,
        };
        limiter
            .check_key(&key)
            .map_err(|refused| refused.wait_time_from(self.clock.now()))
    }

    /// Whether an address may go on asking without a good key; else how long it has to wait.
    pub(crate) fn attempt(&self, from: IpAddr) -> Result<(), Duration> {
        self.attempts
            .check_key(&subscriber(from))
            .map_err(|refused| refused.wait_time_from(self.clock.now()))
    }

    /// Forgets whoever has not asked for long.
    pub(crate) fn tidy(&self) {
        self.requests.retain_recent();
        self.reads.retain_recent();
        self.attempts.retain_recent();
        self.attempts.shrink_to_fit();
    }
}

const TWO: NonZeroU32 = match NonZeroU32::new(2) {
    Some(two) => two,
    None => NonZeroU32::MIN,
};

/// Whoever has an address of IPv6 has 2^64 of them.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_subscriber_has_one_budget_however_many_addresses() {
        let v6 = |text: &str| subscriber(text.parse().unwrap());
        assert_eq!(v6("2001:db8:1:2::1"), v6("2001:db8:1:2:ffff::9"));
        assert_ne!(v6("2001:db8:1:2::1"), v6("2001:db8:1:3::1"));
        assert_eq!(v6("::ffff:192.0.2.1"), v6("192.0.2.1"));
        assert_ne!(v6("192.0.2.1"), v6("192.0.2.2"));
    }

    #[test]
    fn reads_do_not_use_up_the_budget_of_requests() {
        let rates = Rates::new(&Limits {
            requests_per_second: 1,
            reads_per_second: 1,
            attempts_per_minute: 1,
            ..Limits::default()
        });
        let (one, other) = (Principal::new("o", "k"), Principal::new("o2", "k"));
        assert!(rates.request(&one, Kind::Read).is_ok());
        assert!(rates.request(&one, Kind::Read).is_ok(), "the burst");
        let wait = rates.request(&one, Kind::Read).unwrap_err();
        assert!(wait <= Duration::from_secs(1));
        assert!(rates.request(&one, Kind::Request).is_ok());
        assert!(rates.request(&other, Kind::Read).is_ok());
        let address = "192.0.2.1".parse().unwrap();
        assert!(rates.attempt(address).is_ok());
        assert!(rates.attempt(address).unwrap_err() <= Duration::from_mins(1));
    }
}
