//! What a service refuses to start with.

use std::os::unix::fs::PermissionsExt as _;

use sernixa_server::{Config, Mode, Server, StoreAt};

fn refused(change: impl FnOnce(&mut Config)) -> String {
    let mut config = Config::local_demo();
    config.listen.set_port(0);
    change(&mut config);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    match runtime.block_on(Server::bind(config)) {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_demonstration_is_for_this_machine_alone() {
    let fault = refused(|config| config.listen = "0.0.0.0:0".parse().unwrap());
    assert!(fault.contains("this machine alone"), "{fault}");
}

#[test]
fn production_refuses_plain_http_to_others_and_a_store_in_memory() {
    let fault = refused(|config| {
        config.mode = Mode::Production;
        config.listen = "0.0.0.0:0".parse().unwrap();
    });
    assert!(fault.contains("reverse proxy"), "{fault}");
    let fault = refused(|config| config.mode = Mode::Production);
    assert!(fault.contains("`store`"), "{fault}");
}

#[test]
fn production_refuses_files_that_others_can_reach() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = (folder.path().join("a.db"), folder.path().join("a.key"));
    let loose = |path: &std::path::Path| {
        std::fs::write(path, "").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    };
    loose(&store);
    let production = |config: &mut Config| {
        config.mode = Mode::Production;
        config.store = StoreAt::File(store.clone());
        config.audit_key = Some(key.clone());
    };
    assert!(refused(production).contains("chmod 600"));
    std::fs::remove_file(&store).unwrap();
    loose(&key);
    assert!(refused(production).contains("chmod 600"));
}

#[test]
fn a_damaged_claim_key_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = (
        folder.path().join("a.db"),
        folder.path().join("a.db.claim-key"),
    );
    std::fs::write(&key, "short").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let fault = refused(|config| config.store = StoreAt::File(store.clone()));
    assert!(fault.contains("a.db cannot be opened"), "{fault}");
}

#[test]
fn the_demonstration_key_is_nobody_in_production() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("a.key");
    let service = crate::rig::Service::with(|config| {
        config.mode = Mode::Production;
        config.audit_key = Some(key);
    });
    assert_eq!(service.get("/api/auth/whoami", "e2e-admin").status, 401);
    let ready = service.get("/ready", "").json();
    assert_eq!(ready["runtime_mode"], "production_like");
    assert_eq!(ready["checks"]["audit"]["status"], "ok");
}

#[test]
fn an_address_in_use_is_said_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let fault = refused(|config| config.listen = address);
    assert!(fault.contains("--listen"), "{fault}");
}
