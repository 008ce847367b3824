//! The embedded engine on a file: what outlives a process, and what several processes share.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use sernixa::embedded::engine::{self, Moment, Principal, Settings, Timestamp};
use sernixa::embedded::{Decision, Engine, Record, SqliteStore};
use sernixa::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel};

/// Long enough for a busy machine, and far less than the 30 s after which a waiter looks by itself.
const SOON: Duration = Duration::from_secs(15);

/// A client of `embedded:FILE`, with variables of its own.
fn client_with(file: &Path, binding_key: Option<&'static str>) -> Client {
    let mut url = OsString::from("embedded:");
    url.push(file);
    Client::builder()
        .environment(move |name| match name {
            "SERNIXA_BASE_URL" => Some(url.clone()),
            "SERNIXA_BINDING_KEY" => binding_key.map(Into::into),
            _ => None,
        })
        .build()
        .unwrap()
}

fn client(file: &Path) -> Client {
    client_with(file, None)
}

/// The engine behind the file, as another program has it.
fn engine(file: &Path) -> Engine {
    Engine::builder()
        .store(SqliteStore::open(file).unwrap())
        .settings(Settings::local())
        .build()
        .unwrap()
}

fn action(risk: RiskLevel) -> Action {
    Action::new("restart")
        .risk(risk)
        .class(OperationClass::Execute)
        .sensitivity(DataSensitivity::Internal)
        .systems(["cluster"])
        .arguments(vec![("node".into(), "web-1".into())])
}

fn resumable() -> Action {
    action(RiskLevel::High).resume_key("restart-web-1")
}

fn moment() -> Moment {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(&now.as_nanos().to_be_bytes());
    Moment::new(
        Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap()),
        seed,
    )
}

/// Waits until something is pending, and returns it.
fn pending(engine: &Engine) -> Record {
    let end = Instant::now() + SOON;
    let mut follower = engine.follow().unwrap();
    loop {
        let mut waiting = engine.pending(&Principal::local(), 9, &moment()).unwrap();
        if let Some(first) = waiting.pop() {
            return first;
        }
        assert!(Instant::now() < end, "nothing is pending");
        while follower.news().unwrap().is_empty() && Instant::now() < end {
            std::thread::yield_now();
        }
    }
}

fn approve(engine: &Engine, record: &Record) {
    let (me, id) = (Principal::local(), record.approval_id());
    engine
        .decide(&me, id, engine::Decision::Approve, "seen", &moment())
        .unwrap();
}

/// A call on a thread of its own, and how it ends.
fn call(client: &Client, action: Action) -> JoinHandle<Result<(), Error>> {
    let client = client.clone();
    std::thread::spawn(move || client.run(&action, || Ok::<_, Error>(())))
}

/// Another process of this test binary that plays a part of [`other_process`].
struct Other {
    child: Child,
    says: Receiver<String>,
}

impl Other {
    fn start(part: &str, file: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "embedded_file::other_process", "--ignored"])
            .args(["--nocapture", "--test-threads=1"])
            .env("TEST_PART", part)
            .env("TEST_FILE", file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (said, says) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(word) = line.strip_prefix("SAID: ") {
                    let _ = said.send(word.to_owned());
                }
            }
        });
        Self { child, says }
    }

    fn says(&self) -> String {
        self.says
            .recv_timeout(SOON)
            .expect("the other process says something")
    }

    /// `kill -9`.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test of its own: what the others run in another process.
#[test]
#[ignore = "started by the other tests, with a part to play"]
fn other_process() {
    let file = PathBuf::from(std::env::var_os("TEST_FILE").unwrap());
    match &*std::env::var("TEST_PART").unwrap() {
        "ask" => {
            let client = client(&file);
            println!("\nSAID: asking");
            let end = client.run(&resumable(), || Ok::<_, Error>(()));
            println!(
                "\nSAID: {}",
                end.map_or_else(|error| error.to_string(), |()| "ran".into())
            );
            client.close_blocking();
        }
        "decide" => {
            let engine = engine(&file);
            let waiting = pending(&engine);
            approve(&engine, &waiting);
            println!("\nSAID: approved");
        }
        other => panic!("no part {other}"),
    }
}

#[test]
fn without_a_terminal_a_call_on_a_file_waits_for_a_decision_of_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my approvals.db");
    let client = client(&file);
    let waiting = call(&client, action(RiskLevel::High));
    let began = Instant::now();
    let other = Other::start("decide", &file);
    assert_eq!(other.says(), "approved");
    waiting.join().unwrap().unwrap();
    assert!(
        began.elapsed() < SOON,
        "it was woken, and did not wait for its next look"
    );
    client.close_blocking();
    let engine = engine(&file);
    let report = engine.verify_audit(&Principal::local(), &[]).unwrap();
    assert!(report.is_valid() && report.events > 3, "{report:?}");
}

