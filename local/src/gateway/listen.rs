//! The sockets: loopback only, IPv4 and, where the machine has it, IPv6.
//!
//! `localhost` may mean either, so one port is held on both: half of it held by another program would
//! answer half of the clients.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Poll;

use tokio::net::{TcpListener, TcpStream};

/// A free port must be free on both addresses; a second and third try find one.
const FREE_PORT_TRIES: usize = 16;

/// The port cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens on it.
    #[error("port {port} is in use by another program: stop it, or choose another port with --port")]
    InUse {
        /// The port.
        port: u16,
    },
    /// The system does not give it, for another reason.
    #[error("cannot listen on {address}")]
    Refused {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// One port, listened on at every loopback address of the machine.
#[derive(Debug)]
pub struct Listeners {
    sockets: Vec<TcpListener>,
    port: u16,
}

impl Listeners {
    /// Listens on `port`; on a free one when it is 0.
    ///
    /// # Errors
    /// Says whether another program has the port.
    pub async fn bind(port: u16) -> Result<Self, BindError> {
        if port != 0 {
            return Self::bind_both(port).await;
        }
        for _ in 1..FREE_PORT_TRIES {
            match Self::bind_both(0).await {
                Err(BindError::InUse { .. }) => {}
                outcome => return outcome,
            }
        }
        Self::bind_both(0).await
    }

    async fn bind_both(port: u16) -> Result<Self, BindError> {
        let v4 = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let port = v4.local_addr().map_or(port, |address| address.port());
        match bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await {
            Ok(v6) => Ok(Self { sockets: vec![v4, v6], port }),
            Err(error @ BindError::InUse { .. }) => Err(error),
            Err(BindError::Refused { source, .. }) => {
                tracing::debug!(error = %source, "no IPv6 loopback on this machine");
                Ok(Self { sockets: vec![v4], port })
            }
        }
    }

    /// The port listened on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address by which a browser of this machine finds it: one that it takes for trustworthy without TLS
    /// (W3C Secure Contexts, "localhost").
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The next connection, from whichever address.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|context| {
            for socket in &self.sockets {
                if let Poll::Ready(accepted) = socket.poll_accept(context) {
                    return Poll::Ready(accepted);
                }
            }
            Poll::Pending
        })
        .await
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { port: address.port() },
        _ => BindError::Refused { address, source },
    })
}
