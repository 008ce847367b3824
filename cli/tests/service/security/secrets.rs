//! Secrets are planted, everything is exercised, and then every place is searched for them.

use std::sync::Mutex;

use serde_json::json;

use crate::security::operations;
use crate::support::asked::{Asked, Waiting, unique};
use crate::support::client::Caller;
use crate::support::house::{House, SIGNING_KEY_ID, SIGNING_SECRET, WEBHOOK_SECRET, root_token};
use crate::support::http::{self, Answer};
use crate::support::receiver::Receiver;
use crate::support::sdk;

/// A path that nobody could guess.
const HOOK_PATH: &str = "hooks/51d0a7c3e9b84f26";

/// Everything that was answered, but for the one answer that a secret belongs in.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Heard {
    fn hear(&self, answer: Answer) -> Answer {
        self.0
            .lock()
            .unwrap()
            .push(format!("{:?} {}", answer.headers, answer.body));
        answer
    }
}

/// What must not be found, and what it is.
struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    fn plant(&mut self, what: &str, secret: &[u8]) {
        assert!(
            secret.len() >= 16,
            "too short to be told from chance: {what}"
        );
        self.0.push((what.to_owned(), secret.to_vec()));
    }

    #[track_caller]
    fn absent(&self, place: &str, bytes: &[u8]) {
        for (what, secret) in &self.0 {
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{what} stands in {place}");
        }
    }
}

#[test]
fn no_secret_is_in_a_log_a_file_or_another_answer() {
    let receiver = Receiver::start();
    let hook = format!("http://{}/{HOOK_PATH}", receiver.address);
    let house = House::production()
        .webhook(&hook)
        .flags(&["--log-level", "trace"]);
    let keys = [
        house.key("agent", "ann", &["worker-agent"]),
        house.key("reviewer", "rita", &[]),
        house.key("admin,auditor", "olga", &[]),
    ];
    let mut serve = house.serve();
    let heard = Heard::default();
    let callers = keys.each_ref().map(|key| serve.caller(key));
    let [agent, reviewer, admin] = &callers;

    let mut secrets = Secrets(Vec::new());
    for key in &keys {
        secrets.plant("an API key", key.as_bytes());
    }
    secrets.plant("the signing secret", SIGNING_SECRET.as_bytes());
    secrets.plant("the webhook secret", WEBHOOK_SECRET.as_bytes());
    let key_files = house.key_files();
    assert!(
        key_files.len() >= 2,
        "the claim key and the audit key: {key_files:?}"
    );
    for (name, key) in key_files {
        secrets.plant(&name, key.trim_ascii_end());
    }

    let mut ask = |intent: &str| -> Waiting {
        let waiting = agent.ask(&Asked::new(intent).with("note", "for the reviewer"));
        secrets.plant("a claim token", waiting.token.as_bytes());
        waiting
    };
    let (claimed, refused) = (ask("claimed"), ask("refused"));
    let (withdrawn, left) = (ask("withdrawn"), ask("left"));
    heard.hear(reviewer.decide(&claimed.id, "approved"));
    heard.hear(reviewer.decide(&refused.id, "rejected"));
    for waiting in [&claimed, &refused, &left] {
        heard.hear(agent.claim(waiting, &unique()));
        let report = json!({
            "approval_id": waiting.id,
            "claim_token": waiting.token,
            "outcome": "succeeded",
            "duration_ms": 1,
        });
        heard.hear(agent.post("/api/approvals/outcomes", &json!({"outcomes": [report]})));
    }
    let path = format!("/api/approvals/{}/withdraw", withdrawn.id);
    heard.hear(agent.post(&path, &json!({"claim_token": withdrawn.token})));
    delegate(admin, agent);
    for caller in &callers {
        everything(caller, &heard, &[&claimed, &refused, &withdrawn, &left]);
    }
    misplace(agent, &left, &heard);

    // Not even its receiver is told the webhook's secret: it is signed with it.
    let notice = receiver.next();
    assert!(
        notice.contains(HOOK_PATH) && notice.contains("apr_"),
        "{notice}"
    );
    secrets.absent("a webhook", notice.as_bytes());
    for answer in heard.0.into_inner().unwrap() {
        secrets.absent(&answer, answer.as_bytes());
    }
    // The URL of a webhook often holds a token; here it may stand nowhere but in the webhook.
    secrets.plant("the webhook's path", HOOK_PATH.as_bytes());
    let files = house.files_of_the_store();
    assert_eq!(files.len(), 3, "database, log and index, while it runs");
    for (name, bytes) in files {
        secrets.absent(&name, &bytes);
    }
    assert!(serve.terminate().success());
    for (name, bytes) in house.files_of_the_store() {
        secrets.absent(&name, &bytes);
    }
    let log = serve.log();
    assert!(
        log.contains("/api/actions/execute"),
        "there is a log: {log}"
    );
    secrets.absent("the log", log.as_bytes());
}

/// Secrets where they do not belong.
fn misplace(agent: &Caller, waiting: &Waiting, heard: &Heard) {
    let get = |path: &str, key: &str| {
        heard.hear(http::send(agent.address, "GET", path, Some(key), None).unwrap());
    };
    let key = &agent.key;
    get(&format!("/api/{key}"), key);
    get(&format!("/api/approvals/{key}"), key);
    get(
        &format!("/api/approvals/pending?key={key}&limit={key}"),
        key,
    );
    get("/api/auth/whoami", &format!("{key}x"));
    let body = json!({"claim_token": waiting.token, "agent": key});
    heard.hear(agent.post("/api/actions/execute", &body));
    heard.hear(agent.post("/api/approvals/outcomes", &body));
    let path = format!("/api/approvals/{}/claim", waiting.id);
    heard.hear(agent.post(&path, &json!({"claim_token": [waiting.token]})));
}

/// Every operation, with the ids that exist.
fn everything(caller: &Caller, heard: &Heard, known: &[&Waiting]) {
    for (method, path) in operations(caller) {
        if path.ends_with("/approvals/events") {
            continue;
        }
        heard.hear(
            http::send(
                caller.address,
                &method,
                &path,
                Some(&caller.key),
                Some("{}"),
            )
            .unwrap(),
        );
    }
    for waiting in known {
        heard.hear(caller.get(&format!("/api/approvals/{}", waiting.id)));
        let bundle =
            heard.hear(caller.get(&format!("/api/evidence-bundles/approvals/{}", waiting.id)));
        heard.hear(
            http::send(
                caller.address,
                "POST",
                "/api/evidence-bundles/verify",
                Some(&caller.key),
                Some(&bundle.body),
            )
            .unwrap(),
        );
    }
}

/// A delegated call with the signing secret, once as it should be and once signed by another.
fn delegate(admin: &Caller, agent: &Caller) {
    let token = root_token(admin, "worker-agent");
    for secret in [SIGNING_SECRET, "another secret altogether"] {
        let client = sdk::builder(agent.address, &agent.key)
            .poll_timeout(std::time::Duration::ZERO)
            .build()
            .unwrap();
        let delegation = sernixa::delegation::Delegation::new("worker-agent", &token)
            .signing_secret(secret.to_owned())
            .key_id(SIGNING_KEY_ID);
        let ended = delegation
            .run_blocking(|| client.run(&sdk::payment("pay"), || Ok::<_, sernixa::Error>(())));
        ended.unwrap_err();
    }
}
