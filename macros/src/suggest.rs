//! "Did you mean …?", as the messages of the attribute say it.

use sernixa_protocol::suggest::nearest;

/// ` did you mean …?` with its leading blank, or nothing.
pub(crate) fn hint<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(written, known).map_or_else(String::new, |word| format!(" did you mean `{word}`?"))
}
