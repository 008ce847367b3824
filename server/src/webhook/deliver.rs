//! Bringing notices to one receiver: several at once, each tried a few times.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::sleep;

use super::hook::Webhook;
use super::resolve::{Guarded, Lookup, system};
use super::sign::signature;
use super::{Counts, Notice};
use crate::closing::Closing;
use crate::moments;

/// The most attempts for one notice: with the pauses, about a minute.
pub(super) const ATTEMPTS: u32 = 6;

/// The pause after the first attempt, doubled after each one more.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How many notices are under way to one receiver: one that hangs holds up few.
const AT_ONCE: usize = 8;

/// How long one attempt may take, with its answer.
const TIMEOUT: Duration = Duration::from_secs(10);

const SIGNATURE: HeaderName = HeaderName::from_static("sernixa-signature");
const NOTICE_ID: HeaderName = HeaderName::from_static("sernixa-notice-id");

/// Brings notices to one receiver.
#[derive(Clone)]
pub(super) struct Courier {
    client: Client,
    hook: Webhook,
    counts: Counts,
    first_pause: Duration,
}

/// How an attempt ended.
enum Attempt {
    Delivered,
    /// Another one may end better.
    Again(String),
    /// None will.
    Refused(StatusCode),
}

impl Courier {
    pub(super) fn new(hook: &Webhook, counts: Counts) -> Result<Self, reqwest::Error> {
        Self::with(hook, counts, system(), FIRST_PAUSE)
    }

    pub(super) fn with(
        hook: &Webhook,
        counts: Counts,
        lookup: Lookup,
        first_pause: Duration,
    ) -> Result<Self, reqwest::Error> {
        // No proxy: it would choose the address in our place. No redirects: neither would they be
        // judged by the operator.
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .https_only(!hook.reach.http)
            .dns_resolver(Guarded::new(lookup, hook.reach))
            .connect_timeout(TIMEOUT)
            .timeout(TIMEOUT)
            .user_agent(concat!("sernixa/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            client,
            hook: hook.clone(),
            counts,
            first_pause,
        })
    }

    /// Takes notices until the service closes. What is under way then is given up.
    pub(super) async fn run(self, mut notices: mpsc::Receiver<Notice>, mut closing: Closing) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await.ok()?;
                Some((place, notices.recv().await?))
            };
            let next = tokio::select! {
                () = closing.wait() => None,
                next = next => next,
            };
            let Some((place, notice)) = next else {
                return;
            };
            let (courier, mut closing) = (self.clone(), closing.clone());
            tokio::spawn(async move {
                let _place = place;
                tokio::select! {
                    () = closing.wait() => {}
                    () = courier.bring(&notice) => {}
                }
            });
        }
    }

    /// Tries until it is taken, refused, or was tried often enough.
    pub(super) async fn bring(&self, notice: &Notice) {
        let (host, id) = (self.hook.host(), &notice.id);
        let mut pause = self.first_pause;
        for attempt in 1..=ATTEMPTS {
            match self.attempt(notice).await {
                Attempt::Delivered => {
                    self.counts.delivered.inc();
                    return;
                }
                Attempt::Refused(status) => {
                    tracing::warn!(%host, %id, %status, "a webhook refused a notice");
                    break;
                }
                Attempt::Again(why) if attempt == ATTEMPTS => {
                    tracing::warn!(%host, %id, why, "a webhook did not take a notice");
                }
                Attempt::Again(why) => {
                    tracing::debug!(%host, %id, why, attempt, "a notice is sent again");
                    sleep(pause.mul_f64(spread())).await;
                    pause *= 2;
                }
            }
        }
        self.counts.failed.inc();
    }

    async fn attempt(&self, notice: &Notice) -> Attempt {
        let seconds = moments::time().millis() / 1_000;
        let Some(signature) = signature(&self.hook.secret, seconds, &notice.body) else {
            return Attempt::Again("the notice cannot be signed".to_owned());
        };
        let request = self
            .client
            .post(self.hook.url.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(SIGNATURE, signature)
            .header(NOTICE_ID, &*notice.id)
            .body(String::from(&*notice.body));
        // The answer's body is nothing to us, and is not read.
        match request.send().await.map(|response| response.status()) {
            Ok(status) if status.is_success() => Attempt::Delivered,
            Ok(status) if worth_another(status) => Attempt::Again(status.to_string()),
            Ok(status) => Attempt::Refused(status),
            Err(error) => Attempt::Again(told(error)),
        }
    }
}

fn worth_another(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_MANY_REQUESTS
}

/// What went wrong, with its causes and without the URL, which may hold a token.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    sernixa_protocol::display::one_line(&text).to_string()
}

/// 0.5 to 1, so that what failed together is not sent again together.
fn spread() -> f64 {
    getrandom::u32().map_or(1.0, |number| {
        0.5 + 0.5 * f64::from(number) / f64::from(u32::MAX)
    })
}
