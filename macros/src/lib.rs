//! The attributes of Sernixa: [`intercept`], [`toolset`] and [`ungoverned`].
//!
//! Depend on the crate `sernixa`, which exports them together with what they expand to.
//!
//! The way of an attribute: `ast` reads the function and leaves its body as tokens,
//! `attr` reads the arguments, `valid` judges both and yields a gate that cannot be wrong any more,
//! `expand` writes it. Whatever goes wrong on the way ends in compile errors in front of the user's
//! own item: never in a function without its gate that compiles.

mod ast;
mod attr;
mod expand;
mod faults;
mod intercept;
mod suggest;
mod toolset;
mod ungoverned;
mod valid;

use proc_macro2::TokenStream;
use quote::quote;

/// Puts a gate in front of a function: its body begins only after a policy or a person has said yes.
///
/// ```
/// use sernixa::intercept;
/// # struct Receipt;
///
/// #[intercept(
///     intent_id = "billing-adjustment",
///     risk_level = "high",
///     operation_class = "financial",
///     data_sensitivity = "financial",
///     systems_touched = ["stripe", "postgres"],
///     summary = "adjust {invoice_id} by {cents} cents",
/// )]
/// async fn adjust_invoice(invoice_id: &str, cents: i64) -> Result<Receipt, sernixa::Error> {
///     // … only after a yes
///     # Ok(Receipt)
/// }
/// ```
///
/// A call that is refused, or that nobody decides in time, returns a [`sernixa::Error`] as the
/// function's own error, and the body has not begun.
///
/// [`sernixa::Error`]: https://docs.rs/sernixa/latest/sernixa/enum.Error.html
///
/// # Keys
///
/// Five are required. They are facts of the program, known when it is compiled: a literal is checked
/// here, a `const` by `const` evaluation. Values that are only known at run time go through
/// `Client::run` with an `Action`.
///
/// | key | value | rule |
/// |---|---|---|
/// | `intent_id` | string literal or `const` path | required; not blank, at most 128 characters |
/// | `risk_level` | `"low"`, `"medium"`, `"high"`, `"critical"` in any case, or the path of a `const RiskLevel` | required |
/// | `operation_class` | a known class, `custom("…")`, `custom(PATH)`, or the path of a `const OperationClass` that is a known one | required; known are read, create, update, delete, execute, financial, identity, communication, deploy, `tool_call`, `agent_run` |
/// | `data_sensitivity` | a known word, `custom("…")`, `custom(PATH)`, or the path of a `const DataSensitivity` that is a known one | required; known are public, internal, confidential, restricted, regulated, financial, PII, PHI, in any case, sent as written |
/// | `systems_touched` | `["…", …]`, or the path of a `const` of type `[&str; N]` or `&[&str]` | required; not empty, no blank item |
/// | `action_id` | string literal | default: the function's name below its module, with `-` for `_` |
/// | `summary` | format string over the arguments | one line for the reviewer, at most 500 characters |
/// | `metadata` | `{ key: expression, "other-key": expression }` | what the reviewer should know besides |
/// | `capture_arguments` | `true`, `false` | whether argument values are sent; default: `SERNIXA_CAPTURE_ARGUMENTS`, which is off |
/// | `skip` | `[argument, …]` | arguments that are never looked at |
/// | `handles` | `[argument, …]` | arguments that are no data of the call: pools, clients, contexts |
/// | `refused` | path of a `fn(sernixa::Error) -> R` | what a refusal turns into, where the function returns no `Result` |
/// | `client` | expression that gives a `&Client` | default: the global client |
/// | `resume_key` | expression that implements `Display` | a later call with the same key takes up the same approval |
/// | `crate` | path | where the crate `sernixa` is, if it is renamed |
///
/// ```
/// use sernixa::{intercept, Error, RiskLevel};
///
/// const INTENT: &str = "release";
/// const RISK: RiskLevel = RiskLevel::Critical;
/// const SYSTEMS: [&str; 2] = ["registry", "cluster"];
///
/// #[intercept(
///     intent_id = INTENT,
///     risk_level = RISK,
///     operation_class = custom("rollout"),
///     data_sensitivity = "internal",
///     systems_touched = SYSTEMS,
/// )]
/// fn release(version: &str) -> Result<(), Error> {
///     # let _ = version;
///     Ok(())
/// }
/// ```
///
/// # What leaves the process
///
/// The facts above, the function's name and module, the number of its arguments, and a keyed digest
/// of them that lets an approval fit this call alone. Argument *values* leave only where you say so:
/// by naming them in `summary` or `metadata`, or with `capture_arguments`. What leaves is masked
/// before (see `sernixa::dlp`). With `capture_arguments`, the `idempotency_key` is a plain SHA-256 over
/// the values before masking: whoever sees it can check guesses at a short masked value.
///
/// `metadata` values are anything that implements `serde::Serialize`. They, the `resume_key` and the
/// `summary` are evaluated once per call, before anybody is asked. They borrow the arguments: they
/// cannot move or change one, return, use `?`, or await. A name alone (`invoice`, `self.name`) is
/// borrowed. Keys that Sernixa writes itself are refused.
///
/// ```
/// # use sernixa::{intercept, Error};
/// # struct Order { id: String, items: Vec<u32> }
/// #[intercept(
///     intent_id = "ship-order",
///     risk_level = "medium",
///     operation_class = "update",
///     data_sensitivity = "internal",
///     systems_touched = ["warehouse"],
///     metadata = { order: order.id, items: order.items.len(), "address-changed": address.is_some() },
///     summary = "ship {parcels} parcels",
///     resume_key = order.id,
///     handles = [warehouse],
///     skip = [address],
/// )]
/// fn ship(warehouse: &Warehouse, order: Order, parcels: u8, address: Option<String>) -> Result<(), Error> {
///     # let _ = (warehouse, order, parcels, address);
///     Ok(())
/// }
/// # struct Warehouse;
/// ```
///
/// An argument that implements `Serialize` is digested, and captured as JSON; one that only
/// implements `Debug` is captured as its text, cut to 200 characters; of any other the type's name is
/// captured. **In a generic function only declared bounds count**: `T: Debug` is captured by `Debug`,
/// whatever `T` is. An argument that is skipped, or does not serialise, leaves the digest partial: such
/// a call is never approved from memory and never resumed. `self` and `handles` are not part of it;
/// among captured arguments a handle keeps its place as `"<handle>"`. A field under `#[serde(skip)]`,
/// and a type-erased value, is seen only as it serialises.
/// An argument that is taken apart in the signature is seen by what its pattern binds, one of `_` whole.
///
/// A literal in the attribute that is unmistakably a secret (a private key, a token, a card number) is
/// refused; a `const` is not looked into.
///
/// # What it returns
///
/// `Result<T, E>` where `E: From<sernixa::Error>`, through any alias: `anyhow::Error`,
/// `Box<dyn Error>`, `std::io::Error` and `sernixa::Error` itself are such types. For every other return
/// type say with `refused` what a refusal turns into:
///
/// ```
/// # use sernixa::{intercept, Error};
/// fn hidden(_: Error) -> Option<String> {
///     None
/// }
///
/// #[intercept(
///     intent_id = "read-salary",
///     risk_level = "medium",
///     operation_class = "read",
///     data_sensitivity = "confidential",
///     systems_touched = ["payroll"],
///     refused = hidden,
/// )]
/// fn salary_of(person: &str) -> Option<String> {
///     # let _ = person;
///     Some("…".to_owned())
/// }
/// ```
///
/// # Where it goes
///
/// On free functions and on methods with every receiver, generic or not, `unsafe` or not, in `impl`s
/// and as defaults of traits; on `async fn`, also in traits and under `#[async_trait]`; on functions
/// that return `impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture` or `LocalBoxFuture`, whose whole body
/// then waits for the first poll. (In edition 2021 such an `impl Future` over borrowed arguments needs
/// `+ '_`. An alias of a boxed future is not recognised, and refused.)
///
/// Refused are `const fn`s, foreign functions, methods without a body, generators and `main`.
///
/// Good to know:
///
/// * A gate on a trait's default method guards that body, not the bodies of `impl`s that override it.
/// * A gate on a function that returns `Result<impl Future, E>` guards the making of the future, not
///   its running.
/// * Under `#[track_caller]` a body that is not `async` stays where it is, so `Location::caller()` in
///   it is right; whether it succeeded is then reported as `returned`.
/// * An attribute *above* this one sees the function first, and could drop the gate. Assert on
///   `sernixa::callsites()` in a test, or use [`toolset`].
/// * An attribute *below* this one wraps the governed function. A cache there answers without asking.
///
/// # Errors
///
/// With a mistake in its arguments the attribute gives back the function as it was, and the error:
/// the editor goes on understanding the rest of the file, and the build stops.
///
/// ```compile_fail
/// # use sernixa::intercept;
/// #[intercept(
///     intent_id = "billing-adjustment",
///     risk_level = "hihg", // unknown risk level `hihg`: did you mean `high`?
///     operation_class = "financial",
///     data_sensitivity = "financial",
///     systems_touched = ["stripe"],
/// )]
/// fn adjust() -> Result<(), sernixa::Error> {
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn intercept(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    item_or_expanded(args, item, intercept::expand)
}

