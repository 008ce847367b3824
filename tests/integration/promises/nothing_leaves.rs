//! Promise 4: argument values and secrets stay in the process unless the developer asks.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};

use serde_json::json;
use sernixa::delegation::{Delegation, Scope, TokenRequest};
use sernixa::dlp::{Detectors, Mode, protect_metadata, protect_metadata_json};
use sernixa::embedded::engine::Settings;
use sernixa::embedded::{Decision, Engine, MemoryStore, Record, Store};
use sernixa::logging::Verbosity;
use sernixa::protocol::Envelope;
use sernixa::testing::TestGate;
use sernixa::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel};

use crate::support::reply::Reply;
use crate::support::server::Server;
use crate::support::service::{SUBMIT, Says, Service, action};

/// In every argument.
const ARGUMENT: &str = "mArKaRgUmEnT";
/// In every metadata value: submitted as asked, and nowhere else.
const METADATA: &str = "mArKmEtAdAtA";
/// In every secret.
const SECRET: &str = "mArKsEcReT-0123456789";
/// A token that DLP masks.
const TOKEN: &str = "ghp_mArKtOkEn0123456789abcdefghijklmnopqr";

const MARKERS: [&str; 4] = [ARGUMENT, METADATA, SECRET, "mArKtOkEn"];

fn assert_clean(what: &str, text: &str) {
    for marker in MARKERS {
        assert!(!text.contains(marker), "{marker} in {what}: {text}");
    }
}

#[sernixa::intercept(
    intent_id = "leaves-nothing",
    risk_level = "low",
    operation_class = "read",
    data_sensitivity = "restricted",
    systems_touched = ["db"],
    metadata = { case_number: METADATA, note: TOKEN },
    client = client,
    handles = [client],
    skip = [hidden],
)]
fn governed(
    client: &Client,
    name: &str,
    nested: &Nested,
    plain: Plain,
    hidden: &str,
) -> Result<(), Error> {
    let _ = (client, name, nested, plain, hidden);
    Ok(())
}

#[derive(Debug, serde::Serialize)]
struct Nested {
    values: Vec<String>,
}

