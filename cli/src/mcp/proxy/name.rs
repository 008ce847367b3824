//! What a server is called when the operator does not say: never by its own word.

use std::ffi::OsString;
use std::path::Path;

use sernixa_mcp::proxy::config::is_server_name;
use url::Url;

/// Programs that run what their arguments name.
const RUNNERS: [&str; 15] = [
    "npx", "bunx", "pnpx", "uvx", "pipx", "npm", "pnpm", "yarn", "bun", "uv", "node", "deno",
    "python", "python3", "docker",
];

/// Words with which runners are told to run something.
const VERBS: [&str; 5] = ["run", "exec", "dlx", "tool", "x"];

/// From the command: the program, or what a runner runs.
pub(super) fn of_command(command: &[OsString]) -> Option<String> {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let program = file_stem(words.first()?);
    let run = RUNNERS.contains(&&*program).then(|| {
        words
            .iter()
            .skip(1)
            .find(|word| !word.starts_with('-') && !VERBS.contains(&&***word))
    });
    let named = match run.flatten() {
        Some(word) => file_stem(word.trim_end_matches('/')),
        None => program,
    };
    usable(&named)
}

/// From the URL: the machine's name, and the port where it is none of its own: on one machine it is all
/// that tells two servers apart.
pub(super) fn of_url(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    match url.port() {
        Some(port) => usable(&format!("{host}-{port}")),
        None => usable(host),
    }
}

/// The last part of a path or package, without a version and without the ending of a script.
fn file_stem(word: &str) -> String {
    let last = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let last = last
        .split(['@', ':'])
        .find(|part| !part.is_empty())
        .unwrap_or(last);
    let path = Path::new(last);
    let is_script = path.extension().is_some_and(|ending| {
        ["js", "mjs", "cjs", "ts", "py", "exe", "sh"]
            .iter()
            .any(|known| ending == *known)
    });
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some(stem) if is_script => stem.to_owned(),
        _ => last.to_owned(),
    }
}

fn usable(text: &str) -> Option<String> {
    let name: String = text
        .chars()
        .map(|c| {
            let fits = c.is_ascii_alphanumeric() || "._-".contains(c);
            if fits { c } else { '-' }
        })
        .take(64)
        .collect();
    let name = name.trim_matches('-');
    is_server_name(name).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_called_as_what_is_run() {
        for (command, name) in [
            (
                "npx -y @modelcontextprotocol/server-filesystem /home/me",
                "server-filesystem",
            ),
            ("npx -y @scope/server@1.2.3", "server"),
            ("uvx mcp-server-git --repository .", "mcp-server-git"),
            ("uv run server.py", "server"),
            ("docker run -i --rm mcp/fetch:latest", "fetch"),
            ("/usr/bin/python3 ./tools/notes.py /tmp/x", "notes"),
            ("node build/index.js", "index"),
            ("/opt/mcp/github-mcp-server stdio", "github-mcp-server"),
            ("npx", "npx"),
        ] {
            let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
            assert_eq!(of_command(&words).as_deref(), Some(name), "{command}");
        }
        assert_eq!(of_command(&["".into()]), None);
        for (url, name) in [
            ("https://mcp.example.com/mcp", "mcp.example.com"),
            ("https://mcp.example.com:443/mcp", "mcp.example.com"),
            ("https://mcp.example.com:8443/mcp", "mcp.example.com-8443"),
            ("http://127.0.0.1:9100/", "127.0.0.1-9100"),
            ("http://[::1]:80/mcp", "1"),
        ] {
            let found = of_url(&Url::parse(url).unwrap());
            assert_eq!(found.as_deref(), Some(name), "{url}");
        }
    }
}
