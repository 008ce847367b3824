//! The hub on a bare engine: what a stream tells, to whom, and that it misses and doubles nothing.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use serde_json::{Value, json};
use sernixa_engine::{
    Agents, ApprovalId, Decision, Engine, Keep, MemoryStore, Moment, Principal, Request, Role,
    Timestamp,
};
use sernixa_store::SqliteStore;

use super::hub::{Hub, Limits};
use super::stream::{OpenError, Position, Still};

const PATIENCE: Duration = Duration::from_secs(20);

/// An engine, and moments for it.
#[derive(Clone)]
struct Bench {
    engine: Engine,
    drawn: Arc<AtomicU64>,
}

impl Bench {
    fn new(engine: Engine) -> Self {
        // Two of them on one file must not draw the same ids.
        let mut first = [0; 8];
        getrandom::fill(&mut first).unwrap();
        Self {
            engine,
            drawn: Arc::new(AtomicU64::new(u64::from_be_bytes(first))),
        }
    }

    fn moment(&self) -> Moment {
        let mut seed = [0; 32];
        let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
        seed[..8].copy_from_slice(&drawn.to_be_bytes());
        Moment::new(Timestamp::from_millis(1_778_000_000_000), seed)
    }

    fn hub(&self, limits: Limits) -> Hub {
        Hub::start(self.engine.clone(), limits, None).unwrap()
    }

    /// Something that waits for a person.
    fn ask(&self, caller: &Principal) -> ApprovalId {
        let body = json!({
            "intent_id": "intent",
            "action_id": "action",
            "metadata": {
                "risk_level": "high",
                "operation_class": "update",
                "data_sensitivity": "internal",
                "systems_touched": ["db"],
                "summary": "caf\u{e9}\u{2028}",
            },
        });
        let body = body.to_string();
        let request = Request::Submit { body: &body };
        let answer = self.engine.handle(caller, request, &self.moment());
        assert_eq!(answer.status, 202, "{}", answer.body);
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        ApprovalId::parse(answer["approval_id"].as_str().unwrap()).unwrap()
    }

    fn decide(&self, id: ApprovalId) {
        let reviewer = reviewer("acme");
        self.engine
            .decide(&reviewer, id, Decision::Approve, "seen", &self.moment())
            .unwrap();
    }

    fn open(&self, hub: &Hub, viewer: &Principal, position: Position) -> Told {
        self.open_while(hub, viewer, position, Arc::new(|| true))
            .unwrap()
    }

    fn open_while(
        &self,
        hub: &Hub,
        viewer: &Principal,
        position: Position,
        still: Still,
    ) -> Result<Told, OpenError> {
        let stream = hub.open(viewer.clone(), position, still, &self.moment())?;
        Ok(Told {
            frames: Box::pin(stream.frames().map(Result::unwrap)),
            comments: Vec::new(),
            last: None,
        })
    }

    fn head(&self, organisation: &str) -> u64 {
        self.engine.head(organisation).unwrap().seq
    }

    /// The numbers of all changes of an organisation.
    fn changes(&self, organisation: &str) -> Vec<u64> {
        let feed = self.engine.changes(organisation, 0, usize::MAX).unwrap();
        feed.changes
            .iter()
            .map(sernixa_engine::Change::seq)
            .collect()
    }
}

fn agent(organisation: &'static str, key: &'static str) -> Principal {
    Principal::new(organisation, key)
        .with(Role::Agent)
        .acting_as(Agents::Any)
}

fn reviewer(organisation: &'static str) -> Principal {
    Principal::new(organisation, "rita").with(Role::Reviewer)
}

/// A stream as a client reads it.
struct Told {
    frames: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    comments: Vec<String>,
    last: Option<u64>,
}

