//! A scripted HTTP/1.x server on loopback, raw on purpose: no HTTP library, so that it can misbehave.
//!
//! ```ignore
//! let server = Server::start(|request| match request.path() {
//!     "/api/actions/execute" => Reply::json(202, r#"{"approval_id":"a1"}"#),
//!     "/api/approvals/a1" if request.nth == 1 => Reply::new(500),
//!     _ => Reply::json(200, r#"{"status":"approved","approval_id":"a1"}"#).in_pieces_of(3),
//! });
//! let client = Client::builder().base_url(server.url())…;
//! …
//! server.wait_for("GET", "/api/approvals/a1", 2);   // no sleeping: returns when it has come
//! ```
//!
//! One thread per connection; requests on a connection are answered in turn, so a script may block
//! (on a [`Latch`](super::latch::Latch)) and hold only its own connection. A panic in the script
//! fails the test: at the latest when the server is dropped.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::latch::PATIENCE;
pub use super::reply::Reply;
use super::reply::Then;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// How many requests with this method and path have come so far, with this one: 1 is the first.
    pub nth: usize,
    pub method: String,
    /// As on the request line: percent-encoded, with its query.
    pub target: String,
    /// In order; names as sent.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; panics (and so fails the test) when it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a request body that is JSON")
    }
}

/// Decides what to answer.
type Script = dyn Fn(&Request) -> Reply + Send + Sync;

/// What the threads of one server share.
struct Shared {
    script: Box<Script>,
    state: Mutex<State>,
    /// Rung for each request, each closed connection, and at the end.
    bell: Condvar,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    counts: HashMap<(String, String), usize>,
    open: HashMap<usize, TcpStream>,
    accepted: usize,
    panic: Option<String>,
    closing: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `ready` gives something; panics after [`PATIENCE`], or when the script has.
    fn wait<T>(&self, what: &str, mut ready: impl FnMut(&State) -> Option<T>) -> T {
        let mut state = self.state();
        loop {
            assert!(
                state.panic.is_none(),
                "the script panicked: {:?}",
                state.panic
            );
            if let Some(found) = ready(&state) {
                return found;
            }
            let (next, wait) = self.bell.wait_timeout(state, PATIENCE).unwrap();
            state = next;
            if wait.timed_out() {
                let seen: Vec<_> = state
                    .requests
                    .iter()
                    .map(|r| format!("{} {}", r.method, r.target))
                    .collect();
                drop(state);
                panic!("waited {PATIENCE:?} for {what}; seen: {seen:?}");
            }
        }
    }

    /// A pause that the end of the server cuts short.
    fn pause(&self, length: Duration) {
        if !length.is_zero() {
            let state = self.state();
            drop(
                self.bell
                    .wait_timeout_while(state, length, |state| !state.closing),
            );
        }
    }
}

/// The server; dropping it closes everything.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port of 127.0.0.1 and answers each request by `script`.
    pub fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            state: Mutex::default(),
            bell: Condvar::new(),
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// Answers the requests with `replies` in order of arrival; one more request fails the test.
    pub fn queue(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies = Mutex::new(
            replies
                .into_iter()
                .collect::<std::collections::VecDeque<_>>(),
        );
        Self::start(move |request| {
            let next = replies
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            next.unwrap_or_else(|| {
                panic!("no reply left for {} {}", request.method, request.target)
            })
        })
    }

    /// `http://127.0.0.1:port`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// The same, and forgets them and their counts: the next request of a path is its first again.
    pub fn take_requests(&self) -> Vec<Request> {
        let mut state = self.shared.state();
        state.counts.clear();
        std::mem::take(&mut state.requests)
    }

    /// The requests so far with this method and exact path.
    pub fn requests_to(&self, method: &str, path: &str) -> Vec<Request> {
        let mut all = self.requests();
        all.retain(|request| request.method == method && request.path() == path);
        all
    }

    /// Waits for the `nth` request (from 1) with this method and exact path.
    pub fn wait_for(&self, method: &str, path: &str, nth: usize) -> Request {
        self.shared
            .wait(&format!("request {nth} to {method} {path}"), |state| {
                let mut matching = state
                    .requests
                    .iter()
                    .filter(|r| r.method == method && r.path() == path);
                matching.nth(nth - 1).cloned()
            })
    }

    /// Waits until `enough` holds for the requests so far.
    pub fn wait_until(&self, what: &str, mut enough: impl FnMut(&[Request]) -> bool) {
        self.shared
            .wait(what, |state| enough(&state.requests).then_some(()));
    }

    /// How many connections were ever accepted.
    pub fn accepted(&self) -> usize {
        self.shared.state().accepted
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.shared.state().open.len()
    }

    /// Waits until no more than `n` connections are open.
    pub fn wait_for_open(&self, n: usize) {
        self.shared
            .wait(&format!("at most {n} open connections"), |state| {
                (state.open.len() <= n).then_some(())
            });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.closing = true;
        for stream in state.open.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(state);
        self.shared.bell.notify_all();
        let _ = TcpStream::connect(self.address); // wakes `accept`, which sees that it is over
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        let panic = self.shared.state().panic.take();
        if let Some(message) = panic
            && !thread::panicking()
        {
            panic!("the server's script panicked: {message}");
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        let mut state = shared.state();
        if state.closing {
            return;
        }
        let Ok(stream) = stream else { continue };
        let connection = state.accepted;
        state.accepted += 1;
        state.open.insert(connection, stream.try_clone().unwrap());
        drop(state);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // A client that goes away in the middle is the client's right: errors end the connection.
            let _ = serve(&stream, connection, &shared);
            shared.state().open.remove(&connection);
            shared.bell.notify_all();
        });
    }
}

