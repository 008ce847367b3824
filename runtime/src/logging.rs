//! How much the SDK says, and, for programs that have no `tracing` subscriber, a plain one.
//!
//! Events go through `tracing` with the target `sernixa`. They never hold argument values,
//! metadata or secrets; texts from outside are one safe line.
//!
//! The span `sernixa.authorize` around each call, of level INFO, is no message but what events are
//! read in, and what traces are made of: every verbosity has it but [`Verbosity::Off`]. A subscriber
//! that wants no spans filters them.

/// The least grave event that is emitted (`SERNIXA_LOG_LEVEL`, `SERNIXA_DEBUG`). Ordered: what
/// comes later says more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verbosity {
    /// Nothing.
    Off,
    /// What went wrong.
    Error,
    /// And what may go wrong: the default.
    #[default]
    Warning,
    /// And each decision.
    Info,
    /// And each step on the way to it.
    Debug,
    /// And each request.
    Trace,
}

impl Verbosity {
    /// A word of Python's `logging` or of `tracing`, in any case.
    pub(crate) fn from_word(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "OFF" => Self::Off,
            "CRITICAL" | "FATAL" | "ERROR" => Self::Error,
            "WARNING" | "WARN" => Self::Warning,
            "INFO" => Self::Info,
            "DEBUG" => Self::Debug,
            "TRACE" | "NOTSET" => Self::Trace,
            _ => return None,
        })
    }

    /// Whether an event of this level is emitted.
    pub(crate) fn allows(self, level: tracing::Level) -> bool {
        let least = match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warning,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::TRACE => Self::Trace,
        };
        self >= least
    }
}

/// Emits a `tracing` event if the client's verbosity allows its level:
/// `event!(settings.log, WARN, field = value, "text")`.
macro_rules! event {
    ($verbosity:expr, $level:ident, $($rest:tt)+) => {
        if $verbosity.allows(tracing::Level::$level) {
            tracing::event!(target: "sernixa", tracing::Level::$level, $($rest)+);
        }
    };
}
pub(crate) use event;

/// Prints the SDK's events on stderr, for programs that have no `tracing` subscriber. How much
/// there is follows `SERNIXA_LOG_LEVEL` and `SERNIXA_DEBUG`, which each client reads when it is
/// built. Returns `false`, and changes nothing, if the program has a subscriber already.
#[cfg(feature = "logging")]
pub fn init() -> bool {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    let ours = Targets::new().with_target("sernixa", LevelFilter::TRACE);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false);
    tracing_subscriber::registry()
        .with(lines)
        .with(ours)
        .try_init()
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_python_and_of_tracing_are_levels() {
        for (word, level) in [
            ("warning", Verbosity::Warning),
            ("WARN", Verbosity::Warning),
            ("Debug", Verbosity::Debug),
            ("critical", Verbosity::Error),
            ("off", Verbosity::Off),
            ("trace", Verbosity::Trace),
        ] {
            assert_eq!(Verbosity::from_word(word), Some(level));
        }
        assert_eq!(Verbosity::from_word("loud"), None);
    }

    #[test]
    fn by_default_warnings_are_said_and_information_is_not() {
        let verbosity = Verbosity::default();
        assert!(verbosity.allows(tracing::Level::ERROR) && verbosity.allows(tracing::Level::WARN));
        assert!(!verbosity.allows(tracing::Level::INFO));
        assert!(!Verbosity::Off.allows(tracing::Level::ERROR));
    }
}
