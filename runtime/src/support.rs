//! What the attribute's expansion calls; `sernixa::__private` to the outside. Not for people: names
//! and shapes follow the macro crate of the same version.

use std::fmt;

pub use linkme;
pub use sernixa_protocol::rules;
pub use sernixa_protocol::{DataSensitivity, OperationClass, RiskLevel};
// What expansions use of `std`: under these names nothing in the user's crate can shadow it.
pub use std::{boxed::Box, format, string::String};

#[cfg(not(target_family = "wasm"))]
pub use crate::callsite::SERNIXA_CALLSITES_V1;
pub use crate::callsite::{Callsite, Facts};
pub use crate::capture::Value;
pub use crate::returns::{FromRefusal, GovernedReturn, refuse};

use crate::action;
use crate::capture::Captured;
use crate::client::Client;
use crate::error::Error;
use crate::permit::{Outcome, Permit};

/// The way from an argument to [`Captured`] by autoref specialisation.
pub mod capture {
    pub use crate::capture::{Capture, Captured, ViaDebug, ViaName, ViaSerialize};
}

/// One argument of a call, in order of declaration.
#[derive(Clone, Copy)]
pub struct Argument<'a> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind<'a>,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind<'a> {
    /// Digested, and captured where capture is on.
    Value(Captured<'a>),
    /// Key `skip`: neither digested nor captured; makes the digest partial.
    Skipped,
    /// Key `handles`: no data of the call's.
    Handle,
}

impl<'a> Argument<'a> {
    /// An argument that is digested, and captured where capture is on.
    pub const fn new(name: &'static str, value: Captured<'a>) -> Self {
        let kind = Kind::Value(value);
        Self { name, kind }
    }

    /// An argument named in `skip`.
    pub const fn skipped(name: &'static str) -> Self {
        let kind = Kind::Skipped;
        Self { name, kind }
    }

    /// An argument named in `handles`.
    pub const fn handle(name: &'static str) -> Self {
        let kind = Kind::Handle;
        Self { name, kind }
    }
}

/// One call, while it borrows its arguments; [`prepare`](Call::prepare) ends the borrow.
#[derive(Clone, Copy)]
#[must_use]
pub struct Call<'a> {
    pub(crate) site: &'static Callsite,
    pub(crate) instance: &'static str,
    pub(crate) client: Option<&'a Client>,
    pub(crate) capture: Option<bool>,
    pub(crate) arguments: &'a [Argument<'a>],
    pub(crate) metadata: &'a [(&'static str, &'a dyn Value)],
    pub(crate) summary: Option<&'a dyn Fn() -> String>,
    pub(crate) resume_key: Option<&'a dyn fmt::Display>,
}

impl<'a> Call<'a> {
    /// A call of the function that `site` describes, without arguments yet.
    pub const fn new(site: &'static Callsite) -> Self {
        Self {
            site,
            instance: "",
            client: None,
            capture: None,
            arguments: &[],
            metadata: &[],
            summary: None,
            resume_key: None,
        }
    }

    /// Which of the functions that share this call site is called, with its generics and the type
    /// and trait that it belongs to.
    pub const fn instance(mut self, name: &'static str) -> Self {
        self.instance = name;
        self
    }

    /// Key `client`.
    pub const fn client(mut self, client: &'a Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Key `capture_arguments`.
    pub const fn capture(mut self, on: bool) -> Self {
        self.capture = Some(on);
        self
    }

    /// The arguments without `self`, in order of declaration.
    pub const fn arguments(mut self, arguments: &'a [Argument<'a>]) -> Self {
        self.arguments = arguments;
        self
    }

    /// Key `metadata`, in order of writing.
    pub const fn metadata(mut self, members: &'a [(&'static str, &'a dyn Value)]) -> Self {
        self.metadata = members;
        self
    }

    /// Key `summary`.
    pub const fn summary(mut self, text: &'a dyn Fn() -> String) -> Self {
        self.summary = Some(text);
        self
    }

    /// Key `resume_key`.
    pub const fn resume_key(mut self, key: &'a dyn fmt::Display) -> Self {
        self.resume_key = Some(key);
        self
    }

    /// What will be asked. Reads the `TestGate` and the delegation in scope, so it runs where the
    /// call was made. An error waits inside until somebody asks.
    pub fn prepare(self) -> Prepared {
        // On the heap: a future that waits for the decision keeps the place of all it was given.
        Prepared(action::prepare_call(&self).map(Box::new))
    }
}

/// A call that is ready to be asked for; owns all that it needs.
#[must_use]
pub struct Prepared(Result<Box<action::Prepared>, Error>);

/// The sync door.
///
/// # Errors
/// Whatever keeps the body from running.
pub fn authorize_blocking(prepared: Prepared) -> Result<Running, Error> {
    let prepared = prepared.0?;
    let captures = prepared.captures;
    let permit = Client::ask_blocking(*prepared)?;
    Ok(Running::new(permit, captures))
}

