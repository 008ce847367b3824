//! The registry: every governed function that is linked into the binary, and what is known of it
//! before it is ever called.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use sernixa_protocol::RiskLevel;
use sernixa_protocol::submission::{BuildError, Fields, Template};

use crate::error::Error;
use crate::name::function_name;

/// The governance facts of one governed function, as written in its attribute.
///
/// Plain data for generated code; read it through [`Callsite`].
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Key `intent_id`.
    pub intent_id: &'static str,
    /// Key `risk_level`.
    pub risk_level: RiskLevel,
    /// Key `operation_class`: the text that is sent.
    pub operation_class: &'static str,
    /// Key `data_sensitivity`: the text that is sent.
    pub data_sensitivity: &'static str,
    /// Key `systems_touched`.
    pub systems_touched: &'static [&'static str],
    /// Key `action_id`, where it was written.
    pub action_id: Option<&'static str>,
    /// How many parameters the function has, without `self`.
    pub args_count: u32,
    /// `module_path!()` at the function.
    pub module: &'static str,
    /// `file!()` at the function.
    pub file: &'static str,
    /// `line!()` at the function.
    pub line: u32,
}

/// One governed function. [`callsites`] lists all that are linked into the binary.
pub struct Callsite {
    facts: Facts,
    here: fn() -> &'static str,
    function: OnceLock<Box<str>>,
    /// What all its calls share, made at the first.
    template: OnceLock<Result<Template, BuildError>>,
    /// Somebody was told that its calls cannot resume.
    warned: AtomicBool,
}

impl Callsite {
    /// For generated code. `here` is the type name of an item inside the function's body.
    pub const fn new(facts: Facts, here: fn() -> &'static str) -> Self {
        Self {
            facts,
            here,
            function: OnceLock::new(),
            template: OnceLock::new(),
            warned: AtomicBool::new(false),
        }
    }

    /// The intent that the function serves.
    pub fn intent_id(&self) -> &'static str {
        self.facts.intent_id
    }

    /// How grave a call is.
    pub fn risk_level(&self) -> RiskLevel {
        self.facts.risk_level
    }

    /// What kind of thing a call does, as it is sent.
    pub fn operation_class(&self) -> &'static str {
        self.facts.operation_class
    }

    /// How sensitive the data is, as it is sent.
    pub fn data_sensitivity(&self) -> &'static str {
        self.facts.data_sensitivity
    }

    /// The systems that a call touches.
    pub fn systems_touched(&self) -> &'static [&'static str] {
        self.facts.systems_touched
    }

    /// The action as the service knows it: the key `action_id`, else the function's name with `-`
    /// for `_`.
    pub fn action_id(&self) -> &str {
        match self.made() {
            Ok(template) => template.action_id(),
            Err(_) => self.facts.action_id.unwrap_or_default(),
        }
    }

    /// The function's name below its module, without generics: `Billing.adjust_invoice`.
    pub fn function(&self) -> &str {
        let name = || function_name((self.here)(), self.facts.module).into();
        self.function.get_or_init(name)
    }

    /// The module it is written in.
    pub fn module(&self) -> &'static str {
        self.facts.module
    }

    /// The source file it is written in, as the compiler was given it.
    pub fn file(&self) -> &'static str {
        self.facts.file
    }

    /// The line of its attribute, from 1.
    pub fn line(&self) -> u32 {
        self.facts.line
    }

    /// What all calls share.
    ///
    /// # Errors
    /// `Validation`, for facts that the attribute could not check.
    pub(crate) fn template(&self) -> Result<&Template, Error> {
        self.made()
            .map_err(|error| crate::action::build_fault(error.clone()))
    }

    pub(crate) fn warned(&self) -> &AtomicBool {
        &self.warned
    }

    fn made(&self) -> Result<&Template, &BuildError> {
        let facts = &self.facts;
        let make = || {
            Template::new(&Fields {
                intent_id: facts.intent_id,
                action_id: facts.action_id,
                risk_level: facts.risk_level,
                operation_class: facts.operation_class,
                data_sensitivity: facts.data_sensitivity,
                systems_touched: facts.systems_touched,
                function: self.function(),
                module: facts.module,
                args_count: facts.args_count,
            })
        };
        self.template.get_or_init(make).as_ref()
    }
}

impl fmt::Debug for Callsite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callsite")
            .field("intent_id", &self.intent_id())
            .field("risk_level", &self.risk_level())
            .field("operation_class", &self.operation_class())
            .field("data_sensitivity", &self.data_sensitivity())
            .field("systems_touched", &self.systems_touched())
            .field("function", &self.function())
            .field("module", &self.module())
            .field("file", &self.file())
            .field("line", &self.line())
            .finish()
    }
}

/// Every governed function adds itself here at link time. The name is versioned: two slices of
/// one name in one binary, as two versions of this crate would make, panic at start.
#[cfg(not(target_family = "wasm"))]
#[linkme::distributed_slice]
pub static SERNIXA_CALLSITES_V1: [Callsite];

/// Every governed function that is linked into this binary, in no particular order.
///
/// Functions that are never called and generic ones that are never instantiated are listed too. A
/// crate that nothing names is not linked, and on `wasm` the list is empty. Assert on it in a test
/// where an attribute above ours might drop ours.
pub fn callsites() -> impl ExactSizeIterator<Item = &'static Callsite> {
    #[cfg(not(target_family = "wasm"))]
    let all: &'static [Callsite] = &SERNIXA_CALLSITES_V1;
    #[cfg(target_family = "wasm")]
    let all: &'static [Callsite] = &[];
    all.iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    static SITE: Callsite = Callsite::new(
        Facts {
            intent_id: "registry-test",
            risk_level: RiskLevel::High,
            operation_class: "financial",
            data_sensitivity: "PII",
            systems_touched: &["stripe"],
            action_id: None,
            args_count: 2,
            module: "billing",
            file: "billing.rs",
            line: 7,
        },
        || "billing::Invoices::adjust_one::here",
    );

    #[test]
    fn a_call_site_knows_all_the_facts_of_its_attribute() {
        let site = &SITE;
        assert_eq!(site.intent_id(), "registry-test");
        assert_eq!(site.function(), "Invoices.adjust_one");
        assert_eq!(site.action_id(), "Invoices.adjust-one");
        assert_eq!(
            (site.module(), site.file(), site.line()),
            ("billing", "billing.rs", 7)
        );
        assert_eq!(
            (site.operation_class(), site.data_sensitivity()),
            ("financial", "PII")
        );
        assert_eq!(site.systems_touched(), ["stripe"]);
        assert!(format!("{site:?}").contains("Invoices.adjust_one"));
    }
}
