//! What a governed function returns: how a refusal becomes its value, and how its value is read.
//!
//! Two obligations instead of one, so that each has a message of its own [TRIED A2]: a `Result`
//! with any error type is a [`GovernedReturn`], and its error type must be a [`FromRefusal`].

use crate::error::Error;

/// A return type that can carry a refusal: `Result<T, E>`, through any alias.
#[diagnostic::on_unimplemented(
    message = "a governed function must return `Result<T, E>`, but this one returns `{Self}`",
    label = "this type cannot carry a refusal",
    note = "return `Result<_, E>` with `E: From<sernixa::Error>`, or name a function that turns a \
            refusal into the return type: `refused = path`"
)]
pub trait GovernedReturn: sealed::Sealed {
    /// The `E` of `Result<T, E>`.
    type Error;

    /// The return value of a call that was refused.
    fn refused(error: Self::Error) -> Self;

    /// The type name of the error, if the body ended in one.
    fn failure(&self) -> Option<&'static str>;
}

mod sealed {
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
}

impl<T, E> GovernedReturn for Result<T, E> {
    type Error = E;

    fn refused(error: E) -> Self {
        Err(error)
    }

    fn failure(&self) -> Option<&'static str> {
        self.is_err().then(std::any::type_name::<E>)
    }
}

/// An error type that a refusal can become.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` of a governed function cannot be made from `sernixa::Error`",
    label = "a refusal has no way into this type",
    note = "implement `From<sernixa::Error>` for `{Self}`, or name a function that turns a refusal \
            into the return type: `refused = path`"
)]
pub trait FromRefusal {
    /// The refusal as this type.
    fn from_refusal(error: Error) -> Self;
}

// Without it the compiler reports a missing `From<Error>` and never the text above.
#[diagnostic::do_not_recommend]
impl<E: From<Error>> FromRefusal for E {
    fn from_refusal(error: Error) -> Self {
        error.into()
    }
}

/// The return value of a call that was refused.
pub fn refuse<R: GovernedReturn>(error: Error) -> R
where
    R::Error: FromRefusal,
{
    R::refused(R::Error::from_refusal(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_becomes_the_functions_own_error() {
        let refused: Result<(), std::io::Error> = refuse(Error::validation("x"));
        assert_eq!(
            refused.unwrap_err().kind(),
            std::io::ErrorKind::InvalidInput
        );
        let refused: Result<u8, Box<dyn std::error::Error + Send + Sync>> =
            refuse(Error::validation("x"));
        assert!(refused.unwrap_err().downcast_ref::<Error>().is_some());
    }

    #[test]
    fn a_failure_is_known_by_the_name_of_its_type() {
        assert_eq!(Ok::<_, std::fmt::Error>(1).failure(), None);
        assert_eq!(
            Err::<u8, _>(std::fmt::Error).failure(),
            Some("core::fmt::Error")
        );
    }
}
