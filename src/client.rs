//! Asks a running Lamppost over HTTP: what `status` and commands like it speak with the server.

use crate::Error;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of answer taken.
const LONGEST: u64 = 256 << 20;

/// A server to ask.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Name and port, as they stand in the Host header.
    host: String,
    /// How long it may take to answer.
    patience: Duration,
    /// Sent with each request.
    headers: Vec<(&'static str, String)>,
}

/// What it answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) code: u16,
    /// The body as text.
    pub(crate) body: String,
}

impl Client {
    /// The server at `http://host:port`.
    pub(crate) fn new(url: &str, patience: Duration) -> Result<Client, Error> {
        let rest = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let host = rest
            .filter(|host| !host.is_empty() && !host.contains('/'))
            .ok_or_else(|| Error::usage(format!("--url {url:?}: write http://host:port")))?;
        let port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        Ok(Client { host: if port { host.to_owned() } else { format!("{host}:80") }, patience, headers: Vec::new() })
    }

    /// Sends a header with each request.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Client {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Shows the key in a file with each request, if there is one.
    pub(crate) fn with_key(self, file: Option<&Path>) -> Result<Client, Error> {
        let Some(file) = file else { return Ok(self) };
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|e| Error::usage(format!("--key-file {}: {e}", file.display())))?;
        Ok(self.with("Authorization", &format!("Bearer {}", text.trim())))
    }

    /// Where it is, for messages.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The answer to a GET, whatever its status.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Error> {
        self.send("GET", path, "").await
    }

    /// Sends a request and reads its answer, whatever its status.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Result<Answer, Error> {
        let host = &self.host;
        // HTTP/1.0, so that the answer is neither chunked nor kept open (RFC 1945).
        let mut request = format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in &self.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let request = format!("{request}\r\n{body}");
        let late = |_| Error::run(format!("{host} does not answer within {} s", self.patience.as_secs()));
        let answer = tokio::time::timeout(self.patience, self.exchange(request.as_bytes())).await.map_err(late)?;
        let answer = answer.map_err(|e| Error::run(format!("no Lamppost answers at http://{host}: {e}")))?;
        let answer = String::from_utf8_lossy(&answer);
        let read = answer.split_once("\r\n\r\n").and_then(|(head, body)| {
            let code = head.split(' ').nth(1)?.parse().ok()?;
            Some(Answer { code, body: body.to_owned() })
        });
        read.ok_or_else(|| Error::run(format!("{host} does not speak HTTP")))
    }

    async fn exchange(&self, request: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.host).await?;
        stream.write_all(request).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

impl Answer {
    /// The body of a good answer; else an error that tells the server's own words.
    pub(crate) fn good(self, host: &str) -> Result<String, Error> {
        match self.code {
            200 => Ok(self.body),
            code => Err(Error::run(format!("{host} refuses with {code}: {}", self.body.trim()))),
        }
    }
}