/// Makes gates mandatory in an `impl` block or a module: a gate that cannot be forgotten.
///
/// Every `pub` and `pub(…)` function of the block (every method, in the `impl` of a trait) must carry
/// [`intercept`] or [`ungoverned`], or the build fails at its name.
///
/// ```
/// use sernixa::{intercept, toolset, ungoverned, Error};
///
/// struct Billing { cents: i64 }
///
/// #[toolset]
/// impl Billing {
///     #[intercept(
///         intent_id = "billing-adjustment",
///         risk_level = "high",
///         operation_class = "financial",
///         data_sensitivity = "financial",
///         systems_touched = ["stripe"],
///     )]
///     pub fn adjust(&mut self, cents: i64) -> Result<i64, Error> {
///         self.cents += cents;
///         Ok(self.cents)
///     }
///
///     #[ungoverned(reason = "only reads a number")]
///     pub fn cents(&self) -> i64 {
///         self.cents
///     }
///
///     fn helper(&self) {} // private: nobody outside can call it
/// }
/// ```
///
/// ```compile_fail
/// # use sernixa::toolset;
/// # struct Billing { cents: i64 }
/// #[toolset]
/// impl Billing {
///     pub fn wipe(&mut self) { // a function of this toolset without a gate
///         self.cents = 0;
///     }
/// }
/// ```
///
/// It sees words, not what they mean. So every attribute whose path ends in `intercept` or `ungoverned`
/// becomes the one of this crate, whatever it was, and a gate under another name is not recognised.
/// Refused is what it cannot see through: a gate inside `cfg_attr`, macros that stand for items, and
/// items that cannot be parsed; in a module also `pub use`, `use … as` of a gate, nested modules,
/// `impl`s, traits and foreign blocks. A module has to be written with its body. A `const` or `static`
/// may hold no `impl` and no function in its initialiser, and if it is public, its type may not be a
/// function or a closure.
///
/// It cannot see an `impl` inside a function's body, what a derive or another attribute adds, what a
/// macro in an initialiser makes, a callable behind the name of a type, or an `impl` elsewhere.
///
/// It goes above or below `#[async_trait]`. Its only key is `crate`, for a renamed dependency, and it
/// passes it on to the gates inside: `#[toolset(crate = my_sernixa)]`.
#[proc_macro_attribute]
pub fn toolset(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    item_or_expanded(args, item, toolset::expand)
}

/// Says that a function of a [`toolset`] needs no gate, and why. Changes nothing in it.
///
/// ```
/// # use sernixa::ungoverned;
/// #[ungoverned(reason = "returns a constant")]
/// pub fn version() -> &'static str {
///     "1.2.0"
/// }
/// ```
///
/// The reason is required and not blank.
///
/// ```compile_fail
/// # use sernixa::ungoverned;
/// #[ungoverned]
/// pub fn version() -> &'static str {
///     "1.2.0"
/// }
/// ```
#[proc_macro_attribute]
pub fn ungoverned(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    item_or_expanded(args, item, ungoverned::expand)
}

/// What the attribute makes of the item; or the user's own item with the errors in front of it. The
/// item keeps the rest of the file meaningful in an editor, the errors keep the build from ending.
fn item_or_expanded(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
    expand: fn(TokenStream, TokenStream) -> syn::Result<TokenStream>,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let expanded = expand(args.into(), item.clone()).unwrap_or_else(|fault| {
        let errors = fault.to_compile_error();
        quote!(#errors #item)
    });
    expanded.into()
}
