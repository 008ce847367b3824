//! `Mcp-Param-*`: the arguments of a tool call that go into headers, because the tool's
//! `inputSchema` says `x-mcp-header` (2026-07-28, *Custom Headers from Tool Parameters*).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use sernixa_protocol::json::{Document, Kind, Node};

use super::headers::{decode, encode, only};
use crate::message::Message;

const ANNOTATION: &str = "x-mcp-header";
const PREFIX: &str = "mcp-param-";

/// The deepest schema that is looked through, and the most headers of one tool.
const DEEPEST: usize = 64;
const MOST: usize = 64;

/// An argument that goes into a header.
#[derive(Debug)]
struct Param {
    header: HeaderName,
    /// The names from the arguments down to it.
    path: Vec<String>,
}

/// The arguments of one tool that go into headers.
#[derive(Debug, Default)]
pub(super) struct Params(Vec<Param>);

impl Params {
    /// Reads a tool as `tools/list` gives it.
    ///
    /// # Errors
    /// What breaks the rules; such a tool is not called over HTTP.
    pub(super) fn of(tool: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(tool).map_err(|_| "the tool is not UTF-8")?;
        let document = Document::parse(text).map_err(|_| "the tool is not JSON")?;
        let mut found = Self::default();
        if let Some(schema) = document.root().get("inputSchema") {
            found.walk(schema)?;
        }
        Ok(found)
    }

    /// Whether no argument goes into a header.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn walk(&mut self, root: Node<'_>) -> Result<(), String> {
        // A schema, how it is reached from the arguments (not at all: `None`), and how deep it is.
        let mut open: Vec<(Node<'_>, Option<Vec<String>>, usize)> = vec![(root, Some(vec![]), 0)];
        while let Some((schema, path, depth)) = open.pop() {
            if depth > DEEPEST {
                return Err(format!("its inputSchema is deeper than {DEEPEST} levels"));
            }
            for element in schema.elements() {
                open.push((element, None, depth + 1));
            }
            for (key, value) in schema.members() {
                let key = key.as_str().unwrap_or_default();
                match key.as_ref() {
                    ANNOTATION => self.take(schema, value, path.as_deref())?,
                    "properties" => {
                        for (name, property) in value.members() {
                            let inside = path.as_ref().map(|path| {
                                let mut inside = path.clone();
                                inside.push(name.as_str().unwrap_or_default().into_owned());
                                inside
                            });
                            open.push((property, inside, depth + 1));
                        }
                    }
                    // Maps of schemas: their keys are names, not keywords.
                    "$defs" | "definitions" | "dependentSchemas" | "dependencies"
                    | "patternProperties" => {
                        for (_, inside) in value.members() {
                            open.push((inside, None, depth + 1));
                        }
                    }
                    // Data, not schemas.
                    "default" | "const" | "enum" | "examples" | "dependentRequired" => {}
                    _ => open.push((value, None, depth + 1)),
                }
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        schema: Node<'_>,
        name: Node<'_>,
        path: Option<&[String]>,
    ) -> Result<(), String> {
        let path = path
            .filter(|path| !path.is_empty())
            .ok_or_else(|| format!("{ANNOTATION} stands where `properties` alone do not lead"))?;
        let name = name
            .as_str()
            .filter(|name| !name.is_empty())
            .ok_or_else(|| format!("{ANNOTATION} is not a name"))?;
        let header = HeaderName::from_bytes(format!("{PREFIX}{name}").as_bytes())
            .map_err(|_| format!("{ANNOTATION} is no name of a header"))?;
        if self.0.iter().any(|param| param.header == header) {
            return Err(format!("{ANNOTATION} gives one name twice"));
        }
        if !is_primitive(schema.get("type")) {
            return Err(format!(
                "{ANNOTATION} stands on something else than a string, an integer or a boolean"
            ));
        }
        if self.0.len() == MOST {
            return Err(format!("it has more than {MOST} {ANNOTATION}"));
        }
        self.0.push(Param {
            header,
            path: path.to_vec(),
        });
        Ok(())
    }

    /// The headers for a call.
    ///
    /// # Errors
    /// When an argument is of a kind that no header can say.
    pub(super) fn headers(&self, call: &Message) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
        let made = call.look(|root| {
            let mut made = Vec::new();
            for param in &self.0 {
                if let Some(said) = param.said(root)? {
                    let value = said
                        .encoded()
                        .ok_or_else(|| format!("the header {} cannot be made", param.header))?;
                    made.push((param.header.clone(), value));
                }
            }
            Ok(made)
        });
        made.unwrap_or_else(|| Err("the call cannot be read again".to_owned()))
    }

    /// Whether the headers of a call say what its arguments say.
    ///
    /// # Errors
    /// What does not fit, without any of the values.
    pub(super) fn check(&self, headers: &HeaderMap, call: &Message) -> Result<(), String> {
        let checked = call.look(|root| {
            for param in &self.0 {
                let name = &param.header;
                let given = only(headers, name)?;
                match (given, param.said(root)?) {
                    (None, None) => {}
                    (Some(given), Some(said)) => {
                        let given =
                            decode(given).map_err(|fault| format!("the header {name}: {fault}"))?;
                        if !said.is(&given) {
                            return Err(format!(
                                "the header {name} does not say what the arguments say"
                            ));
                        }
                    }
                    (None, Some(_)) => return Err(format!("the header {name} is missing")),
                    (Some(_), None) => {
                        return Err(format!("the header {name} stands for no argument"));
                    }
                }
            }
            Ok(())
        });
        checked.unwrap_or_else(|| Err("the call cannot be read again".to_owned()))
    }
}

/// A string, an integer or a boolean; that it may be null as well changes nothing.
fn is_primitive(of: Option<Node<'_>>) -> bool {
    let word = |node: Node<'_>| {
        ["string", "integer", "boolean"]
            .iter()
            .any(|word| node.is(word))
    };
    of.is_some_and(|of| {
        let words: Vec<_> = of.elements().collect();
        match words.as_slice() {
            [] => word(of),
            [one] => word(*one),
            [one, other] => (word(*one) && other.is("null")) || (one.is("null") && word(*other)),
            _ => false,
        }
    })
}

