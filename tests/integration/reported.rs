//! What a governed function reports of its body (DESIGN 7): by whatever way the body ends, and
//! whatever the function returns.

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use sernixa::{Client, Error, intercept};
use tokio::sync::Notify;

use crate::support::service::{OUTCOMES, Says, Service};

/// How a body is to end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Well,
    Badly,
    Panicking,
}

impl End {
    fn reach<E: From<std::io::Error>>(self) -> Result<u8, E> {
        match self {
            Self::Well => Ok(7),
            Self::Badly => Err(E::from(std::io::Error::other("the card is blocked"))),
            Self::Panicking => panic!("on purpose"),
        }
    }
}

macro_rules! governed {
    ($client:ident, $end:ident; $($(#[$meta:meta])* { $($signature:tt)* } $body:block)*) => {$(
        $(#[$meta])*
        #[intercept(
            intent_id = "reported",
            risk_level = "low",
            operation_class = "read",
            data_sensitivity = "public",
            systems_touched = ["test"],
            client = $client,
            handles = [$client, $end],
        )]
        $($signature)* $body
    )*};
}

governed! {
    client, end;

    { fn at_once(client: &Client, end: End) -> std::io::Result<u8> } {
        end.reach()
    }

    { async fn later(client: &Client, end: End) -> std::io::Result<u8> } {
        end.reach()
    }

    { fn as_a_future(client: &Client, end: End) -> impl Future<Output = std::io::Result<u8>> } {
        let client = client.clone();
        async move {
            drop(client);
            end.reach()
        }
    }

    { fn boxed<'a>(client: &'a Client, end: End) -> Pin<Box<dyn Future<Output = std::io::Result<u8>> + 'a>> } {
        assert!(!format!("{client:?}").is_empty());
        Box::pin(async move { end.reach() })
    }

    #[track_caller]
    { fn in_place(client: &Client, end: End) -> std::io::Result<u8> } {
        end.reach()
    }

    { async fn never_done(client: &Client, end: &Notify) -> std::io::Result<u8> } {
        end.notify_one();
        std::future::pending().await
    }
}

fn none(_: Error) -> Option<u8> {
    None
}

#[intercept(
    intent_id = "reported",
    risk_level = "low",
    operation_class = "read",
    data_sensitivity = "public",
    systems_touched = ["test"],
    client = client,
    handles = [client, end],
    refused = none,
)]
fn without_result(client: &Client, end: End) -> Option<u8> {
    end.reach::<std::io::Error>().ok()
}

#[derive(Debug)]
struct Declined;

impl From<std::io::Error> for Declined {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

fn declined(_: Error) -> Result<u8, Declined> {
    Err(Declined)
}

#[intercept(
    intent_id = "reported",
    risk_level = "low",
    operation_class = "read",
    data_sensitivity = "public",
    systems_touched = ["test"],
    client = client,
    handles = [client, end],
    refused = declined,
)]
fn with_a_result_of_its_own(client: &Client, end: End) -> Result<u8, Declined> {
    end.reach()
}

/// The one outcome that a call reports: its word, and the error's type.
fn reported<T>(call: impl FnOnce(&Client) -> T) -> (String, Option<String>) {
    let service = Service::full(Says::Allowed);
    let client = service.client();
    let _ = catch_unwind(AssertUnwindSafe(|| call(&client)));
    client.close_blocking();
    let words = service.outcomes(1);
    let requests = service.server.requests_to("POST", OUTCOMES);
    assert_eq!(
        (words.len(), requests.len()),
        (1, 1),
        "one call, one outcome"
    );
    let body = requests[0].json();
    assert!(
        !body.to_string().contains("the card"),
        "no text of an error leaves"
    );
    let error = body["outcomes"][0]["error"].as_str().map(str::to_owned);
    (words[0].clone(), error)
}

fn words<T: Debug>(call: impl Fn(&Client, End) -> T) -> [String; 3] {
    [End::Well, End::Badly, End::Panicking].map(|end| reported(|client| call(client, end)).0)
}

/// Polls both; what the first gave, or `None` when the second was done before it.
async fn first_or_second<A: Future, B: Future>(
    mut a: Pin<&mut A>,
    mut b: Pin<&mut B>,
) -> Option<A::Output> {
    poll_fn(|context| match a.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => b.as_mut().poll(context).map(|_| None),
    })
    .await
}

fn run<F: Future>(future: F) -> F::Output {
    pollster::block_on(future)
}

#[test]
fn a_body_succeeds_fails_or_panics() {
    let expected = ["succeeded", "failed", "panicked"];
    assert_eq!(words(at_once), expected);
    assert_eq!(words(|client, end| run(later(client, end))), expected);
    assert_eq!(words(|client, end| run(as_a_future(client, end))), expected);
    assert_eq!(words(|client, end| run(boxed(client, end))), expected);
    assert_eq!(words(with_a_result_of_its_own), expected);
}

#[test]
fn a_body_whose_result_cannot_be_seen_returns_or_panics() {
    let expected = ["returned", "returned", "panicked"];
    assert_eq!(words(in_place), expected);
    assert_eq!(words(without_result), expected);
}

#[test]
fn of_an_error_its_type_is_reported() {
    let (word, error) = reported(|client| at_once(client, End::Badly));
    assert_eq!(
        (word.as_str(), error.as_deref()),
        ("failed", Some("std::io::error::Error"))
    );
    let (_, error) = reported(|client| with_a_result_of_its_own(client, End::Badly));
    assert_eq!(error.as_deref(), Some(std::any::type_name::<Declined>()));
    let (_, error) = reported(|client| at_once(client, End::Well));
    assert_eq!(error, None);
}

#[test]
fn a_body_that_is_dropped_was_cancelled() {
    let (word, _) = reported(|client| {
        let began = Notify::new();
        run(async {
            let call = pin!(never_done(client, &began));
            let began = pin!(began.notified());
            // Dropped as soon as the body has begun.
            let first = first_or_second(call, began).await;
            assert!(first.is_none(), "the body never ends");
        });
    });
    assert_eq!(word, "cancelled");
}

/// DESIGN 7: the error's type name; its text only with capture on, after DLP.
#[test]
fn an_errors_text_is_told_only_where_arguments_are_captured_and_after_dlp() {
    #[intercept(
        intent_id = "reported",
        risk_level = "low",
        operation_class = "read",
        data_sensitivity = "public",
        systems_touched = ["test"],
        client = client,
        handles = [client],
        capture_arguments = true,
    )]
    fn captured(client: &Client) -> std::io::Result<u8> {
        Err(std::io::Error::other(
            "no\nletter to ada.lovelace@example.com, card 4242 4242 4242 4242",
        ))
    }

    let (word, told) = reported(captured);
    assert_eq!(word, "failed");
    let told = told.unwrap();
    assert!(told.starts_with("std::io::error::Error: no"), "{told}");
    assert!(told.contains("a***@example.com"), "{told}");
    for secret in ["lovelace", "4242 4242", "\n"] {
        assert!(!told.contains(secret), "{told}");
    }

    let (_, told) = reported(|client| at_once(client, End::Badly));
    assert_eq!(told.as_deref(), Some("std::io::error::Error"));
}
