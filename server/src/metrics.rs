//! Numbers for Prometheus. Labels are routes, methods and statuses: never ids, keys or actions.

use std::borrow::Cow;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram>,
    submissions: Family<Submission, Counter>,
    /// Requests without a good key.
    pub(crate) unauthenticated: Counter,
    /// Requests over a limit of rate.
    pub(crate) limited: Counter,
    /// Open connections.
    pub(crate) connections: Gauge,
    engine_calls: Gauge,
    streams: Gauge,
    engine_failures: Gauge<u64, AtomicU64>,
}

/// What `/metrics` shows as it is right now.
pub(crate) struct Now {
    pub(crate) engine_calls: u32,
    pub(crate) streams: usize,
    pub(crate) engine_failures: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: Cow<'static, str>,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: Cow<'static, str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Submission {
    answer: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("sernixa");
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| {
                Histogram::new([
                    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                    1.0, 2.5, 5.0, 10.0, 30.0,
                ])
            }),
            submissions: Family::default(),
            unauthenticated: Counter::default(),
            limited: Counter::default(),
            connections: Gauge::default(),
            engine_calls: Gauge::default(),
            streams: Gauge::default(),
            engine_failures: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register(
            "http_requests",
            "Requests by route, method and status",
            metrics.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from a request's head to its answer's, by route",
            metrics.durations.clone(),
        );
        registry.register(
            "submissions",
            "Submissions by what was answered",
            metrics.submissions.clone(),
        );
        registry.register(
            "unauthenticated_requests",
            "Requests without a good key",
            metrics.unauthenticated.clone(),
        );
        registry.register(
            "rate_limited_requests",
            "Requests over a limit of rate",
            metrics.limited.clone(),
        );
        registry.register(
            "connections",
            "Open connections",
            metrics.connections.clone(),
        );
        registry.register(
            "engine_calls",
            "Engine calls at work",
            metrics.engine_calls.clone(),
        );
        registry.register(
            "event_streams",
            "Open event streams",
            metrics.streams.clone(),
        );
        registry.register(
            "engine_failures",
            "How often the engine could not do its part since the start",
            metrics.engine_failures.clone(),
        );
        Self {
            registry,
            ..metrics
        }
    }

    /// Where other parts of the service show their own.
    pub(crate) const fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Counts a request that was answered.
    pub(crate) fn request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let route: Cow<'static, str> = route.to_owned().into();
        let of_route = Route {
            route: route.clone(),
        };
        let counted = Request {
            route,
            method,
            status,
        };
        self.requests.get_or_create(&counted).inc();
        self.durations
            .get_or_create(&of_route)
            .observe(took.as_secs_f64());
    }

    /// Counts a submission by what it was answered.
    pub(crate) fn submission(&self, status: u16) {
        let answer = match status {
            200 => "accepted",
            202 => "pending_review",
            403 => "blocked",
            _ => "refused",
        };
        self.submissions.get_or_create(&Submission { answer }).inc();
    }

    /// All of it, in Prometheus' text form.
    pub(crate) fn text(&self, now: &Now) -> String {
        self.engine_calls.set(i64::from(now.engine_calls));
        let streams = i64::try_from(now.streams).unwrap_or(i64::MAX);
        self.streams.set(streams);
        self.engine_failures.set(now.engine_failures);
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
