//! What puts a server behind the proxy.

use std::fmt::Write as _;

use sernixa_protocol::json::{Kind, Node};

use super::super::text::{Edit, quoted, space_before};
use super::{HTTP, Proxy, Reason, is_private};

/// The variable of a URL that may hold a key.
const URL_VARIABLE: &str = "SERNIXA_UPSTREAM";
/// What the variables of headers begin with.
const HEADER_VARIABLE: &str = "SERNIXA_HEADER_";

/// A server that the host reaches directly, and the proxy that it is to stand behind.
struct Direct<'d> {
    text: &'d str,
    name: &'d str,
    server: Node<'d>,
    members: Vec<(Node<'d>, Node<'d>)>,
    proxy: &'d Proxy,
}

/// What puts a server behind the proxy, which calls it `name`.
pub(in super::super) fn wrap(
    text: &str,
    name: &str,
    server: Node<'_>,
    proxy: &Proxy,
) -> Result<Vec<Edit>, Reason> {
    if !server.is_object() {
        return Err("it is no object".to_owned());
    }
    let direct = Direct {
        text,
        name,
        server,
        members: server.members().collect(),
        proxy,
    };
    match (server.get("command"), server.get("url")) {
        (Some(_), Some(_)) => Err("it has both `command` and `url`".to_owned()),
        (None, None) => Err("it has neither `command` nor `url`".to_owned()),
        (Some(command), None) => direct.command(command),
        (None, Some(url)) => direct.url(url),
    }
}

impl<'d> Direct<'d> {
    /// The proxy's arguments, as JSON, as far as they are the same for every server. `was` says what
    /// the entry had.
    fn arguments(&self, was: &[&str]) -> Vec<String> {
        let was = was.join(",");
        let words = ["mcp", "proxy", "--server", self.name, "--wrapped", &was];
        let mut arguments: Vec<_> = words.into_iter().map(quoted).collect();
        arguments.extend(self.proxy.options.iter().map(|option| quoted(option)));
        arguments
    }

    /// What a member with this value is parted from the one before it by.
    fn space(&self, value: Node<'_>) -> &'d str {
        let found = self
            .members
            .iter()
            .find(|(_, known)| known.range() == value.range());
        found.map_or(" ", |(key, _)| space_before(self.text, key.range().start))
    }

    /// The command and its arguments come after the proxy's, which is started instead.
    fn command(&self, command: Node<'_>) -> Result<Vec<Edit>, Reason> {
        self.check_command(command)?;
        let args = self.server.get("args");
        let was: &[&str] = if args.is_some() {
            &["command", "args"]
        } else {
            &["command"]
        };
        let mut list = self.arguments(was);
        list.extend([quoted("--"), command.raw().to_owned()]);
        let list = list.join(", ");
        let mut edits = vec![Edit::new(command.range(), quoted(&self.proxy.program))];
        let first = args.and_then(|args| args.elements().next());
        edits.push(match (args, first) {
            (None, _) => {
                let member = format!(",{}\"args\": [{list}]", self.space(command));
                Edit::insert(command.range().end, member)
            }
            (Some(args), None) => Edit::insert(args.range().start + 1, list),
            (Some(_), Some(first)) => {
                let at = first.range().start;
                Edit::insert(at, format!("{list},{}", space_before(self.text, at)))
            }
        });
        Ok(edits)
    }

    fn check_command(&self, command: Node<'_>) -> Result<(), Reason> {
        let server = self.server;
        if command.as_str().is_none_or(|command| command.is_empty()) {
            return Err("its `command` is no text".to_owned());
        }
        if server.get("type").is_some_and(|kind| !kind.is("stdio")) {
            return Err("it has a `command`, but its `type` is not `stdio`".to_owned());
        }
        let is_list = |args: Node<'_>| {
            let mut words = args.elements();
            args.kind() == Kind::Array && words.all(|word| word.kind() == Kind::String)
        };
        if server.get("args").is_some_and(|args| !is_list(args)) {
            return Err("its `args` are no list of texts".to_owned());
        }
        let sandbox = server.get("sandboxEnabled");
        if sandbox.is_some_and(|enabled| enabled.as_bool() != Some(false)) {
            let why = "it runs in the editor's sandbox, from where the proxy reaches neither its file \
                       nor a service";
            return Err(why.to_owned());
        }
        if server
            .get("dev")
            .is_some_and(|dev| dev.get("debug").is_some())
        {
            return Err("the editor starts it under a debugger (`dev.debug`)".to_owned());
        }
        Ok(())
    }

