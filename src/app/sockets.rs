//! The doors' sockets, bound before anything else is opened: a taken port must not cost a recovery.

use crate::{Config, Error};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Bound sockets of the doors.
#[derive(Debug)]
pub struct Sockets {
    /// The public API.
    pub http: TcpListener,
    /// The built-in MQTT door, if it is open.
    pub mqtt: Option<TcpListener>,
    /// The door for Graphite's plaintext, if it is open.
    pub graphite: Option<TcpListener>,
}

impl Sockets {
    /// Binds what the config names; port 0 takes a free one.
    pub async fn bind(config: &Config) -> Result<Sockets, Error> {
        let http = bind("http.listen", config.http).await?;
        let mqtt = bind_if("mqtt.listen", config.mqtt).await?;
        let graphite = bind_if("graphite.listen", config.graphite).await?;
        Ok(Sockets { http, mqtt, graphite })
    }
}

async fn bind_if(what: &str, address: Option<SocketAddr>) -> Result<Option<TcpListener>, Error> {
    match address {
        Some(address) => bind(what, address).await.map(Some),
        None => Ok(None),
    }
}

async fn bind(what: &str, address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => {
            Error::run(format!("{what}: {address} is in use by another program; stop it or choose another port"))
        }
        _ => Error::run(format!("{what}: cannot listen on {address}: {e}")),
    })
}

/// The address, if nothing listens there yet; else one that takes any free port.
pub async fn free(address: SocketAddr) -> SocketAddr {
    match TcpListener::bind(address).await {
        Ok(_) => address,
        Err(_) => SocketAddr::new(address.ip(), 0),
    }
}

/// The address a bound socket really has.
pub fn address(socket: &TcpListener) -> Result<SocketAddr, Error> {
    socket.local_addr().map_err(|e| Error::run(format!("a socket lost its address: {e}")))
}
