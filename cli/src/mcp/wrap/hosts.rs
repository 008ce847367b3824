//! The hosts: where each keeps its MCP servers, and in which shape.
//!
//! Claude Desktop: <https://modelcontextprotocol.io/docs/develop/connect-local-servers>.
//! Claude Code: <https://code.claude.com/docs/en/mcp> (scopes, `.mcp.json`).
//! Cursor: <https://cursor.com/docs/mcp>.
//! VS Code: <https://code.visualstudio.com/docs/copilot/reference/mcp-configuration>.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sernixa_protocol::json::Node;

use super::text::Dialect;

/// A program that starts MCP servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Host {
    /// Claude Desktop
    ClaudeDesktop,
    /// Claude Code
    ClaudeCode,
    /// Cursor
    Cursor,
    /// Visual Studio Code
    #[value(name = "vscode")]
    VsCode,
}

/// A server within a file.
pub(super) struct Server<'d> {
    pub(super) name: String,
    /// The project that it belongs to, where one file holds several.
    pub(super) project: Option<String>,
    pub(super) node: Node<'d>,
}

impl Host {
    /// The name for people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::Cursor => "Cursor",
            Self::VsCode => "VS Code",
        }
    }

    /// The member that holds the servers by name.
    pub(super) const fn member(self) -> &'static str {
        match self {
            Self::VsCode => "servers",
            _ => "mcpServers",
        }
    }

    /// The editors read comments.
    pub(super) const fn dialect(self) -> Dialect {
        match self {
            Self::ClaudeDesktop | Self::ClaudeCode => Dialect::Json,
            Self::Cursor | Self::VsCode => Dialect::WithComments,
        }
    }

    /// The files that the host reads when it works in the current folder: the user's, then the
    /// project's.
    pub(super) fn files(self, system: &System) -> Vec<PathBuf> {
        let user = match self {
            Self::ClaudeDesktop => system.settings("Claude/claude_desktop_config.json"),
            Self::ClaudeCode => system.claude_code(),
            Self::Cursor => system.home(".cursor/mcp.json"),
            Self::VsCode => system.settings("Code/User/mcp.json"),
        };
        let project = match self {
            Self::ClaudeDesktop => None,
            Self::ClaudeCode => Some(".mcp.json"),
            Self::Cursor => Some(".cursor/mcp.json"),
            Self::VsCode => Some(".vscode/mcp.json"),
        };
        let mut files: Vec<_> = user.into_iter().collect();
        // In the home folder the two are one.
        let project = project.map(|name| system.folder.join(name));
        files.extend(project.filter(|project| user_is_not(&files, project)));
        files
    }

    /// All servers of a file, in the order of the text.
    pub(super) fn servers(self, root: Node<'_>) -> Vec<Server<'_>> {
        let mut found = list(root, self.member(), None);
        if self == Self::ClaudeCode {
            let projects = root.get("projects");
            for (path, project) in projects.iter().flat_map(Node::members) {
                let path = path.as_str().unwrap_or_default().into_owned();
                found.extend(list(project, self.member(), Some(&path)));
            }
        }
        found.sort_by_key(|server| server.node.range().start);
        found
    }
}

fn user_is_not(files: &[PathBuf], project: &Path) -> bool {
    files.iter().all(|file| file != project)
}

fn list<'d>(node: Node<'d>, member: &str, project: Option<&str>) -> Vec<Server<'d>> {
    let servers = node.get(member);
    let servers = servers.iter().flat_map(Node::members);
    servers
        .map(|(name, node)| Server {
            name: name.as_str().unwrap_or_default().into_owned(),
            project: project.map(str::to_owned),
            node,
        })
        .collect()
}

/// What the places depend on.
pub(super) struct System {
    /// `linux`, `macos`, `windows`, as [`std::env::consts::OS`] names them.
    pub(super) os: &'static str,
    /// The current folder.
    pub(super) folder: PathBuf,
    /// Reads a variable; an empty one counts as unset.
    pub(super) variable: fn(&str) -> Option<OsString>,
}

impl System {
    /// This one.
    pub(super) fn this() -> std::io::Result<Self> {
        Ok(Self {
            os: std::env::consts::OS,
            folder: std::env::current_dir()?,
            variable: |name| std::env::var_os(name).filter(|value| !value.is_empty()),
        })
    }

    fn path(&self, variable: &str) -> Option<PathBuf> {
        (self.variable)(variable).map(PathBuf::from)
    }

    fn home(&self, name: &str) -> Option<PathBuf> {
        let variable = if self.os == "windows" {
            "USERPROFILE"
        } else {
            "HOME"
        };
        Some(self.path(variable)?.join(name))
    }

    /// A file in the folder of programs' settings.
    fn settings(&self, name: &str) -> Option<PathBuf> {
        let folder = match self.os {
            "windows" => self.path("APPDATA")?,
            "macos" => self.home("Library/Application Support")?,
            _ => match self
                .path("XDG_CONFIG_HOME")
                .filter(|path| path.is_absolute())
            {
                Some(folder) => folder,
                None => self.home(".config")?,
            },
        };
        Some(folder.join(name))
    }

    fn claude_code(&self) -> Option<PathBuf> {
        match self.path("CLAUDE_CONFIG_DIR") {
            Some(folder) => Some(folder.join(".claude.json")),
            None => self.home(".claude.json"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(host: Host, os: &'static str) -> Vec<String> {
        let system = System {
            os,
            folder: "/work".into(),
            variable: |name| match name {
                "HOME" | "USERPROFILE" => Some("/home/ann".into()),
                "APPDATA" => Some("/roaming".into()),
                _ => None,
            },
        };
        let files = host.files(&system);
        files
            .iter()
            .map(|file| file.display().to_string())
            .collect()
    }

    #[test]
    fn each_host_has_its_places_on_each_system() {
        let desktop = "Claude/claude_desktop_config.json";
        let mac = "/home/ann/Library/Application Support";
        for (host, os, places) in [
            (
                Host::ClaudeDesktop,
                "linux",
                vec![format!("/home/ann/.config/{desktop}")],
            ),
            (
                Host::ClaudeDesktop,
                "macos",
                vec![format!("{mac}/{desktop}")],
            ),
            (
                Host::ClaudeDesktop,
                "windows",
                vec![format!("/roaming/{desktop}")],
            ),
            (
                Host::ClaudeCode,
                "linux",
                vec!["/home/ann/.claude.json".into(), "/work/.mcp.json".into()],
            ),
            (
                Host::Cursor,
                "macos",
                vec![
                    "/home/ann/.cursor/mcp.json".into(),
                    "/work/.cursor/mcp.json".into(),
                ],
            ),
            (
                Host::VsCode,
                "macos",
                vec![
                    format!("{mac}/Code/User/mcp.json"),
                    "/work/.vscode/mcp.json".into(),
                ],
            ),
            (
                Host::VsCode,
                "windows",
                vec![
                    "/roaming/Code/User/mcp.json".into(),
                    "/work/.vscode/mcp.json".into(),
                ],
            ),
        ] {
            assert_eq!(files(host, os), places, "{host:?} on {os}");
        }
    }
}
