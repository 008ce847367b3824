//! The arguments of `#[intercept(…)]` as they were written: parsed, not yet judged.

pub(crate) mod pairs;
mod value;

use syn::parse::ParseStream;
use syn::{Expr, Ident, LitBool, LitStr, Path};

use self::pairs::{Misfit, keys};
pub(crate) use self::value::{Member, Systems, Text, Word};
use crate::faults::Faults;

keys! {
    /// The keys of `#[intercept]`, in the reference's words.
    pub(crate) enum InterceptKey {
        IntentId = "intent_id", "a string literal or the path of a `const`, like `\"billing-adjustment\"`";
        RiskLevel = "risk_level", "`\"low\"`, `\"medium\"`, `\"high\"`, `\"critical\"` or the path of a `const` of type `RiskLevel`";
        OperationClass = "operation_class", "a known class like `\"financial\"`, `custom(\"…\")`, `custom(PATH)` or the path of a `const` of type `OperationClass`";
        DataSensitivity = "data_sensitivity", "a known word like `\"internal\"`, `custom(\"…\")`, `custom(PATH)` or the path of a `const` of type `DataSensitivity`";
        SystemsTouched = "systems_touched", "a list of string literals like `[\"stripe\", \"postgres\"]` or the path of a `const` of type `[&str; N]` or `&[&str]`";
        ActionId = "action_id", "a string literal, like `\"billing.adjust\"`";
        Metadata = "metadata", "members in braces, like `{ invoice: invoice_id, \"cost-centre\": self.centre }`";
        Summary = "summary", "a format string over the arguments, like `\"adjust {invoice_id}\"`";
        Refused = "refused", "the path of a `fn(sernixa::Error) -> R`, `R` being what the function returns";
        Client = "client", "an expression that gives a `&Client`, like `&self.client`";
        CaptureArguments = "capture_arguments", "`true` or `false`";
        Skip = "skip", "a list of arguments, like `[password]`";
        Handles = "handles", "a list of arguments, like `[pool]`";
        ResumeKey = "resume_key", "an expression that implements `Display`, like `order_id`";
        Crate = "crate", "the path of the crate `sernixa`, like `my_sernixa`";
    }
}

/// The arguments of `#[intercept]`. A key that was not given, or not readable, is `None`.
#[derive(Default)]
#[expect(
    clippy::struct_field_names,
    reason = "fields are called as the keys are"
)]
pub(crate) struct Arguments {
    pub(crate) intent_id: Option<Text>,
    pub(crate) risk_level: Option<Text>,
    pub(crate) operation_class: Option<Word>,
    pub(crate) data_sensitivity: Option<Word>,
    pub(crate) systems_touched: Option<Systems>,
    pub(crate) action_id: Option<LitStr>,
    pub(crate) metadata: Vec<Member>,
    pub(crate) summary: Option<LitStr>,
    pub(crate) refused: Option<Path>,
    pub(crate) client: Option<Expr>,
    pub(crate) capture_arguments: Option<LitBool>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) handles: Vec<Ident>,
    pub(crate) resume_key: Option<Expr>,
    pub(crate) krate: Option<Path>,
}

impl Arguments {
    /// Reads all that can be read; what cannot goes to `faults`.
    pub(crate) fn parse(input: ParseStream, faults: &mut Faults) -> Self {
        let mut arguments = Self::default();
        let found = pairs::read(input, faults, |key, value| arguments.set(key, value));
        found.require(InterceptKey::REQUIRED, faults);
        arguments
    }

    fn set(&mut self, key: InterceptKey, input: ParseStream) -> Result<(), Misfit> {
        match key {
            InterceptKey::IntentId => self.intent_id = Some(value::text(input)?),
            InterceptKey::RiskLevel => self.risk_level = Some(value::text(input)?),
            InterceptKey::OperationClass => self.operation_class = Some(value::word(input)?),
            InterceptKey::DataSensitivity => self.data_sensitivity = Some(value::word(input)?),
            InterceptKey::SystemsTouched => self.systems_touched = Some(value::systems(input)?),
            InterceptKey::ActionId => self.action_id = Some(value::literal(input)?),
            InterceptKey::Metadata => self.metadata = value::members(input)?,
            InterceptKey::Summary => self.summary = Some(value::literal(input)?),
            InterceptKey::Refused => self.refused = Some(value::path(input)?),
            InterceptKey::Client => self.client = Some(value::expression(input)?),
            InterceptKey::CaptureArguments => {
                self.capture_arguments = Some(value::boolean(input)?);
            }
            InterceptKey::Skip => self.skip = value::names(input)?,
            InterceptKey::Handles => self.handles = value::names(input)?,
            InterceptKey::ResumeKey => self.resume_key = Some(value::expression(input)?),
            InterceptKey::Crate => self.krate = Some(value::module(input)?),
        }
        Ok(())
    }
}

impl InterceptKey {
    /// What every gate has to say.
    const REQUIRED: &'static [Self] = &[
        Self::IntentId,
        Self::RiskLevel,
        Self::OperationClass,
        Self::DataSensitivity,
        Self::SystemsTouched,
    ];
}
