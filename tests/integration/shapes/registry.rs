//! `callsites()` lists every governed function that is linked, by the name that is submitted.

use std::collections::BTreeMap;

use sernixa::{Callsite, Error, RiskLevel, callsites, intercept, toolset};

const SYSTEMS: [&str; 2] = ["stripe", "postgres"];
const RISK: RiskLevel = RiskLevel::Critical;

const LINE: u32 = line!() + 1;
#[intercept(
    intent_id = "registry",
    risk_level = RISK,
    operation_class = "FINANCIAL",
    data_sensitivity = "pii",
    systems_touched = SYSTEMS,
    action_id = "billing.pay",
)]
pub fn never_called(_: u8) -> Result<(), Error> {
    Ok(())
}

mod words {
    use sernixa::{DataSensitivity, OperationClass};

    pub const INTENT: &str = "registry-of-paths";
    pub const CLASS: OperationClass = OperationClass::ToolCall;
    pub const OWN: &str = "Wire_Transfer";
    pub const SYSTEMS: &[&str] = &["bank"];

    pub struct Bank;

    impl Bank {
        pub const SENSITIVITY: DataSensitivity = DataSensitivity::Pii;
    }
}

#[intercept(
    intent_id = words::INTENT,
    risk_level = RiskLevel::High,
    operation_class = words::CLASS,
    data_sensitivity = words::Bank::SENSITIVITY,
    systems_touched = words::SYSTEMS,
)]
pub fn of_paths() -> Result<(), Error> {
    Ok(())
}

#[intercept(
    intent_id = words::INTENT,
    risk_level = "medium",
    operation_class = custom(words::OWN),
    data_sensitivity = custom("trade secret"),
    systems_touched = ["bank"],
)]
pub fn of_words_of_our_own() -> Result<(), Error> {
    Ok(())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
pub fn generic_never_instantiated<T: Clone>(item: &T) -> Result<T, Error> {
    Ok(item.clone())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
pub async fn asynchronous() -> Result<(), Error> {
    Ok(())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
pub fn future() -> impl std::future::Future<Output = Result<(), Error>> {
    async { Ok(()) }
}

pub fn outer() -> Result<(), Error> {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn nested() -> Result<(), Error> {
        Ok(())
    }
    let closure = || {
        #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
        fn in_a_closure() -> Result<(), Error> {
            Ok(())
        }
        in_a_closure()
    };
    closure()?;
    nested()
}

pub struct Billing<T>(pub T);

impl<T> Billing<T> {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn adjust_invoice(&self) -> Result<(), Error> {
        Ok(())
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub async fn refund(&mut self) -> Result<&mut T, Error> {
        Ok(&mut self.0)
    }
}

#[toolset]
impl Billing<u8> {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn in_a_toolset(&self) -> Result<(), Error> {
        Ok(())
    }
}

pub trait Tool {
    fn call(&self) -> Result<(), Error>;

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn by_default(&self) -> Result<(), Error> {
        Ok(())
    }
}

impl<T> Tool for Billing<T> {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn call(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait::async_trait]
pub trait DynTool {
    async fn dyn_call(&self) -> Result<(), Error>;
}

#[async_trait::async_trait]
impl DynTool for Billing<u8> {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn dyn_call(&self) -> Result<(), Error> {
        Ok(())
    }
}

impl std::str::FromStr for Billing<u8> {
    type Err = Error;

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(Self(u8::try_from(text.len()).unwrap_or(0)))
    }
}

pub mod inner {
    use sernixa::{Error, intercept};

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn r#match() -> Result<(), Error> {
        Ok(())
    }
}

macro_rules! governed {
    ($name:ident) => {
        #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
        pub fn $name() -> Result<(), Error> {
            Ok(())
        }
    };
}
governed!(made_by_a_macro);

fn here() -> BTreeMap<&'static str, &'static Callsite> {
    callsites()
        .filter(|site| site.module().starts_with(module_path!()))
        .map(|site| (site.function(), site))
        .collect()
}

#[test]
fn every_governed_function_that_is_linked_is_listed_by_its_name() {
    let names: Vec<_> = here().into_keys().collect();
    let expected = [
        "Billing.adjust_invoice",
        "Billing.call",
        "Billing.dyn_call",
        "Billing.from_str",
        "Billing.in_a_toolset",
        "Billing.refund",
        "Tool.by_default",
        "asynchronous",
        "future",
        "generic_never_instantiated",
        "made_by_a_macro",
        "match",
        "never_called",
        "of_paths",
        "of_words_of_our_own",
        "outer.in_a_closure",
        "outer.nested",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_callsite_holds_the_facts_of_its_attribute() {
    let sites = here();
    let site = sites["never_called"];
    assert_eq!(site.intent_id(), "registry");
    assert_eq!(site.risk_level(), RiskLevel::Critical);
    assert_eq!(site.operation_class(), "financial");
    assert_eq!(site.data_sensitivity(), "pii");
    assert_eq!(site.systems_touched(), ["stripe", "postgres"]);
    assert_eq!(site.action_id(), "billing.pay");
    assert_eq!(site.module(), module_path!());
    assert!(site.file().ends_with("registry.rs"));
    assert_eq!(site.line(), LINE);
    assert_eq!(
        sites["Billing.adjust_invoice"].action_id(),
        "Billing.adjust-invoice"
    );
    let site = sites["of_paths"];
    assert_eq!(site.intent_id(), words::INTENT);
    assert_eq!(site.operation_class(), "tool_call");
    assert_eq!(site.data_sensitivity(), "PII");
    assert_eq!(site.systems_touched(), ["bank"]);
    let site = sites["of_words_of_our_own"];
    assert_eq!(site.operation_class(), "Wire_Transfer");
    assert_eq!(site.data_sensitivity(), "trade secret");
    assert_eq!(sites["match"].module(), concat!(module_path!(), "::inner"));
}

#[test]
fn every_function_of_a_toolset_has_a_line_of_its_own() {
    let mut lines: Vec<_> = here().values().map(|site| site.line()).collect();
    lines.sort_unstable();
    let count = lines.len();
    lines.dedup();
    assert_eq!(lines.len(), count);
}
