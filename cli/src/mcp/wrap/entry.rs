//! One server of a host's configuration: how it comes to stand behind the proxy, and how it stands on
//! its own again.
//!
//! Each is a handful of splices, and the second undoes the first byte for byte. What `unwrap` needs is
//! in the entry itself, so it works on a file that was edited, moved or checked in meanwhile:
//!
//! ```text
//! {"command": "npx", "args": ["-y", "server"]}
//! {"command": "sernixa", "args": ["mcp", "proxy", "--server", "NAME", "--wrapped", "command,args", …,
//!                                 "--", "npx", "-y", "server"]}
//!
//! {"type": "http", "url": "https://…", "headers": {"Authorization": "…"}}
//! {"type": "stdio", "command": "sernixa", "args": ["mcp", "proxy", …, "--wrapped", "url,headers,http",
//!    "--header", "Authorization=env:SERNIXA_HEADER_AUTHORIZATION", "--upstream", "https://…"],
//!    "env": {"SERNIXA_HEADER_AUTHORIZATION": "…"}}
//! ```
//!
//! Values of headers stay out of the arguments, which every process on the machine may read.

use sernixa_protocol::json::{Kind, Node};

use super::text::{Edit, member_range, quoted, space_before};

/// The variable of a URL that may hold a key.
const URL_VARIABLE: &str = "SERNIXA_UPSTREAM";
/// What the variables of headers begin with.
const HEADER_VARIABLE: &str = "SERNIXA_HEADER_";
/// Words of `type` that mean streamable HTTP.
const HTTP: [&str; 3] = ["http", "streamable-http", "streamableHttp"];
/// The longest name of a server that fits into an intent id with what is put before it.
const LONGEST_NAME: usize = 100;
/// A path's part that is as long may be a key.
const LONGEST_PLAIN: usize = 20;

/// How a server stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The host reaches it directly.
    Direct,
    /// `wrap` put it behind the proxy.
    Wrapped,
    /// Somebody else put it behind the proxy.
    ByHand,
}

/// What the proxy is started with, whatever the server.
#[derive(Debug)]
pub(super) struct Proxy {
    /// The `sernixa` command.
    pub(super) program: String,
    /// Options of `sernixa mcp proxy`.
    pub(super) options: Vec<String>,
}

/// Why a server is left as it is.
pub(super) type Reason = String;

/// See [`Standing`].
pub(super) fn standing(server: Node<'_>) -> Standing {
    let args = arguments(server);
    let words: Vec<_> = args.iter().filter_map(Node::as_str).collect();
    match words.as_slice() {
        [mcp, proxy, rest @ ..] if mcp == "mcp" && proxy == "proxy" => {
            let mut options = rest.iter().take_while(|word| *word != "--");
            if options.any(|word| word == "--wrapped") {
                Standing::Wrapped
            } else if server.get("command").is_some_and(is_sernixa) {
                Standing::ByHand
            } else {
                Standing::Direct
            }
        }
        _ => Standing::Direct,
    }
}

fn is_sernixa(command: Node<'_>) -> bool {
    let command = command.as_str().unwrap_or_default();
    let name = command.rsplit(['/', '\\']).next().unwrap_or_default();
    matches!(name, "sernixa" | "sernixa.exe")
}

fn arguments<'d>(server: Node<'d>) -> Vec<Node<'d>> {
    let args = server.get("args");
    args.map(|args| args.elements().collect())
        .unwrap_or_default()
}

/// What puts a server behind the proxy.
pub(super) fn wrap(
    text: &str,
    name: &str,
    server: Node<'_>,
    proxy: &Proxy,
) -> Result<Vec<Edit>, Reason> {
    check_name(name)?;
    if !server.is_object() {
        return Err("it is no object".to_owned());
    }
    let members: Vec<_> = server.members().collect();
    let mut head = vec!["mcp".to_owned(), "proxy".to_owned()];
    if name.starts_with('-') {
        head.push(format!("--server={name}"));
    } else {
        head.extend(["--server".to_owned(), name.to_owned()]);
    }
    let head = |wrapped: &str| {
        let mut head = head.clone();
        head.extend(["--wrapped".to_owned(), wrapped.to_owned()]);
        head.extend(proxy.options.iter().cloned());
        head
    };
    match (server.get("command"), server.get("url")) {
        (Some(_), Some(_)) => Err("it has both `command` and `url`".to_owned()),
        (None, None) => Err("it has neither `command` nor `url`".to_owned()),
        (Some(command), None) => wrap_command(text, server, &members, command, proxy, head),
        (None, Some(url)) => wrap_url(text, server, &members, url, proxy, head),
    }
}

