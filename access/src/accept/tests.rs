//! Over real sockets, with small limits.

use super::*;
use crate::loopback::Admitted;
use crate::{Counts, Front, Proxies, bounds};
use axum::extract::Request;
use axum::routing::{get, post};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

struct Served {
    address: SocketAddr,
    counts: Counts,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<usize>,
}

async fn serve(router: Router, limits: Limits) -> io::Result<Served> {
    serve_behind(Front::default(), router, limits).await
}

async fn serve_behind(front: Front, router: Router, limits: Limits) -> io::Result<Served> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let counts = front.counts.clone();
    let ended = tokio::spawn(run(Entrance::new(listener, front), bounds(router, limits), limits, async {
        let _ = stopped.await;
    }));
    Ok(Served { address, counts, stop, ended })
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
            get(|request: Request| async move {
                let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.ip());
                format!("{peer:?}.")
            }),
        )
        .route("/never", get(std::future::pending::<()>))
        .route("/echo", post(|body: axum::body::Bytes| async move { body }))
}

#[tokio::test]
async fn answers_and_knows_its_peer() -> io::Result<()> {
    let served = serve(router(), Limits::default()).await?;
    let said = exchange(served.address, "GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && said.ends_with("Some(127.0.0.1)."), "{said}");
    let _ = served.stop.send(());
    assert_eq!(served.ended.await.ok(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_head_that_never_ends_is_closed() -> io::Result<()> {
    let limits = Limits { head: Duration::from_millis(50), ..Limits::default() };
    let served = serve(router(), limits).await?;
    let said = exchange(served.address, "GET /peer HTTP/1.1\r\nHost: x\r\n").await?;
    assert!(!said.contains("200 OK"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_head_past_its_size_is_refused() -> io::Result<()> {
    let served = serve(router(), Limits { head_bytes: 8 << 10, ..Limits::default() }).await?;
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

/// Asks for the peer on a connection that stays, and reads as far as the status.
async fn ask(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await?;
    assert_eq!(&status, b"HTTP/1.1 200");
    // The rest of the answer.
    let mut rest = Vec::new();
    while !rest.ends_with(b").") {
        rest.push(stream.read_u8().await?);
    }
    Ok(())
}

/// Whether the other side closes the connection by itself.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.is_ok()
}

/// Connects from another address of this machine.
async fn connect_from(last: u8, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0)))?;
    socket.connect(to).await
}

#[tokio::test]
async fn past_the_cap_the_longest_idle_makes_room() -> io::Result<()> {
    let served = serve_behind(Front { connections: 2, ..Front::default() }, router(), Limits::default()).await?;
    let (mut first, mut second) =
        (TcpStream::connect(served.address).await?, TcpStream::connect(served.address).await?);
    ask(&mut second).await?;
    ask(&mut first).await?;
    let mut third = TcpStream::connect(served.address).await?;
    ask(&mut third).await?;
    assert!(is_closed(&mut second).await);
    ask(&mut first).await?;
    assert_eq!(served.counts.now().refused, [0, 0, 1]);
    Ok(())
}

#[tokio::test]
async fn past_the_cap_with_all_at_work_a_connection_waits_for_a_place() -> io::Result<()> {
    let limits = Limits { request: Duration::from_millis(300), ..Limits::default() };
    let served = serve_behind(Front { connections: 1, ..Front::default() }, router(), limits).await?;
    let mut first = TcpStream::connect(served.address).await?;
    first.write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut second = TcpStream::connect(served.address).await?;
    let early = timeout(Duration::from_millis(100), ask(&mut second)).await;
    assert!(early.is_err(), "the second was served beside the first");
    // The first has its answer by now, and makes room.
    let mut third = TcpStream::connect(served.address).await?;
    ask(&mut third).await
}

#[tokio::test]
async fn an_address_past_its_share_is_closed_at_once() -> io::Result<()> {
    let served = serve_behind(Front { per_address: 1, ..Front::default() }, router(), Limits::default()).await?;
    let mut first = TcpStream::connect(served.address).await?;
    ask(&mut first).await?;
    let mut second = TcpStream::connect(served.address).await?;
    assert!(is_closed(&mut second).await);
    ask(&mut first).await?;
    ask(&mut connect_from(2, served.address).await?).await?;
    assert_eq!((served.counts.now().refused, served.counts.now().accepted), ([1, 0, 0], 2));
    Ok(())
}

#[tokio::test]
async fn idle_connections_are_closed_after_their_time() -> io::Result<()> {
    let served = serve(router(), Limits { idle: Duration::from_millis(50), ..Limits::default() }).await?;
    let (mut asked, mut silent) =
        (TcpStream::connect(served.address).await?, TcpStream::connect(served.address).await?);
    ask(&mut asked).await?;
    assert!(is_closed(&mut silent).await, "before a request");
    assert!(is_closed(&mut asked).await, "after a request");
    Ok(())
}

#[tokio::test]
async fn a_body_that_stops_or_drips_is_answered_and_closed() -> io::Result<()> {
    let limits = Limits { pause: Duration::from_millis(100), body: Duration::from_millis(300), ..Limits::default() };
    let served = serve(router(), limits).await?;
    let head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab";
    let stopped = exchange(served.address, head).await?;
    assert!(stopped.starts_with("HTTP/1.1 408") && stopped.contains("/docs/problems/too-slow"), "{stopped}");
    assert!(stopped.to_lowercase().contains("connection: close"), "{stopped}");
    let (mut reads, mut writes) = TcpStream::connect(served.address).await?.into_split();
    writes.write_all(head.as_bytes()).await?;
    let drips = async {
        while writes.write_all(b"c").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    };
    let mut said = [0; 12];
    tokio::select! { read = reads.read_exact(&mut said) => { read?; } () = drips => {} }
    assert_eq!(&said, b"HTTP/1.1 408");
    Ok(())
}

#[tokio::test]
async fn a_body_that_keeps_coming_may_take_longer_than_a_pause() -> io::Result<()> {
    let limits = Limits { pause: Duration::from_millis(300), ..Limits::default() };
    let served = serve(router(), limits).await?;
    let mut stream = TcpStream::connect(served.address).await?;
    stream.write_all(b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 8\r\n\r\n").await?;
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        stream.write_all(b"c").await?;
    }
    let mut said = String::new();
    stream.read_to_string(&mut said).await?;
    assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("cccccccc"), "{said}");
    Ok(())
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[tokio::test]
async fn gzip_is_taken_off_within_the_bound_of_a_body() -> io::Result<()> {
    let served = serve(router(), Limits { body_bytes: 1000, ..Limits::default() }).await?;
    let post = async |encoding: &str, body: &[u8]| {
        let mut stream = TcpStream::connect(served.address).await?;
        let head = format!("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: {encoding}\r\n");
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes()).await?;
        stream.write_all(body).await?;
        let mut said = String::new();
        stream.read_to_string(&mut said).await?;
        io::Result::Ok(said)
    };
    for encoding in ["gzip", "GZIP", "x-gzip"] {
        let said = post(encoding, &gzip(b"lamppost")?).await?;
        assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("lamppost"), "{said}");
    }
    assert!(post("identity", b"as it is").await?.ends_with("as it is"));
    let bomb = gzip(&[0; 100_000])?;
    assert!(bomb.len() < 1000);
    let said = post("gzip", &bomb).await?;
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    let said = post("gzip", b"not gzip").await?;
    assert!(said.starts_with("HTTP/1.1 400") && said.contains("cannot be read"), "{said}");
    let said = post("br", b"x").await?;
    assert!(said.starts_with("HTTP/1.1 415") && said.contains("accept-encoding: gzip"), "{said}");
    Ok(())
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_peer_is_whom_it_names() -> io::Result<()> {
    let networks = ["127.0.0.2"].iter().filter_map(|text| text.parse().ok()).collect();
    let proxies = Arc::new(Proxies { networks, ..Proxies::default() });
    let front = Front { proxies, per_address: 1, ..Front::default() };
    let served = serve_behind(front, router(), Limits::default()).await?;
    let request = "GET /peer HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n";
    let said = exchange(served.address, request).await?;
    assert!(said.ends_with("Some(127.0.0.1)."), "spoofed: {said}");
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = connect_from(2, served.address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut said = String::new();
        stream.read_to_string(&mut said).await?;
        assert!(said.ends_with("Some(203.0.113.9)."), "{said}");
        // A proxy has no share to keep to.
        let mut stays = connect_from(2, served.address).await?;
        ask(&mut stays).await?;
        open.push(stays);
    }
    Ok(())
}

#[tokio::test]
async fn where_only_proxies_are_admitted_this_machine_still_is() -> io::Result<()> {
    let front = Front { admitted: Admitted::Proxies, ..Front::default() };
    let served = serve_behind(front, router(), Limits::default()).await?;
    ask(&mut TcpStream::connect(served.address).await?).await
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
