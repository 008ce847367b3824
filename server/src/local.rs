//! An engine in another process than a service, with the policies of the same file of settings: what
//! decides for `sernixa mcp proxy --store FILE --config sernixa.toml`.

use std::path::Path;
use std::sync::Arc;

use sernixa_engine::{Engine, Keyring, Store};

use crate::config::Config;
use crate::policies::Reloader;
use crate::start::StartError;

/// An engine of this process alone.
#[derive(Debug)]
pub struct Local {
    /// The engine, for `ClientBuilder::engine`.
    pub engine: Engine,
    /// Keeps the engine's policy that of the folder, where the file names one: see
    /// [`Reloader::watch_folder`].
    pub policies: Option<Arc<Reloader>>,
}

impl Local {
    /// An engine on `store` that decides as the file of settings at `config` says: `policies`,
    /// `zone`, `ttl`, `claim_by`, `outcome_within` and `[memory]`. What else stands there is a
    /// service's, or the proxy's. Without policies it decides as the built-in policy does.
    ///
    /// `keyring` is what delegated calls are verified with.
    ///
    /// # Errors
    /// [`StartError`] for a file that cannot be read or breaks a rule, and for policies that cannot
    /// be loaded: nothing is decided by others in their place.
    pub fn open(
        config: &Path,
        store: Arc<dyn Store>,
        keyring: Keyring,
    ) -> Result<Self, StartError> {
        let (settings, folder, zone) = Config::of_deciding(config)?;
        let engine = Engine::builder()
            .shared_store(store)
            .settings(settings)
            .keyring(keyring)
            .build()
            .map_err(|error| StartError::new(error.to_string()))?;
        let policies = match folder {
            Some(folder) => Some(Arc::new(open_policies(&engine, &folder, zone.as_deref())?)),
            None => None,
        };
        Ok(Self { engine, policies })
    }
}

/// The time zone of policies when nothing else is said.
pub(crate) const UTC: &str = "UTC";

/// Puts the policies of a folder in force.
pub(crate) fn open_policies(
    engine: &Engine,
    folder: &Path,
    zone: Option<&str>,
) -> Result<Reloader, StartError> {
    Reloader::start(engine, folder, zone.unwrap_or(UTC)).map_err(|faults| {
        let folder = folder.display();
        StartError::new(format!(
            "the policies of {folder} cannot be loaded: {faults}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sernixa_engine::{MemoryStore, Moment, Principal, Request, SelfDecision, Timestamp};

    use super::*;

    /// The status of a submission of low risk that only reads.
    fn reads(engine: &Engine) -> u16 {
        let body = r#"{"intent_id":"i","action_id":"mcp.read","metadata":{"risk_level":"low",
            "operation_class":"read","data_sensitivity":"internal","systems_touched":["s"]}}"#;
        let moment = Moment::new(Timestamp::from_millis(1_778_000_000_000), [3; 32]);
        let caller = Principal::local();
        engine
            .handle(&caller, Request::Submit { body }, &moment)
            .status
    }

    fn open(text: &str, policy: Option<&str>) -> Result<Local, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        if let Some(policy) = policy {
            std::fs::write(folder.path().join("policies/a.cedar"), policy).unwrap();
        }
        let file = folder.path().join("sernixa.toml");
        std::fs::write(&file, text).unwrap();
        Local::open(&file, Arc::new(MemoryStore::new()), Keyring::new())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_engine_of_its_own_decides_by_the_settings_and_policies_of_the_file() {
        let built_in = open(
            "mode = \"production\"\nttl = \"7m\"\n[mcp]\nanything = 1",
            None,
        )
        .unwrap();
        assert_eq!(reads(&built_in.engine), 200);
        assert_eq!(built_in.engine.settings().ttl, Duration::from_mins(7));
        // One person has the file; nobody else could decide.
        assert_eq!(
            built_in.engine.settings().self_decision,
            SelfDecision::Allowed
        );
        assert!(built_in.policies.is_none());
        let ask =
            r#"@id("ask") permit(principal, action == Sernixa::Action::"request", resource);"#;
        let asking = open("policies = \"policies\"", Some(ask)).unwrap();
        assert_eq!(reads(&asking.engine), 202);
        let status = asking.policies.unwrap().status();
        assert_eq!(status.digest, asking.engine.policy_digest());
    }

    #[test]
    fn what_cannot_be_read_is_no_reason_to_decide_by_something_else() {
        for (text, policy, says) in [
            ("polices = \"policies\"", None, "`polices` is not a setting"),
            ("policies = \"nowhere\"", None, "nowhere"),
            (
                "policies = \"policies\"",
                Some("permit("),
                "cannot be loaded",
            ),
        ] {
            let error = open(text, policy).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        let gone = Path::new("/nowhere/sernixa.toml");
        let error = Local::open(gone, Arc::new(MemoryStore::new()), Keyring::new()).unwrap_err();
        assert!(
            error.to_string().contains("/nowhere/sernixa.toml"),
            "{error}"
        );
    }
}
