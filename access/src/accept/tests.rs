//! Over real sockets, with small limits.

use super::*;
use axum::routing::{get, post};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<usize>,
}

async fn serve(router: Router, limits: Limits) -> io::Result<Served> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(run(listener, router, limits, async {
        let _ = stopped.await;
    }));
    Ok(Served { address, stop, ended })
}

/// Sends raw bytes and reads until the server closes.
async fn exchange(address: SocketAddr, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await?;
    Ok(said)
}

fn router() -> Router {
    Router::new()
        .route(
            "/peer",
            get(|request: Request| async move { format!("{:?}", request.extensions().get::<Peer>().is_some()) }),
        )
        .route("/never", get(std::future::pending::<()>))
        .route("/echo", post(|body: axum::body::Bytes| async move { body }))
}

#[tokio::test]
async fn answers_and_knows_its_peer() -> io::Result<()> {
    let served = serve(router(), Limits::default()).await?;
    let said = exchange(served.address, "GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && said.ends_with("true"), "{said}");
    let _ = served.stop.send(());
    assert_eq!(served.ended.await.ok(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_head_that_never_ends_is_closed() -> io::Result<()> {
    let limits = Limits { header: Duration::from_millis(50), ..Limits::default() };
    let served = serve(router(), limits).await?;
    let said = exchange(served.address, "GET /peer HTTP/1.1\r\nHost: x\r\n").await?;
    assert!(!said.contains("200 OK"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_head_past_its_size_is_refused() -> io::Result<()> {
    let served = serve(router(), Limits { header_bytes: 8 << 10, ..Limits::default() }).await?;
    let request = format!("GET /peer HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(9 << 10));
    let said = exchange(served.address, &request).await?;
    assert!(said.starts_with("HTTP/1.1 431"), "{said}");
    Ok(())
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() -> io::Result<()> {
    let served = serve(router(), Limits { request: Duration::from_millis(50), ..Limits::default() }).await?;
    let said = exchange(served.address, "GET /never HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
    assert!(said.starts_with("HTTP/1.1 504") && said.contains("/docs/problems/timeout"), "{said}");
    Ok(())
}

#[tokio::test]
async fn bodies_past_their_size_are_refused_whether_announced_or_not() -> io::Result<()> {
    let served = serve(router(), Limits { body_bytes: 4, ..Limits::default() }).await?;
    let head = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let good = exchange(served.address, &format!("{head}Content-Length: 4\r\n\r\nabcd")).await?;
    assert!(good.ends_with("abcd"), "{good}");
    for bad in ["Content-Length: 5\r\n\r\nabcde", "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"] {
        let said = exchange(served.address, &format!("{head}{bad}")).await?;
        assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn past_the_cap_a_connection_waits_for_a_place() -> io::Result<()> {
    let served = serve(router(), Limits { connections: 1, ..Limits::default() }).await?;
    let mut first = TcpStream::connect(served.address).await?;
    first.write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    let mut some = [0; 12];
    first.read_exact(&mut some).await?;
    assert_eq!(&some, b"HTTP/1.1 200");
    let mut second = TcpStream::connect(served.address).await?;
    second.write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
    let early = tokio::time::timeout(Duration::from_millis(50), second.read_exact(&mut some)).await;
    assert!(early.is_err(), "the second was served beside the first");
    drop(first);
    second.read_exact(&mut some).await?;
    assert_eq!(&some, b"HTTP/1.1 200");
    Ok(())
}

#[tokio::test]
async fn stopping_drains_what_is_idle_and_cuts_what_will_not_end() -> io::Result<()> {
    let served = serve(router(), Limits { drain: Duration::from_millis(50), ..Limits::default() }).await?;
    let mut idle = TcpStream::connect(served.address).await?;
    idle.write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    let mut some = [0; 12];
    idle.read_exact(&mut some).await?;
    let mut stuck = TcpStream::connect(served.address).await?;
    stuck.write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    // A third exchange on the one-threaded runtime: once it is answered the stuck request has been read.
    exchange(served.address, "GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
    let _ = served.stop.send(());
    assert_eq!(served.ended.await.ok(), Some(1));
    assert!(TcpStream::connect(served.address).await.is_err());
    Ok(())
}
