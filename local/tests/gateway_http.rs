//! The gateway over real sockets, before a backend that answers with what it was asked.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail it by a panic")]

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::{Value, json};
use shop_local::cloud::SentMail;
use shop_local::demonstration::Demonstration;
use shop_local::gateway::{
    Backend, BackendError, BindError, Gateway, Listeners, MAX_BODY_BYTES, Upstream, serve,
};
use shop_local::template::Cors;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Answers every request with its own parts. A path of `/panic` stands for a defect, and one of `/problem` for a
/// problem.
#[derive(Debug)]
struct Echo;

impl Backend for Echo {
    fn call(
        &self,
        request: Request<Bytes>,
        source: IpAddr,
    ) -> BoxFuture<'_, Result<Response<Bytes>, BackendError>> {
        assert_ne!(request.uri().path(), "/panic");
        if request.uri().path() == "/problem" {
            let problem = r#"{"type":"x","title":"x","status":404,"detail":"x","instance":"/problem","code":"not_found","request_id":"x","current":29.90}"#;
            let mut response = Response::new(Bytes::from_static(problem.as_bytes()));
            *response.status_mut() = http::StatusCode::NOT_FOUND;
            let media_type = http::HeaderValue::from_static("application/problem+json");
            response.headers_mut().insert("content-type", media_type);
            return Box::pin(async move { Ok(response) });
        }
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let body = json!({
            "method": request.method().as_str(),
            "uri": request.uri().to_string(),
            "host": header("host"),
            "authorization": header("authorization"),
            "size": request.body().len(),
            "source": source.to_string(),
        });
        let mut response = Response::new(Bytes::from(body.to_string()));
        response.headers_mut().insert("location", http::HeaderValue::from_static("/orders/1"));
        response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
        Box::pin(async move { Ok(response) })
    }

    fn presigned(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Option<Response<Bytes>>, BackendError>> {
        Box::pin(async { Ok(None) })
    }

    fn mailbox(&self) -> BoxFuture<'_, Result<Option<Vec<SentMail>>, BackendError>> {
        Box::pin(async { Ok(None) })
    }

    fn create_admin(&self, _payload: String) -> BoxFuture<'_, Result<Option<Bytes>, BackendError>> {
        Box::pin(async { Ok(None) })
    }
}