impl Told {
    /// The next frame: its id and its data, if it has them.
    async fn frame(&mut self) -> Option<(Option<u64>, Option<Value>)> {
        let next = tokio::time::timeout(PATIENCE, self.frames.next());
        let frame = next.await.expect("a frame in time")?;
        let text = std::str::from_utf8(&frame).unwrap();
        assert!(text.is_ascii() && text.ends_with("\n\n"), "{text:?}");
        let (mut id, mut data) = (None, None);
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix(": ") {
                self.comments.push(comment.to_owned());
            } else if let Some(number) = line.strip_prefix("id: ") {
                id = Some(number.parse().unwrap());
            } else if let Some(json) = line.strip_prefix("data: ") {
                data = Some(serde_json::from_str(json).unwrap());
            }
        }
        self.last = id.or(self.last);
        Some((id, data))
    }

    /// The next event; `None` at the end of the stream.
    async fn event(&mut self) -> Option<(u64, Value)> {
        loop {
            if let (id, Some(data)) = self.frame().await? {
                return Some((id.unwrap(), data));
            }
        }
    }

    /// The next event's number and what happened.
    async fn change(&mut self) -> (u64, String) {
        let (seq, data) = self.event().await.expect("an event");
        (seq, data["change"].as_str().unwrap_or("stands").to_owned())
    }

    /// The greeting, with the snapshot that stands behind it.
    async fn snapshot(&mut self) -> Vec<(u64, String)> {
        let mut records = Vec::new();
        loop {
            match self.frame().await.expect("a snapshot") {
                (Some(id), Some(data)) => {
                    assert!(data.get("change").is_none(), "{data}");
                    records.push((id, data["status"].as_str().unwrap().to_owned()));
                }
                // The block that says how far it goes.
                (Some(_), None) => return records,
                (None, _) => {}
            }
        }
    }
}

fn in_memory() -> Bench {
    Bench::new(Engine::builder().build().unwrap())
}