/// What an argument says.
enum Said {
    Text(String),
    /// As it is written.
    Number(String),
    Truth(bool),
}

impl Param {
    /// What the argument says; nothing where it is absent or null.
    fn said(&self, root: Node<'_>) -> Result<Option<Said>, String> {
        let arguments = root
            .get("params")
            .and_then(|params| params.get("arguments"));
        let value = self
            .path
            .iter()
            .try_fold(arguments, |value, name| value.map(|value| value.get(name)));
        let Some(value) = value.flatten() else {
            return Ok(None);
        };
        match value.kind() {
            Kind::Null => Ok(None),
            Kind::Bool => Ok(value.as_bool().map(Said::Truth)),
            Kind::String => Ok(value.as_str().map(|text| Said::Text(text.into_owned()))),
            Kind::Integer | Kind::Float => Ok(value
                .number_text()
                .map(|text| Said::Number(text.to_owned()))),
            Kind::Array | Kind::Object => Err(format!(
                "the argument of the header {} is neither text, number nor boolean",
                self.header
            )),
        }
    }
}

impl Said {
    fn encoded(&self) -> Option<HeaderValue> {
        match self {
            Self::Text(text) | Self::Number(text) => encode(text),
            Self::Truth(true) => Some(HeaderValue::from_static("true")),
            Self::Truth(false) => Some(HeaderValue::from_static("false")),
        }
    }

    fn is(&self, given: &str) -> bool {
        match self {
            Self::Text(text) => text == given,
            Self::Truth(truth) => given == if *truth { "true" } else { "false" },
            // `42.0` is `42`; past what a double holds, only the same digits are the same.
            Self::Number(text) => {
                text == given
                    || number(text)
                        .zip(number(given))
                        .is_some_and(|(one, other)| one.to_bits() == other.to_bits())
            }
        }
    }
}

