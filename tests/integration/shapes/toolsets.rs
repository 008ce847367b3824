//! Toolsets that keep their promise: every public function has a gate or says why not.

use sernixa::testing::TestGate;
use sernixa::{Error, intercept, toolset, ungoverned};

use super::{INTENT, began, proves, proves_async};

struct Billing {
    cents: i64,
}

#[toolset]
impl Billing {
    pub const LIMIT: i64 = 100;

    #[ungoverned(reason = "makes nothing but itself")]
    pub const fn new(cents: i64) -> Self {
        Self { cents }
    }

    #[sernixa::ungoverned(reason = "reads a number")]
    pub fn cents(&self) -> i64 {
        self.helper()
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn adjust(&mut self, by: i64) -> Result<&mut i64, Error> {
        began();
        self.cents += by.min(Self::LIMIT);
        Ok(&mut self.cents)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub(crate) async fn refund(&mut self, by: i64) -> Result<i64, Error> {
        began();
        self.cents -= by;
        Ok(self.cents)
    }

    fn helper(&self) -> i64 {
        self.cents
    }
}

trait Tool {
    fn call(&self, n: u8) -> Result<u8, Error>;
    fn name(&self) -> &'static str;
}

#[toolset]
impl Tool for Billing {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn call(&self, n: u8) -> Result<u8, Error> {
        began();
        Ok(n)
    }

    #[ungoverned(reason = "a constant")]
    fn name(&self) -> &'static str {
        "billing"
    }
}

#[toolset]
mod tools {
    use sernixa::{Error, intercept, ungoverned};

    use super::super::began;

    pub const LIMIT: u8 = 100;

    pub struct Receipt(pub u8);

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn pay(cents: u8) -> Result<Receipt, Error> {
        began();
        Ok(Receipt(helper(cents)))
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub async fn pay_later(cents: u8) -> Result<Receipt, Error> {
        began();
        Ok(Receipt(cents))
    }

    #[ungoverned(reason = "a number")]
    pub fn limit() -> u8 {
        LIMIT
    }

    fn helper(cents: u8) -> u8 {
        cents.min(LIMIT)
    }
}

/// Attributes of another crate that do nothing, under our names.
mod look_alike {
    pub use test as intercept;
}

struct Disguised;

#[toolset]
impl Disguised {
    #[look_alike::intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn pay(&self, cents: u8) -> Result<u8, Error> {
        began();
        Ok(cents)
    }
}

/// The crate under another name.
mod renamed {
    pub mod gate {
        pub use sernixa::{__private, intercept, toolset, ungoverned};
    }

    #[gate::toolset(crate = gate)]
    pub mod tools {
        use super::gate;

        #[gate::intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
        pub fn pay(cents: u8) -> Result<u8, sernixa::Error> {
            super::super::began();
            Ok(cents)
        }

        #[gate::ungoverned(reason = "a number")]
        pub fn limit() -> u8 {
            100
        }
    }

    #[gate::intercept(crate = crate::shapes::toolsets::renamed::gate, intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub async fn pay(cents: u8) -> Result<u8, sernixa::Error> {
        super::began();
        Ok(cents)
    }
}

#[tokio::test]
async fn a_toolset_leaves_its_functions_as_they_are() {
    let mut billing = Billing::new(1);
    assert_eq!(proves(|| billing.adjust(200).map(|cents| *cents)), 101);
    assert_eq!(proves_async(async || billing.refund(1).await).await, 100);
    assert_eq!(billing.cents(), 100);
    assert_eq!(proves(|| billing.call(7)), 7);
    assert_eq!(billing.name(), "billing");
}

#[tokio::test]
async fn a_module_is_a_toolset_too() {
    assert_eq!(proves(|| tools::pay(200)).0, 100);
    assert_eq!(proves_async(async || tools::pay_later(7).await).await.0, 7);
    assert_eq!(tools::limit(), 100);
}

#[test]
fn a_look_alike_of_a_gate_becomes_the_real_one() {
    assert_eq!(proves(|| Disguised.pay(7)), 7);
}

#[tokio::test]
async fn the_crate_may_have_another_name() {
    assert_eq!(proves(|| renamed::tools::pay(7)), 7);
    assert_eq!(proves_async(async || renamed::pay(7).await).await, 7);
    assert_eq!(renamed::tools::limit(), 100);
    let gate = TestGate::new().approve(INTENT);
    assert!(gate.scope(|| renamed::tools::pay(7)).is_ok());
}
