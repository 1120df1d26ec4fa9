//! A caller of an HTTP door: one connection that stays open, one question after the other.

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

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// The door closes connections that say nothing for 20 s; past this a new one is made.
const IDLE: Duration = Duration::from_secs(15);

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
        let Reply { status, body } = self.ask(path);
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        body
    }

    /// A GET and its time from the first byte of the question to the last of the answer.
    pub(crate) fn timed(&mut self, path: &str) -> (Duration, Vec<u8>) {
        let begun = Instant::now();
        let body = self.get(path);
        (begun.elapsed(), body)
    }

    /// A GET, whatever its status.
    pub(crate) fn ask(&mut self, path: &str) -> Reply {
        self.call("GET", path, &[])
    }

    /// A POST, whatever its status.
    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> Reply {
        self.call("POST", path, body)
    }

    fn call(&mut self, method: &str, path: &str, body: &[u8]) -> Reply {
        if self.used.elapsed() > IDLE {
            self.stream = connect(&self.host);
        }
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{length}\r\n", self.host);
        self.stream.get_mut().write_all(head.as_bytes()).expect("head");
        self.stream.get_mut().write_all(body).expect("body");
        let reply = self.reply();
        self.used = Instant::now();
        reply
    }

    fn reply(&mut self) -> Reply {
        let first = self.line();
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut length = if status == 204 { Some(0) } else { None };
        let (mut is_chunked, mut closes) = (false, false);
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            }
            is_chunked |= name.eq_ignore_ascii_case("transfer-encoding") && value.trim() == "chunked";
            closes |= name.eq_ignore_ascii_case("connection") && value.trim() == "close";
        }
        let mut body = Vec::new();
        if is_chunked {
            while self.chunk(&mut body) {}
        } else {
            self.take(length.expect("a body of known length"), &mut body);
        }
        if closes {
            self.stream = connect(&self.host);
        }
        Reply { status, body }
    }

    /// Reads one chunk (RFC 9112, section 7.1); false after the last.
    fn chunk(&mut self, body: &mut Vec<u8>) -> bool {
        let line = self.line();
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
        self.take(size, body);
        // Trailers are not used by any door here: an empty line ends each chunk and the whole.
        self.line();
        size > 0
    }

    fn take(&mut self, bytes: usize, body: &mut Vec<u8>) {
        let begin = body.len();
        body.resize(begin + bytes, 0);
        self.stream.read_exact(&mut body[begin..]).expect("body");
    }

    /// A line without its end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line");
        line.truncate(line.trim_end().len());
        line
    }
}

fn connect(host: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(host).expect("an HTTP door that listens");
    stream.set_nodelay(true).expect("nodelay");
    BufReader::with_capacity(64 << 10, stream)
}
