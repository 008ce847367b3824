//! After a fork the client says so, at both doors, instead of waiting for a driver that is not
//! there. A binary of its own: the child has the parent's memory, and one thread.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::print_stdout,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a test; it uses a part of what the integration tests stand on"
)]

#[cfg(unix)]
#[path = "integration/support/mod.rs"]
mod support;

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() {
    use fork::{Fork, fork, waitpid};
    use support::service::{Says, Service, action};

    use sernixa::{Client, Error, OperationClass, RiskLevel};

    // As test runners ask that list tests first.
    if std::env::args().any(|argument| argument == "--list") {
        if std::env::args().all(|argument| argument != "--ignored") {
            println!("after_a_fork_the_client_says_so: test");
        }
        return;
    }
    let service = Service::full(Says::Allowed);
    let client = service.client();
    let low = action(RiskLevel::Low);
    client.run(&low, || Ok::<_, Error>(())).unwrap();
    // SQLite's locks belong to the process that took them: a store is not used across a fork.
    let folder = tempfile::tempdir().unwrap();
    let url = format!("embedded:{}", folder.path().join("approvals.db").display());
    let on_file = || {
        let url = url.clone();
        let variable = move |name: &str| (name == "SERNIXA_BASE_URL").then(|| url.clone().into());
        Client::builder().environment(variable).build().unwrap()
    };
    let file = on_file();
    let read = action(RiskLevel::Low).class(OperationClass::Read);
    file.run(&read, || Ok::<_, Error>(())).unwrap();

    match fork().unwrap() {
        Fork::Child => {
            // A child that hangs fails the test, too.
            std::thread::spawn(|| {
                let (_never, hang) = std::sync::mpsc::channel::<()>();
                let _ = hang.recv_timeout(support::latch::PATIENCE);
                std::process::exit(9);
            });
            let sync = client.run(&low, || Ok::<_, Error>(()));
            let future =
                pollster::block_on(client.run_async(&low, || async { Ok::<_, Error>(()) }));
            let says_so = |result: Result<(), Error>| match result {
                Err(Error::Api(refusal)) => refusal.message().contains("forked"),
                _ => false,
            };
            // Neither closing nor dropping waits for the other process's driver.
            client.close_blocking();
            let fresh = service.client();
            let works = fresh.run(&low, || Ok::<_, Error>(())).is_ok();
            let refused = file.run(&read, || Ok::<_, Error>(())).is_err();
            let reopened = on_file().run(&read, || Ok::<_, Error>(())).is_ok();
            let all = [says_so(sync), says_so(future), works, refused, reopened];
            let first_wrong = all.iter().position(|holds| !holds);
            std::process::exit(first_wrong.map_or(0, |at| i32::try_from(at).unwrap() + 1));
        }
        Fork::Parent(child) => {
            let status = waitpid(child).unwrap();
            assert_eq!(status, 0, "the child says {}", status >> 8);
            client.run(&low, || Ok::<_, Error>(())).unwrap();
            client.close_blocking();
            file.run(&read, || Ok::<_, Error>(())).unwrap();
            file.close_blocking();
        }
    }
    println!("after a fork the client says so, and a new one works ... ok");
}
