//! Who gets in, who may do what, what is refused before it costs anything, and what never shows.

mod limits;
mod roles;
mod secrets;

use serde_json::Value;

use crate::support::client::Caller;

/// Every operation of the service's OpenAPI document, its path filled in.
fn operations(caller: &Caller) -> Vec<(String, String)> {
    let document = caller.get("/api/openapi.json").expect(200).json();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                operations.push((method.to_uppercase(), filled(path)));
            }
        }
    }
    operations
}

/// A path with something in the place of each parameter.
fn filled(path: &str) -> String {
    let fill = |segment: &str| {
        if segment.starts_with('{') {
            "x".to_owned()
        } else {
            segment.to_owned()
        }
    };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// The answer is in the shape of PROTOCOL 0, whatever it says.
fn assert_refusal(body: &Value) {
    let detail = &body["detail"];
    assert!(
        detail["status"].is_string() && detail["reason"].is_string(),
        "{body}"
    );
    assert!(detail["evidence"].is_object(), "{body}");
}
