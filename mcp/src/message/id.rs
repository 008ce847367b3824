//! The id of a request.

use sernixa_protocol::json::Node;

/// The longest id, in bytes of its value.
const LONGEST: usize = 256;

/// The greatest integer that every reader keeps as it is (RFC 8259, section 6): JavaScript makes one
/// number of 2^53 and 2^53 + 1, and of two requests one.
const GREATEST: i64 = (1 << 53) - 1;

/// The id of a request: a string or an integer. `1` and `"1"` are two ids; `"a"` and `"\u0061"` are
/// one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// An integer between -(2^53 - 1) and 2^53 - 1, as it is written.
    Number(Box<str>),
    /// A string of at most 256 bytes, unescaped.
    Text(Box<str>),
}

impl Id {
    /// Reads an id; `None` for anything else than a string of at most 256 bytes or an integer within
    /// 2^53 - 1 either way. `1.0`, `1e0` and `-0` are other ways to write an integer, which not every
    /// reader takes for one.
    pub fn read(node: Node<'_>) -> Option<Self> {
        if let Some(text) = node.as_str() {
            return (text.len() <= LONGEST).then(|| Self::Text(text.as_ref().into()));
        }
        let number = node.number_text().filter(|number| *number != "-0")?;
        let fits = node
            .as_i64()
            .is_some_and(|integer| (-GREATEST..=GREATEST).contains(&integer));
        fits.then(|| Self::Number(number.into()))
    }

    /// It as JSON text.
    pub fn to_json(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => serde_json::Value::from(&**text).to_string(),
        }
    }
}
