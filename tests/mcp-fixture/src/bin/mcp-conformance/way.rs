//! The ways from the suite to the fixture.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sernixa_mcp_fixture::Failure;

/// The suite tests how a server speaks, not what it asks before it acts: every tool is a read of low
/// risk, which runs unasked. Tasks are an extension, which the proxy passes only where it is told so.
const SETTINGS: &str = r#"
[mcp]
allow_methods = ["tasks/get", "tasks/update", "tasks/cancel"]

[mcp.servers.fixture]
risk_level = "low"
operation_class = "read"
"#;

/// How the suite reaches the fixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// Suite, HTTP, fixture.
    Direct,
    /// Suite, HTTP, proxy, HTTP, fixture.
    Http,
    /// Suite, HTTP, proxy, stdio, fixture.
    Stdio,
    /// Suite, HTTP, proxy, stdio, proxy, stdio, fixture.
    Chain,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Direct, Self::Http, Self::Stdio, Self::Chain];

    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Http => "HTTP → HTTP",
            Self::Stdio => "HTTP → stdio",
            Self::Chain => "HTTP → stdio → proxy → stdio",
        }
    }

    /// Starts what it needs; the files of it go into the folder.
    pub(crate) fn start(self, programs: &Programs, folder: &Path) -> Result<Running, Failure> {
        let mut running = Running::default();
        let fixture = [programs.fixture.clone().into_os_string(), "--stdio".into()];
        let behind = match self {
            Self::Direct | Self::Http => {
                let address = free_address()?;
                let mut command = Command::new(&programs.fixture);
                command.args(["--listen", &address.to_string()]);
                running.start(command, address, &folder.join("fixture.txt"))?;
                if self == Self::Direct {
                    return Ok(running);
                }
                vec!["--upstream".into(), running.url.clone().into()]
            }
            Self::Stdio => [&["--".into()], &fixture[..]].concat(),
            Self::Chain => {
                let inner = programs.proxy(&folder.join("inner"))?;
                let dashes = ["--".into()];
                [&dashes, &inner[..], &dashes, &fixture[..]].concat()
            }
        };
        let address = free_address()?;
        let proxy = programs.proxy(&folder.join("outer"))?;
        let (program, arguments) = proxy.split_first().ok_or("no program")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(["--listen", &address.to_string()])
            .args(behind);
        running.start(command, address, &folder.join("proxy.txt"))?;
        Ok(running)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "direct",
            Self::Http => "http",
            Self::Stdio => "stdio",
            Self::Chain => "chain",
        })
    }
}

/// The programs under test, from the folder of this one.
pub(crate) struct Programs {
    fixture: PathBuf,
    sernixa: PathBuf,
}

impl Programs {
    pub(crate) fn beside_this_one() -> Result<Self, Failure> {
        let own = std::env::current_exe()?;
        let folder = own.parent().ok_or("this program has no folder")?;
        Ok(Self {
            fixture: folder.join("mcp-fixture"),
            sernixa: folder.join("sernixa"),
        })
    }

    /// A proxy with settings, an embedded file and state of its own in a folder; what it stands
    /// between is for the caller to add.
    fn proxy(&self, folder: &Path) -> Result<Vec<OsString>, Failure> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let settings = folder.join("sernixa.toml");
        fs::write(&settings, SETTINGS)?;
        Ok(vec![
            self.sernixa.clone().into(),
            "mcp".into(),
            "proxy".into(),
            "--store".into(),
            folder.join("approvals.db").into(),
            "--config".into(),
            settings.into(),
            "--server".into(),
            "fixture".into(),
        ])
    }
}

/// What was started. It ends with this.
#[derive(Default)]
pub(crate) struct Running {
    url: String,
    children: Vec<Child>,
}

impl Running {
    /// Where the suite begins.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Starts a program that listens at the address, and waits until it does.
    fn start(
        &mut self,
        mut command: Command,
        address: SocketAddr,
        output: &Path,
    ) -> Result<(), Failure> {
        let file = File::create(output)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        self.children.push(child);
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            let ended = self.children.last_mut().map(Child::try_wait).transpose()?;
            if let Some(status) = ended.flatten() {
                let said = fs::read_to_string(output).unwrap_or_default();
                return Err(format!("{command:?} ended with {status}: {said}").into());
            }
            if Instant::now() > until {
                return Err(format!("{command:?} does not listen").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.url = format!("http://{address}/mcp");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The proxy first, so that it does not see its server go.
        while let Some(mut child) = self.children.pop() {
            // One that ended by itself is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// An address that nobody listens at.
fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
