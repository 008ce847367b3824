//! Arguments and metadata values on their way from the user's types to JSON text.
//!
//! An argument that is `Serialize` gives JSON, else `Debug` cut to 200 characters, else
//! `<non-serializable: Type>`. Which of the three holds is found by autoref specialisation, so the
//! attribute needs no bound on the user's types; in a generic function only declared bounds count.

use std::fmt;

use serde::Serialize;
use sernixa_protocol::canonical::{self, CanonicalError};

/// The most characters of a `Debug` text that are captured (PROTOCOL 20).
const DEBUG_LIMIT: usize = 200;

/// The most bytes that any single value may take: no submission is longer (DESIGN 8).
pub(crate) const VALUE_LIMIT: usize = 256 * 1024;

/// A value that serialises, behind a reference of any type.
pub(crate) trait Json {
    /// Appends its canonical text, at most `budget` bytes, or leaves `out` as it was.
    fn append(&self, budget: usize, out: &mut String) -> Result<(), CanonicalError>;

    /// The same for the digest, where no two values of a type may read alike.
    fn append_distinct(&self, budget: usize, out: &mut String) -> Result<(), CanonicalError>;
}

impl<T: Serialize + ?Sized> Json for T {
    fn append(&self, budget: usize, out: &mut String) -> Result<(), CanonicalError> {
        canonical::append(self, budget, out)
    }

    fn append_distinct(&self, budget: usize, out: &mut String) -> Result<(), CanonicalError> {
        canonical::append_distinct(self, budget, out)
    }
}

/// An argument as it can be shown: nothing is formatted until it is asked for.
#[derive(Clone, Copy)]
pub struct Captured<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    Json(&'a dyn Json, &'static str),
    Debug(&'a dyn fmt::Debug),
    Name(&'static str),
}

impl<'a> Captured<'a> {
    /// The value for the digest; `None` for what does not serialise.
    pub(crate) fn json(&self) -> Option<&'a dyn Json> {
        match self.0 {
            Form::Json(value, _) => Some(value),
            Form::Debug(_) | Form::Name(_) => None,
        }
    }

    /// Appends the JSON that stands for the argument when arguments are captured.
    ///
    /// # Errors
    /// Only [`CanonicalError::TooDeep`] and [`CanonicalError::TooLarge`]: what cannot be said in
    /// JSON for another reason is replaced by its type's name.
    pub(crate) fn show(&self, out: &mut String) -> Result<(), CanonicalError> {
        match self.0 {
            Form::Json(value, name) => match value.append(VALUE_LIMIT, out) {
                Ok(()) => Ok(()),
                Err(limit @ (CanonicalError::TooDeep | CanonicalError::TooLarge)) => Err(limit),
                Err(_) => non_serializable(name, out),
            },
            Form::Debug(value) => {
                let mut cut = Cut::default();
                // An error only says that the text is cut, or that the type's own `Debug` failed;
                // what was written until then is what there is.
                let _ = fmt::write(&mut cut, format_args!("{value:?}"));
                canonical::append(&cut.finish(), VALUE_LIMIT, out)
            }
            Form::Name(name) => non_serializable(name, out),
        }
    }
}

fn non_serializable(name: &str, out: &mut String) -> Result<(), CanonicalError> {
    canonical::append(
        &format_args!("<non-serializable: {name}>"),
        VALUE_LIMIT,
        out,
    )
}

/// Takes 200 characters: 197 and `...` of a longer text (PROTOCOL 20), and then stops the writer.
#[derive(Default)]
struct Cut {
    text: String,
    characters: usize,
}

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.characters > DEBUG_LIMIT {
                return Err(fmt::Error);
            }
            self.text.push(character);
            self.characters += 1;
        }
        Ok(())
    }
}

impl Cut {
    fn finish(self) -> String {
        if self.characters <= DEBUG_LIMIT {
            return self.text;
        }
        let mut cut: String = self.text.chars().take(DEBUG_LIMIT - 3).collect();
        cut.push_str("...");
        cut
    }
}

/// For generated code: `(&&&Capture(&argument)).sernixa_captured()` with the three traits in scope takes
/// the first that fits. The name is one that no method of the user's has: a trait of theirs that is
/// implemented for everything would be in the way.
pub struct Capture<'a, T: ?Sized>(pub &'a T);

/// First choice: the argument serialises.
pub trait ViaSerialize<'a> {
    /// See [`Capture`].
    fn sernixa_captured(&self) -> Captured<'a>;
}

impl<'a, T: Serialize> ViaSerialize<'a> for &&Capture<'a, T> {
    fn sernixa_captured(&self) -> Captured<'a> {
        Captured(Form::Json(self.0, std::any::type_name::<T>()))
    }
}

