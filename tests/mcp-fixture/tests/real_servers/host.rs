//! A host of a few lines on the real proxy's stdio, and the reviewer beside it.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything takes but a fault.
const PATIENCE: Duration = Duration::from_mins(1);

/// The command under test, built from what is in the tree.
static SERNIXA: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "sernixa-cli"]);
    let built = build.status().unwrap().success();
    assert!(built, "sernixa-cli does not build");
    // target/debug/deps/real_servers-…, target/debug/sernixa
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(2).unwrap().join("sernixa")
});

/// Settings and an embedded file of a test's own.
pub(crate) struct Proxy {
    folder: tempfile::TempDir,
    node: PathBuf,
}

impl Proxy {
    pub(crate) fn new(settings: &str) -> Self {
        let node = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/node/node_modules");
        let node = node.canonicalize().expect("run tests/node/setup first");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sernixa.toml"), settings).unwrap();
        Self { folder, node }
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().canonicalize().unwrap().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    /// How the proxy starts a script of npm's as its child.
    pub(crate) fn node(&self, script: &str, arguments: &[&OsStr]) -> Vec<OsString> {
        let (node, script) = (self.node.join(".bin/node"), self.node.join(script));
        let mut command: Vec<OsString> = vec!["--".into(), node.into(), script.into()];
        command.extend(arguments.iter().map(Into::into));
        command
    }

    /// A server of npm's with an address of its own.
    pub(crate) fn http_server(&self, script: &str, mode: &str) -> (Server, String) {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let server = Command::new(self.node.join(".bin/node"))
            .arg(self.node.join(script))
            .arg(mode)
            .env("PORT", address.port().to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server(server);
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "the server does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        (server, format!("http://{address}/mcp"))
    }

    /// A host on a proxy before this server.
    pub(crate) fn host(&self, name: &str, server: &[OsString]) -> Host {
        let mut command = self.sernixa();
        command
            .args(["mcp", "proxy", "--server", name, "--config"])
            .arg(self.folder.path().join("sernixa.toml"))
            .args(server);
        Host::start(command)
    }

    /// How many approvals wait.
    pub(crate) fn waiting(&self) -> usize {
        // Before the first question there may be no file.
        if !self.store().exists() {
            return 0;
        }
        let mut command = self.sernixa();
        let output = command.args(["approvals", "list", "--json"]).output();
        let output = output.unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let items = listed.as_array().or_else(|| listed["items"].as_array());
        items.expect("a list").len()
    }

    pub(crate) fn decide(&self, verb: &str, approval: &str) {
        let mut command = self.sernixa();
        command.args(["approvals", verb, approval, "--yes"]);
        let output = command.args(["--reason", "as the test says"]).output();
        let output = output.unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("approvals.db")
    }

    fn sernixa(&self) -> Command {
        let mut command = Command::new(&*SERNIXA);
        command.arg("--store").arg(self.store());
        command.env("XDG_STATE_HOME", self.folder.path());
        command
    }
}

/// A server that ends with the test.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An MCP host of 2025-11-25.
pub(crate) struct Host {
    _proxy: Server,
    to: ChildStdin,
    from: Receiver<Value>,
    /// What came while something else was awaited.
    aside: Vec<Value>,
    last: u64,
}

impl Host {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, from) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let message = serde_json::from_str(&line).expect("one message per line");
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut host = Self {
            _proxy: Server(child),
            to,
            from,
            aside: Vec::new(),
            last: 0,
        };
        let client = json!({ "name": "test host", "version": "0" });
        let hello =
            json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        let agreed = host.request("initialize", &hello);
        assert!(agreed["result"]["serverInfo"].is_object(), "{agreed}");
        host.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        host
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.to, "{message}").unwrap();
    }

    /// The first message that fits; the others stay for later.
    fn first(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.aside.iter().position(&fits) {
            return self.aside.remove(place);
        }
        loop {
            match self.from.recv_timeout(PATIENCE) {
                Ok(message) if fits(&message) => return message,
                Ok(message) => self.aside.push(message),
                Err(error) => panic!("no {what} ({error}); there was {:?}", self.aside),
            }
        }
    }

    fn ask(&mut self, method: &str, params: &Value) -> u64 {
        self.last += 1;
        let id = self.last;
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// A request and its answer, whole.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Value {
        let id = self.ask(method, params);
        self.first(method, |message| {
            message["id"] == id && message.get("method").is_none()
        })
    }

    /// The names of all tools.
    pub(crate) fn tools(&mut self) -> Vec<String> {
        let answer = self.request("tools/list", &json!({}));
        let tools = answer["result"]["tools"].as_array().expect("a list").iter();
        tools
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Begins a call, with a token for progress.
    pub(crate) fn begin(&mut self, tool: &str, arguments: &Value) -> u64 {
        let token = self.last + 1;
        let meta = json!({ "progressToken": token });
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        self.ask("tools/call", &params)
    }

    /// Waits until a call is held; the approval, as the proxy's progress names it.
    pub(crate) fn held(&mut self, call: u64) -> String {
        let progress = self.first("progress of a held call", |message| {
            message["method"] == "notifications/progress"
                && message["params"]["progressToken"] == call
        });
        let said = progress["params"]["message"].as_str().unwrap_or_default();
        let word = |text: &str| text.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        let mut words = said.split_whitespace().map(word);
        let approval = words.find(|word| word.starts_with("apr_"));
        approval.unwrap_or_else(|| panic!("no approval in {said:?}"))
    }

    /// The result of a call.
    pub(crate) fn answer(&mut self, call: u64) -> Value {
        let answer = self.first("result of a call", |message| {
            message["id"] == call && message.get("method").is_none()
        });
        answer["result"].clone()
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let call = self.begin(tool, arguments);
        self.answer(call)
    }
}

/// The text of a tool's result.
pub(crate) fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}
