//! The id of a request.

use sernixa_protocol::json::Node;

/// The longest id, in bytes of its value.
const LONGEST: usize = 256;

/// The id of a request: a string or an integer. `1` and `"1"` are two ids; `"a"` and `"\u0061"` are
/// one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// An integer, as it is written.
    Number(Box<str>),
    /// A string, unescaped.
    Text(Box<str>),
}

impl Id {
    /// Reads an id; `None` for anything else than a string or an integer of at most 256 bytes.
    pub fn read(node: Node<'_>) -> Option<Self> {
        if let Some(text) = node.as_str() {
            return (text.len() <= LONGEST).then(|| Self::Text(text.as_ref().into()));
        }
        let number = node.number_text()?;
        let digits = number.strip_prefix('-').unwrap_or(number);
        let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_integer && number.len() <= LONGEST && number != "-0")
            .then(|| Self::Number(number.into()))
    }

    /// It as JSON text.
    pub fn to_json(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => serde_json::Value::from(&**text).to_string(),
        }
    }
}