/// The async door.
///
/// # Errors
/// Whatever keeps the body from running.
pub fn authorize(
    prepared: Prepared,
) -> impl Future<Output = Result<Running, Error>> + Send + use<> {
    let captures = prepared.0.as_ref().is_ok_and(|prepared| prepared.captures);
    let asked = Client::ask(prepared.0);
    async move { Ok(Running::new(asked.await?, captures)) }
}

/// A body that may run now. Dropped unfinished it reports `panicked` while panicking, else
/// `cancelled`.
#[must_use]
pub struct Running {
    permit: Option<Permit>,
    /// A body may begin while another panic unwinds, in a destructor; that panic is not its own.
    unwinding_before: bool,
    /// An error's text may be sent: argument values were.
    captures: bool,
}

impl Running {
    fn new(permit: Permit, captures: bool) -> Self {
        Self {
            captures,
            permit: Some(permit),
            unwinding_before: std::thread::panicking(),
        }
    }

    /// The body ended in `out`.
    pub fn finish<R: GovernedReturn>(mut self, out: &R) {
        self.report(match out.failure() {
            None => Outcome::Succeeded,
            Some(error) => Outcome::Failed(Some(error)),
        });
    }

    /// The same, where the error can say what went wrong: its text goes along where arguments are
    /// captured (DESIGN 7).
    pub fn finish_showing<T, E: core::fmt::Display>(mut self, out: &Result<T, E>) {
        let failed = Outcome::Failed(Some(std::any::type_name::<E>()));
        match (out, self.permit.take()) {
            (Err(error), Some(permit)) if self.captures => permit.finish_with_text(failed, error),
            (Err(_), Some(permit)) => permit.finish(failed),
            (Ok(_), Some(permit)) => permit.finish(Outcome::Succeeded),
            (_, None) => {}
        }
    }

    /// The body returned, and its value does not say how it went.
    pub fn returned(mut self) {
        self.report(Outcome::Returned);
    }

    /// For bodies that stay in place, under `#[track_caller]`: reports `returned` when dropped.
    pub fn in_place(self) -> InPlace {
        InPlace { running: self }
    }

    fn ended_by_panic(&self) -> bool {
        std::thread::panicking() && !self.unwinding_before
    }

    fn report(&mut self, outcome: Outcome) {
        if let Some(permit) = self.permit.take() {
            permit.finish(outcome);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let outcome = if self.ended_by_panic() {
            Outcome::Panicked
        } else {
            Outcome::Cancelled
        };
        self.report(outcome);
    }
}

/// See [`Running::in_place`].
#[must_use]
pub struct InPlace {
    running: Running,
}

impl Drop for InPlace {
    fn drop(&mut self) {
        let outcome = if self.running.ended_by_panic() {
            Outcome::Panicked
        } else {
            Outcome::Returned
        };
        self.running.report(outcome);
    }
}

/// Runs a sync body. A closure *called in place* may not return a borrow of what it captured; one
/// that is handed to a function as `FnOnce` may [TRIED A1].
#[inline]
pub fn once<R, F: FnOnce() -> R>(body: F) -> R {
    body()
}

/// Evaluates a metadata value, summary or resume key: being `Fn`, the expression can neither move
/// nor change an argument, nor leave the function.
#[inline]
pub fn reads<V, F: Fn() -> V>(expression: F) -> V {
    expression()
}

/// The value of a `return` that is never reached: it tells an `async` block its type.
pub fn unreached<R>() -> R {
    // Only under `if false`; whoever got here anyway must not go on.
    std::process::abort()
}

/// The outcome of a body with the key `refused`, whose return type may be a `Result` or not: by
/// autoref specialisation, `(&&&Report(&out)).sernixa_report(running)`.
pub mod report {
    use super::{GovernedReturn, Running};

    /// What a body gave.
    pub struct Report<'a, R>(pub &'a R);

    /// First choice: a `Result` whose error has a text.
    pub trait ViaText {
        /// See [`Report`].
        fn sernixa_report(&self, running: Running);
    }

    impl<T, E: core::fmt::Display> ViaText for &&Report<'_, Result<T, E>> {
        fn sernixa_report(&self, running: Running) {
            running.finish_showing(self.0);
        }
    }

    /// Second choice: a `Result` says how it went.
    pub trait ViaResult {
        /// See [`Report`].
        fn sernixa_report(&self, running: Running);
    }

    impl<R: GovernedReturn> ViaResult for &Report<'_, R> {
        fn sernixa_report(&self, running: Running) {
            running.finish(self.0);
        }
    }

    /// Last choice: all that is known is that it returned.
    pub trait ViaAny {
        /// See [`Report`].
        fn sernixa_report(&self, running: Running);
    }

    impl<R> ViaAny for Report<'_, R> {
        fn sernixa_report(&self, running: Running) {
            running.returned();
        }
    }
}
