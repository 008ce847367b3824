//! A name under which nothing stands is said to be wrong, never taken for something empty.

use std::path::PathBuf;

use crate::support::{House, Ran, run, sernixa};

/// The store of a service whose organisation is `acme`.
fn of_a_service(house: &House) -> PathBuf {
    let store = house.path().join("service.db");
    let (file, owner) = (store.to_str().unwrap(), "otto");
    run(&mut sernixa(&[
        "keys",
        "create",
        "--store",
        file,
        "--organisation",
        "acme",
        "--role",
        "auditor",
        "--owner",
        owner,
    ]))
    .exits(0);
    store
}

fn on(store: &std::path::Path, arguments: &[&str]) -> Ran {
    let mut command = sernixa(arguments);
    command.args(["--store", store.to_str().unwrap()]);
    run(&mut command).safe()
}

#[test]
fn an_organisation_without_a_log_is_not_valid() {
    let house = House::new();
    let store = of_a_service(&house);
    on(&store, &["audit", "verify", "--organisation", "acme"]).exits(0);
    let ran = on(&store, &["audit", "verify", "--organisation", "acne"]).exits(2);
    assert!(
        ran.stderr.contains("no audit log of acne") && ran.stderr.contains("acme"),
        "{ran:?}"
    );
}

#[test]
fn the_file_of_a_service_does_not_seem_empty() {
    let house = House::new();
    let store = of_a_service(&house);
    for arguments in [
        &["audit", "head"][..],
        &["audit", "list"],
        &["approvals", "list"],
        &["memory", "list"],
    ] {
        let ran = on(&store, arguments).exits(2);
        assert!(ran.stderr.contains("acme"), "{ran:?}");
    }
    let ran = on(&store, &["doctor"]).exits(1);
    assert!(ran.stdout.contains("acme"), "{ran:?}");
}