/// The name becomes an option of the proxy, a part of intent ids, and what reviewers read.
fn check_name(name: &str) -> Result<(), Reason> {
    if name.trim().is_empty() || name.trim() != name {
        return Err("its name is blank, or has blanks around it".to_owned());
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(format!("its name has more than {LONGEST_NAME} characters"));
    }
    if name.contains(sernixa_protocol::display::hides) || name.contains("${") {
        return Err("its name holds a control character or a reference `${…}`".to_owned());
    }
    Ok(())
}

fn wrap_command(
    text: &str,
    server: Node<'_>,
    members: &[(Node<'_>, Node<'_>)],
    command: Node<'_>,
    proxy: &Proxy,
    head: impl Fn(&str) -> Vec<String>,
) -> Result<Vec<Edit>, Reason> {
    if !command.as_str().is_some_and(|command| !command.is_empty()) {
        return Err("its `command` is no text".to_owned());
    }
    if let Some(kind) = server.get("type")
        && !kind.is("stdio")
    {
        return Err("it has a `command`, but its `type` is not `stdio`".to_owned());
    }
    if server.get("sandboxEnabled").and_then(|on| on.as_bool()) == Some(true) {
        let why = "it runs in the editor's sandbox, from where the proxy reaches neither its file nor \
                   a service";
        return Err(why.to_owned());
    }
    if server
        .get("dev")
        .is_some_and(|dev| dev.get("debug").is_some())
    {
        return Err("the editor starts it under a debugger (`dev.debug`)".to_owned());
    }
    let args = server.get("args");
    let head = head(if args.is_some() {
        "command,args"
    } else {
        "command"
    });
    let mut list: Vec<_> = head.iter().map(|word| quoted(word)).collect();
    list.push(quoted("--"));
    list.push(command.raw().to_owned());
    let list = list.join(", ");
    let mut edits = vec![Edit::new(command.range(), quoted(&proxy.program))];
    let Some(args) = args else {
        let space = space_of(text, members, command);
        let member = format!(",{space}\"args\": [{list}]");
        edits.push(Edit::insert(command.range().end, member));
        return Ok(edits);
    };
    let is_list = args.kind() == Kind::Array;
    if !is_list || args.elements().any(|word| word.kind() != Kind::String) {
        return Err("its `args` are no list of texts".to_owned());
    }
    edits.push(match args.elements().next() {
        Some(first) => {
            let at = first.range().start;
            let space = space_before(text, at);
            Edit::insert(at, format!("{list},{space}"))
        }
        None => Edit::insert(args.range().start + 1, list),
    });
    Ok(edits)
}

