//! What every request carries, as the server reads it.

use std::ffi::OsString;

use sernixa::delegation::Delegation;
use sernixa::{Client, Error, RiskLevel};

use crate::support::service::{OUTCOMES, SUBMIT, Says, Service, action};

/// A client of this service that sees these variables only.
fn client(service: &Service, variables: &[(&'static str, &'static str)]) -> Client {
    let variables = variables.to_vec();
    let builder = service.builder().environment(move |name| {
        let found = variables.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| OsString::from(value))
    });
    builder.build().unwrap()
}

#[test]
fn every_request_names_this_client_and_carries_one_credential() {
    const TOKEN: (&str, &str) = ("SERNIXA_ACCESS_TOKEN", "the-access-token");
    const KEY: (&str, &str) = ("SERNIXA_API_KEY", "the-api-key");
    for (variables, credential) in [
        (vec![KEY, TOKEN], vec!["Bearer the-access-token"]),
        (vec![TOKEN], vec!["Bearer the-access-token"]),
        (vec![KEY], vec!["Bearer the-api-key"]),
        (vec![], vec![]),
    ] {
        let service = Service::full(Says::Pending);
        service.decide("approved");
        let client = client(&service, &variables);
        client
            .run(&action(RiskLevel::High), || Ok::<_, Error>(()))
            .unwrap();
        client.close_blocking();
        let requests = service.server.requests();
        for path in [
            SUBMIT,
            &Service::path(""),
            &Service::path("/claim"),
            OUTCOMES,
        ] {
            assert!(requests.iter().any(|r| r.path() == path), "{path}");
        }
        for request in requests {
            let all = |name: &str| -> Vec<String> {
                let named = |(given, _): &&(String, String)| given.eq_ignore_ascii_case(name);
                let found = request.headers.iter().filter(named);
                found.map(|(_, value)| value.clone()).collect()
            };
            let agent = concat!("sernixa-rust/", env!("CARGO_PKG_VERSION"));
            assert_eq!(all("User-Agent"), [agent], "{}", request.target);
            assert_eq!(all("Authorization"), credential, "{}", request.target);
        }
    }
}

#[test]
fn a_delegated_body_names_the_signing_key_and_else_the_key_of_the_kms() {
    const SECRET: (&str, &str) = ("SERNIXA_REQUEST_SIGNING_SECRET", "a secret of this test");
    const SIGNING: (&str, &str) = ("SERNIXA_REQUEST_SIGNING_KEY_ID", "the-signing-key");
    const KMS: (&str, &str) = ("SERNIXA_REQUEST_KMS_KEY_ID", "the-kms-key");
    for (variables, key_id) in [
        (vec![SECRET, KMS, SIGNING], "the-signing-key"),
        (vec![SECRET, SIGNING], "the-signing-key"),
        (vec![SECRET, KMS], "the-kms-key"),
    ] {
        let service = Service::full(Says::Allowed);
        let client = client(&service, &variables);
        Delegation::new("worker", "dgt_1")
            .run_blocking(|| client.run(&action(RiskLevel::Low), || Ok::<_, Error>(())))
            .unwrap();
        client.close_blocking();
        assert_eq!(
            service.server.wait_for("POST", SUBMIT, 1).json()["key_id"],
            key_id
        );
    }
}
