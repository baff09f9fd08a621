use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{connector, roots};

const KEPT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// What a server does with a request.
#[derive(Clone, Copy)]
enum Then {
    Answer,
    /// It answers, and then closes the connection without a word.
    AnswerAndClose,
    Close,
}

/// A server that proves itself by a certificate of its own.
struct Server {
    address: SocketAddr,
    roots: RootCertStore,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start(then: Then) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that trusts nobody here ends the handshake.
                let Ok(mut stream) = tls.accept(stream).await else { continue };
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    while stream.read(&mut request).await.is_ok_and(|bytes| bytes > 0) {
                        if !matches!(then, Then::Close) {
                            stream.write_all(KEPT.as_bytes()).await.unwrap();
                        }
                        if !matches!(then, Then::Answer) {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, roots, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn get(&self, by: &SharedHttpConnector) -> Result<HttpResponse, ConnectorError> {
        let mut request = HttpRequest::get(format!("https://localhost:{}/", self.address.port())).unwrap();
        *request.body_mut() = SdkBody::empty();
        by.call(request).await
    }

    async fn answers(&self, by: &SharedHttpConnector) {
        let answer = self.get(by).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "ok");
    }
}

#[tokio::test]
async fn calls_share_a_connection_to_those_who_are_trusted() {
    let server = Server::start(Then::Answer).await;
    let connector = connector(server.roots.clone()).unwrap();
    for _ in 0..3 {
        server.answers(&connector.clone()).await;
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn nobody_is_asked_who_does_not_prove_to_be_amazon() {
    let server = Server::start(Then::Answer).await;
    let error = server.get(&connector(roots::of_amazon().unwrap()).unwrap()).await.unwrap_err();
    let mut source: Option<&dyn Error> = Some(&error);
    let mut said = String::new();
    while let Some(error) = source {
        said.push_str(&error.to_string());
        source = error.source();
    }
    assert!(said.contains("UnknownIssuer"), "{said}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn the_next_call_has_another_connection_where_one_was_closed() {
    let server = Server::start(Then::AnswerAndClose).await;
    let connector = connector(server.roots.clone()).unwrap();
    for _ in 0..3 {
        server.answers(&connector).await;
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_breaks_is_one_that_the_sdk_tries_again() {
    let server = Server::start(Then::Close).await;
    let error = server.get(&connector(server.roots.clone()).unwrap()).await.unwrap_err();
    assert!(error.is_io(), "{error:?}");
}
