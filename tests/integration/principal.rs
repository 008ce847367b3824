//! What `Client::principal_digest` tells apart: whom a client asks, and as whom.

use sernixa::{Client, ClientBuilder};

fn client() -> ClientBuilder {
    Client::builder()
        .environment(|_| None)
        .binding_key("a binding key of the test")
}

fn service() -> ClientBuilder {
    client()
        .base_url("https://one.example/sernixa")
        .access_token("the-credential-of-ann")
}

fn digest(builder: ClientBuilder) -> [u8; 32] {
    builder.build().unwrap().principal_digest()
}

#[test]
fn a_principal_is_the_same_for_the_same_service_and_credential_and_no_other() {
    let own = digest(service());
    for same in [
        service(),
        service().base_url("https://ONE.example/sernixa/"),
        service().max_retries(1).capture_arguments(true),
    ] {
        assert_eq!(own, digest(same));
    }
    let nobody = client().base_url("https://one.example/sernixa");
    let mut seen = vec![own];
    for (what, other) in [
        (
            "credential",
            service().access_token("the-credential-of-bob"),
        ),
        ("no credential", nobody),
        ("host", service().base_url("https://two.example/sernixa")),
        ("path", service().base_url("https://one.example/other")),
        (
            "port",
            service().base_url("https://one.example:8443/sernixa"),
        ),
        ("engine", client().base_url("embedded:")),
        ("key", service().binding_key("another key of the test")),
        (
            "signing",
            service().request_signing_secret("a secret for signing"),
        ),
        ("key id", service().request_signing_key_id("another")),
    ] {
        let other = digest(other);
        assert!(!seen.contains(&other), "{what}");
        seen.push(other);
    }
}

#[test]
fn a_store_is_one_principal_by_whatever_path_and_another_store_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| {
        let file = folder.path().join(name);
        digest(client().base_url(format!("embedded:{}", file.to_str().unwrap())))
    };
    let one = at("one.db");
    std::os::unix::fs::symlink("one.db", folder.path().join("link.db")).unwrap();
    assert_eq!(one, at("./one.db"));
    assert_eq!(one, at("link.db"));
    assert_ne!(one, at("two.db"));
}
