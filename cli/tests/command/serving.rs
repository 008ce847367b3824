//! `sernixa serve` and `sernixa keys`: what an operator meets.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::served::Served;
use crate::support::{Ask, House, Ran, Running, run, sernixa};

const SECRET: &str = "hunter2-hunter2-hunter2";

/// A folder with everything that production needs.
struct Office {
    folder: TempDir,
}

impl Office {
    fn new() -> Self {
        let office = Self {
            folder: TempDir::new().unwrap(),
        };
        let key = format!(
            "[[key]]\nid = \"one\"\nsecret = \"{SECRET}\"\nowner = \"ops\"\nagents = [\"worker\"]\n"
        );
        office.write("signing.toml", &key, 0o600);
        office.settings("");
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn settings(&self, more: &str) {
        let text = format!(
            "mode = \"production\"\norganisation = \"acme\"\nstore = \"service.db\"\n\
             signing_keys = \"signing.toml\"\n{more}"
        );
        self.write("sernixa.toml", &text, 0o644);
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run(sernixa(arguments)
            .arg("--config")
            .arg(self.path("sernixa.toml")))
    }

    fn serve(&self) -> Running {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--config"];
        Running::start(sernixa(&arguments).arg(self.path("sernixa.toml")))
    }
}

/// The status of a question with a key.
fn whoami(line: &str, key: &str) -> String {
    use std::io::{Read as _, Write as _};
    let address = line.rsplit("http://").next().unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let text = format!(
        "GET /api/auth/whoami HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer \
         {key}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(text.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn production_runs_on_made_keys_and_ends_in_order() {
    let office = Office::new();
    let agent = [
        "keys", "create", "--role", "agent", "--owner", "pay", "--agent", "worker",
    ];
    let made = office.run(&agent).exits(0).safe();
    let key = made.stdout.trim().to_owned();
    assert!(key.starts_with("srnx_live_"), "{made:?}");
    assert!(!made.stderr.contains(&key), "{made:?}");
    let mut serve = office.serve();
    let line = serve.line();
    assert_eq!(whoami(&line, &key), "200");
    assert_eq!(whoami(&line, "e2e-admin"), "401");
    // The service runs on while its keys come and go.
    let listed = office.run(&["keys", "list"]).exits(0).safe();
    assert!(listed.stdout.contains("pay") && !listed.stdout.contains(&key));
    let all = office.run(&["keys", "list", "--json"]).exits(0).json();
    let id = all[0]["key_id"].as_str().unwrap().to_owned();
    assert_eq!(all[0]["organization_id"], "acme");
    office.run(&["keys", "revoke", &id]).exits(0);
    assert_eq!(whoami(&line, &key), "401");
    serve.signal(Signal::HUP);
    assert_eq!(whoami(&line, &key), "401", "SIGHUP ends nothing");
    serve.signal(Signal::TERM);
    let ended = serve.end().exits(0);
    for said in [
        "mode=\"production\"",
        "audit_public_key",
        "the service has ended",
    ] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    for secret in [SECRET, &key, "e2e-admin"] {
        assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
    }
    let access = |name: &str| {
        std::fs::metadata(office.path(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(access("service.db") & 0o077, 0);
    assert_eq!(access("service.db.audit-key") & 0o077, 0);
}

#[test]
fn an_orderly_end_leaves_all_of_it_in_the_one_file() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("a.db");
    let mut served = Served::start(&store, "0");
    served.ask(&Ask::default());
    // Whoever looks has a connection of its own to the file, and the end finds one that listens.
    let (status, _) = served.send("GET", "/api/audit/events", "");
    assert_eq!(status, 200);
    let listens = served.listen();
    served.end();
    drop(listens);
    let log = folder.path().join("a.db-wal");
    assert!(!log.exists(), "{:?}", std::fs::metadata(log));
    // The file alone: what a backup of one file would hold.
    let copy = folder.path().join("copy.db");
    std::fs::copy(&store, &copy).unwrap();
    let verified = run(sernixa(&["audit", "verify"]).arg(&copy)).exits(0);
    assert!(verified.stdout.starts_with("VALID"), "{verified:?}");
    let list = ["approvals", "list", "--json", "--store"];
    let waits = run(sernixa(&list).arg(&copy)).exits(0).json();
    assert!(waits.to_string().contains("billing.adjust_invoice"));
}

#[test]
fn a_demonstration_says_loudly_what_it_is() {
    let folder = TempDir::new().unwrap();
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--log-format",
        "json",
        "--store",
    ];
    let mut serve = Running::start(sernixa(&arguments).arg(folder.path().join("a.db")));
    let line = serve.line();
    assert_eq!(whoami(&line, "e2e-admin"), "200");
    serve.signal(Signal::INT);
    let ended = serve.end().exits(0);
    let warned = ended.stderr.lines().any(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["level"] == "WARN" && line["message"].as_str().unwrap().contains("LOCAL DEMO")
    });
    assert!(warned, "{}", ended.stderr);
}

#[test]
fn a_fault_in_the_settings_names_file_key_and_rule_and_no_secret() {
    let office = Office::new();
    let refused = |says: &[&str]| {
        let ran = office
            .run(&["serve", "--listen", "127.0.0.1:0"])
            .exits(2)
            .safe();
        for said in says {
            assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    };
    office.settings("tll = \"15m\"\n");
    refused(&["sernixa.toml", "`tll`", "did you mean `ttl`?"]);
    office.settings("ttl = \"hunter2\"\n");
    refused(&["sernixa.toml", "`ttl`", "\"15m\"", "from 1s to 30d"]);
    office.settings("policies = \"nowhere\"\n");
    refused(&["nowhere"]);
    office.settings("");
    office.write("signing.toml", SECRET, 0o600);
    refused(&["signing.toml", "line 1"]);
    office.write("signing.toml", SECRET, 0o644);
    refused(&["signing.toml", "chmod 600"]);
}

#[test]
fn a_key_needs_an_owner_and_a_role_and_a_store_that_is_there() {
    let house = House::new();
    house.run(&["keys", "create", "--role", "agent"]).exits(2);
    house.run(&["keys", "create", "--owner", "me"]).exits(2);
    let odd = [
        "keys", "create", "--role", "reviewer", "--owner", "me", "--agent", "worker",
    ];
    assert!(
        house
            .run(&odd)
            .exits(2)
            .safe()
            .stderr
            .contains("agent role")
    );
    house.run(&["keys", "revoke", "key_0"]).exits(2).safe();
    let missing = Path::new("/nowhere/service.db");
    let ran = run(sernixa(&["keys", "list", "--store"]).arg(missing)).exits(2);
    assert!(ran.stderr.contains("there is no store"), "{ran:?}");
}

#[test]
fn the_help_says_how_to_run_it_for_real() {
    let help = run(&mut sernixa(&["serve", "--help"])).exits(0);
    for word in [
        "production",
        "signing_keys",
        "keys create",
        "reverse proxy",
        "SIGHUP",
    ] {
        assert!(help.stdout.contains(word), "{word}");
    }
}