/// Second choice: the argument can be printed.
pub trait ViaDebug<'a> {
    /// See [`Capture`].
    fn sernixa_captured(&self) -> Captured<'a>;
}

impl<'a, T: fmt::Debug> ViaDebug<'a> for &Capture<'a, T> {
    fn sernixa_captured(&self) -> Captured<'a> {
        Captured(Form::Debug(self.0))
    }
}

/// Last choice: only the type's name is known.
pub trait ViaName<'a> {
    /// See [`Capture`].
    fn sernixa_captured(&self) -> Captured<'a>;
}

impl<'a, T> ViaName<'a> for Capture<'a, T> {
    fn sernixa_captured(&self) -> Captured<'a> {
        Captured(Form::Name(std::any::type_name::<T>()))
    }
}

/// A metadata value of the attribute: anything that serialises.
#[diagnostic::on_unimplemented(
    message = "a metadata value must implement `serde::Serialize`, but `{Self}` does not",
    label = "this value has no JSON form",
    note = "derive `serde::Serialize` for the type, or send a text of it: `key: value.to_string()`"
)]
pub trait Value {
    /// Appends the value as canonical JSON.
    #[doc(hidden)]
    fn append_json(&self, out: &mut String) -> Result<(), CanonicalError>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Value for T {
    fn append_json(&self, out: &mut String) -> Result<(), CanonicalError> {
        canonical::append(self, VALUE_LIMIT, out)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{ViaDebug as _, ViaName as _, ViaSerialize as _, *};

    macro_rules! shown {
        ($value:expr) => {{
            let value = $value;
            let mut out = String::new();
            (&&&Capture(&value))
                .sernixa_captured()
                .show(&mut out)
                .map(|()| out)
        }};
    }

    #[derive(Debug)]
    struct OnlyDebug;

    struct Nothing;

    #[derive(Debug, serde::Serialize)]
    struct Both {
        b: u8,
        a: Option<&'static str>,
    }

    #[test]
    fn an_argument_is_json_else_debug_else_its_type() {
        assert_eq!(
            shown!(Both { b: 1, a: None }).unwrap(),
            r#"{"a":null,"b":1}"#
        );
        assert_eq!(shown!(OnlyDebug).unwrap(), r#""OnlyDebug""#);
        let name = shown!(Nothing).unwrap();
        assert!(
            name.starts_with("\"<non-serializable: ") && name.contains("Nothing"),
            "{name}"
        );
        let borrowed: &dyn fmt::Debug = &OnlyDebug;
        assert_eq!(shown!(borrowed).unwrap(), r#""OnlyDebug""#);
        assert_eq!(shown!(&mut 7).unwrap(), "7");
    }

    #[test]
    fn in_a_generic_function_only_declared_bounds_count() {
        fn unbounded<T>(value: T) -> String {
            shown!(value).unwrap()
        }
        fn printable<T: fmt::Debug>(value: T) -> String {
            shown!(value).unwrap()
        }
        assert!(unbounded(1_i32).contains("i32"));
        assert_eq!(printable(1_i32), r#""1""#);
    }

    #[test]
    fn a_debug_text_is_cut_to_two_hundred_characters() {
        struct Long(usize);
        impl fmt::Debug for Long {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (0..self.0).try_for_each(|_| f.write_str("é"))
            }
        }
        assert_eq!(
            shown!(Long(200)).unwrap(),
            format!("\"{}\"", "é".repeat(200))
        );
        let cut = format!("\"{}...\"", "é".repeat(197));
        assert_eq!(shown!(Long(201)).unwrap(), cut);
        assert_eq!(shown!(Long(1_000_000)).unwrap(), cut);
    }

    #[test]
    fn what_json_cannot_say_is_shown_by_its_type() {
        assert!(
            shown!(f64::NAN)
                .unwrap()
                .contains("<non-serializable: f64>")
        );
        let pairs: BTreeMap<(u8, u8), u8> = [((1, 2), 3)].into();
        assert!(shown!(pairs).unwrap().contains("non-serializable"));
    }

    #[test]
    fn an_argument_past_the_limits_is_an_error_and_not_a_guess() {
        assert_eq!(
            shown!("x".repeat(VALUE_LIMIT)),
            Err(CanonicalError::TooLarge)
        );
        let mut deep = serde_json::json!(1);
        for _ in 0..200 {
            deep = serde_json::json!([deep]);
        }
        assert_eq!(shown!(deep), Err(CanonicalError::TooDeep));
    }
}
