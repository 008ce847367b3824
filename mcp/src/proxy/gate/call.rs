//! What a `tools/call` says.

use crate::message::Message;

/// A `tools/call`, read.
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Vec<(String, serde_json::Value)>,
}

impl Call {
    pub(super) fn read(message: &Message) -> Result<Self, String> {
        message
            .look(|root| {
                let params = root.get("params").ok_or("`params` is missing")?;
                let name = params
                    .get("name")
                    .and_then(|name| name.as_str())
                    .ok_or("`params.name` must be a string")?
                    .into_owned();
                let mut arguments = Vec::new();
                if let Some(given) = params.get("arguments") {
                    if !given.is_object() {
                        return Err("`params.arguments` must be an object".to_owned());
                    }
                    for (key, value) in given.members() {
                        let value = value
                            .to_value()
                            .map_err(|_| "`params.arguments` holds a number too large")?;
                        arguments.push((key.as_str().unwrap_or_default().into_owned(), value));
                    }
                }
                Ok(Self { name, arguments })
            })
            .unwrap_or_else(|| Err("it cannot be read".to_owned()))
    }
}
