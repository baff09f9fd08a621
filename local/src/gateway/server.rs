//! The HTTP/1.1 server: connections, their limits, and their end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::handler::Gateway;
use super::listen::Listeners;

/// Below the 1,024 open files that a shell commonly allows; further clients wait in the system's queue.
const MAX_CONNECTIONS: usize = 768;
/// From a connection's start, or the answer before, to the last header of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// More than a token, a cursor and a browser's own headers need.
const MAX_HEADER_BYTES: usize = 32 * 1024;
/// Requests that are under way at the end get this long.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// After a failed accept (out of files, say): to try again at once would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` is ready; then lets the requests that are under way end, for ten seconds at most.
pub async fn serve(listeners: Listeners, gateway: Arc<Gateway>, stop: impl Future<Output = ()>) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, peer, permit) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listeners, &connections) => accepted,
        };
        let server = Server {
            gateway: Arc::clone(&gateway),
            connections: Arc::clone(&connections),
            peer,
            port: listeners.port(),
        };
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let connection = server.connection(stream);
            if let Err(error) = watcher.watch(connection).await {
                // A client that hangs up, or does not speak HTTP.
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listeners);
    if timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way at the end");
    }
}

async fn accept(
    listeners: &Listeners,
    connections: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        // The semaphore is never closed: without a permit there is nothing to do but try again.
        let Ok(permit) = Arc::clone(connections).acquire_owned().await else { continue };
        match listeners.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// What a connection's requests have in common.
struct Server {
    gateway: Arc<Gateway>,
    connections: Arc<Semaphore>,
    peer: SocketAddr,
    port: u16,
}

impl Server {
    fn connection(
        self,
        stream: TcpStream,
    ) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
        let server = Arc::new(self);
        let service = service_fn(move |request: Request<Incoming>| {
            let server = Arc::clone(&server);
            async move {
                let mut response = server.gateway.answer(request, server.peer.ip(), server.port).await;
                if server.connections.available_permits() == 0 {
                    // Clients wait to be let in: an idle connection must not keep them out.
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            }
        });
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_header_size(MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
    }
}
