//! Free `async fn`s.

use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;

use sernixa::testing::TestGate;
use sernixa::{Error, intercept};

use super::{INTENT, began, proves_async};

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn plain(a: u8, b: u8) -> Result<u8, Error> {
    began();
    tokio::task::yield_now().await;
    Ok(a + b)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn without_await() -> Result<u8, Error> {
    Ok(counted(7))
}

fn counted(n: u8) -> u8 {
    began();
    n
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn generic<T: Debug + Send, const N: usize>(items: [T; N]) -> Result<usize, Error> {
    began();
    Ok(items.len())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn lifetimes<'a>(first: &'a str, second: &'a str) -> Result<&'a str, Error> {
    began();
    Ok(if first.is_empty() { second } else { first })
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn impl_trait_argument(text: impl Into<String>) -> Result<String, Error> {
    began();
    Ok(text.into())
}

struct Json<T>(T);

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn patterns((a, mut b): (u8, u8), Json(inner): Json<u8>, _: &str) -> Result<u8, Error> {
    began();
    b += 1;
    Ok(a + b + inner)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn mutable_arguments(mut items: Vec<u8>) -> Result<Vec<u8>, Error> {
    began();
    items.push(1);
    Ok(items)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn borrowed_mutably(items: &mut Vec<u8>) -> Result<&mut u8, Error> {
    began();
    items.push(3);
    Ok(&mut items[0])
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn early_return_and_question_mark(text: &str) -> Result<u8, Box<dyn std::error::Error>> {
    began();
    if text.is_empty() {
        return Ok(0);
    }
    let number: u8 = text.parse()?;
    Ok(number)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn recursive(n: u8) -> Result<u8, Error> {
    if n == 0 {
        began();
        return Ok(0);
    }
    Ok(Box::pin(recursive(n - 1)).await? + 1)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn coerced() -> Result<Box<dyn Fn(u8) -> u8>, Error> {
    began();
    Ok(Box::new(|n| n + 1))
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn opaque_inside() -> Result<impl Iterator<Item = u8>, Error> {
    began();
    Ok([1, 2].into_iter())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn inferred_from_the_return_type() -> Result<Vec<u8>, Error> {
    began();
    let mut items = Default::default();
    if false {
        return Ok(items);
    }
    items = vec![1];
    Ok(items)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn not_send(shared: Rc<Cell<u8>>) -> Result<u8, Error> {
    began();
    tokio::task::yield_now().await;
    shared.set(shared.get() + 1);
    Ok(shared.get())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn items_in_the_body(n: u8) -> Result<u8, Error> {
    began();
    async fn helper(n: u8) -> u8 {
        n + 1
    }
    Ok(helper(n).await)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[must_use = "a receipt"]
async fn other_attributes(r#type: u8) -> Result<u8, Error> {
    began();
    Ok(r#type)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn diverging(stop: bool) -> Result<u8, Error> {
    began();
    loop {
        tokio::task::yield_now().await;
        if stop {
            return Ok(1);
        }
    }
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn interior_mutability(cell: Cell<u8>) -> Result<u8, Error> {
    began();
    tokio::task::yield_now().await;
    Ok(cell.get())
}

#[tokio::test]
async fn async_functions_run_when_approved_and_do_not_begin_when_refused() {
    assert_eq!(proves_async(async || plain(1, 2).await).await, 3);
    assert_eq!(proves_async(async || without_await().await).await, 7);
    assert_eq!(proves_async(async || generic([1, 2]).await).await, 2);
    assert_eq!(proves_async(async || lifetimes("", "x").await).await, "x");
    assert_eq!(
        proves_async(async || impl_trait_argument("x").await).await,
        "x"
    );
    assert_eq!(
        proves_async(async || patterns((1, 2), Json(3), "").await).await,
        7
    );
    assert_eq!(
        proves_async(async || mutable_arguments(vec![]).await).await,
        [1]
    );
    let mut items = Vec::new();
    assert_eq!(
        proves_async(async || borrowed_mutably(&mut items).await.map(|n| *n)).await,
        3
    );
    assert_eq!(
        proves_async(async || early_return_and_question_mark("").await).await,
        0
    );
    assert_eq!(
        proves_async(async || early_return_and_question_mark("7").await).await,
        7
    );
    assert_eq!(proves_async(async || recursive(0).await).await, 0);
    assert_eq!(proves_async(async || coerced().await).await(1), 2);
    assert_eq!(
        proves_async(async || opaque_inside().await).await.count(),
        2
    );
    assert_eq!(
        proves_async(async || inferred_from_the_return_type().await).await,
        [1]
    );
    assert_eq!(
        proves_async(async || not_send(Rc::default()).await).await,
        1
    );
    assert_eq!(proves_async(async || items_in_the_body(1).await).await, 2);
    assert_eq!(proves_async(async || other_attributes(1).await).await, 1);
    assert_eq!(proves_async(async || diverging(true).await).await, 1);
    assert_eq!(
        proves_async(async || interior_mutability(Cell::new(1)).await).await,
        1
    );
}

#[tokio::test]
async fn a_recursive_async_function_asks_at_every_step() {
    let gate = TestGate::new().approve(INTENT);
    assert_eq!(gate.run(recursive(3)).await.unwrap(), 3);
    assert_eq!(gate.submissions().len(), 4);
}

#[tokio::test]
async fn nothing_is_asked_before_the_first_poll() {
    let gate = TestGate::new().approve(INTENT);
    drop(gate.scope(|| plain(1, 2)));
    assert_eq!(gate.submissions().len(), 0);
}

#[test]
fn the_future_of_a_body_that_is_send_is_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    drop(send(plain(1, 2)));
    drop(send(generic([1])));
    drop(send(patterns((1, 2), Json(3), "")));
    drop(send(borrowed_mutably(&mut vec![])));
    // `&Cell` is not `Send`; the gate's look at it ends before anything waits.
    drop(send(interior_mutability(Cell::new(1))));
    drop(send(recursive(1)));
}
