//! Hosts on standard input and output; the server is a child of the proxy, or an address.

use serde_json::json;

use super::upstream::{Upstream, reached};
use super::{CALLS, Moments, Service, captured, check, kill};
use crate::support::mcp::{Desk, Host, told};
use crate::support::{rounds, until};

/// The request that initializes; the calls come after it.
const INITIALIZE: u64 = 0;
/// A request beside the calls, answered by the server itself.
const PING: u64 = CALLS + 1;

#[test]
fn killing_the_proxy_starts_nothing_unapproved_or_twice() {
    let desk = Desk::new();
    let _person = desk.person();
    let mut moments = Moments(1);
    let (mut cut, rounds) = (0, rounds(6, 1_000));
    for round in 0..rounds {
        let mut host = desk.host();
        host.start_calls(round);
        std::thread::sleep(moments.next(400));
        let servers = host.servers();
        host.kill();
        for server in servers {
            until("the server ends with its proxy", || {
                (!lives(server)).then_some(())
            });
        }
        // The host starts another, and asks again what it has no answer to.
        let open: Vec<_> = (1..=CALLS)
            .filter(|id| host.answer(*id).is_none())
            .collect();
        cut += open.len();
        let mut host = desk.host();
        host.initialize(INITIALIZE);
        for id in &open {
            host.note(round, *id);
        }
        for id in open {
            host.answer(id).expect("the proxy lives");
        }
        assert!(host.close().success());
    }
    assert!(cut > 0, "nothing was under way when it was killed");
    check(&desk.reached(), &desk.store(), rounds);
}

#[test]
fn killing_the_server_leaves_no_request_unanswered() {
    let desk = Desk::new();
    let _person = desk.person();
    let mut moments = Moments(2);
    let rounds = rounds(6, 1_000);
    for round in 0..rounds {
        let mut host = desk.host();
        host.start_calls(round);
        std::thread::sleep(moments.next(400));
        let server = until("the server is started", || host.servers().first().copied());
        kill(server);
        host.is_answered(round);
        host.close();
    }
    check(&desk.reached(), &desk.store(), rounds);
}

#[test]
fn killing_a_server_at_an_address_leaves_no_request_unanswered() {
    let desk = Desk::new();
    let _person = desk.person();
    let journal = desk.path().join("journal");
    let mut moments = Moments(4);
    let rounds = rounds(6, 250);
    for round in 0..rounds {
        let mut upstream = Upstream::start(&journal);
        let options = desk.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let mut host = Host::start(captured(desk.command_to(&upstream.url, &options)));
        host.start_calls(round);
        std::thread::sleep(moments.next(600));
        upstream.kill();
        host.is_answered(round);
        host.close();
    }
    check(&reached(&journal), &desk.store(), rounds);
}

#[test]
fn killing_the_service_leaves_no_request_unanswered() {
    let desk = Desk::new();
    let mut service = Service::new();
    let mut moments = Moments(3);
    let rounds = rounds(4, 500);
    for round in 0..rounds {
        let options = service.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let mut host = Host::start(service.asked_by(desk.command(&options)));
        host.start_calls(round);
        std::thread::scope(|scope| {
            scope.spawn(|| service.decide());
            std::thread::sleep(moments.next(400));
        });
        service.kill();
        host.is_answered(round);
        service.restart();
        assert!(host.close().success());
    }
    service.kill();
    check(&desk.reached(), &service.house.store(), rounds);
}

fn lives(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat"));
    // A zombie has ended; who inherited it may take its time.
    status.is_ok_and(|status| !status.contains(") Z "))
}

impl Host {
    /// All at once: in every other round as fast as it goes, else once it is connected.
    fn start_calls(&mut self, round: usize) {
        self.initialize(INITIALIZE);
        if round.is_multiple_of(2) {
            self.answer(INITIALIZE).expect("nothing is killed yet");
        }
        for id in 1..=CALLS {
            self.note(round, id);
        }
        self.ask(PING, "ping", &json!({}));
    }

    fn note(&mut self, round: usize, id: u64) {
        self.call(
            id,
            "add_note",
            &json!({"text": format!("round {round} call {id}")}),
        );
    }

    /// All of [`Host::start_calls`] is.
    #[track_caller]
    fn is_answered(&self, round: usize) {
        for id in INITIALIZE..=PING {
            let answer = self.answer(id);
            let answer = answer.unwrap_or_else(|| panic!("round {round}, request {id}"));
            assert!(
                answer["result"].is_object() || answer["error"].is_object(),
                "{answer}"
            );
        }
    }
}

impl Desk {
    /// A host on the embedded file.
    fn host(&self) -> Host {
        let options = self.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        Host::start(captured(self.command(&options)))
    }
}

#[test]
fn a_proxy_whose_server_does_not_start_says_so_to_the_host() {
    let desk = Desk::new();
    let [store, file] = desk.embedded();
    let mut command = desk.command(&[&store, &file]);
    // Another notes server: one that does not exist.
    command.env("PATH", desk.path());
    let mut host = Host::start(command);
    host.initialize(INITIALIZE);
    if let Some(answer) = host.answer(INITIALIZE) {
        assert!(told(&answer).1, "{answer}");
    }
    assert!(!host.close().success());
}
