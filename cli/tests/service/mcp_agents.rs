//! Real agent frameworks through the proxy: LangChain's, AutoGen's and CrewAI's own tool objects, called
//! as the framework calls them. CrewAI takes 1.1 GB, and is tested with `SERNIXA_TEST_CREWAI=1`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::support::mcp::Desk;
use crate::support::serve::sernixa;
use crate::support::{flag, python, until};

#[test]
fn langchain_tools_are_governed_across_the_processes_that_each_call_starts() {
    check("langchain");
}

#[test]
fn autogen_tools_are_governed() {
    check("autogen");
}

#[test]
fn crewai_tools_are_governed() {
    if flag("SERNIXA_TEST_CREWAI") {
        check("crewai");
    } else {
        eprintln!("NOT TESTED: CrewAI, without SERNIXA_TEST_CREWAI=1");
    }
}

fn check(framework: &str) {
    let Some(environment) = python::environment(framework) else {
        return;
    };
    let desk = Desk::new();
    let start = |hold: &str| Agent::start(&environment, framework, &desk, hold);
    // What is not done is an `isError`: AutoGen raises it, the others hand its text to the model.
    let refused = if framework == "autogen" {
        "raised"
    } else {
        "answer"
    };

    let mut agent = start("30s");
    assert_eq!(
        agent.tools,
        json!(["add_note", "delete_notes", "read_notes"])
    );

    // By policy: it reads, at low risk.
    agent.call("read_notes", &json!({}));
    assert_eq!(agent.answer(), ("answer", String::new()));

    // By a person, while it waits.
    agent.call("add_note", &json!({"text": "kept"}));
    assert_eq!(desk.notes(), [""; 0]);
    desk.decide("approve");
    assert_eq!(agent.answer(), ("answer", "added: kept".to_owned()));
    assert_eq!(desk.notes(), ["kept"]);

    // Refused by a person.
    agent.call("add_note", &json!({"text": "thrown away"}));
    desk.decide("reject");
    let (kind, said) = agent.answer();
    assert_eq!(kind, refused, "{said}");
    assert!(said.contains("seen by a test"), "{said}");
    agent.call("delete_notes", &json!({}));
    desk.decide("reject");
    let (kind, said) = agent.answer();
    assert_eq!(kind, refused, "{said}");
    assert!(said.contains("seen by a test"), "{said}");
    assert_eq!(desk.notes(), ["kept"]);
    agent.end();

    // Longer than it is held: the answer says what waits, and the same call again gets it.
    let mut agent = start("1s");
    let later = json!({"text": "later"});
    agent.call("add_note", &later);
    let (kind, said) = agent.answer();
    assert_eq!(kind, refused, "{said}");
    assert!(said.contains("same arguments"), "{said}");
    let id = desk.pending().expect("it waits on");
    assert!(said.contains(&id), "{id}: {said}");
    desk.decide("approve");
    assert_eq!(desk.notes(), ["kept"]);
    agent.call("add_note", &later);
    assert_eq!(agent.answer(), ("answer", "added: later".to_owned()));
    // One approval is one call.
    agent.call("add_note", &later);
    let (kind, said) = agent.answer();
    assert_eq!(kind, refused, "{said}");
    assert!(said.contains("same arguments"), "{said}");
    assert_ne!(desk.pending().expect("another waits"), id);
    agent.end();
    assert_eq!(desk.notes(), ["kept", "later"]);
}

/// A framework in a process of its own.
struct Agent {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    tools: Value,
}

impl Agent {
    fn start(environment: &std::path::Path, framework: &str, desk: &Desk, hold: &str) -> Self {
        let [store, file] = desk.embedded();
        let setting = json!({
            "command": env!("CARGO_BIN_EXE_sernixa"),
            "args": desk.arguments(&["--hold", hold, &store, &file]),
            "env": {"PATH": std::env::var("PATH").unwrap(), "HOME": desk.path()},
        });
        let mut command = python::program(environment, "python", desk.path());
        let mut child = command
            .arg(python::root().join("tests/python/mcp_agents.py"))
            .arg(framework)
            .env("CREWAI_DISABLE_TELEMETRY", "true")
            .env("OTEL_SDK_DISABLED", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut agent = Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            tools: Value::Null,
        };
        writeln!(agent.input, "{setting}").unwrap();
        agent.tools = agent.line()["answer"].clone();
        agent
    }

    fn call(&mut self, tool: &str, arguments: &Value) {
        let call = json!({"tool": tool, "arguments": arguments});
        writeln!(self.input, "{call}").unwrap();
    }

    /// What the model would be told: an `answer`, or what was `raised`. AutoGen gives the list of
    /// contents.
    fn answer(&mut self) -> (&'static str, String) {
        let line = self.line();
        if let Some(raised) = line["raised"].as_str() {
            return ("raised", raised.to_owned());
        }
        let text = line["answer"].as_str().unwrap();
        match serde_json::from_str::<Value>(text) {
            Ok(contents) if contents[0]["text"].is_string() => {
                ("answer", contents[0]["text"].as_str().unwrap().to_owned())
            }
            _ => ("answer", text.to_owned()),
        }
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the framework ended: {line:?}"))
    }

    fn end(self) {
        let Self {
            mut child, input, ..
        } = self;
        drop(input);
        assert!(child.wait().unwrap().success());
    }
}

impl Desk {
    /// What waits for a decision.
    fn pending(&self) -> Option<String> {
        let mut list = sernixa();
        list.args(["approvals", "list", "--json"])
            .args(self.embedded());
        let listed = list.output().unwrap();
        // Before the first proxy there is no file.
        let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
        let id = listed[0]["approval_id"].as_str()?;
        Some(id.to_owned())
    }

    /// Decides what waits, as a person does it.
    fn decide(&self, how: &str) {
        let id = until("something waits", || self.pending());
        let mut decide = sernixa();
        decide.args(["approvals", how, &id, "--reason", "seen by a test"]);
        let decided = decide.args(self.embedded()).output().unwrap();
        assert!(decided.status.success(), "{decided:?}");
    }
}
