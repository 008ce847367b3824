//! Methods of traits: in `impl`s, as defaults, `async`, and under `async_trait`.

use sernixa::{Error, intercept, toolset, ungoverned};

use super::{began, proves, proves_async};

trait Tool {
    const STEP: u8;

    fn call(&self, n: u8) -> Result<u8, Error>;

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn twice(&self, n: u8) -> Result<u8, Error> {
        began();
        Ok(n * 2 + Self::STEP)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn make() -> Result<Self, Error>
    where
        Self: Sized + Default,
    {
        began();
        Ok(Self::default())
    }
}

#[derive(Default)]
struct Adder(u8);

impl Tool for Adder {
    const STEP: u8 = 1;

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn call(&self, n: u8) -> Result<u8, Error> {
        began();
        Ok(self.0 + n + Self::STEP)
    }
}

impl<T: Tool> Tool for Vec<T> {
    const STEP: u8 = 2;

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn call(&self, n: u8) -> Result<u8, Error> {
        began();
        Ok(n + <Self as Tool>::STEP)
    }
}

trait AsyncTool {
    async fn call(&self, n: u8) -> Result<u8, Error>;

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn twice(&self, n: u8) -> Result<u8, Error> {
        began();
        Ok(n * 2)
    }
}

impl AsyncTool for Adder {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn call(&self, n: u8) -> Result<u8, Error> {
        began();
        tokio::task::yield_now().await;
        Ok(self.0 + n)
    }
}

#[async_trait::async_trait]
trait DynTool: Send + Sync {
    async fn call(&self, text: &str, (a, b): (u8, u8)) -> Result<u8, Error>;

    async fn look(&self) -> u8;

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn change(&mut self, n: u8) -> Result<u8, Error> {
        began();
        Ok(n)
    }
}

#[async_trait::async_trait]
impl DynTool for Adder {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn call(&self, text: &str, (a, b): (u8, u8)) -> Result<u8, Error> {
        began();
        tokio::task::yield_now().await;
        if text.is_empty() {
            return Ok(0);
        }
        Ok(self.0 + a + b + text.parse::<u8>().unwrap_or(0))
    }

    async fn look(&self) -> u8 {
        self.0
    }
}

struct Above(u8);
struct Below(u8);

#[toolset]
#[async_trait::async_trait]
impl DynTool for Above {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn call(&self, _text: &str, (a, b): (u8, u8)) -> Result<u8, Error> {
        began();
        Ok(self.0 + a + b)
    }

    #[ungoverned(reason = "reads a number")]
    async fn look(&self) -> u8 {
        self.0
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn change(&mut self, n: u8) -> Result<u8, Error> {
        began();
        self.0 += n;
        Ok(self.0)
    }
}

#[async_trait::async_trait]
#[toolset]
impl DynTool for Below {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn call(&self, _text: &str, (a, b): (u8, u8)) -> Result<u8, Error> {
        began();
        Ok(self.0 + a + b)
    }

    #[ungoverned(reason = "reads a number")]
    async fn look(&self) -> u8 {
        self.0
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn change(&mut self, n: u8) -> Result<u8, Error> {
        began();
        self.0 += n;
        Ok(self.0)
    }
}

#[async_trait::async_trait(?Send)]
trait LocalTool {
    async fn call<T: Into<u8> + 'static>(&self, n: T) -> Result<u8, Error>;
}

#[async_trait::async_trait(?Send)]
impl LocalTool for Adder {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn call<T: Into<u8> + 'static>(&self, n: T) -> Result<u8, Error> {
        began();
        Ok(self.0 + n.into())
    }
}

#[test]
fn methods_of_traits_are_governed_where_their_body_is() {
    assert_eq!(proves(|| Tool::call(&Adder(1), 2)), 4);
    assert_eq!(proves(|| vec![Adder(1)].call(2)), 4);
    assert_eq!(proves(|| Tool::twice(&Adder(1), 2)), 5);
    assert_eq!(proves(Adder::make).0, 0);
}

#[tokio::test]
async fn async_methods_of_traits_are_governed() {
    assert_eq!(
        proves_async(async || AsyncTool::call(&Adder(1), 2).await).await,
        3
    );
    assert_eq!(
        proves_async(async || AsyncTool::twice(&Adder(1), 2).await).await,
        4
    );
}

#[tokio::test]
async fn methods_under_async_trait_are_governed() {
    let tool: &dyn DynTool = &Adder(1);
    assert_eq!(proves_async(async || tool.call("4", (1, 2)).await).await, 8);
    assert_eq!(proves_async(async || tool.call("", (1, 2)).await).await, 0);
    assert_eq!(proves_async(async || Adder(1).change(2).await).await, 2);
    assert_eq!(
        proves_async(async || LocalTool::call(&Adder(1), 2_u8).await).await,
        3
    );
    assert_eq!(tool.look().await, 1);
}

#[tokio::test]
async fn a_toolset_stands_above_async_trait_and_below_it() {
    let tools: [Box<dyn DynTool>; 2] = [Box::new(Above(1)), Box::new(Below(1))];
    for mut tool in tools {
        assert_eq!(proves_async(async || tool.call("", (1, 2)).await).await, 4);
        assert_eq!(proves_async(async || tool.change(1).await).await, 2);
        assert_eq!(tool.look().await, 2);
    }
}