/// A number of JSON's, within the integers that a double holds exactly.
fn number(text: &str) -> Option<f64> {
    const SAFE: f64 = 9_007_199_254_740_991.0;
    let document = Document::parse(text).ok()?;
    let number: f64 = document.root().number_text()?.parse().ok()?;
    // Minus zero is zero.
    (number.abs() <= SAFE).then_some(number + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    use bytes::Bytes;
    use serde_json::{Value, json};

    use crate::message::Direction;

    fn params(schema: &Value) -> Result<Params, String> {
        Params::of(
            json!({"name": "t", "inputSchema": schema})
                .to_string()
                .as_bytes(),
        )
    }

    fn call(arguments: &Value) -> Message {
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "t", "arguments": arguments},
        });
        Message::read(Bytes::from(body.to_string()), Direction::ToServer).unwrap()
    }

    fn region() -> Params {
        params(&json!({"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "where": {"type": "object", "properties": {
                "zone": {"type": ["integer", "null"], "x-mcp-header": "Zone"},
            }},
            "dry": {"type": "boolean", "x-mcp-header": "Dry"},
        }}))
        .unwrap()
    }

    fn headers(of: &[(&'static str, &str)]) -> HeaderMap {
        of.iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    #[test]
    fn headers_are_made_from_the_arguments_at_their_paths() {
        let call = call(&json!({"region": "Zürich", "where": {"zone": -7}, "dry": false}));
        let mut made: Vec<_> = region().headers(&call).unwrap();
        made.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        let made: Vec<_> = made
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            made,
            [
                ("mcp-param-dry", "false"),
                ("mcp-param-region", "=?base64?WsO8cmljaA==?="),
                ("mcp-param-zone", "-7"),
            ]
        );
    }

    #[test]
    fn what_is_absent_or_null_has_no_header() {
        let call = call(&json!({"region": null, "where": {}}));
        assert!(region().headers(&call).unwrap().is_empty());
        assert_eq!(region().check(&HeaderMap::new(), &call), Ok(()));
        let given = headers(&[("mcp-param-region", "x")]);
        assert!(region().check(&given, &call).is_err());
    }

    #[test]
    fn headers_are_compared_decoded_and_integers_by_value() {
        let call = call(&json!({"region": "Hello", "where": {"zone": 42}}));
        let fits = |region_is: &str, zone: &str| {
            let given = headers(&[("mcp-param-region", region_is), ("mcp-param-zone", zone)]);
            region().check(&given, &call)
        };
        assert_eq!(fits("Hello", "42"), Ok(()));
        assert_eq!(fits("=?base64?SGVsbG8=?=", "42.0"), Ok(()));
        assert!(fits("hello", "42").is_err());
        assert!(fits("Hello", "43").is_err());
        assert!(fits("Hello", "0x2a").is_err());
        assert!(fits("=?base64?SGVsbG8?=", "42").is_err());
        assert!(region().check(&HeaderMap::new(), &call).is_err());
    }

    #[test]
    fn an_argument_that_no_header_can_say_is_refused() {
        let call = call(&json!({"region": {"a": 1}}));
        assert!(region().headers(&call).is_err());
    }

    #[test]
    fn annotations_that_break_the_rules_are_told() {
        let one = |property: Value| params(&json!({"properties": {"a": property}}));
        for bad in [
            json!({"type": "string", "x-mcp-header": ""}),
            json!({"type": "string", "x-mcp-header": "a b"}),
            json!({"type": "string", "x-mcp-header": "a\r\nb"}),
            json!({"type": "string", "x-mcp-header": 1}),
            json!({"type": "number", "x-mcp-header": "a"}),
            json!({"type": "array", "x-mcp-header": "a"}),
            json!({"x-mcp-header": "a"}),
            json!({"type": "array", "items": {"type": "string", "x-mcp-header": "a"}}),
            json!({"anyOf": [{"properties": {"b": {"type": "string", "x-mcp-header": "a"}}}]}),
        ] {
            assert!(one(bad.clone()).is_err(), "{bad}");
        }
        let twice = json!({"properties": {
            "a": {"type": "string", "x-mcp-header": "Region"},
            "b": {"type": "string", "x-mcp-header": "region"},
        }});
        assert!(params(&twice).is_err());
        assert!(params(&json!({"type": "string", "x-mcp-header": "a"})).is_err());
        let mut deep = json!({"type": "string"});
        for _ in 0..100 {
            deep = json!({"properties": {"a": deep}});
        }
        assert!(params(&deep).is_err());
    }

    #[test]
    fn data_and_names_are_no_annotations() {
        let schema = json!({"properties": {
            "x-mcp-header": {"type": "string"},
            "a": {"type": "object", "default": {"x-mcp-header": "a"}, "enum": [{"x-mcp-header": 1}]},
        }});
        assert!(params(&schema).unwrap().is_empty());
    }
}
