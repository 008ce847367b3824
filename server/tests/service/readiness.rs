//! Whether the service can do its part: what `/ready` says, to everybody.

use crate::rig::{DEMO, Service};

#[test]
fn a_service_that_can_do_its_part_says_so_in_the_shape_that_clients_read() {
    let service = Service::start();
    let reply = service.get("/ready", "");
    assert_eq!(reply.status, 200);
    let ready = reply.json();
    assert_eq!(ready["status"], "ready");
    assert_eq!(ready["runtime_mode"], "local_demo");
    let execute = "/api/actions/execute";
    let waits = service.post(execute, DEMO, &crate::rig::action("high", "pay"));
    assert_eq!(ready["capabilities"], waits.json()["capabilities"]);
    let configuration = &ready["checks"]["configuration"];
    assert_eq!(configuration["status"], "ok");
    assert_eq!(
        configuration["snapshot"]["flight_recorder"]["enabled"],
        false
    );
    for check in ["store", "engine", "policy"] {
        assert_eq!(ready["checks"][check]["status"], "ok", "{check}");
    }
    assert!(!reply.body.contains("sernixa.db") && !reply.body.contains("srnx"));
}

#[test]
fn a_store_that_cannot_be_read_is_not_ready_and_lets_nothing_run() {
    let service = Service::start();
    rusqlite::Connection::open(service.store())
        .unwrap()
        .execute_batch("ALTER TABLE events RENAME TO elsewhere")
        .unwrap();
    let reply = service.post(
        "/api/actions/execute",
        DEMO,
        &crate::rig::action("low", "look"),
    );
    assert_eq!((reply.status, reply.word()), (403, "blocked".to_owned()));
    assert!(reply.body.contains("engine_error"), "{}", reply.body);
    let ready = service.get("/ready", "");
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["status"], "not_ready");
    assert!(!ready.body.contains("sernixa.db"), "{}", ready.body);
}

#[test]
fn a_broken_policy_folder_keeps_the_old_set_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.cedar");
    let permit =
        "@id(\"ask\") permit(principal, action == Sernixa::Action::\"request\", resource);";
    std::fs::write(&file, permit).unwrap();
    let path = folder.path().to_owned();
    let service = Service::with(|config| config.policies = Some(path));
    let before = service.get("/ready", "").json()["checks"]["policy"].clone();
    assert_eq!(before["status"], "ok");
    std::fs::write(&file, "permit(principal, action, nonsense").unwrap();
    let after = loop {
        let policy = service.get("/ready", "").json()["checks"]["policy"].clone();
        if policy["status"] != "ok" {
            break policy;
        }
    };
    assert_eq!(after["status"], "stale");
    assert_eq!(after["digest"], before["digest"]);
    assert_eq!(service.get("/ready", "").status, 200);
    assert!(!after.to_string().contains("nonsense"));
}
