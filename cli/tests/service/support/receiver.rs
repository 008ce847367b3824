//! A receiver of webhooks that says yes to everything, and keeps what it was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver as Arrivals, Sender, channel};
use std::time::Duration;

/// The receiver, and what arrives.
pub struct Receiver {
    pub address: SocketAddr,
    arrivals: Arrivals<String>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, arrivals) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                std::thread::spawn(move || take(stream, &sender));
            }
        });
        Self { address, arrivals }
    }

    /// The next request: its head and body.
    pub fn next(&self) -> String {
        let patience = Duration::from_secs(20);
        self.arrivals
            .recv_timeout(patience)
            .expect("no webhook came")
    }
}

fn take(stream: TcpStream, sender: &Sender<String>) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if stream.read_line(&mut request).ok()? == 0 {
                return None;
            }
        }
        let length = request.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().ok())?
        })?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        request.push_str(&String::from_utf8_lossy(&body));
        sender.send(request).ok()?;
        writer
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .ok()?;
    }
}
