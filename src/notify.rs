//! Tells the service manager how far the process is, if one asks: the protocol of `sd_notify(3)`.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Says that everything is open.
pub(crate) fn ready() {
    tell("READY=1");
}

/// Says that the end has begun.
pub(crate) fn stopping() {
    tell("STOPPING=1");
}

/// Sends a word to the manager's socket, if the environment names one. Nobody may be listening, which is no failure.
fn tell(word: &str) {
    if let Some(socket) = std::env::var_os("NOTIFY_SOCKET")
        && let Err(error) = send(&socket, word)
    {
        tracing::warn!(%error, socket = %socket.display(), "cannot tell the service manager: {word}");
    }
}

fn send(socket: &OsStr, word: &str) -> std::io::Result<()> {
    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(word.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_arrive_at_paths_and_abstract_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("@lamppost-notify-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(&name.as_bytes()[1..]).unwrap();
        for (socket, listener) in [
            (path.as_os_str(), UnixDatagram::bind(&path).unwrap()),
            (OsStr::new(&name), UnixDatagram::bind_addr(&abstract_name).unwrap()),
        ] {
            send(socket, "READY=1").unwrap();
            let mut word = [0; 16];
            let bytes = listener.recv(&mut word).unwrap();
            assert_eq!(&word[..bytes], b"READY=1");
        }
        assert!(send(folder.path().join("nobody").as_os_str(), "READY=1").is_err());
    }
}
