//! A folder with all that a service needs: its configuration, keys, policies and database.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use super::client::Caller;
use super::serve::{Serve, run, sernixa};

pub const SIGNING_KEY_ID: &str = "signing-key-of-the-tests";
pub const SIGNING_SECRET: &str = "the signing secret of the tests 4f1c";
pub const WEBHOOK_SECRET: &str = "the webhook secret of the tests 93ab";

/// What tools are called that the policy of a house forbids.
const FORBIDDEN: &str = "forbidden-tool";

/// The default policy of the service, as a file.
const DEFAULT_POLICY: &str = include_str!("../../../../engine/src/cedar/default.cedar");

/// The folder of one service.
pub struct House {
    folder: TempDir,
    production: bool,
    settings: Vec<String>,
    limits: Vec<String>,
    webhook: Option<String>,
    flags: Vec<&'static str>,
}

impl House {
    /// A service as for work: an organisation, made keys, signing keys, an audit key, policies.
    pub fn production() -> Self {
        let house = Self {
            production: true,
            ..Self::demo()
        };
        house.private("signing-keys.toml", &format!(
            "[[key]]\nid = \"{SIGNING_KEY_ID}\"\nsecret = \"{SIGNING_SECRET}\"\nowner = \"olga\"\nagents = [\"*\"]\n"
        ));
        std::fs::create_dir(house.policies()).unwrap();
        std::fs::write(house.policies().join("default.cedar"), DEFAULT_POLICY).unwrap();
        house.forbid(FORBIDDEN);
        // What tests do in a second is more than people and agents do.
        house.limit("attempts_per_minute = 1000000")
    }

