//! A person at the other side: decides what waits, as the intent's first word says.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::client::Caller;

/// How often the reviewer looks.
const LOOK: Duration = Duration::from_millis(25);

/// Decides until dropped. `approve.…` and `reject.…` are decided so, `approve-three.…` is approved
/// three times per intent; the rest waits.
pub struct Reviewer {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reviewer {
    pub fn start(caller: Caller) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let done = Arc::clone(&done);
            move || {
                let mut taught = HashMap::new();
                while !done.load(Ordering::Relaxed) {
                    // The service may be down: a test that kills it goes on.
                    if let Ok(answer) = caller.try_get("/api/approvals/pending?limit=100")
                        && answer.status == 200
                    {
                        look(&caller, &answer.json(), &mut taught);
                    }
                    std::thread::sleep(LOOK);
                }
            }
        });
        Self {
            done,
            thread: Some(thread),
        }
    }
}

fn look(caller: &Caller, pending: &serde_json::Value, taught: &mut HashMap<String, u32>) {
    for record in pending.as_array().unwrap() {
        let id = record["approval_id"].as_str().unwrap();
        let intent = record["intent_id"].as_str().unwrap();
        let decision = match intent.split('.').next() {
            Some("approve") => "approved",
            Some("reject") => "rejected",
            Some("approve-three") => {
                let times = taught.entry(intent.to_owned()).or_default();
                *times += 1;
                if *times > 3 {
                    continue;
                }
                "approved"
            }
            _ => continue,
        };
        let body = serde_json::json!({"decision": decision, "reason": "seen by a test"});
        let _ = caller.try_post(&format!("/api/approvals/{id}/decision"), &body);
    }
}

impl Drop for Reviewer {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended {
            assert!(std::thread::panicking(), "the reviewer panicked");
        }
    }
}
