//! Functions that return a future: the whole body, and the asking, wait for the first poll.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sernixa::testing::TestGate;
use sernixa::{Error, intercept};

use super::{INTENT, began, proves_async};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn opaque(n: u8) -> impl Future<Output = Result<u8, Error>> {
    began();
    async move { Ok(n) }
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn opaque_and_send<'a>(
    text: &'a str,
    n: usize,
) -> impl Future<Output = Result<usize, Error>> + Send + 'a {
    began();
    let length = text.len();
    async move {
        tokio::task::yield_now().await;
        Ok(length + n)
    }
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn opaque_output() -> impl Future<Output = Result<impl Iterator<Item = u8>, Error>> {
    began();
    async { Ok([1, 2].into_iter()) }
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + Send + 'a>> {
    began();
    if text.is_empty() {
        return Box::pin(async { Ok(0) });
    }
    Box::pin(async move { Ok(text.len()) })
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn boxed_by_absolute_names(
    n: u8,
) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = Result<u8, Error>>>> {
    began();
    Box::pin(std::future::ready(Ok(n)))
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn box_future(mut items: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, Error>> {
    began();
    items.push(1);
    Box::pin(async move { Ok(items) })
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn local_box_future<'a>(items: &'a mut Vec<u8>) -> LocalBoxFuture<'a, Result<&'a mut u8, Error>> {
    began();
    Box::pin(async move {
        items.push(7);
        Ok(&mut items[0])
    })
}

struct Shop {
    name: String,
}

impl Shop {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn boxed_method<'a>(&'a self, (a, b): (&'a str, u8)) -> BoxFuture<'a, Result<String, Error>> {
        began();
        Box::pin(async move { Ok(format!("{}{a}{b}", self.name)) })
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn opaque_method(
        self: Arc<Self>,
        n: usize,
    ) -> impl Future<Output = Result<usize, Error>> + Send {
        began();
        async move { Ok(self.name.len() + n) }
    }
}

trait Worker {
    fn work(&self, n: u8) -> impl Future<Output = Result<u8, Error>> + Send;
}

impl Worker for Shop {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn work(&self, n: u8) -> impl Future<Output = Result<u8, Error>> + Send {
        began();
        async move { Ok(n) }
    }
}

#[tokio::test]
async fn functions_that_return_a_future_are_governed_whole() {
    assert_eq!(proves_async(async || opaque(1).await).await, 1);
    assert_eq!(
        proves_async(async || opaque_and_send("ab", 1).await).await,
        3
    );
    assert_eq!(
        proves_async(async || opaque_output().await).await.count(),
        2
    );
    assert_eq!(proves_async(async || boxed("abc").await).await, 3);
    assert_eq!(proves_async(async || boxed("").await).await, 0);
    assert_eq!(
        proves_async(async || boxed_by_absolute_names(1).await).await,
        1
    );
    assert_eq!(
        proves_async(async || box_future(vec![2]).await).await,
        [2, 1]
    );
    let mut items = Vec::new();
    assert_eq!(
        proves_async(async || local_box_future(&mut items).await.map(|n| *n)).await,
        7
    );
    let shop = Arc::new(Shop {
        name: "x".to_owned(),
    });
    assert_eq!(
        proves_async(async || shop.boxed_method(("y", 1)).await).await,
        "xy1"
    );
    assert_eq!(
        proves_async(async || shop.clone().opaque_method(1).await).await,
        2
    );
    assert_eq!(proves_async(async || shop.work(3).await).await, 3);
}

#[test]
fn nothing_is_asked_and_nothing_runs_before_the_first_poll() {
    let gate = TestGate::new().approve(INTENT);
    gate.scope(|| {
        drop(opaque(1));
        drop(boxed("x"));
        drop(box_future(vec![]));
    });
    assert_eq!(gate.submissions().len(), 0);
    assert_eq!(super::BEGAN.get(), 0);
}

#[test]
fn a_future_that_was_send_is_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    drop(send(opaque(1)));
    drop(send(opaque_and_send("x", 1)));
    drop(send(box_future(vec![])));
}
