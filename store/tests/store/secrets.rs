//! Promise 4, nothing leaves: no secret stands in any page of the database or its log.

use std::fs;

use sernixa_engine::{Agents, Entropy, NewKey, Principal, Role, Store};
use sernixa_store::SqliteStore;

use crate::process::engine;
use crate::support::{Bench, CLAIM, Draft, agent, reviewer};

#[test]
fn no_claim_token_key_or_api_key_stands_in_any_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let bench = Bench::new(engine(&path));
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for number in 0..20 {
        let draft = Draft::high().nonce(number).digest(number).resume("key");
        let waiting = bench.submit(&agent(), &draft.body()).waiting();
        bench.approve(&reviewer(), &waiting.id);
        assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
        secrets.push(waiting.token.clone().into());
        secrets.push(
            (0..64)
                .step_by(2)
                .map(|at| byte(&waiting.token[at..at + 2]))
                .collect(),
        );
    }
    let admin = Principal::new("acme", "admin-key").with(Role::Admin);
    let new = NewKey {
        owner: "rita".into(),
        roles: vec![Role::Agent],
        agents: Agents::Any,
        delegated_only: false,
    };
    let (_, secret) = bench
        .engine
        .create_key(&admin, &new, &bench.moment())
        .unwrap();
    assert!(
        bench
            .engine
            .authenticate(secret.expose())
            .unwrap()
            .is_some()
    );
    secrets.push(secret.expose().into());
    let store = SqliteStore::open(&path).unwrap();
    let mut entropy = Entropy::from_seed([9; 32]);
    secrets.push(store.claim_key(&mut entropy).unwrap().expose().to_vec());
    secrets.push(
        store
            .binding_key(&mut entropy)
            .unwrap()
            .unwrap()
            .expose()
            .to_vec(),
    );

    let pages = |end: &str| fs::read(folder.path().join(format!("a.db{end}"))).unwrap();
    let log = pages("-wal");
    assert!(log.len() > 20 * 4096, "nothing is looked at");
    for (name, bytes) in [("database", pages("")), ("log", log)] {
        for secret in &secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == &**secret);
            assert!(
                !found,
                "{} stands in the {name}",
                String::from_utf8_lossy(secret)
            );
        }
    }
}

fn byte(hex: &str) -> u8 {
    u8::from_str_radix(hex, 16).unwrap()
}
