//! What the server offers, read from `catalogue/*.json`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rmcp::model::{InputRequests, JsonObject, Prompt, Resource, ResourceTemplate, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Failure;

const TOOLS: [&str; 4] = [
    include_str!("../catalogue/plain.json"),
    include_str!("../catalogue/suite.json"),
    include_str!("../catalogue/rounds.json"),
    include_str!("../catalogue/tasks.json"),
];
const RESOURCES: &str = include_str!("../catalogue/resources.json");
const PROMPTS: &str = include_str!("../catalogue/prompts.json");

/// All of it.
pub(crate) struct Catalogue {
    pub(crate) tools: Vec<Entry>,
    pub(crate) resources: Resources,
    pub(crate) prompts: Vec<PromptEntry>,
}

/// A tool and what it does.
pub(crate) struct Entry {
    pub(crate) tool: Tool,
    pub(crate) steps: Arc<[Step]>,
}

/// One thing that a tool does. Texts may hold `{name}`, which stands for an argument or for what an
/// earlier step learnt.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Step {
    /// The tool's result; the last step that is carried out.
    Answer(Value),
    /// An error of the protocol's.
    Fail(String),
    /// A log line, always.
    Log(String),
    /// A log line at the level that the request names, or none.
    LogIfAsked(String),
    /// Progress of 100, if the caller gave a token.
    Progress(f64),
    /// Milliseconds, or the argument that says how many seconds.
    Pause(Pause),
    /// A request of the server's own to the client's model (up to 2025-11-25); `{reply}`.
    Sample(Value),
    /// A request of the server's own to the client's user (up to 2025-11-25); `{reply}`.
    Elicit(Value),
    /// Input that is needed to go on (from 2026-07-28 on); `{key}`.
    Input(Input),
    /// From here on it is a task, for clients that know tasks.
    Task(Task),
    /// Only for clients with this capability.
    Require(Capability),
    /// Says that a list changed.
    Announce(List),
    /// The note `{name}`.
    Note(Note),
    /// Waits until the file `{file}` exists.
    AwaitFile,
    /// Gives `changing` the description `{description}`.
    Redescribe,
    /// Makes `{filled}`, as long as `{bytes}` says.
    Fill,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Pause {
    Milliseconds(u64),
    Seconds(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    pub(crate) requests: InputRequests,
    /// A sealed state goes out, and is needed to go on.
    #[serde(default)]
    pub(crate) sealed: bool,
    /// Only what the client offers is asked for.
    #[serde(default)]
    pub(crate) offered: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// A client that does not know tasks gets the result itself.
    Offered,
    /// A client that does not know tasks is refused.
    Required,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Capability {
    Sampling,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum List {
    Tools,
    Prompts,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Note {
    Read,
    Write,
    Delete,
}

/// Resources, and what is in them by address; a template's is under its template.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resources {
    #[serde(rename = "resources")]
    pub(crate) listed: Vec<Resource>,
    pub(crate) templates: Vec<ResourceTemplate>,
    pub(crate) contents: BTreeMap<String, Value>,
}

/// A prompt, what it needs first, and its messages.
#[derive(Deserialize)]
pub(crate) struct PromptEntry {
    #[serde(flatten)]
    pub(crate) prompt: Prompt,
    pub(crate) needs: Option<InputRequests>,
    pub(crate) messages: Value,
}

impl Catalogue {
    pub(crate) fn read() -> Result<Self, Failure> {
        let mut tools = Vec::new();
        for text in TOOLS {
            for tool in serde_json::from_str::<Vec<JsonObject>>(text)? {
                tools.push(entry(tool)?);
            }
        }
        Ok(Self {
            tools,
            resources: serde_json::from_str(RESOURCES)?,
            prompts: serde_json::from_str(PROMPTS)?,
        })
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&Entry> {
        self.tools.iter().find(|entry| entry.tool.name == name)
    }
}

/// A tool as it stands in the catalogue: MCP's own members, and `steps`. Without a schema it takes no
/// arguments.
fn entry(mut tool: JsonObject) -> Result<Entry, Failure> {
    let name = tool.get("name").map(Value::to_string).unwrap_or_default();
    let steps = tool.remove("steps").unwrap_or_default();
    tool.entry("inputSchema")
        .or_insert_with(|| json!({ "type": "object", "properties": {} }));
    Ok(Entry {
        steps: serde_json::from_value::<Vec<Step>>(steps)
            .map_err(|error| format!("the steps of {name}: {error}"))?
            .into(),
        tool: serde_json::from_value(Value::Object(tool))
            .map_err(|error| format!("the tool {name}: {error}"))?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_tool_has_a_name_of_its_own_and_comes_to_an_end() {
        let catalogue = Catalogue::read().unwrap();
        let names: BTreeSet<_> = catalogue
            .tools
            .iter()
            .map(|entry| &entry.tool.name)
            .collect();
        assert_eq!(names.len(), catalogue.tools.len());
        for entry in &catalogue.tools {
            let last = entry.steps.last();
            let ends = matches!(last, Some(Step::Answer(_) | Step::Fail(_)));
            assert!(ends, "{}", entry.tool.name);
        }
    }

    #[test]
    fn every_resource_has_contents() {
        let resources = Catalogue::read().unwrap().resources;
        let listed = resources.listed.iter().map(|resource| &resource.uri);
        let templates = resources
            .templates
            .iter()
            .map(|template| &template.uri_template);
        for uri in listed.chain(templates) {
            assert!(resources.contents.contains_key(uri), "{uri}");
        }
    }
}