struct TestGateway {
    port: u16,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl TestGateway {
    async fn open(backend: impl Backend + 'static) -> Self {
        let listeners = Listeners::bind(0).await.unwrap();
        let port = listeners.port();
        let (stop, stopped) = oneshot::channel();
        let cors = Cors {
            origins: vec!["http://localhost:3000".to_owned()],
            methods: vec!["GET".to_owned(), "POST".to_owned()],
            headers: vec!["Authorization".to_owned(), "Content-Type".to_owned()],
            exposed: vec!["ETag".to_owned(), "Location".to_owned()],
            max_age: Some(600),
        };
        let gateway = Gateway::new(Arc::new(backend), None, "banner\n".to_owned())
            .with_cors(Some(cors))
            .with_demonstration(Arc::new(Demonstration::new(Duration::ZERO, [])));
        let gateway = Arc::new(gateway);
        let server = tokio::spawn(serve(listeners, gateway, async {
            stopped.await.ok();
        }));
        Self { port, stop, server }
    }

    /// Sends bytes as they are and reads until the connection ends, or the answer is whole.
    async fn raw(&self, request: impl Into<Vec<u8>>) -> Answer {
        let (port, request) = (self.port, request.into());
        tokio::task::spawn_blocking(move || {
            let mut stream = connect(port);
            // A server that has answered may close before all is written.
            stream.write_all(&request).ok();
            Answer::read(&mut stream)
        })
        .await
        .unwrap()
    }

    async fn get(&self, path: &str, headers: &str) -> Answer {
        self.raw(format!("GET {path} HTTP/1.1\r\nhost: localhost:{}\r\n{headers}\r\n", self.port)).await
    }

    async fn options(&self, path: &str) -> Answer {
        self.send("OPTIONS", path).await
    }

    /// A request without headers of its own, and without a body.
    async fn send(&self, method: &str, path: &str) -> Answer {
        let host = format!("localhost:{}", self.port);
        self.raw(format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n\r\n")).await
    }

    async fn post(&self, path: &str, size: usize) -> Answer {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost:{}\r\ncontent-length: {size}\r\n\r\n",
            self.port
        );
        self.raw([head.into_bytes(), vec![b'x'; size]].concat()).await
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.map_or(0, |length| length.parse().unwrap());
                if body.len() >= length {
                    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                    return Self { status, head: head.to_ascii_lowercase(), body: body.as_bytes().to_vec() };
                }
            }
            match stream.read(&mut chunk) {
                Ok(size) if size > 0 => bytes.extend_from_slice(&chunk[..size]),
                end => panic!("{end:?} after {:?}", String::from_utf8_lossy(&bytes)),
            }
        }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.head);
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["code"], code);
        for member in ["type", "title", "detail", "instance", "request_id"] {
            assert!(problem[member].is_string(), "{member} in {problem}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_are_normalised_before_the_backend_sees_them() {
    let gateway = TestGateway::open(Echo).await;
    for (given, expected) in [
        ("/orders", "/orders"),
        ("/api/orders/", "/orders"),
        ("/products/prod-1/?a=b%2F", "/products/prod-1?a=b%2F"),
        ("/apis", "/apis"),
    ] {
        let answer = gateway.get(given, "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["uri"], expected, "{given}");
        assert_eq!(answer.json()["source"], "127.0.0.1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_says_what_is_served() {
    let gateway = TestGateway::open(Echo).await;
    for path in ["/", "/api", "/api/"] {
        let answer = gateway.get(path, "").await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"banner\n".as_slice()));
    }
    // It has no other methods, and says which it has.
    let refused = gateway.post("/", 0).await;
    refused.is_problem(405, "method_not_allowed");
    let asked = gateway.options("/").await;
    assert_eq!(asked.status, 204);
    for answer in [refused, asked] {
        assert!(answer.head.contains("allow: get, head, options"), "{}", answer.head);
        assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
    }
    // What the whole server can do is for the API to say.
    assert_eq!(gateway.options("*").await.json()["uri"], "*");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_s_own_paths_name_the_methods_that_they_have() {
    let gateway = TestGateway::open(Echo).await;
    for (method, path, allow) in [
        ("POST", "/mailbox", "get, head, options"),
        ("DELETE", "/mailbox/m-1", "get, head, options"),
        ("PUT", "/faults", "get, head, options"),
        ("GET", "/faults/send-email", "delete, options, put"),
        ("POST", "/faults/send-email", "delete, options, put"),
    ] {
        let (refused, asked) = (gateway.send(method, path).await, gateway.options(path).await);
        refused.is_problem(405, "method_not_allowed");
        assert_eq!(asked.status, 204, "{path}");
        for answer in [refused, asked] {
            assert!(answer.head.contains(&format!("allow: {allow}\r\n")), "{method} {path}: {}", answer.head);
            assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_names_the_path_that_was_asked_for() {
    let gateway = TestGateway::open(Echo).await;
    for (asked, instance) in [
        ("/problem", "/problem"),
        ("/problem/", "/problem/"),
        ("/api/problem", "/api/problem"),
        ("/api/problem/?limit=1", "/api/problem/"),
    ] {
        let answer = gateway.get(asked, "").await;
        answer.is_problem(404, "not_found");
        assert_eq!(answer.json()["instance"], instance, "{asked}");
        assert!(String::from_utf8_lossy(&answer.body).contains("29.90"), "digits are lost");
    }
    for (asked, instance) in [
        ("/api/orders", "/api/orders"),
        ("//host/x", "/.//host/x"),
        ("/\\host", "/%5Chost"),
        ("/|b|", "/%7Cb%7C"),
    ] {
        let answer = gateway.get(asked, "origin: https://evil.example\r\n").await;
        answer.is_problem(403, "foreign_origin");
        assert_eq!(answer.json()["instance"], instance, "{asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_origin_and_another_host_are_refused() {
    let gateway = TestGateway::open(Echo).await;
    let ours = format!("origin: http://localhost:{}\r\nsec-fetch-site: same-origin\r\n", gateway.port);
    assert_eq!(gateway.get("/orders", &ours).await.status, 200);
    for headers in ["origin: https://evil.example\r\n", "origin: null\r\n", "sec-fetch-site: cross-site\r\n"]
    {
        gateway.get("/orders", headers).await.is_problem(403, "foreign_origin");
    }
    let rebound = format!("GET /orders HTTP/1.1\r\nhost: evil.example:{}\r\n\r\n", gateway.port);
    gateway.raw(rebound).await.is_problem(403, "foreign_host");
    gateway.raw("GET /orders HTTP/1.1\r\n\r\n").await.is_problem(400, "malformed_host");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_origin_that_is_let_in_uses_the_api_as_on_aws() {
    let gateway = TestGateway::open(Echo).await;
    let page = "origin: http://localhost:3000\r\nsec-fetch-site: same-site\r\nsec-fetch-mode: cors\r\n";
    let answer = gateway.get("/api/orders", page).await;
    assert_eq!(answer.status, 200);
    for header in [
        "access-control-allow-origin: http://localhost:3000",
        "access-control-expose-headers: etag,location",
        "vary: origin",
        "location: /api/orders/1",
    ] {
        assert!(answer.head.contains(header), "{header}: {}", answer.head);
    }
    // Whoever names no origin is answered otherwise, and a cache has to know.
    for path in ["/api/orders", "/"] {
        let answer = gateway.get(path, "").await;
        assert!(answer.head.contains("vary: origin"), "{}", answer.head);
        assert!(!answer.head.contains("access-control-"), "{}", answer.head);
    }
    let ask = |origin: &str| {
        let port = gateway.port;
        format!(
            "OPTIONS /orders HTTP/1.1\r\nhost: localhost:{port}\r\norigin: {origin}\r\n\
             access-control-request-method: POST\r\n\r\n"
        )
    };
    let preflight = gateway.raw(ask("http://localhost:3000")).await;
    assert_eq!(preflight.status, 204);
    for header in [
        "access-control-allow-methods: get,post",
        "access-control-allow-headers: authorization,content-type",
        "access-control-max-age: 600",
        "access-control-allow-origin: http://localhost:3000",
    ] {
        assert!(preflight.head.contains(header), "{header}: {}", preflight.head);
    }
    for origin in
        ["http://localhost:3001", "https://localhost:3000", "http://localhost:3000.evil.example", "null"]
    {
        let refused = gateway.raw(ask(origin)).await;
        refused.is_problem(403, "foreign_origin");
        assert!(refused.head.contains("vary: origin"), "{}", refused.head);
        assert!(!refused.head.contains("access-control-"), "{}", refused.head);
    }
    let rebound = format!("GET /orders HTTP/1.1\r\nhost: evil.example:{}\r\n{page}\r\n", gateway.port);
    gateway.raw(rebound).await.is_problem(403, "foreign_host");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_64_kilobytes_is_refused() {
    let gateway = TestGateway::open(Echo).await;
    assert_eq!(gateway.post("/orders", MAX_BODY_BYTES).await.json()["size"], MAX_BODY_BYTES);
    for size in [MAX_BODY_BYTES + 1, 300_000, 1_000_000] {
        gateway.post("/orders", size).await.is_problem(413, "body_too_large");
    }
    // Announced and never sent: the answer comes without the body.
    let head = format!(
        "POST /orders HTTP/1.1\r\nhost: localhost:{}\r\nexpect: 100-continue\r\ncontent-length: 70000\r\n\r\n",
        gateway.port
    );
    gateway.raw(head).await.is_problem(413, "body_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_coding_that_nobody_takes_off_is_refused() {
    let gateway = TestGateway::open(Echo).await;
    let send = |coding: &str| {
        let host = format!("localhost:{}", gateway.port);
        let head = format!("POST /orders HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: {coding}\r\n\r\n");
        gateway.raw(format!("{head}2\r\n{{}}\r\n0\r\n\r\n"))
    };
    assert_eq!(send("Chunked").await.json()["size"], 2);
    send("gzip, chunked").await.is_problem(501, "unsupported_transfer_encoding");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_http_is_answered_with_400_and_long_headers_with_431() {
    let gateway = TestGateway::open(Echo).await;
    for garbage in ["NONSENSE\r\n\r\n", "GET /\u{1} HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        assert_eq!(gateway.raw(garbage).await.status, 400, "{garbage:?}");
    }
    let smuggled =
        "POST /orders HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx";
    assert_eq!(gateway.raw(smuggled).await.status, 400);
    let long = format!("x: {}\r\n", "y".repeat(40_000));
    assert_eq!(gateway.get("/orders", &long).await.status, 431);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_defect_in_one_request_harms_no_other() {
    let gateway = TestGateway::open(Echo).await;
    gateway.get("/panic", "").await.is_problem(500, "internal");
    assert_eq!(gateway.get("/orders", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_carries_many_requests_until_the_server_stops() {
    let TestGateway { port, stop, server } = TestGateway::open(Echo).await;
    let mut stream = tokio::task::spawn_blocking(move || {
        let mut stream = connect(port);
        for _ in 0..3 {
            write!(stream, "GET /orders HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n").unwrap();
            assert_eq!(Answer::read(&mut stream).status, 200);
        }
        stream
    })
    .await
    .unwrap();
    stop.send(()).unwrap();
    // An idle connection does not keep the server; it ends at once.
    server.await.unwrap();
    assert_eq!(tokio::task::spawn_blocking(move || stream.read(&mut [0])).await.unwrap().unwrap(), 0);
    assert!(TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_err());
}

#[tokio::test]
async fn a_port_is_held_once() {
    let held = Listeners::bind(0).await.unwrap();
    let error = Listeners::bind(held.port()).await.unwrap_err();
    assert!(matches!(error, BindError::InUse { port } if port == held.port()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_an_emulator_the_host_header_names_the_api() {
    // The second gateway stands for the emulator: it only answers to its own name.
    let emulator = TestGateway::open(Echo).await;
    let host = format!("localhost:{}", emulator.port);
    let upstream = Upstream::new(&format!("http://127.0.0.1:{}", emulator.port), &host).unwrap();
    let gateway = TestGateway::open(upstream).await;
    let answer = gateway.get("/api/orders/?limit=2", "connection: keep-alive\r\n").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["uri"], "/orders?limit=2");
    assert_eq!(answer.json()["host"], host);
    // What belongs to the message and not to the connection goes through.
    for header in ["content-type: application/json", "location: /api/orders/1"] {
        assert!(answer.head.contains(header), "{header}: {}", answer.head);
    }
    assert_eq!(gateway.post("/orders", 1000).await.json()["size"], 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_that_is_not_there_is_a_502() {
    let free = Listeners::bind(0).await.unwrap().port();
    let gateway = TestGateway::open(Upstream::new(&format!("http://127.0.0.1:{free}"), "api").unwrap()).await;
    gateway.get("/orders", "").await.is_problem(502, "upstream_unreachable");
}
