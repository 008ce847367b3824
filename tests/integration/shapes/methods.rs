//! Methods with every receiver, sync and async.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use sernixa::{Error, intercept};

use super::{began, proves, proves_async};

#[derive(Clone, Default)]
struct Account {
    cents: u32,
    notes: Vec<String>,
}

impl Account {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn associated(cents: u32) -> Result<Self, Error> {
        began();
        Ok(Self {
            cents,
            notes: Vec::new(),
        })
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn by_reference(&self, add: u32) -> Result<u32, Error> {
        began();
        Ok(self.cents + add)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn by_mutable_reference(&mut self, add: u32) -> Result<u32, Error> {
        began();
        self.cents += add;
        Ok(self.cents)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn giving_back_a_borrow(&mut self, add: u32) -> Result<&mut u32, Error> {
        began();
        self.cents += add;
        Ok(&mut self.cents)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn by_value(self, add: u32) -> Result<u32, Error> {
        began();
        Ok(self.cents + add)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn by_mutable_value(mut self, add: u32) -> Result<Self, Error> {
        began();
        self.cents += add;
        self.notes.push("added".to_owned());
        Ok(self)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn by_box(self: Box<Self>) -> Result<Vec<String>, Error> {
        began();
        Ok(self.notes)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn by_rc(self: Rc<Self>) -> Result<usize, Error> {
        began();
        Ok(Rc::strong_count(&self))
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn by_arc(self: &Arc<Self>) -> Result<usize, Error> {
        began();
        Ok(Arc::strong_count(self))
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn by_pin(self: Pin<&mut Self>, add: u32) -> Result<u32, Error> {
        began();
        self.get_mut().cents += add;
        Ok(add)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn async_by_reference(&self, add: u32) -> Result<u32, Error> {
        began();
        tokio::task::yield_now().await;
        Ok(self.cents + add)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn async_giving_back_a_borrow(&mut self, add: u32) -> Result<&mut u32, Error> {
        began();
        tokio::task::yield_now().await;
        self.cents += add;
        Ok(&mut self.cents)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn async_by_value(mut self, add: u32) -> Result<Self, Error> {
        began();
        self.cents += add;
        Ok(self)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn async_by_box(self: Box<Self>) -> Result<Vec<String>, Error> {
        began();
        Ok(self.notes)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn async_by_arc(self: Arc<Self>, add: u32) -> Result<u32, Error> {
        began();
        Ok(self.cents + add)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn async_by_pin(self: Pin<&mut Self>) -> Result<u32, Error> {
        began();
        Ok(self.cents)
    }
}

struct Shelf<'a, T>(&'a [T]);

impl<'a, T: Clone + std::fmt::Debug> Shelf<'a, T> {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn generic_with_lifetime(&self, at: usize) -> Result<&'a T, Error> {
        began();
        Ok(&self.0[at])
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn async_generic<U>(&self, at: usize, other: U) -> Result<(T, U), Error>
    where
        U: Clone,
    {
        began();
        Ok((self.0[at].clone(), other))
    }
}

#[test]
fn methods_run_with_every_receiver() {
    let account = || Account {
        cents: 1,
        notes: vec!["a".to_owned()],
    };
    assert_eq!(proves(|| Account::associated(7)).cents, 7);
    assert_eq!(proves(|| account().by_reference(2)), 3);
    assert_eq!(proves(|| account().by_mutable_reference(2)), 3);
    let mut kept = account();
    assert_eq!(
        proves(|| kept.giving_back_a_borrow(2).map(|cents| *cents)),
        3
    );
    assert_eq!(kept.cents, 3, "a refused call changes nothing");
    assert_eq!(proves(|| account().by_value(2)), 3);
    assert_eq!(proves(|| account().by_mutable_value(2)).notes.len(), 2);
    assert_eq!(proves(|| Box::new(account()).by_box()), ["a"]);
    assert_eq!(proves(|| Rc::new(account()).by_rc()), 1);
    assert_eq!(proves(|| Arc::new(account()).by_arc()), 1);
    assert_eq!(proves(|| Pin::new(&mut account()).by_pin(4)), 4);
    assert_eq!(proves(|| Shelf(&[1, 2]).generic_with_lifetime(1)), &2);
}

#[tokio::test]
async fn async_methods_run_with_every_receiver() {
    let account = || Account {
        cents: 1,
        notes: vec!["a".to_owned()],
    };
    assert_eq!(
        proves_async(async || account().async_by_reference(2).await).await,
        3
    );
    let mut kept = account();
    let cents = proves_async(async || kept.async_giving_back_a_borrow(2).await.map(|n| *n)).await;
    assert_eq!((cents, kept.cents), (3, 3));
    assert_eq!(
        proves_async(async || account().async_by_value(2).await)
            .await
            .cents,
        3
    );
    assert_eq!(
        proves_async(async || Box::new(account()).async_by_box().await).await,
        ["a"]
    );
    assert_eq!(
        proves_async(async || Arc::new(account()).async_by_arc(2).await).await,
        3
    );
    assert_eq!(
        proves_async(async || Pin::new(&mut account()).async_by_pin().await).await,
        1
    );
    assert_eq!(
        proves_async(async || Shelf(&[1, 2]).async_generic(1, 'x').await).await,
        (2, 'x')
    );
}