#[tokio::test]
async fn a_stream_begins_with_how_things_stand_and_goes_on_with_what_changes() {
    let bench = in_memory();
    let hub = bench.hub(Limits::default());
    let me = agent("acme", "key-1");
    let (waits, decided) = (bench.ask(&me), bench.ask(&me));
    bench.decide(decided);
    let head = bench.head("acme");
    let mut told = bench.open(&hub, &me, Position::Now);
    let standing = told.snapshot().await;
    let pending = (head, "pending_review".to_owned());
    assert_eq!(standing, [pending, (head, "approved".to_owned())]);
    bench.decide(waits);
    let (seq, data) = told.event().await.unwrap();
    assert_eq!((seq, &data["seq"]), (head + 1, &json!(head + 1)));
    assert_eq!(data["change"], "decided");
    assert_eq!(data["status"], "approved");
    assert_eq!(data["approval_id"], waits.to_string());
    assert_eq!(data["summary"], "caf\u{e9}\u{2028}");
    // What was asked of the requester stays with the record itself.
    assert!(data.get("metadata").is_none() && !data.to_string().contains("token"));
    hub.close();
    assert!(told.event().await.is_none());
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_and_nothing_twice() {
    let bench = in_memory();
    let hub = bench.hub(Limits::default());
    let me = agent("acme", "key-1");
    let first = bench.ask(&me);
    let mut told = bench.open(&hub, &me, Position::After(0));
    assert_eq!(told.change().await, (1, "asked".to_owned()));
    let last = told.last.unwrap();
    drop(told);
    bench.decide(first);
    bench.ask(&me);
    let mut told = bench.open(&hub, &me, Position::After(last));
    assert_eq!(told.change().await, (2, "decided".to_owned()));
    assert_eq!(told.change().await, (3, "asked".to_owned()));
    // And goes on with what happens now.
    bench.ask(&me);
    assert_eq!(told.change().await, (4, "asked".to_owned()));
    hub.close();
}

#[tokio::test]
async fn an_id_that_nothing_can_follow_gets_how_things_stand_and_a_word_about_it() {
    let bench = in_memory();
    let hub = bench.hub(Limits::default());
    let me = agent("acme", "key-1");
    bench.ask(&me);
    for position in [Position::Odd, Position::After(2), Position::After(u64::MAX)] {
        let mut told = bench.open(&hub, &me, position);
        assert_eq!(told.snapshot().await.len(), 1);
        assert!(
            told.comments[0].contains("no event of that id"),
            "{:?}",
            told.comments
        );
    }
    // Nothing is missing after the very last one.
    let mut told = bench.open(&hub, &me, Position::After(1));
    bench.ask(&me);
    assert_eq!(told.change().await, (2, "asked".to_owned()));
    hub.close();
}

#[tokio::test]
async fn what_is_no_longer_kept_is_not_passed_over_in_silence() {
    let keep = Keep {
        audit_events: 10,
        ..Keep::default()
    };
    let store = MemoryStore::keeping(keep);
    let bench = Bench::new(Engine::builder().store(store).build().unwrap());
    let hub = bench.hub(Limits::default());
    let me = agent("acme", "key-1");
    let ask = |many| {
        for _ in 0..many {
            bench.ask(&me);
        }
    };
    ask(1);
    let mut lags = bench.open(&hub, &me, Position::After(0));
    assert_eq!(lags.change().await.0, 1);
    ask(9_000);
    // It may get what the trail still holds, and then ends: no event is missing in between.
    let mut last = 1;
    while let Some((seq, _)) = lags.event().await {
        assert_eq!(seq, last + 1);
        last = seq;
        if last == 9_001 {
            break;
        }
    }
    let mut late = bench.open(&hub, &me, Position::After(1));
    assert!(!late.snapshot().await.is_empty());
    assert!(late.comments[0].contains("no event of that id"));
    hub.close();
}

#[tokio::test]
async fn nobody_sees_what_another_key_or_another_organisation_asked() {
    let bench = in_memory();
    let limits = Limits {
        heartbeat: Duration::from_millis(20),
        ..Limits::default()
    };
    let hub = bench.hub(limits);
    let (mine, theirs) = (agent("acme", "key-1"), agent("acme", "key-2"));
    let elsewhere = agent("other", "key-1");
    for key in [&mine, &theirs, &elsewhere] {
        bench.ask(key);
    }
    let mut own = bench.open(&hub, &mine, Position::Now);
    let mut all = bench.open(&hub, &reviewer("acme"), Position::Now);
    let mut auditor = Principal::new("other", "audrey").with(Role::Auditor);
    let mut other = bench.open(&hub, &auditor, Position::Now);
    auditor = Principal::new("third", "audrey").with(Role::Admin);
    let mut nothing = bench.open(&hub, &auditor, Position::Now);
    assert_eq!(own.snapshot().await.len(), 1);
    assert_eq!(all.snapshot().await.len(), 2);
    assert_eq!(other.snapshot().await.len(), 1);
    assert_eq!(nothing.snapshot().await.len(), 0);
    bench.ask(&theirs);
    let last = bench.ask(&mine);
    bench.ask(&elsewhere);
    // The replay of all there is obeys the same rule as what happens now.
    let mut again = bench.open(&hub, &mine, Position::After(0));
    assert_eq!(again.change().await.0, 1);
    assert_eq!(
        again.event().await.unwrap().1["approval_id"],
        last.to_string()
    );
    let (seq, data) = own.event().await.unwrap();
    assert_eq!((seq, &data["approval_id"]), (4, &json!(last.to_string())));
    assert_eq!(all.change().await.0, 3);
    assert_eq!(all.change().await.0, 4);
    assert_eq!(other.change().await.0, 2);
    // What is not for a stream moves it on all the same, and says so with a sign of life.
    bench.ask(&theirs);
    let moved = loop {
        match own.frame().await.unwrap() {
            (Some(id), None) => break id,
            (None, None) => {}
            other => panic!("told {other:?}"),
        }
    };
    assert_eq!(moved, 5);
    for _ in 0..3 {
        assert!(matches!(nothing.frame().await, Some((_, None))));
    }
    hub.close();
}

#[tokio::test]
async fn the_stream_of_a_key_that_was_revoked_ends_whether_its_client_reads_or_not() {
    let bench = in_memory();
    let limits = Limits {
        key_check: Duration::from_millis(20),
        ..Limits::default()
    };
    let hub = bench.hub(limits);
    let me = agent("acme", "key-1");
    let good = Arc::new(AtomicBool::new(true));
    let still: Still = {
        let good = Arc::clone(&good);
        Arc::new(move || good.load(Ordering::SeqCst))
    };
    let open = || {
        bench
            .open_while(&hub, &me, Position::Now, Arc::clone(&still))
            .unwrap()
    };
    let (mut reads, mut lags) = (open(), open());
    reads.snapshot().await;
    for _ in 0..3 {
        bench.ask(&me);
        reads.change().await;
    }
    good.store(false, Ordering::SeqCst);
    assert!(reads.event().await.is_none());
    // What lay ready for the one that did not read is not told any more.
    tokio::time::sleep(limits.key_check).await;
    assert!(lags.event().await.is_none());
    drop((reads, lags));
    assert_eq!(hub.streams(), 0);
    hub.close();
}

#[tokio::test]
async fn there_are_only_so_many_streams_of_a_key_and_in_all() {
    let bench = in_memory();
    let limits = Limits {
        streams: 3,
        streams_of_key: 2,
        ..Limits::default()
    };
    let hub = bench.hub(limits);
    let open = |key| bench.open_while(&hub, &agent("acme", key), Position::Now, Arc::new(|| true));
    let held = [open("a").unwrap(), open("a").unwrap()];
    assert!(matches!(open("a"), Err(OpenError::TooMany)));
    let _other = open("b").unwrap();
    assert!(matches!(open("c"), Err(OpenError::TooMany)));
    drop(held);
    assert!(open("a").is_ok());
    hub.close();
    assert!(matches!(open("a"), Err(OpenError::Closing)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_cut_off_at_random_under_load_misses_nothing_and_hears_nothing_twice() {
    const EACH: usize = 150;
    let bench = in_memory();
    let hub = bench.hub(Limits::default());
    let me = agent("acme", "key-1");
    let working: Vec<_> = ["key-1", "key-2", "key-1"]
        .into_iter()
        .map(|key| {
            let (bench, key) = (bench.clone(), agent("acme", key));
            std::thread::spawn(move || {
                for _ in 0..EACH {
                    let id = bench.ask(&key);
                    bench.decide(id);
                }
            })
        })
        .collect();
    // Of `key-1`: asked and decided, by two threads.
    let expected = 2 * 2 * EACH;
    let (mut heard, mut last, mut breaks) = (Vec::new(), 0, 0_u32);
    while heard.len() < expected {
        let mut told = bench.open(&hub, &me, Position::After(last));
        let mut byte = [0];
        getrandom::fill(&mut byte).unwrap();
        for _ in 0..=byte[0] % 23 {
            if heard.len() == expected {
                break;
            }
            heard.push(told.event().await.expect("an event").0);
        }
        last = told.last.unwrap();
        breaks += 1;
    }
    for thread in working {
        thread.join().unwrap();
    }
    assert!(heard.is_sorted(), "out of order");
    let distinct: BTreeSet<_> = heard.iter().copied().collect();
    assert_eq!(distinct.len(), heard.len(), "told twice");
    let own =
        |seq: &u64| bench.engine.changes("acme", seq - 1, 1).unwrap().changes[0].key() == "key-1";
    let all: Vec<_> = bench.changes("acme").into_iter().filter(own).collect();
    assert_eq!(heard, all, "missed");
    println!("{} events over {breaks} breaks", heard.len());
    hub.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_fell_behind_all_that_is_kept_reads_on_from_the_store() {
    const MANY: u64 = 9_000;
    let bench = in_memory();
    let hub = bench.hub(Limits::default());
    let me = agent("acme", "key-1");
    let mut lags = bench.open(&hub, &me, Position::Now);
    let mut live = bench.open(&hub, &me, Position::Now);
    lags.snapshot().await;
    let asking = {
        let (bench, me) = (bench.clone(), me.clone());
        std::thread::spawn(move || {
            (0..MANY).for_each(|_| {
                bench.ask(&me);
            });
        })
    };
    // The one that reads is not slowed by the one that does not.
    for seq in 1..=MANY {
        assert_eq!(live.change().await.0, seq);
    }
    asking.join().unwrap();
    for seq in 1..=MANY {
        assert_eq!(lags.change().await.0, seq);
    }
    hub.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_decides_on_the_same_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sernixa.db");
    let open = || {
        let store = SqliteStore::open(&path).unwrap();
        Bench::new(Engine::builder().store(store).build().unwrap())
    };
    let (here, there) = (open(), open());
    let hub = here.hub(Limits::default());
    let me = agent("acme", "key-1");
    let id = here.ask(&me);
    let mut told = here.open(&hub, &me, Position::Now);
    assert_eq!(told.snapshot().await.len(), 1);
    let begun = std::time::Instant::now();
    there.decide(id);
    let (_, data) = told.event().await.unwrap();
    println!("told after {:?}", begun.elapsed());
    assert_eq!(data["status"], "approved");
    // And one that was asked there, of the same key.
    let other = there.ask(&me);
    assert_eq!(
        told.event().await.unwrap().1["approval_id"],
        other.to_string()
    );
    hub.close();
}

#[test]
fn a_watcher_hears_every_change_of_every_organisation_from_the_start_on() {
    let bench = in_memory();
    bench.ask(&agent("acme", "key-1"));
    let (tell, heard) = std::sync::mpsc::channel();
    let watcher = move |change: &sernixa_engine::Change| {
        let told = (change.organisation().to_owned(), change.seq());
        tell.send(told).unwrap();
    };
    let limits = Limits::default();
    let hub = Hub::start(bench.engine.clone(), limits, Some(Box::new(watcher))).unwrap();
    bench.ask(&agent("acme", "key-1"));
    bench.ask(&agent("new", "key-1"));
    let mut told = [
        heard.recv_timeout(PATIENCE).unwrap(),
        heard.recv_timeout(PATIENCE).unwrap(),
    ];
    told.sort();
    assert_eq!(told, [("acme".to_owned(), 2), ("new".to_owned(), 1)]);
    assert!(heard.try_recv().is_err());
    hub.close();
}
