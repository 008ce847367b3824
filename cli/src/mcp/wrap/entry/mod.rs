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

mod unwrap;
mod wrap;

use sernixa_mcp::proxy::config::is_server_name;
use sernixa_protocol::json::Node;

pub(super) use unwrap::unwrap;
pub(super) use wrap::wrap;

/// Words of `type` that mean streamable HTTP.
const HTTP: [&str; 3] = ["http", "streamable-http", "streamableHttp"];
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

/// What the proxy calls a server whose entry is called `key`: the key, with `-` for what
/// [`is_server_name`] does not allow. Empty if nothing is left.
pub(super) fn name(key: &str) -> String {
    let parts = key.split(|c: char| !is_server_name(c.encode_utf8(&mut [0; 4])));
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    let name = parts.join("-");
    // An option's value does not begin so.
    name.trim_start_matches('-').chars().take(64).collect()
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

fn arguments(server: Node<'_>) -> Vec<Node<'_>> {
    let args = server.get("args");
    args.map(|args| args.elements().collect())
        .unwrap_or_default()
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
