//! A question to a running server over plain HTTP, as the commands ask it.

use crate::Error;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of an answer taken.
const LONGEST: u64 = 256 << 20;

/// A server's HTTP door.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Host and port.
    host: String,
}

/// What it answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// Status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: String,
}

impl Server {
    /// The server at a URL.
    pub(crate) fn at(url: &str) -> Result<Server, Error> {
        let rest = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let host = rest
            .filter(|host| !host.is_empty() && !host.contains('/'))
            .ok_or_else(|| Error::usage(format!("--url {url:?}: write http://host:port")))?;
        let named = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        Ok(Server { host: if named { host.to_owned() } else { format!("{host}:80") } })
    }

    /// Sends a body and reads the answer.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
        patience: Duration,
    ) -> Result<Reply, Error> {
        let mut head = format!("POST {path} HTTP/1.0\r\nHost: {}\r\nContent-Length: {}\r\n", self.host, body.len());
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        let asked = self.ask(format!("{head}\r\n{body}"));
        let late = |_| Error::run(format!("{} does not answer within {} s", self.host, patience.as_secs()));
        tokio::time::timeout(patience, asked).await.map_err(late)?
    }

    /// HTTP/1.0, so the answer is neither chunked nor kept open (RFC 1945).
    async fn ask(&self, request: String) -> Result<Reply, Error> {
        let told = |e: std::io::Error| Error::run(format!("no Lamppost answers at http://{}: {e}", self.host));
        let mut stream = TcpStream::connect(&self.host).await.map_err(told)?;
        stream.write_all(request.as_bytes()).await.map_err(told)?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await.map_err(told)?;
        let answer = String::from_utf8_lossy(&answer);
        let reply = answer.split_once("\r\n\r\n").and_then(|(head, body)| {
            let status = head.split(' ').nth(1)?.parse().ok()?;
            Some(Reply { status, body: body.to_owned() })
        });
        reply.ok_or_else(|| Error::run(format!("{} does not speak HTTP", self.host)))
    }
}
