//! Judges arguments and function, and gives back a [`Gate`] that cannot be wrong any more.

mod expression;
mod parameters;
mod returns;
mod secret;
mod shape;
mod words;

use sernixa_protocol::RiskLevel;
use syn::{Expr, LitBool, LitStr, Path};

pub(crate) use self::parameters::{Looked, Parameter};
pub(crate) use self::returns::{Kind as ReturnKind, Returns};
pub(crate) use self::shape::mentions;
use crate::ast::Function;
use crate::attr::{Arguments, Member, Systems, Text};
use crate::faults::Faults;

/// A gate that may be built: every literal keeps its rule, every argument is accounted for.
pub(crate) struct Gate {
    pub(crate) facts: Facts,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) metadata: Vec<Member>,
    pub(crate) summary: Option<LitStr>,
    pub(crate) client: Option<Expr>,
    pub(crate) capture_arguments: Option<LitBool>,
    pub(crate) resume_key: Option<Expr>,
    pub(crate) refused: Option<Path>,
    pub(crate) returns: Returns,
    /// The body stays in the function itself, so that `Location::caller()` in it is right.
    pub(crate) in_place: bool,
    /// The crate `sernixa`.
    pub(crate) krate: Path,
}

/// The facts of a call site: texts that were judged, or paths that `const` evaluation judges.
pub(crate) struct Facts {
    pub(crate) intent_id: Text,
    pub(crate) risk_level: Risk,
    pub(crate) operation_class: Chosen,
    pub(crate) data_sensitivity: Chosen,
    pub(crate) systems_touched: Systems,
    pub(crate) action_id: Option<LitStr>,
}

/// A risk level.
pub(crate) enum Risk {
    Level(RiskLevel),
    Path(Path),
}

/// A class or sensitivity.
pub(crate) enum Chosen {
    /// The text that is sent.
    Text(LitStr),
    /// A `const` of the word's own type, which has to be a known one.
    Known(Path),
    /// A `const` text of the user's own.
    Custom(Path),
}

/// Judges everything, so that one build shows all mistakes; `None` when there was any.
pub(crate) fn judge(
    arguments: Arguments,
    function: &Function,
    faults: &mut Faults,
) -> Option<Gate> {
    shape::check(function, faults);
    let returns = returns::of(&function.sig, arguments.refused.is_some(), faults);
    let parameters = parameters::of(&function.sig, &arguments, faults);
    expression::check(&arguments, faults);
    secret::check(&arguments, faults);
    let facts = words::facts(&arguments, faults);
    let mixed = crate::expand::mixed();
    Some(Gate {
        facts: facts?,
        parameters,
        metadata: arguments.metadata,
        summary: arguments.summary,
        client: arguments.client,
        capture_arguments: arguments.capture_arguments,
        resume_key: arguments.resume_key,
        refused: arguments.refused,
        in_place: shape::is_track_caller(function),
        returns,
        krate: arguments
            .krate
            .unwrap_or_else(|| syn::parse_quote_spanned!(mixed=> ::sernixa)),
    })
}