fn wrap_url(
    text: &str,
    server: Node<'_>,
    members: &[(Node<'_>, Node<'_>)],
    url: Node<'_>,
    proxy: &Proxy,
    head: impl Fn(&str) -> Vec<String>,
) -> Result<Vec<Edit>, Reason> {
    let address = url.as_str().ok_or("its `url` is no text")?;
    if address.trim().is_empty() || address.starts_with("env:") {
        return Err("its `url` is no URL".to_owned());
    }
    let mut wrapped = vec!["url"];
    let mut edits = Vec::new();
    if let Some(kind) = server.get("type") {
        let kind_text = kind.as_str().unwrap_or_default();
        let known = HTTP.into_iter().find(|known| *known == kind_text);
        wrapped.push(known.ok_or_else(|| match &*kind_text {
            "sse" => "it speaks the old transport HTTP+SSE, which the proxy does not".to_owned(),
            _ => "its `type` is not `http`".to_owned(),
        })?);
        edits.push(Edit::new(kind.range(), quoted("stdio")));
    }
    for name in ["oauth", "auth", "headersHelper"] {
        if server.get(name).is_some() {
            return Err(format!(
                "the host signs in for it (`{name}`), which the proxy cannot"
            ));
        }
    }
    for name in ["args", "env", "envFile"] {
        if server.get(name).is_some() {
            return Err(format!("it has `{name}` beside its `url`"));
        }
    }
    let headers = header_variables(server)?;
    if server.get("headers").is_some() {
        wrapped.push("headers");
    }
    let mut list: Vec<_> = head(&wrapped.join(","))
        .iter()
        .map(|word| quoted(word))
        .collect();
    for (_, name, variable) in &headers {
        list.extend([
            quoted("--header"),
            quoted(&format!("{name}=env:{variable}")),
        ]);
    }
    list.push(quoted("--upstream"));
    let is_private = is_private(&address);
    list.push(if is_private {
        quoted(&format!("env:{URL_VARIABLE}"))
    } else {
        url.raw().to_owned()
    });
    let space = space_of(text, members, url);
    let program = quoted(&proxy.program);
    let mut value = format!("{program},{space}\"args\": [{}]", list.join(", "));
    let url_member = format!("{}: {}", quoted(URL_VARIABLE), url.raw());
    for (key, node) in members {
        if key.is("url") {
            edits.push(Edit::new(key.range(), quoted("command")));
        } else if key.is("headers") {
            edits.push(Edit::new(key.range(), quoted("env")));
            if is_private {
                let inside = match node.members().next() {
                    Some((first, _)) => {
                        let at = first.range().start;
                        Edit::insert(at, format!("{url_member},{}", space_before(text, at)))
                    }
                    None => Edit::insert(node.range().start + 1, url_member.clone()),
                };
                edits.push(inside);
            }
        }
    }
    if is_private && server.get("headers").is_none() {
        value.push_str(&format!(",{space}\"env\": {{{url_member}}}"));
    }
    for (key, _, variable) in &headers {
        edits.push(Edit::new(key.range(), quoted(variable)));
    }
    edits.push(Edit::new(url.range(), value));
    Ok(edits)
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
        if name.is_empty() || !name.bytes().all(is_token) || value.kind() != Kind::String {
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

/// Whether a URL may hold a key: user info, a query, a long part of its path, a reference.
pub(super) fn is_private(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    url.contains(['@', '?', '#', '$'])
        || path
            .split('/')
            .any(|part| part.chars().count() >= LONGEST_PLAIN)
}

/// What two members are parted by, as the one with this value shows it.
fn space_of<'t>(text: &'t str, members: &[(Node<'_>, Node<'_>)], value: Node<'_>) -> &'t str {
    let key = members
        .iter()
        .find(|(_, known)| known.range() == value.range());
    key.map_or(" ", |(key, _)| space_before(text, key.range().start))
}

/// What lets a wrapped server stand on its own again.
pub(super) fn unwrap(text: &str, server: Node<'_>) -> Result<Vec<Edit>, Reason> {
    let members: Vec<_> = server.members().collect();
    let args = arguments(server);
    let words: Vec<String> = args
        .iter()
        .map(|word| word.as_str().unwrap_or_default().into_owned())
        .collect();
    let options = words.iter().take_while(|word| *word != "--").count();
    let given = |name: &str| {
        words
            .iter()
            .take(options)
            .enumerate()
            .filter(|(_, word)| *word == name)
            .filter_map(|(at, _)| args.get(at + 1).zip(words.get(at + 1)))
            .collect::<Vec<_>>()
    };
    let wrapped = given("--wrapped");
    let wrapped: Vec<&str> = wrapped
        .first()
        .map(|(_, words)| words.split(',').collect())
        .unwrap_or_default();
    let at = |name: &str| members.iter().position(|(key, _)| key.is(name));
    let (Some(command), Some(args_at)) = (at("command"), at("args")) else {
        return Err("it has no `command` and `args` any more".to_owned());
    };
    let command_member = *members.get(command).ok_or("it has no `command`")?;
    let args_node = members.get(args_at).ok_or("it has no `args`")?.1;
    let remove_args = || member_range(&members, args_at).map(Edit::remove);
    if wrapped.contains(&"command") {
        let (Some(original), rest) = (args.get(options + 1), args.get(options + 2)) else {
            return Err("the command after `--` is gone".to_owned());
        };
        let first = args.first().ok_or("its `args` are empty")?;
        let mut edits = vec![Edit::new(command_member.1.range(), original.raw())];
        match rest {
            Some(rest) => edits.push(Edit::remove(first.range().start..rest.range().start)),
            None if !wrapped.contains(&"args") => edits.extend(remove_args()),
            None => {
                let (list, end) = (args_node.range(), original.range().end);
                let left = text.get(end..list.end).unwrap_or_default();
                edits.push(if left.contains(',') {
                    Edit::new(list, "[]")
                } else {
                    Edit::remove(first.range().start..end)
                });
            }
        }
        return Ok(edits);
    }
    let upstreams = given("--upstream");
    let [(upstream_node, upstream)] = upstreams.as_slice() else {
        return Err("its `--upstream` is gone, or there are two".to_owned());
    };
    let env = server.get("env");
    let variable = |name: &str| env.and_then(|env| env.get(name));
    let url = match upstream.strip_prefix("env:") {
        None => **upstream_node,
        Some(name) => variable(name).ok_or("the variable of its URL is gone")?,
    };
    let mut edits = vec![
        Edit::new(command_member.0.range(), quoted("url")),
        Edit::new(command_member.1.range(), url.raw()),
    ];
    edits.extend(remove_args());
    if let (Some(kind), Some(word)) = (
        server.get("type"),
        wrapped.iter().find(|word| HTTP.contains(*word)),
    ) {
        edits.push(Edit::new(kind.range(), quoted(word)));
    }
    let headers: Vec<(&str, &str)> = given("--header")
        .into_iter()
        .filter_map(|(_, word)| word.split_once("=env:"))
        .collect();
    if let (Some(env), Some(env_at)) = (env, at("env")) {
        let environment = Environment {
            env,
            key: members.get(env_at).ok_or("it has no `env`")?.0,
            range: member_range(&members, env_at).ok_or("it has no `env`")?,
            headers,
            url: upstream.strip_prefix("env:"),
            had_headers: wrapped.contains(&"headers"),
        };
        edits.extend(environment.unwrap());
    }
    Ok(edits)
}

/// The variables of a server that was reached by URL: its headers, its URL, and what somebody added.
struct Environment<'d, 'a> {
    env: Node<'d>,
    key: Node<'d>,
    /// The whole member, with its comma.
    range: std::ops::Range<usize>,
    headers: Vec<(&'a str, &'a str)>,
    url: Option<&'a str>,
    had_headers: bool,
}

impl Environment<'_, '_> {
    fn unwrap(&self) -> Vec<Edit> {
        let members: Vec<_> = self.env.members().collect();
        let header = |key: Node<'_>| {
            let found = self.headers.iter().find(|(_, variable)| key.is(variable));
            found.map(|(name, _)| *name)
        };
        let is_url = |key: Node<'_>| self.url.is_some_and(|variable| key.is(variable));
        let is_ours = |key: Node<'_>| is_url(key) || header(key).is_some();
        if !members.iter().all(|(key, _)| is_ours(*key)) {
            return self.part(&members, header, is_ours);
        }
        if !self.had_headers {
            return vec![Edit::remove(self.range.clone())];
        }
        let mut edits = vec![Edit::new(self.key.range(), quoted("headers"))];
        for (index, (key, _)) in members.iter().enumerate() {
            if is_url(*key) {
                edits.extend(member_range(&members, index).map(Edit::remove));
            } else if let Some(name) = header(*key) {
                edits.push(Edit::new(key.range(), quoted(name)));
            }
        }
        edits
    }

    /// Somebody added variables: they stay, and the headers get a member of their own.
    fn part<'n>(
        &self,
        members: &[(Node<'_>, Node<'_>)],
        header: impl Fn(Node<'_>) -> Option<&'n str>,
        is_ours: impl Fn(Node<'_>) -> bool,
    ) -> Vec<Edit> {
        let joined = |parts: Vec<String>| format!("{{{}}}", parts.join(", "));
        let headers = members.iter().filter_map(|(key, value)| {
            header(*key).map(|name| format!("{}: {}", quoted(name), value.raw()))
        });
        let others = members
            .iter()
            .filter(|(key, _)| !is_ours(*key))
            .map(|(key, value)| format!("{}: {}", key.raw(), value.raw()));
        let mut with = joined(others.collect());
        if self.had_headers {
            with.push_str(&format!(", \"headers\": {}", joined(headers.collect())));
        }
        vec![Edit::new(self.env.range(), with)]
    }
}
