//! Expressions of the attribute are looked at once per call and decide nothing: they may not
//! leave the function or wait.

use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Item};

use crate::attr::Arguments;
use crate::faults::Faults;

pub(super) fn check(arguments: &Arguments, faults: &mut Faults) {
    let members = arguments
        .metadata
        .iter()
        .map(|member| ("metadata", &member.value));
    let client = arguments.client.iter().map(|client| ("client", client));
    let resume = arguments.resume_key.iter().map(|key| ("resume_key", key));
    for (key, expression) in members.chain(client).chain(resume) {
        let mut exits = Exits { key, faults };
        // The visitor that may change what it sees is the only one compiled; it changes a copy.
        exits.visit_expr_mut(&mut expression.clone());
    }
}

struct Exits<'f> {
    key: &'static str,
    faults: &'f mut Faults,
}

impl VisitMut for Exits<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let key = self.key;
        match expression {
            Expr::Try(attempt) => self.faults.over(
                attempt.question_token,
                format!("`?` cannot leave the function from `{key}`: handle the error in the body, or leave the value out"),
            ),
            Expr::Return(exit) => self.faults.over(
                exit.return_token,
                format!("`return` cannot leave the function from `{key}`"),
            ),
            Expr::Await(wait) => self.faults.over(
                wait.await_token,
                format!("`{key}` cannot wait: it is read before the gate asks"),
            ),
            // What is inside these leaves them, not the function.
            Expr::Closure(_) | Expr::Async(_) => {}
            _ => visit_mut::visit_expr_mut(self, expression),
        }
    }

    /// So does what is inside an item.
    fn visit_item_mut(&mut self, _: &mut Item) {}
}
