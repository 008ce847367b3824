//! `sernixa keys`: API keys, made, listed and revoked in the file of a service, which may run.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use sernixa_engine::{Agents, ApiKey, Engine, NewKey, Principal, Role};
use sernixa_server::{Config, Flags};
use sernixa_store::SqliteStore;

use crate::backend::moment;
use crate::{Exit, Failure, Global, output};

const EXAMPLES: &str = "\
Examples:
  sernixa keys create --config sernixa.toml --role agent --owner payments --agent worker
  sernixa keys create --config sernixa.toml --role reviewer --owner maria
  sernixa keys revoke --config sernixa.toml key_0123456789abcdef0123456789abcdef

The owner is the person or team that answers for a key: nobody decides what a key of the same \
owner asked. The key itself is shown once; the store keeps only its hash.";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a key, and show it this once
    #[command(after_help = EXAMPLES)]
    Create(Create),
    /// List keys, without the keys themselves
    List(Place),
    /// Take a key back, at once: the service need not be told
    Revoke(Revoke),
}

/// Whose keys.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The service's file of settings: it names store and organisation
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The organisation the keys belong to (default: that of the settings, else local)
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    #[command(flatten)]
    place: Place,

    /// What the key may do; may be given several times
    #[arg(long = "role", value_name = "ROLE", value_enum, required = true)]
    roles: Vec<RoleWord>,

    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    owner: String,

    /// An agent that may act through it; may be given several times
    #[arg(long = "agent", value_name = "ID")]
    agents: Vec<String>,

    /// It submits delegated requests only
    #[arg(long)]
    delegated_only: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    place: Place,

    /// The key's id, as `keys list` shows it: never the key itself
    #[arg(value_name = "ID")]
    id: String,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleWord {
    /// Submits, waits, claims, reports
    Agent,
    /// Sees what waits, and decides
    Reviewer,
    /// Sees records and audit
    Auditor,
    /// Keeps the service: keys, memory, root delegations
    Admin,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Agent => Self::Agent,
            RoleWord::Reviewer => Self::Reviewer,
            RoleWord::Auditor => Self::Auditor,
            RoleWord::Admin => Self::Admin,
        }
    }
}

pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    match command {
        Command::Create(create) => self::create(create, global)?,
        Command::List(place) => list(place, global)?,
        Command::Revoke(revoke) => self::revoke(revoke, global)?,
    }
    Ok(Exit::Yes)
}

/// The keys' home, opened by whoever may read and write its file.
struct Keys {
    engine: Engine,
    operator: Principal,
}

impl Keys {
    fn open(place: Place, global: &Global, make: Make) -> Result<Self, Failure> {
        let flags = Flags {
            config: place.config,
            organisation: place.organisation,
            store: global.store_flag(),
            ..Flags::default()
        };
        let (path, organisation) = Config::place(&flags)
            .map_err(|error| Failure::new("the store is not known").caused_by(error))?;
        let shown = path.display();
        if make == Make::No && !path.exists() {
            let message = format!("there is no store {shown}; name it with --store or --config");
            return Err(Failure::new(message));
        }
        let store = SqliteStore::open(&path).map_err(|error| {
            Failure::new(format!("the store {shown} cannot be opened")).caused_by(error)
        })?;
        let engine = Engine::builder()
            .store(store)
            .build()
            .map_err(|error| Failure::new("the engine refuses its settings").caused_by(error))?;
        let operator = Principal::new(organisation, "command-line").owned_by("operator");
        Ok(Self {
            engine,
            operator: operator.with(Role::Admin),
        })
    }
}

/// Whether a store may be made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Make {
    Yes,
    No,
}

fn create(create: Create, global: &Global) -> Result<(), Failure> {
    let asked = NewKey {
        owner: create.owner.into(),
        roles: create.roles.into_iter().map(Role::from).collect(),
        agents: Agents::Only(
            create
                .agents
                .into_iter()
                .map(Into::into)
                .collect::<Arc<[_]>>(),
        ),
        delegated_only: create.delegated_only,
    };
    // The first keys come before the service's first start.
    let keys = Keys::open(create.place, global, Make::Yes)?;
    let (key, secret) = keys
        .engine
        .create_key(&keys.operator, &asked, &moment()?)
        .map_err(|refusal| Failure::new("the key was not made").caused_by(refusal))?;
    if global.json {
        let mut shown = read(&key)?;
        if let Some(members) = shown.as_object_mut() {
            members.insert("key".to_owned(), secret.expose().into());
        }
        return output::json(&shown);
    }
    output::line(secret.expose())?;
    output::note(format_args!(
        "made {} for {} of {}: keep it now, it is not shown again",
        key.id,
        sernixa_protocol::display::one_line(&key.owner),
        key.organisation,
    ))
}

fn list(place: Place, global: &Global) -> Result<(), Failure> {
    let keys = Keys::open(place, global, Make::No)?;
    let all = keys
        .engine
        .keys(&keys.operator, &moment()?)
        .map_err(|refusal| Failure::new("the keys cannot be listed").caused_by(refusal))?;
    if global.json {
        let shown = all.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        return output::json(&shown);
    }
    if all.is_empty() {
        return output::line("No keys.");
    }
    output::table(
        ["ID", "OWNER", "ROLES", "AGENTS", "MADE", "REVOKED"],
        all.iter().map(row),
    )
}

fn revoke(revoke: Revoke, global: &Global) -> Result<(), Failure> {
    let keys = Keys::open(revoke.place, global, Make::No)?;
    let key = keys
        .engine
        .revoke_key(&keys.operator, &revoke.id, &moment()?)
        .map_err(|refusal| Failure::new("the key was not revoked").caused_by(refusal))?;
    if global.json {
        return output::json(&read(&key)?);
    }
    output::line(format_args!("Revoked {}.", key.id))
}

/// A key as JSON: everything but its hash.
fn read(key: &ApiKey) -> Result<serde_json::Value, Failure> {
    serde_json::from_str(&key.json())
        .map_err(|error| Failure::new("the key cannot be shown").caused_by(error))
}

fn row(key: &ApiKey) -> [String; 6] {
    let roles: Vec<&str> = key.roles.iter().map(|role| role.as_str()).collect();
    let agents = match &key.agents {
        Agents::Any => "any".to_owned(),
        Agents::Only(agents) if agents.is_empty() => "-".to_owned(),
        Agents::Only(agents) => agents.join(", "),
    };
    let only = if key.delegated_only {
        " (delegated only)"
    } else {
        ""
    };
    [
        key.id.to_string(),
        key.owner.to_string(),
        format!("{}{only}", roles.join(", ")),
        agents,
        key.created_at.to_string(),
        key.revoked_at
            .map_or_else(|| "-".to_owned(), |at| at.to_string()),
    ]
}
