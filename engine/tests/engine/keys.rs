//! API keys: made once, kept as a hash, out when revoked.

use std::sync::Arc;

use sernixa_engine::{Agents, Digest, Engine, Moment, NewKey, Principal, Role, Timestamp, Word};

/// A moment with randomness of its own.
fn moment(n: u8) -> Moment {
    Moment::new(Timestamp::from_millis(u64::from(n) * 1_000), [n; 32])
}

fn operator(organisation: &str) -> Principal {
    Principal::new(organisation, "operator").with(Role::Admin)
}

fn agent_key(owner: &str) -> NewKey {
    NewKey {
        owner: owner.into(),
        roles: vec![Role::Agent],
        agents: Agents::Only(Arc::from([Box::from("worker")])),
        delegated_only: false,
    }
}

#[test]
fn a_key_authenticates_as_what_it_was_made_for() {
    let engine = Engine::in_memory();
    let asked = NewKey {
        delegated_only: true,
        ..agent_key(" payments ")
    };
    let (key, secret) = engine
        .create_key(&operator("acme"), &asked, &moment(1))
        .unwrap();
    let text = secret.expose();
    assert_eq!(text.len(), "srnx_live_".len() + 64);
    let principal = engine.authenticate(text).unwrap().unwrap();
    assert_eq!(**principal.organisation(), *"acme");
    assert_eq!(**principal.owner(), *"payments");
    assert_eq!(principal.key(), &key.id);
    assert!(principal.has(Role::Agent) && !principal.has(Role::Reviewer));
    assert!(principal.acts_as("worker") && !principal.acts_as("other"));
    assert!(principal.is_delegated_only());
}

#[test]
fn only_the_very_key_authenticates() {
    let engine = Engine::in_memory();
    let (key, secret) = engine
        .create_key(&operator("acme"), &agent_key("payments"), &moment(1))
        .unwrap();
    let text = secret.expose();
    let shorter = &text[..text.len() - 1];
    for other in [
        String::new(),
        "e2e-admin".to_owned(),
        shorter.to_owned(),
        format!("{text}0"),
        format!(" {text}"),
        text.to_uppercase(),
        text.replace("live", "test"),
        key.id.to_string(),
        key.hash.to_string(),
        format!("srnx_live_{}", key.hash),
        format!("srnx_live_{}", "0".repeat(10_000)),
    ] {
        assert_eq!(engine.authenticate(&other).unwrap(), None, "{other:.80}");
    }
}

#[test]
fn the_secret_is_kept_and_shown_nowhere() {
    let engine = Engine::in_memory();
    let admin = operator("acme").with(Role::Auditor);
    let (key, secret) = engine
        .create_key(&admin, &agent_key("payments"), &moment(1))
        .unwrap();
    assert_eq!(key.hash, Digest::of(secret.expose().as_bytes()));
    let random = secret.expose().strip_prefix("srnx_live_").unwrap();
    let audit: String = engine
        .audit(&admin, 0, 100)
        .unwrap()
        .iter()
        .map(|event| event.payload.to_string())
        .collect();
    assert!(audit.contains("api_key_created") && audit.contains(&*key.id));
    for shown in [format!("{key:?}"), format!("{secret:?}"), key.json(), audit] {
        assert!(!shown.contains(random), "{shown}");
    }
    // Not even the hash is told: a finder could test guesses with it.
    assert!(!key.json().contains(&key.hash.to_string()));
}

#[test]
fn a_revoked_key_is_nobody_and_stays_so() {
    let engine = Engine::in_memory();
    let admin = operator("acme");
    let (key, secret) = engine
        .create_key(&admin, &agent_key("payments"), &moment(1))
        .unwrap();
    let first = engine.revoke_key(&admin, &key.id, &moment(2)).unwrap();
    assert_eq!(engine.authenticate(secret.expose()).unwrap(), None);
    let again = engine.revoke_key(&admin, &key.id, &moment(3)).unwrap();
    assert_eq!(first.revoked_at, again.revoked_at);
    let auditor = admin.clone().with(Role::Auditor);
    let revocations = engine.audit(&auditor, 0, 100).unwrap();
    let revocations = revocations
        .iter()
        .filter(|event| event.kind.as_str() == "api_key_revoked");
    assert_eq!(revocations.count(), 1);
}

#[test]
fn keys_are_the_admins_and_of_their_own_organisation() {
    let engine = Engine::in_memory();
    let (key, secret) = engine
        .create_key(&operator("acme"), &agent_key("payments"), &moment(1))
        .unwrap();
    let other = operator("other");
    let refused = engine.revoke_key(&other, &key.id, &moment(2)).unwrap_err();
    assert_eq!(refused.word(), Word::NotFound);
    assert!(engine.keys(&other, &moment(2)).unwrap().is_empty());
    for role in [Role::Agent, Role::Reviewer, Role::Auditor] {
        let caller = Principal::new("acme", "someone").with(role);
        let made = engine.create_key(&caller, &agent_key("me"), &moment(3));
        assert_eq!(made.unwrap_err().word(), Word::Forbidden);
        let revoked = engine.revoke_key(&caller, &key.id, &moment(3));
        assert_eq!(revoked.unwrap_err().word(), Word::Forbidden);
    }
    assert!(engine.authenticate(secret.expose()).unwrap().is_some());
    assert_eq!(engine.keys(&operator("acme"), &moment(4)).unwrap(), [key]);
}

#[test]
fn a_key_without_owner_or_sense_is_not_made() {
    let engine = Engine::in_memory();
    let good = agent_key("payments");
    let roles = |roles: &[Role]| NewKey {
        roles: roles.to_vec(),
        ..good.clone()
    };
    let agents = |names: &[&str]| NewKey {
        agents: Agents::Only(names.iter().map(|name| Box::from(*name)).collect()),
        ..good.clone()
    };
    let many: Vec<String> = (0..65).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for asked in [
        agent_key(""),
        agent_key("  "),
        agent_key("a\nb"),
        agent_key(&"o".repeat(129)),
        roles(&[]),
        // Agents, or delegation, without the role that acts.
        roles(&[Role::Reviewer]),
        NewKey {
            delegated_only: true,
            agents: Agents::Only(Arc::default()),
            ..roles(&[Role::Admin])
        },
        NewKey {
            agents: Agents::Any,
            ..roles(&[Role::Reviewer])
        },
        agents(&[""]),
        agents(&["a\u{1b}[2J"]),
        agents(&many),
    ] {
        let refused = engine.create_key(&operator("acme"), &asked, &moment(1));
        assert_eq!(refused.unwrap_err().word(), Word::Invalid, "{asked:?}");
    }
    assert!(
        engine
            .keys(&operator("acme"), &moment(2))
            .unwrap()
            .is_empty()
    );
}
