//! The secrets that delegated requests are signed with: from a file that only its owner reads, or
//! from the environment; never from the database (DESIGN 11).

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use sernixa_engine::{Agents, Keyring, KeyringError, SecretRule, SigningKey};

use super::Mode;
use super::fault::ConfigError;
use super::private_file;
use super::section::Section;

/// The variable that holds what the file of signing keys would.
pub(super) const VARIABLE: &str = "SERNIXA_SIGNING_KEYS";
/// The one secret of a local demonstration: the variable that the clients read, too.
const DEMO_SECRET: &str = "SERNIXA_REQUEST_SIGNING_SECRET";
/// Its id: the first of these that is set, else the reference SDK's default.
const DEMO_IDS: [&str; 2] = [
    "SERNIXA_REQUEST_SIGNING_KEY_ID",
    "SERNIXA_REQUEST_KMS_KEY_ID",
];
const DEMO_ID: &str = "local-request-key-v1";

/// Reads the environment: a variable's text, if it is set and not empty.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<SecretString>;

/// The signing keys of `file`, else of the environment.
pub(super) fn keyring(
    mode: Mode,
    file: Option<&Path>,
    environment: Environment<'_>,
) -> Result<Keyring, ConfigError> {
    if let Some(file) = file {
        let text = private_file::read(file)?;
        return parse(file, text.expose_secret(), mode);
    }
    if let Some(text) = environment(VARIABLE) {
        return parse(Path::new(VARIABLE), text.expose_secret(), mode);
    }
    match mode {
        Mode::LocalDemo => demo(environment),
        Mode::Production => Err(ConfigError::of_settings(format!(
            "production mode needs the secrets that delegated requests are signed with: set \
             `signing_keys` to a file of mode 0600, or {VARIABLE} to such a file's text"
        ))),
    }
}

/// One `[[key]]` after another: `id`, `secret`, `owner`, `agents`.
fn parse(file: &Path, text: &str, mode: Mode) -> Result<Keyring, ConfigError> {
    let mut root = Section::root(file, text)?;
    let mut keyring = Keyring::new();
    for mut key in root.sections("key")? {
        let needed = |key: &Section<'_>, name| key.fault(name, "is missing");
        let id = key.text("id")?.ok_or_else(|| needed(&key, "id"))?;
        let secret = key.text("secret")?.map(SecretString::from);
        let secret = secret.ok_or_else(|| needed(&key, "secret"))?;
        let owner = key.text("owner")?.ok_or_else(|| needed(&key, "owner"))?;
        let agents = key.texts("agents")?.ok_or_else(|| needed(&key, "agents"))?;
        let agents = match &*agents {
            [any] if any == "*" => Agents::Any,
            _ => Agents::Only(agents.into_iter().map(Into::into).collect()),
        };
        let signing = SigningKey::new(
            &id,
            secret.expose_secret().as_bytes(),
            &owner,
            agents,
            rule(mode),
        );
        let added = signing.and_then(|signing| keyring.add(signing));
        added.map_err(|error| key.fault(member(&error), &error.to_string()))?;
        key.end()?;
    }
    root.end()?;
    if keyring.keys().len() == 0 && mode == Mode::Production {
        let rule = "is missing: write one [[key]] with id, secret, owner and agents";
        return Err(ConfigError::of_key(file, "key", rule));
    }
    Ok(keyring)
}

const fn member(error: &KeyringError) -> &'static str {
    match error {
        KeyringError::Short(_) => "secret",
        KeyringError::Owner(_) => "owner",
        _ => "id",
    }
}

const fn rule(mode: Mode) -> SecretRule {
    match mode {
        Mode::LocalDemo => SecretRule::LocalDemo,
        Mode::Production => SecretRule::Strong,
    }
}

/// In a demonstration the one secret that the client has, too, signs for every agent.
fn demo(environment: Environment<'_>) -> Result<Keyring, ConfigError> {
    let Some(secret) = environment(DEMO_SECRET) else {
        return Ok(Keyring::new());
    };
    let id = DEMO_IDS.into_iter().find_map(environment);
    let id = id.as_ref().map_or(DEMO_ID, |id| id.expose_secret());
    let key = SigningKey::new(
        id,
        secret.expose_secret().as_bytes(),
        "local-demo",
        Agents::Any,
        SecretRule::LocalDemo,
    );
    key.and_then(|key| Keyring::new().with(key))
        .map_err(|error| ConfigError::of_settings(format!("{DEMO_SECRET}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str, mode: Mode) -> String {
        parse(Path::new("keys.toml"), text, mode)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_secret_signs_for_the_agents_that_are_named() {
        let text = r#"
            [[key]]
            id = "one"
            secret = "sixteen bytes at least"
            owner = "payments"
            agents = ["worker"]
            [[key]]
            id = "two"
            secret = "sixteen bytes at least"
            owner = "ops"
            agents = ["*"]
        "#;
        let keyring = parse(Path::new("keys.toml"), text, Mode::Production).unwrap();
        let one = keyring.get("one").unwrap();
        assert!(one.agents().include("worker") && !one.agents().include("other"));
        assert_eq!(keyring.get("two").unwrap().agents(), &Agents::Any);
        assert!(!format!("{keyring:?}").contains("sixteen"));
    }

    #[test]
    fn a_fault_names_the_member_and_never_the_secret() {
        let key = |secret: &str, rest: &str| {
            format!(
                "[[key]]\nid = \"one\"\nsecret = \"{secret}\"\nowner = \"o\"\nagents = []\n{rest}"
            )
        };
        for (text, says) in [
            (key("hunter2", ""), "`key[0].secret`"),
            (
                key("hunter2hunter2hunter2", "secrets = 1"),
                "did you mean `secret`?",
            ),
            (
                [
                    key("hunter2hunter2hunter2", ""),
                    key("hunter2hunter2hunter2", ""),
                ]
                .concat(),
                "`key[1].id`",
            ),
            (
                "[[key]]\nid = \"one\"".to_owned(),
                "`key[0].secret` is missing",
            ),
            (String::new(), "`key` is missing"),
        ] {
            let fault = fault(&text, Mode::Production);
            assert!(fault.contains(says), "{fault}");
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn a_demonstration_takes_the_clients_own_secret_however_short() {
        let environment =
            |name: &str| (name == DEMO_SECRET).then(|| SecretString::from("test-secret"));
        let keyring = keyring(Mode::LocalDemo, None, &environment).unwrap();
        assert!(keyring.get(DEMO_ID).is_some());
        let error = super::keyring(Mode::Production, None, &environment).unwrap_err();
        assert!(error.to_string().contains("signing_keys"), "{error}");
    }
}