    /// The proxy is started, and reaches the URL. Each member becomes its counterpart in its place:
    /// `url` the command, `headers` the variables.
    fn url(&self, url: Node<'_>) -> Result<Vec<Edit>, Reason> {
        let address = url.as_str().ok_or("its `url` is no text")?;
        if address.trim().is_empty() || address.starts_with("env:") {
            return Err("its `url` is no URL".to_owned());
        }
        self.check_url()?;
        let headers = header_variables(self.server)?;
        let (mut was, mut edits) = (vec!["url"], Vec::new());
        if let Some(kind) = self.server.get("type") {
            was.extend(HTTP.iter().find(|known| kind.is(known)));
            edits.push(Edit::new(kind.range(), quoted("stdio")));
        }
        let had_headers = self.server.get("headers").is_some();
        was.extend(had_headers.then_some("headers"));

        let mut list = self.arguments(&was);
        for (_, name, variable) in &headers {
            list.extend([
                quoted("--header"),
                quoted(&format!("{name}=env:{variable}")),
            ]);
        }
        list.push(quoted("--upstream"));
        let hidden =
            is_private(&address).then(|| format!("{}: {}", quoted(URL_VARIABLE), url.raw()));
        list.push(match &hidden {
            Some(_) => quoted(&format!("env:{URL_VARIABLE}")),
            None => url.raw().to_owned(),
        });
        let space = self.space(url);
        let program = quoted(&self.proxy.program);
        let mut value = format!("{program},{space}\"args\": [{}]", list.join(", "));
        if let (Some(hidden), false) = (&hidden, had_headers) {
            let _ = write!(value, ",{space}\"env\": {{{hidden}}}");
        }
        edits.push(Edit::new(url.range(), value));
        for (key, node) in &self.members {
            if key.is("url") {
                edits.push(Edit::new(key.range(), quoted("command")));
            } else if key.is("headers") {
                edits.push(Edit::new(key.range(), quoted("env")));
                edits.extend(hidden.iter().map(|hidden| self.first_member(*node, hidden)));
            }
        }
        let renamed = headers
            .iter()
            .map(|(key, _, variable)| (key.range(), quoted(variable)));
        edits.extend(renamed.map(|(range, with)| Edit::new(range, with)));
        Ok(edits)
    }

    fn check_url(&self) -> Result<(), Reason> {
        let server = self.server;
        if let Some(kind) = server.get("type")
            && !HTTP.iter().any(|known| kind.is(known))
        {
            return Err(if kind.is("sse") {
                "it speaks the old transport HTTP+SSE, which the proxy does not".to_owned()
            } else {
                "its `type` is not `http`".to_owned()
            });
        }
        for name in ["oauth", "auth", "headersHelper"] {
            if server.get(name).is_some() {
                let why = format!("the host signs in for it (`{name}`), which the proxy cannot");
                return Err(why);
            }
        }
        for name in ["args", "env", "envFile"] {
            if server.get(name).is_some() {
                return Err(format!("it has `{name}` beside its `url`"));
            }
        }
        Ok(())
    }

    /// A member before all others of an object.
    fn first_member(&self, object: Node<'_>, member: &str) -> Edit {
        match object.members().next() {
            Some((first, _)) => {
                let at = first.range().start;
                Edit::insert(at, format!("{member},{}", space_before(self.text, at)))
            }
            None => Edit::insert(object.range().start + 1, member),
        }
    }
}

/// Each header of a server with the variable that carries its value.
fn header_variables<'d>(server: Node<'d>) -> Result<Vec<(Node<'d>, String, String)>, Reason> {
    let Some(headers) = server.get("headers") else {
        return Ok(Vec::new());
    };
    if !headers.is_object() {
        return Err("its `headers` are no object".to_owned());
    }
    let mut found: Vec<(Node<'d>, String, String)> = Vec::new();
    for (key, value) in headers.members() {
        let name = key.as_str().unwrap_or_default().into_owned();
        // RFC 9110 5.1; `=` ends the name in the option.
        let is_token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
        // The proxy takes an empty variable for one that is not set.
        let has_text = value.as_str().is_some_and(|text| !text.trim().is_empty());
        if name.is_empty() || !name.bytes().all(is_token) || !has_text {
            return Err("one of its `headers` has no name or no text".to_owned());
        }
        let plain: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect();
        let mut variable = format!("{HEADER_VARIABLE}{plain}");
        let mut count = 1;
        while found.iter().any(|(_, _, taken)| *taken == variable) {
            count += 1;
            variable = format!("{HEADER_VARIABLE}{plain}_{count}");
        }
        found.push((key, name, variable));
    }
    Ok(found)
}
