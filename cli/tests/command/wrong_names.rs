//! A name under which nothing stands, or none where one is needed, is said to be wrong, never taken for
//! something empty.

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

#[test]
fn a_proxy_that_is_started_wrongly_says_what_to_do() {
    let house = House::new();
    for (arguments, says) in [
        (&[][..], "put its command after `--`"),
        (&["python3", "server.py"], "[OPTIONS] -- COMMAND"),
        (&["--listen", "9000", "--", "server"], "127.0.0.1:9000"),
    ] {
        let ran = house.run(&[&["mcp", "proxy"], arguments].concat()).exits(2);
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
}

#[test]
fn settings_of_other_servers_alone_are_told() {
    let house = House::new();
    let settings = house.path().join("sernixa.toml");
    std::fs::write(&settings, "[mcp.servers.ntes]\nrisk_level = \"high\"\n").unwrap();
    let start = |name: &str| {
        let file = settings.to_str().unwrap();
        let mut command = house.command(&["mcp", "proxy", "--server", name, "--config", file]);
        let command = command.args(["--", "cat"]);
        run(command.stdin(std::process::Stdio::null())).stderr
    };
    let said = start("notes");
    assert!(
        said.contains("nothing of the server `notes`, only of ntes"),
        "{said}"
    );
    let said = start("ntes");
    assert!(
        said.contains("asks before") && !said.contains("warning"),
        "{said}"
    );
}
