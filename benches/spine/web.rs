//! A caller of the HTTP door: one connection that stays open, one question after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The connection.
pub(crate) struct Web {
    host: String,
    stream: BufReader<TcpStream>,
    /// When it was last used.
    used: Instant,
}

/// The door closes connections that say nothing for 20 s; past this a new one is made.
const IDLE: Duration = Duration::from_secs(5);

impl Web {
    /// Connects.
    pub(crate) fn new(host: &str) -> Web {
        Web { host: host.to_owned(), stream: connect(host), used: Instant::now() }
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The body of a GET that must succeed.
    pub(crate) fn get(&mut self, path: &str) -> Vec<u8> {
        if self.used.elapsed() > IDLE {
            self.stream = connect(&self.host);
        }
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host);
        self.stream.get_mut().write_all(request.as_bytes()).expect("request");
        let (mut line, mut length, mut good) = (String::new(), None, false);
        loop {
            let first = line.is_empty();
            line.clear();
            self.stream.read_line(&mut line).expect("head");
            good |= first && line.starts_with("HTTP/1.1 200 ");
            let Some((name, value)) = line.split_once(':') else {
                if !first {
                    break;
                }
                continue;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            }
        }
        let mut body = vec![0; length.expect("a body of known length")];
        self.stream.read_exact(&mut body).expect("body");
        self.used = Instant::now();
        assert!(good, "{path}: {}", String::from_utf8_lossy(&body));
        body
    }

    /// A GET and its time from the first byte of the question to the last of the answer.
    pub(crate) fn timed(&mut self, path: &str) -> (Duration, Vec<u8>) {
        let begun = Instant::now();
        let body = self.get(path);
        (begun.elapsed(), body)
    }
}

fn connect(host: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(host).expect("an HTTP door that listens");
    stream.set_nodelay(true).expect("nodelay");
    BufReader::with_capacity(64 << 10, stream)
}
