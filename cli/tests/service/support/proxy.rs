//! A proxy that loses answers: the service does what it was asked, and the caller never hears.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Forwards requests; the answers to the first `lose` requests whose path ends so are cut off.
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    upstream: SocketAddr,
    end: &'static str,
    seen: AtomicUsize,
    lose: usize,
}

impl Proxy {
    pub fn losing(upstream: SocketAddr, end: &'static str, lose: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            upstream,
            end,
            seen: AtomicUsize::new(0),
            lose,
        });
        std::thread::spawn({
            let state = Arc::clone(&state);
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let state = Arc::clone(&state);
                    std::thread::spawn(move || state.serve(stream));
                }
            }
        });
        Self { address, state }
    }

    /// How many requests had a path that ends so.
    pub fn seen(&self) -> usize {
        self.state.seen.load(Ordering::SeqCst)
    }
}

impl State {
    fn serve(&self, client: TcpStream) -> io::Result<()> {
        let mut requests = BufReader::new(client.try_clone()?);
        let mut client = client;
        loop {
            let (head, body) = message(&mut requests)?;
            let path = head.split(' ').nth(1).unwrap_or_default();
            let mut upstream = TcpStream::connect(self.upstream)?;
            upstream.write_all(&[head.as_bytes(), &body].concat())?;
            if path.contains("/events") {
                io::copy(&mut upstream, &mut client)?;
                return client.shutdown(Shutdown::Both);
            }
            let (answer, rest) = message(&mut BufReader::new(upstream))?;
            let counted = path.ends_with(self.end);
            if counted && self.seen.fetch_add(1, Ordering::SeqCst) < self.lose {
                return client.shutdown(Shutdown::Both);
            }
            client.write_all(&[answer.as_bytes(), &rest].concat())?;
        }
    }
}

/// One message: its head, as far as the blank line, and its body.
fn message(stream: &mut impl BufRead) -> io::Result<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((head, body))
}