#[test]
fn what_was_pending_when_a_process_was_killed_is_taken_up_by_its_resume_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("approvals.db");
    let other = Other::start("ask", &file);
    assert_eq!(other.says(), "asking");
    let engine = engine(&file);
    let asked = pending(&engine);
    other.kill();

    let client = client(&file);
    let mut follower = engine.follow().unwrap();
    let again = call(&client, resumable());
    let is_resumed = |change: &engine::Change| {
        change.kind() == engine::ChangeKind::Resumed && change.approval_id() == asked.approval_id()
    };
    let end = Instant::now() + SOON;
    while !follower.news().unwrap().iter().any(is_resumed) {
        assert!(Instant::now() < end, "it is not taken up");
        std::thread::yield_now();
    }
    approve(&engine, &asked);
    again.join().unwrap().unwrap();
    let record = engine
        .record(&Principal::local(), asked.approval_id(), &moment())
        .unwrap();
    assert_eq!(record.execution().as_str(), "succeeded");
    client.close_blocking();
}

#[test]
fn a_call_that_another_process_takes_up_ends_here_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("approvals.db");
    let engine = engine(&file);
    let client = client(&file);
    let waiting = call(&client, resumable());
    let asked = pending(&engine);
    let other = Other::start("ask", &file);
    assert_eq!(other.says(), "asking");
    let began = Instant::now();
    let error = waiting.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::Replay(_)), "{error}");
    assert!(
        began.elapsed() < SOON,
        "it was woken, and did not wait for its next look"
    );
    approve(&engine, &asked);
    assert_eq!(other.says(), "ran");
    client.close_blocking();
}

#[test]
fn memory_and_binding_key_outlive_the_client_and_a_configured_key_beats_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("approvals.db");
    let engine = engine(&file);
    for _ in 0..3 {
        let client = client(&file);
        let waiting = call(&client, action(RiskLevel::Medium));
        approve(&engine, &pending(&engine));
        waiting.join().unwrap().unwrap();
        client.close_blocking();
    }
    let own = client(&file);
    own.run(&action(RiskLevel::Medium), || Ok::<_, Error>(()))
        .expect("three approvals are remembered");
    own.close_blocking();
    // Under another key the arguments digest to something else: a call that nobody has approved.
    let other = client_with(&file, Some("another binding key"));
    let waiting = call(&other, action(RiskLevel::Medium));
    approve(&engine, &pending(&engine));
    waiting.join().unwrap().unwrap();
    other.close_blocking();
}

#[test]
fn what_nobody_waits_for_any_more_ends_in_time_while_another_call_waits() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("approvals.db");
    let engine = Engine::builder()
        .store(SqliteStore::open(&file).unwrap())
        .settings(Settings {
            ttl: Duration::from_secs(1),
            ..Settings::local()
        })
        .build()
        .unwrap();
    let body = r#"{"intent_id":"invoices","action_id":"pay","metadata":{"risk_level":"high",
        "operation_class":"financial","data_sensitivity":"financial","systems_touched":["bank"]}}"#;
    let orphan = engine::Request::Submit { body };
    assert_eq!(
        engine.handle(&Principal::local(), orphan, &moment()).status,
        202
    );
    let (tell, told) = channel();
    let _subscription = engine.subscribe(Box::new(move |change| {
        if change.kind() == engine::ChangeKind::Expired {
            let _ = tell.send(change.record().action_id().to_owned());
        }
    }));
    let client = Client::builder()
        .environment(|_| None)
        .engine(engine)
        .reviewer(|_: &Record| Decision::leave())
        .build()
        .unwrap();
    let waiting = call(&client, action(RiskLevel::High));
    assert_eq!(told.recv_timeout(SOON).unwrap(), "pay");
    let error = waiting.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::Expired(_)), "{error}");
    client.close_blocking();
}

#[cfg(unix)]
#[test]
fn what_is_made_beside_a_program_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("approvals.db");
    let client = client(&file);
    let read = action(RiskLevel::Low).class(OperationClass::Read);
    client.run(&read, || Ok::<_, Error>(())).unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    let made = ["", "-shm", "-wal", ".binding-key", ".claim-key"];
    assert_eq!(names, made.map(|end| format!("approvals.db{end}")));
    client.close_blocking();
}

#[test]
fn a_client_that_ends_leaves_all_of_it_in_the_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.db");
    let client = client(&file);
    let look = action(RiskLevel::Low).class(OperationClass::Read);
    client.run(&look, || Ok::<_, Error>(())).unwrap();
    drop(client);
    // Its driver is a thread of its own, which lets go soon.
    let log = folder.path().join("agent.db-wal");
    let end = Instant::now() + SOON;
    while log.exists() {
        assert!(Instant::now() < end, "somebody holds the store");
        std::thread::yield_now();
    }
}
