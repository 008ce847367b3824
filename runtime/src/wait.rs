//! When to look at a pending approval again, and when to give up: a pure state machine over a
//! monotonic clock.

use std::time::Duration;

use crate::judge::Looked;

/// The longest pause after trouble.
const TROUBLE_CAP: Duration = Duration::from_secs(30);

/// How often an approval is looked at whose changes are pushed to us, in case a push was lost.
const SAFETY: Duration = Duration::from_secs(30);

/// One wait. All times are readings of one monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    /// The wait ends here, whatever is under way. `None`: one look, however long it takes.
    deadline: Option<Duration>,
    interval: Duration,
    /// When the approval lapses, if that was said.
    expires: Option<Duration>,
    /// Looks in a row that met trouble.
    troubles: u32,
    /// The first look is over.
    begun: bool,
}

/// How a waiter hears of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It looks, every interval.
    Polled,
    /// It is woken.
    Pushed,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Look at this time, or when woken before.
    Look(Duration),
    /// Nobody decided in time.
    GiveUp,
}

impl Wait {
    /// A wait that begins `now`; its first look is due at once.
    pub(crate) fn new(
        now: Duration,
        timeout: Duration,
        interval: Duration,
        expires: Option<Duration>,
    ) -> Self {
        let deadline = (!timeout.is_zero()).then(|| now.saturating_add(timeout));
        Self {
            deadline,
            interval,
            expires,
            troubles: 0,
            begun: false,
        }
    }

    /// Where the wait ends, retries included; `None` when there is one look only.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// After a look that ended `now` without a decision. `chance` is uniform in 0..1.
    pub(crate) fn after(&mut self, looked: Looked, news: News, now: Duration, chance: f64) -> Next {
        let pause = match looked {
            Looked::Trouble(asked) => {
                self.troubles = self.troubles.saturating_add(1);
                self.trouble(asked)
            }
            Looked::Open | Looked::Pending => {
                self.troubles = 0;
                let chance = chance.clamp(0.0, 1.0);
                match (news, self.begun) {
                    // Anywhere in the first interval: thousands that began together do not come
                    // back together.
                    (News::Polled, false) => self.interval.mul_f64(chance),
                    (News::Polled, true) => self.interval.mul_f64(0.9 + 0.2 * chance),
                    (News::Pushed, _) => SAFETY,
                }
            }
        };
        self.begun = true;
        self.next(pause, now)
    }

    /// When nothing is pushed any more: anywhere in the next interval, as at the beginning.
    pub(crate) fn unpushed(&self, now: Duration, chance: f64) -> Next {
        self.next(self.interval.mul_f64(chance.clamp(0.0, 1.0)), now)
    }

    fn next(&self, pause: Duration, now: Duration) -> Next {
        let Some(deadline) = self.deadline else {
            return Next::GiveUp;
        };
        let mut at = now.saturating_add(pause);
        if let Some(expires) = self.expires.filter(|expires| *expires > now) {
            at = at.min(expires);
        }
        if now >= deadline {
            Next::GiveUp
        } else {
            Next::Look(at.min(deadline))
        }
    }

    /// Whether a look that is due may still begin.
    pub(crate) fn over(&self, now: Duration) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    /// The interval, doubled for each trouble in a row; not before the service wants us back.
    fn trouble(&self, asked: Option<Duration>) -> Duration {
        let doublings = self.troubles.saturating_sub(1).min(16);
        let pause = self.interval.saturating_mul(1 << doublings);
        let pause = pause.min(TROUBLE_CAP.max(self.interval));
        pause.max(asked.unwrap_or_default().min(TROUBLE_CAP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn wait(timeout: u64) -> Wait {
        Wait::new(s(100), s(timeout), s(2), None)
    }

    /// Looks that begin and end at once.
    impl Wait {
        fn polled(&mut self, looked: Looked, now: Duration, chance: f64) -> Next {
            self.after(looked, News::Polled, now, chance)
        }

        fn pushed(&mut self, looked: Looked, now: Duration) -> Next {
            self.after(looked, News::Pushed, now, 0.5)
        }
    }

    #[test]
    fn looks_come_every_interval_give_or_take_a_tenth_once_they_are_spread_out() {
        let mut wait = wait(600);
        assert_eq!(
            wait.polled(Looked::Pending, s(100), 0.5),
            Next::Look(s(101))
        );
        assert_eq!(
            wait.polled(Looked::Pending, s(100), 0.5),
            Next::Look(s(102))
        );
        let Next::Look(early) = wait.polled(Looked::Pending, s(102), 0.0) else {
            panic!()
        };
        let Next::Look(late) = wait.polled(Looked::Pending, s(102), 1.0) else {
            panic!()
        };
        assert_eq!(early, s(102) + Duration::from_millis(1800));
        assert_eq!(late, s(102) + Duration::from_millis(2200));
    }

    #[test]
    fn the_deadline_bounds_the_wait_and_zero_means_one_look() {
        let mut short = wait(3);
        short.polled(Looked::Pending, s(100), 0.5);
        assert_eq!(
            short.polled(Looked::Pending, s(102), 0.5),
            Next::Look(s(103))
        );
        assert!(short.over(s(103)) && !short.over(s(102)));
        assert_eq!(short.polled(Looked::Pending, s(103), 0.5), Next::GiveUp);
        let mut once = wait(0);
        assert!(!once.over(s(1_000)));
        assert_eq!(once.polled(Looked::Pending, s(100), 0.5), Next::GiveUp);
        assert_eq!(
            once.polled(Looked::Trouble(None), s(100), 0.5),
            Next::GiveUp
        );
    }

    #[test]
    fn trouble_backs_off_until_the_deadline_and_is_forgotten_when_over() {
        let mut wait = wait(600);
        let mut at = |looked| match wait.polled(looked, s(100), 0.5) {
            Next::Look(at) => at.saturating_sub(s(100)).as_secs(),
            Next::GiveUp => panic!("gave up"),
        };
        let pauses: Vec<_> = (0..6).map(|_| at(Looked::Trouble(None))).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 30, 30]);
        assert_eq!(at(Looked::Trouble(Some(s(3_600)))), 30);
        assert_eq!(at(Looked::Pending), 2);
        assert_eq!(at(Looked::Trouble(Some(s(9)))), 9);
    }

    #[test]
    fn while_changes_are_pushed_there_is_a_look_every_half_minute_and_at_the_end_of_life() {
        let mut pushed = Wait::new(s(100), s(600), s(2), Some(s(145)));
        assert_eq!(pushed.pushed(Looked::Pending, s(100)), Next::Look(s(130)));
        assert_eq!(pushed.pushed(Looked::Pending, s(130)), Next::Look(s(145)));
        assert_eq!(pushed.pushed(Looked::Pending, s(145)), Next::Look(s(175)));
    }

    #[test]
    fn who_hears_nothing_any_more_looks_within_an_interval_and_then_every_interval() {
        let mut wait = Wait::new(s(100), s(600), s(2), None);
        assert_eq!(wait.pushed(Looked::Pending, s(100)), Next::Look(s(130)));
        assert_eq!(wait.unpushed(s(110), 0.5), Next::Look(s(111)));
        assert_eq!(
            wait.polled(Looked::Pending, s(111), 0.5),
            Next::Look(s(113))
        );
        assert_eq!(wait.pushed(Looked::Pending, s(113)), Next::Look(s(143)));
        assert_eq!(wait.unpushed(s(700), 0.5), Next::GiveUp);
    }
}