    /// A service as `sernixa serve` starts it without a word.
    pub fn demo() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            production: false,
            settings: Vec::new(),
            limits: Vec::new(),
            webhook: None,
            flags: Vec::new(),
        }
    }

    /// How long a request waits for its decision.
    pub fn ttl(self, ttl: &str) -> Self {
        self.setting(&format!("ttl = \"{ttl}\""))
    }

    /// How long after its decision an approval may be claimed.
    pub fn claim_by(self, claim_by: &str) -> Self {
        self.setting(&format!("claim_by = \"{claim_by}\""))
    }

    /// Another line of the settings.
    pub fn setting(mut self, line: &str) -> Self {
        self.settings.push(line.to_owned());
        self
    }

    /// Another line of the limits.
    pub fn limit(mut self, line: &str) -> Self {
        self.limits.push(line.to_owned());
        self
    }

    /// Tells a receiver on this machine what waits.
    pub fn webhook(mut self, url: &str) -> Self {
        self.private("webhook-secret", WEBHOOK_SECRET);
        self.webhook = Some(format!(
            "[[webhook]]\nurl = \"{url}\"\nsecret_file = \"webhook-secret\"\n\
             allow_private = true\nallow_http = true"
        ));
        self
    }

    /// More flags of `sernixa serve`.
    pub fn flags(mut self, flags: &[&'static str]) -> Self {
        self.flags.extend(flags);
        self
    }

    fn policies(&self) -> PathBuf {
        self.path().join("policies")
    }

    /// A file that nobody else may read.
    fn private(&self, name: &str, text: &str) {
        let mut file = std::fs::OpenOptions::new();
        let file = file.write(true).create_new(true).mode(0o600);
        let mut file = file.open(self.path().join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn store(&self) -> PathBuf {
        self.path().join("approvals.db")
    }

    /// The options that `sernixa serve` is started with.
    pub fn options(&self) -> Vec<String> {
        self.options_at(([127, 0, 0, 1], 0).into())
    }

    fn options_at(&self, address: SocketAddr) -> Vec<String> {
        let mut options = vec!["--listen".to_owned(), address.to_string()];
        options.extend(["--store".to_owned(), text(&self.store())]);
        options.extend(self.flags.iter().map(|flag| (*flag).to_owned()));
        if self.production {
            options.extend(["--config".to_owned(), text(&self.write_settings())]);
        }
        options
    }

    fn write_settings(&self) -> PathBuf {
        let file = self.path().join("sernixa.toml");
        let settings = format!(
            "mode = \"production\"\norganisation = \"acme\"\nsigning_keys = \"signing-keys.toml\"\n\
             policies = \"policies\"\n{}\n[limits]\n{}\n{}\n",
            self.settings.join("\n"),
            self.limits.join("\n"),
            self.webhook.as_deref().unwrap_or_default(),
        );
        std::fs::write(&file, settings).unwrap();
        file
    }

    /// Starts the service, on a port that is free.
    pub fn serve(&self) -> Serve {
        self.serve_at(([127, 0, 0, 1], 0).into())
    }

    /// Starts the service where it was before.
    pub fn serve_at(&self, address: SocketAddr) -> Serve {
        let options = self.options_at(address);
        Serve::start(&options.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Starts the service with a variable in its environment.
    pub fn serve_with(&self, name: &str, value: &str) -> Serve {
        let mut command = sernixa();
        command.env(name, value).arg("serve").args(self.options());
        Serve::spawn(command)
    }

    /// Makes an API key with these roles (comma-separated) for `owner`, for these agents.
    pub fn key(&self, roles: &str, owner: &str, agents: &[&str]) -> String {
        self.make_key(&["--owner", owner, "--organisation", "acme"], roles, agents)
    }

    /// Makes a key of another organisation.
    pub fn key_of(&self, organisation: &str, roles: &str, owner: &str) -> String {
        self.make_key(
            &["--owner", owner, "--organisation", organisation],
            roles,
            &[],
        )
    }

    fn make_key(&self, options: &[&str], roles: &str, agents: &[&str]) -> String {
        let store = self.store();
        let mut arguments = vec![
            "keys",
            "create",
            "--json",
            "--store",
            store.to_str().unwrap(),
        ];
        arguments.extend(options);
        for role in roles.split(',') {
            arguments.extend(["--role", role]);
        }
        for agent in agents {
            arguments.extend(["--agent", agent]);
        }
        let made = run(&arguments);
        assert!(made.status.success(), "{made:?}");
        let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        made["key"].as_str().unwrap().to_owned()
    }

    /// Adds a policy that forbids this action altogether.
    pub fn forbid(&self, action: &str) {
        let policy = format!(
            "@id(\"no-{action}\")\nforbid (principal, action == Sernixa::Action::\"request\", \
             resource == Sernixa::Tool::\"{action}\");\n"
        );
        self.write_policy(&format!("no-{action}.cedar"), &policy);
    }

    /// Writes a file of policies.
    pub fn write_policy(&self, name: &str, text: &str) {
        std::fs::write(self.policies().join(name), text).unwrap();
    }

    /// A token whose text somebody broadened in the database.
    pub fn broken_token(&self, admin: &Caller) -> String {
        let token = root_token(admin, "worker-agent");
        let store = Connection::open(self.store()).unwrap();
        let changed = store.execute(
            "UPDATE tokens SET payload = replace(payload, '\"update\"', '\"delete\"') WHERE 'dgt_' || lower(hex(id)) = ?1",
            [&token],
        );
        assert_eq!(changed, Ok(1));
        token
    }

    /// The contents of all files of the store that a secret has no business in.
    pub fn files_of_the_store(&self) -> Vec<(String, Vec<u8>)> {
        ["", "-wal", "-shm"]
            .iter()
            .map(|end| format!("{}{end}", self.store().display()))
            .filter(|name| Path::new(name).exists())
            .map(|name| {
                let bytes = std::fs::read(&name).unwrap();
                (name, bytes)
            })
            .collect()
    }

    /// What stands in the key files beside the store, by their names.
    pub fn key_files(&self) -> Vec<(String, Vec<u8>)> {
        let files = std::fs::read_dir(self.path()).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let keys = files.filter(|file| file.to_string_lossy().ends_with("-key"));
        keys.map(|file| (text(&file), std::fs::read(file).unwrap()))
            .collect()
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Makes a root token for this agent: anything up to critical.
pub fn root_token(admin: &Caller, agent: &str) -> String {
    let request = json!({
        "parent_token_id": null,
        "delegator_agent_id": "orchestrator",
        "delegatee_agent_id": agent,
        "scope": {
            "max_risk_level": "critical",
            "allowed_operation_classes": ["financial", "update"],
            "allowed_data_sensitivities": ["internal"],
            "resources": {},
        },
        "tool_subset": null,
        "root_human_session_id": null,
        "expires_in_seconds": 3600,
        "reason": "the tests",
    });
    let made = admin.post("/api/delegations", &request);
    assert!(matches!(made.status, 200 | 201), "{}", made.body);
    made.json()["token_id"].as_str().unwrap().to_owned()
}