fn serve(stream: &TcpStream, connection: usize, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read_request(&mut reader, connection, shared)? {
        let reply = match catch_unwind(AssertUnwindSafe(|| (shared.script)(&request))) {
            Ok(reply) => reply,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text
                    .or_else(|| panic.downcast_ref::<&str>().copied())
                    .unwrap_or("?");
                shared.state().panic = Some(text.to_owned());
                shared.bell.notify_all();
                return Ok(());
            }
        };
        write_reply(stream, &reply, shared)?;
        match reply.then {
            Then::KeepOpen => {}
            Then::Close => {
                stream.shutdown(Shutdown::Write)?;
                // Read what is left, lest an unread byte turn the close into a reset.
                return std::io::copy(&mut reader, &mut std::io::sink()).map(drop);
            }
            Then::Reset => {
                shared.state().open.remove(&connection);
                return socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
            }
            Then::Hang => return std::io::copy(&mut reader, &mut std::io::sink()).map(drop),
        }
    }
    Ok(())
}

fn read_request(
    reader: &mut BufReader<TcpStream>,
    connection: usize,
    shared: &Shared,
) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Request {
        connection,
        nth: 0,
        method,
        target,
        headers,
        body: Vec::new(),
    };
    let length = request
        .header("content-length")
        .map_or(0, |n| n.parse().expect("a length"));
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body)?;

    let mut state = shared.state();
    let count = state
        .counts
        .entry((request.method.clone(), request.path().to_owned()))
        .or_default();
    *count += 1;
    request.nth = *count;
    state.requests.push(request.clone());
    drop(state);
    shared.bell.notify_all();
    Ok(Some(request))
}

fn write_reply(mut stream: &TcpStream, reply: &Reply, shared: &Shared) -> std::io::Result<()> {
    let mut wire = reply.wire().repeat(reply.copies);
    wire.truncate(reply.cut.unwrap_or(usize::MAX));
    shared.pause(reply.after);
    let Some((size, pause)) = reply.pieces else {
        return stream.write_all(&wire);
    };
    for (n, piece) in wire.chunks(size.max(1)).enumerate() {
        if n > 0 {
            shared.pause(pause);
        }
        stream.write_all(piece)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &Server, path: &str) -> String {
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"
        )
        .unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn it_answers_by_script_and_remembers_what_came() {
        let server = Server::start(|request| {
            assert_eq!(request.json(), serde_json::json!({}));
            Reply::json(200 + u16::try_from(request.nth).unwrap(), "hello")
                .chunked()
                .close()
        });
        let answer = ask(&server, "/a?b");
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        assert!(
            answer.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
            "{answer}"
        );
        assert!(ask(&server, "/a").starts_with("HTTP/1.1 202 "));
        assert_eq!(server.wait_for("POST", "/a", 2).connection, 1);
        assert_eq!(server.requests_to("POST", "/a").len(), 2);
        server.wait_for_open(0);
    }

    #[test]
    fn a_cut_answer_ends_where_it_was_cut() {
        let server = Server::start(|_| Reply::json(200, "0123456789").cut_body_at(3));
        assert!(ask(&server, "/").ends_with("\r\n\r\n012"));
        let server = Server::start(|_| Reply::reset_unanswered());
        assert_eq!(ask(&server, "/"), "");
    }

    #[test]
    #[should_panic(expected = "no reply left for POST /more")]
    fn a_panic_in_the_script_fails_the_test() {
        let server = Server::queue([]);
        assert_eq!(ask(&server, "/more"), "");
    }
}
