//! Services that are none, or behave oddly: raw bytes for each request.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A service that answers each request with what `answer` makes of its head.
pub struct Stub {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

/// A head of a request: first line and headers, in lower case.
pub type Head = String;

impl Stub {
    /// `answer` gets the head and body of a request, and the connection. It answers and closes.
    pub fn new(answer: impl Fn(&str, &str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&heads), Arc::new(answer));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let Ok(connection) = connection else { break };
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let Some((head, body)) = read(&connection) else {
                        return;
                    };
                    seen.lock().unwrap().push(head.clone());
                    answer(&head, &body, &mut { connection });
                });
            }
        });
        Self { address, heads }
    }

    /// One that answers every request with this JSON.
    pub fn json(status: u16, body: &'static str) -> Self {
        Self::new(move |_, _, out| json(out, status, body))
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests so far.
    pub fn heads(&self) -> Vec<Head> {
        self.heads.lock().unwrap().clone()
    }
}

fn read(connection: &TcpStream) -> Option<(Head, String)> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim_end().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head.to_lowercase(), String::from_utf8(body).unwrap()))
}

/// Answers with JSON.
pub fn json(out: &mut TcpStream, status: u16, body: &str) {
    let head = "content-type: application/json\r\nconnection: close";
    raw(out, status, head, body);
}

/// Answers with these headers.
pub fn raw(out: &mut TcpStream, status: u16, head: &str, body: &str) {
    let length = body.len();
    // A client that has gone is no fault of ours.
    let _ = write!(
        out,
        "HTTP/1.1 {status} X\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
}
