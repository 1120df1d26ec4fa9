//! HTTP/1.1 as a client that writes lines speaks it: POST after POST over one connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection.
pub(crate) struct Post {
    stream: BufReader<TcpStream>,
    host: String,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    /// Head and body.
    pub(crate) text: String,
}

impl Post {
    pub(crate) fn connect(place: SocketAddr) -> io::Result<Post> {
        let stream = TcpStream::connect(place)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Post { stream: BufReader::new(stream), host: place.to_string() })
    }

    /// Posts a body and reads the answer.
    pub(crate) fn send(&mut self, path: &str, body: &[u8]) -> io::Result<Answer> {
        let mut request =
            format!("POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n", self.host, body.len())
                .into_bytes();
        request.extend_from_slice(body);
        self.stream.get_mut().write_all(&request)?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status code");
        let lower = head.to_ascii_lowercase();
        let length = lower.split("content-length:").nth(1).and_then(|rest| rest.lines().next());
        let mut body = vec![0; length.map_or(0, |length| length.trim().parse().expect("a length"))];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { code, text: head + &String::from_utf8_lossy(&body) })
    }
}