#[derive(Debug)]
struct Plain(#[expect(dead_code, reason = "only printed")] &'static str);

fn call(client: &Client) -> Result<(), Error> {
    let nested = Nested {
        values: vec![ARGUMENT.to_owned()],
    };
    governed(client, ARGUMENT, &nested, Plain(ARGUMENT), ARGUMENT)
}

/// A client of this service that logs all there is, with a marker in every secret.
fn client(service: &Service) -> Client {
    service
        .builder()
        .environment(|_| None)
        .access_token(SECRET)
        .request_signing_secret(SECRET)
        .binding_key(SECRET)
        .log(Verbosity::Trace)
        .max_retries(0)
        .build()
        .unwrap()
}

fn by_hand() -> Action {
    action(RiskLevel::High)
        .arguments(vec![("name".into(), json!(ARGUMENT))])
        .metadata([("case_number", METADATA), ("note", TOKEN)])
        .resume_key(SECRET)
}

#[test]
fn argument_values_and_secrets_are_in_no_submitted_byte() {
    let service = Service::full(Says::Allowed);
    let client = client(&service);
    call(&client).unwrap();
    client
        .run(&action(RiskLevel::Low), || Ok::<_, Error>(()))
        .unwrap();
    client.run(&by_hand(), || Ok::<_, Error>(())).unwrap_err();
    let acting = Delegation::new("worker", "dgt_1").signing_secret(SECRET);
    acting.run_blocking(|| call(&client)).unwrap();
    client.close_blocking();
    let requests = service.server.requests();
    assert!(
        requests
            .iter()
            .filter(|request| request.path() == SUBMIT)
            .count()
            >= 4
    );
    for request in requests {
        let body = String::from_utf8(request.body.clone()).unwrap();
        for marker in [ARGUMENT, SECRET, "mArKtOkEn"] {
            assert!(!body.contains(marker), "{marker} in {body}");
            assert!(!request.target.contains(marker), "{}", request.target);
        }
        for (name, value) in &request.headers {
            let credential = name.eq_ignore_ascii_case("authorization");
            assert_eq!(value.contains(SECRET), credential, "{name}: {value}");
        }
    }
}

#[test]
fn what_is_captured_was_asked_for_and_has_been_through_dlp() {
    let gate = TestGate::configured(|| Client::builder().capture_arguments(true));
    gate.approve("leaves-nothing");
    let client = gate.client().unwrap();
    let nested = Nested {
        values: vec![TOKEN.to_owned()],
    };
    gate.scope(|| governed(&client, ARGUMENT, &nested, Plain(TOKEN), ARGUMENT))
        .unwrap();
    let [sent] = gate.submissions().try_into().unwrap();
    let args = sent.metadata()["args"].as_array().unwrap().clone();
    assert_eq!(args[1], ARGUMENT, "asked for");
    assert_eq!(args[4], "<skipped>");
    assert!(!sent.body().contains("mArKtOkEn"), "{}", sent.body());
    assert_eq!(sent.metadata()["dlp_status"], "masked");
}

#[test]
fn no_log_line_or_span_holds_a_value_or_a_secret() {
    let lines = lines_of(|| {
        let service = Service::full(Says::Allowed);
        let client = client(&service);
        call(&client).unwrap();
        service.say(Says::Refused);
        call(&client).unwrap_err();
        service.say(Says::Pending);
        service.decide("approved");
        call(&client).unwrap();
        service.decide("rejected");
        client.run(&by_hand(), || Ok::<_, Error>(())).unwrap_err();
        let acting = Delegation::new("worker", "dgt_1").signing_secret(SECRET);
        acting.run_blocking(|| call(&client)).unwrap_err();
        client.close_blocking();
        drop(service);
        call(&client).unwrap_err();

        let embedded = Client::builder()
            .environment(|_| None)
            .engine(Engine::in_memory())
            .reviewer(|_: &Record| Decision::reject("no"))
            .log(Verbosity::Trace)
            .binding_key(SECRET)
            .build()
            .unwrap();
        call(&embedded).unwrap();
        embedded.close_blocking();
    });
    assert!(
        lines.contains("sernixa.authorize"),
        "spans are recorded: {lines}"
    );
    assert!(
        lines.contains("leaves-nothing"),
        "and their fields: {lines}"
    );
    assert_clean("the log", &lines);
}

#[test]
fn a_client_that_says_nothing_makes_no_span_either() {
    let lines = lines_of(|| {
        for (verbosity, intent) in [(Verbosity::Off, "unheard"), (Verbosity::Error, "heard-of")] {
            let client = Client::builder()
                .environment(|_| None)
                .engine(Engine::in_memory())
                .log(verbosity)
                .build()
                .unwrap();
            let action = Action::new(intent)
                .risk(RiskLevel::Low)
                .class(OperationClass::Read)
                .sensitivity(DataSensitivity::Internal)
                .systems(["db"]);
            client.run(&action, || Ok::<_, Error>(())).unwrap();
            client.close_blocking();
        }
    });
    assert!(lines.contains("heard-of"), "{lines}");
    assert!(!lines.contains("unheard"), "{lines}");
}

#[test]
fn debug_and_display_of_every_public_type_show_no_value_and_no_secret() {
    let service = Service::full(Says::Pending);
    let client = client(&service);
    let gate = TestGate::configured(|| {
        Client::builder()
            .capture_arguments(true)
            .binding_key(SECRET)
            .api_key(SECRET)
    });
    gate.approve("leaves-nothing").approve("integration");
    gate.scope(|| call(&client)).unwrap();
    let held = gate.hold("held");
    let builder = Client::builder()
        .base_url(format!("https://user:{SECRET}@host"))
        .access_token(SECRET)
        .api_key(SECRET)
        .binding_key(SECRET)
        .request_signing_secret(SECRET);
    let delegation = Delegation::new("worker", "dgt_1").signing_secret(SECRET);
    let submission = client.prepare(&by_hand()).unwrap();
    let permit = gate
        .client()
        .unwrap()
        .authorize_blocking(&action(RiskLevel::Low))
        .unwrap();
    let terminal = sernixa::embedded::TerminalReviewer::new();
    let debugs: Vec<(&str, &dyn Debug)> = vec![
        ("Client", &client),
        ("ClientBuilder", &builder),
        ("TestGate", &gate),
        ("Held", &held),
        ("Delegation", &delegation),
        ("Submission", &submission),
        ("Permit", &permit),
        ("TerminalReviewer", &terminal),
    ];
    for (name, debug) in debugs {
        assert_clean(name, &format!("{debug:?} {debug:#?}"));
    }
    assert_clean("Action", &format!("{:?}", by_hand()));
    let [recorded, _] = gate.submissions().try_into().unwrap();
    assert_clean("Recorded", &format!("{recorded:?}"));
    for site in sernixa::callsites() {
        assert_clean("Callsite", &format!("{site:?}"));
    }
    permit.succeeded();
    drop(held);
    client.close_blocking();
}

#[test]
fn debug_of_what_delegation_and_dlp_hold_shows_no_value_and_no_secret() {
    let scope = Scope::new().resource("accounts", json!([ARGUMENT]));
    assert_clean("Scope", &format!("{scope:?} {scope:#?}"));
    let request = TokenRequest::new("a", "b", scope)
        .root_human_session_id(SECRET)
        .reason(ARGUMENT);
    assert_clean("TokenRequest", &format!("{request:?} {request:#?}"));

    let quoted = json!({"token_id": "dgt_1", "signing_secret": SECRET, "reason": ARGUMENT});
    let server = Server::start(move |_| Reply::json(201, quoted.to_string()));
    let client = Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .build()
        .unwrap();
    let token = client.create_delegation_token_blocking(request).unwrap();
    assert_eq!(token.answer()["reason"], ARGUMENT);
    assert_clean("Token", &format!("{token:?} {token:#?}"));
    client.close_blocking();

    let metadata = json!({"note": TOKEN, "other": [ARGUMENT]});
    let text = metadata.to_string();
    for mode in [Mode::Off, Mode::Warn, Mode::Mask, Mode::Block] {
        let detectors = Detectors::default();
        let map = protect_metadata(metadata.as_object().unwrap(), mode, &detectors);
        assert_clean("Protected", &format!("{map:?} {map:#?}"));
        let json = protect_metadata_json(&text, mode, &detectors).unwrap();
        assert_clean("ProtectedJson", &format!("{json:?} {json:#?}"));
        assert_eq!(map.findings.is_empty(), mode == Mode::Off);
        assert_clean("Finding", &format!("{:?}", map.findings));
    }

    let hash = sernixa::protocol::body_hash("i", "a", metadata.as_object().unwrap());
    let envelope = Envelope {
        schema_version: Envelope::SCHEMA_VERSION,
        intent_id: "i",
        action_id: "a",
        agent_id: "worker",
        runtime_id: None,
        runtime_identity: None,
        service_identity: None,
        workload_identity: None,
        delegation_token_id: "dgt_1",
        delegation_chain_id: None,
        timestamp: 0,
        nonce: "n",
        operation_class: None,
        data_sensitivity: None,
        body_hash: &hash,
        key_id: "k",
        algorithm: Envelope::ALGORITHM,
    };
    assert_clean("Envelope", &format!("{envelope:?} {envelope:#?}"));
}

#[test]
fn debug_of_what_the_engine_holds_and_shows_a_reviewer_has_no_value_and_no_secret() {
    let store = Arc::new(MemoryStore::default());
    let engine = Engine::builder()
        .settings(Settings::local())
        .shared_store(Arc::clone(&store) as Arc<dyn Store>)
        .build()
        .unwrap();
    let shown = Arc::new(Mutex::new(String::new()));
    let show = |what: &dyn Debug| {
        write!(shown.lock().unwrap(), "{what:?} {what:#?}").unwrap();
    };
    let changes = Arc::clone(&shown);
    let _subscription = engine.subscribe(Box::new(move |change| {
        write!(changes.lock().unwrap(), "{change:?} {:?}", change.record()).unwrap();
    }));
    let seen = Arc::clone(&shown);
    let client = Client::builder()
        .environment(|_| None)
        .engine(engine.clone())
        .binding_key(SECRET)
        .capture_arguments(true)
        .reviewer(move |asked: &Record| {
            let decision = Decision::approve_because(format!("fine: {ARGUMENT}"));
            write!(seen.lock().unwrap(), "{asked:?} {asked:#?} {decision:?}").unwrap();
            decision
        })
        .build()
        .unwrap();
    let asked = by_hand().summary(format!("pay {ARGUMENT}"));
    show(&asked);
    let permit = client.authorize_blocking(&asked).unwrap();
    show(&permit);
    permit.succeeded();
    for decision in [
        Decision::approve_because(ARGUMENT),
        Decision::reject(ARGUMENT),
        Decision::leave(),
    ] {
        show(&decision);
    }
    show(&engine);
    show(&store);
    client.close_blocking();
    let shown = shown.lock().unwrap();
    assert!(
        shown.contains("integration"),
        "the record was shown: {shown}"
    );
    assert_clean("the engine", &shown);
}

#[test]
fn no_error_shows_a_value_or_a_secret() {
    let mut errors = Vec::new();
    let service = Service::full(Says::Refused);
    let client = client(&service);
    errors.push(call(&client).unwrap_err());
    errors.push(client.run(&by_hand(), || Ok::<_, Error>(())).unwrap_err());
    // A service that quotes back what it was sent.
    let echo = Server::start(|request| {
        let body: String = String::from_utf8_lossy(&request.body).into_owned();
        let headers = format!("{:?}", request.headers);
        Reply::json(500, json!({"detail": body, "headers": headers}).to_string())
    });
    let quoted = Client::builder()
        .environment(|_| None)
        .base_url(echo.url())
        .access_token(SECRET)
        .max_retries(0)
        .build()
        .unwrap();
    errors.push(call(&quoted).unwrap_err());
    let blocked = TestGate::configured(|| Client::builder().dlp_mode(sernixa::dlp::Mode::Block));
    errors.push(blocked.scope(|| call(&client)).unwrap_err());
    let unknown = TestGate::new();
    errors.push(unknown.scope(|| call(&client)).unwrap_err());
    for odd in ["short", ""] {
        let acting = Delegation::new(odd, "dgt").signing_secret(odd);
        errors.push(acting.run_blocking(|| call(&client)).unwrap_err());
    }
    errors.push(
        client
            .prepare(&by_hand().metadata([(METADATA, f64::NAN)]))
            .unwrap_err(),
    );
    errors.push(
        client
            .prepare(&by_hand().metadata([(METADATA, 1), (METADATA, 2)]))
            .unwrap_err(),
    );
    client.close_blocking();
    drop(service);
    errors.push(call(&client).unwrap_err());
    for error in errors {
        assert_clean("an error", &format!("{error} {error:?} {error:#?}"));
    }
    quoted.close_blocking();
}

// ---- a subscriber that writes down everything ----

/// What the process logged. Tests of one process share it; the markers are this file's own.
static LINES: Mutex<String> = Mutex::new(String::new());

/// Everything that is logged while `body` runs (and by other tests beside it).
fn lines_of(body: impl FnOnce()) -> String {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Recorder::default()).unwrap());
    body();
    LINES.lock().unwrap().clone()
}

#[derive(Default)]
struct Recorder {
    next: AtomicU64,
}

struct Fields<'a>(&'a mut String);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

fn write_down(name: &str, record: impl FnOnce(&mut Fields<'_>)) {
    let mut lines = LINES.lock().unwrap();
    lines.push_str(name);
    record(&mut Fields(&mut lines));
    lines.push('\n');
}

impl tracing::Subscriber for Recorder {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        write_down(span.metadata().name(), |fields| span.record(fields));
        tracing::span::Id::from_u64(self.next.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        write_down("record", |fields| values.record(fields));
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        write_down(event.metadata().name(), |fields| event.record(fields));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
