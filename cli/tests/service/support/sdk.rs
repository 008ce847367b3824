//! This project's own SDK as a client of the service.

use std::net::SocketAddr;
use std::time::Duration;

use sernixa::{Action, Client, ClientBuilder, DataSensitivity, OperationClass, RiskLevel};

/// A client of the service at `address`, with nothing from this process's environment.
pub fn builder(address: SocketAddr, key: &str) -> ClientBuilder {
    Client::builder()
        .environment(|_| None)
        .base_url(format!("http://{address}"))
        .access_token(key.to_owned())
        .binding_key("the binding key of the tests")
        .poll_interval(Duration::from_millis(100))
        .poll_timeout(Duration::from_mins(1))
}

/// Something that a person has to see.
pub fn payment(intent: &str) -> Action {
    Action::new(intent)
        .action_id("pay-invoice")
        .risk(RiskLevel::High)
        .class(OperationClass::Financial)
        .sensitivity(DataSensitivity::Internal)
        .systems(["billing"])
        .arguments(vec![("cents".to_owned(), 7.into())])
}
