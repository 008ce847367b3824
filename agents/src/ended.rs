//! How a governed call ended that did not succeed: the frameworks' own errors cannot be made of ours.

/// Refused before it began, or failed by itself.
pub(crate) enum Ended<E> {
    Refused(sernixa::Error),
    Failed(E),
}

impl<E> From<sernixa::Error> for Ended<E> {
    fn from(refusal: sernixa::Error) -> Self {
        Self::Refused(refusal)
    }
}
