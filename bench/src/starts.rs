//! How soon a function answers for the first time, and what an answer takes when it is warm, beside a hello world: the binary
//! as the linker left it, a stub of the
//! [Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), and the embedded cloud as AWS, over
//! sockets of this machine.
//!
//! Functions take turns, so that what else the machine does meets all alike; only the ratios hold on another machine. The
//! time until the first answer has in it what the embedded cloud takes to give its own; the processor time is the
//! function's alone. What Lambda does before the process starts (download, page-in) is in neither, and no TLS is spoken.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::future::pending;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use shop_local::cloud::{Cloud, Options};
use shop_local::template::Template;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::counts::Stack;
use crate::report::{Bound, Report, Target};
use crate::shop::release_folder;

/// An odd number, so that one is in the middle.
const ROUNDS: usize = 21;
const PATIENCE: Duration = Duration::from_secs(10);
/// How many events each process gets after its first.
const WARM: usize = 20;
const HELLO: &str = "hello-world";
/// The functions, and the most hundredths of a hello world that each should take until its first answer.
const FUNCTIONS: [(&str, u64); 3] = [("create-order", 220), ("get-product", 220), ("reserve-stock", 190)];
/// The product that the events ask for.
const PRODUCT: &str = "prod-123";
/// What an order's id ends with in the events; another in each round, or all but the first would be old news.
const ORDER: &str = "01jd9c3k7m2q8r5t6v0w1x2y3z";
const KEY: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";

/// Adds the times of the functions, as `cargo xtask bench` has built them, and of those of another build in `before`.
///
/// With `count_instructions` those of a later answer are counted too, by [callgrind](https://valgrind.org/docs/manual/cl-manual.html).
pub(crate) async fn measure(
    root: &Path,
    before: Option<PathBuf>,
    count_instructions: bool,
    report: &mut Report,
) -> Result<()> {
    let ample = BTreeMap::from([("AccountOrderLimit".to_owned(), "1000000".to_owned())]);
    let template = Template::load(&root.join("template.yaml"), &ample)?;
    let stack = Stack::start(root, &ample, Options::memory()).await?;
    stack.seed().await?;
    stack.change(&format!("/products/{PRODUCT}/stock"), &json!({ "stock": 1_000_000 })).await?;
    let aws = serve_aws(stack.cloud.clone()).await?;

    let after = release_folder(root);
    let examples = after.join("examples");
    let mut runs = vec![Run::new(root, &template, HELLO, String::new(), &examples)?];
    for (name, _) in FUNCTIONS {
        runs.push(Run::new(root, &template, name, String::new(), &after)?);
        if let Some(before) = &before {
            runs.push(Run::new(root, &template, name, " before".to_owned(), before)?);
        }
    }
    for round in 0..ROUNDS {
        for run in &mut runs {
            run.once(round, aws).await?;
        }
    }
    let mut instructions = Vec::new();
    if count_instructions {
        for run in &mut runs {
            instructions.push((format!("{}{}", run.name, run.label), run.instructions(aws).await?));
        }
    }
    stack.cloud.stop().await;

    let hello = runs.first().map_or(0, |hello| hello.median(Times::both));
    let hello_processor = runs.first().map_or(0, |hello| hello.median(|times| times.processor));
    for run in &runs {
        let Run { name, label, size, .. } = run;
        let about = FUNCTIONS.iter().find(|(function, _)| function == name).map(|(_, most)| *most);
        let target = match about.filter(|_| label.is_empty()) {
            Some(most) => Target::About(Bound::AtMost(most)),
            None => Target::None,
        };
        report.add(format!("{name}{label}: size"), "B", *size, Target::None);
        report.add(format!("{name}{label}: start"), "us", run.median(|times| times.start), Target::None);
        report.add(
            format!("{name}{label}: first answer"),
            "us",
            run.median(|times| times.first),
            Target::None,
        );
        let ratio = run.median(Times::both) * 100 / hello.max(1);
        report.add(format!("{name}{label}: both, x hello world"), "1/100", ratio, target);
        let processor = run.median(|times| times.processor);
        report.add(format!("{name}{label}: processor time"), "us", processor, Target::None);
        let ratio = processor * 100 / hello_processor.max(1);
        report.add(format!("{name}{label}: processor time, x hello world"), "1/100", ratio, target);
        let warm = run.median(|times| times.warm);
        report.add(format!("{name}{label}: processor time of a later answer"), "us", warm, Target::None);
    }
    for (name, count) in instructions {
        let target = match name.as_str() {
            "create-order" => Target::About(Bound::AtMost(1_000_000)),
            _ => Target::None,
        };
        report.add(format!("{name}: instructions of a later answer"), "instructions", count, target);
    }
    Ok(())
}

/// How long the process took until it asked for an event, and from there until it had answered it; the processor time of
/// both, and that of each later answer.
#[derive(Clone, Copy, Debug)]
struct Times {
    start: Duration,
    first: Duration,
    processor: Duration,
    warm: Duration,
}

impl Times {
    fn both(self) -> Duration {
        self.start + self.first
    }
}

/// A binary, and how long it took in each round.
struct Run {
    name: &'static str,
    label: String,
    binary: PathBuf,
    size: u64,
    variables: BTreeMap<String, String>,
    event: String,
    /// The number of the next event: each is another order.
    next: usize,
    times: Vec<Times>,
}

impl Run {
    fn new(
        root: &Path,
        template: &Template,
        name: &'static str,
        label: String,
        folder: &Path,
    ) -> Result<Self> {
        let binary = folder.join(name);
        let size = fs::metadata(&binary).with_context(|| format!("{}", binary.display()))?.len();
        let function = template.functions.values().find(|function| function.name == name);
        let variables = function.map(|function| function.environment.clone()).unwrap_or_default();
        let event = match function {
            Some(_) => fs::read_to_string(root.join("events").join(format!("{name}.json")))?,
            None => "{}".to_owned(),
        };
        let next = if label.is_empty() { 0 } else { 5000 };
        Ok(Self { name, label, binary, size, variables, event, next, times: Vec::new() })
    }

    /// Starts it, gives it its events, and ends it.
    async fn once(&mut self, round: usize, aws: SocketAddr) -> Result<()> {
        let begin = Instant::now();
        let mut process = self.start(&[], 1 + WARM, aws).await.with_context(|| format!("round {round}"))?;
        let asked = process.next(Happened::Asked).await?;
        let answered = process.next(Happened::Answered).await?;
        let processor = process.processor_time()?;
        process.answer(WARM).await?;
        let warm = process.processor_time()?.saturating_sub(processor) / u32::try_from(WARM)?;
        self.times.push(Times { start: asked - begin, first: answered - asked, processor, warm });
        Ok(())
    }

    /// How many instructions a later answer takes: what so many more of them make the process count.
    async fn instructions(&mut self, aws: SocketAddr) -> Result<u64> {
        let folder = tempfile::tempdir().context("a temporary folder")?;
        let mut counts = [0; 2];
        for (count, events) in counts.iter_mut().zip([2, 2 + WARM]) {
            let file = folder.path().join(events.to_string());
            let option = format!("--callgrind-out-file={}", file.display());
            let mut process = self.start(&["valgrind", "--tool=callgrind", &option], events, aws).await?;
            process.answer(events).await?;
            process.end()?;
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).context("no total")?;
            *count = total.trim().parse::<u64>()?;
        }
        let [few, many] = counts;
        Ok(many.saturating_sub(few) / u64::try_from(WARM)?)
    }

    /// Starts it behind a wrapper, if there is one, with so many events to come.
    async fn start(&mut self, wrapper: &[&str], events: usize, aws: SocketAddr) -> Result<Process> {
        let numbers = self.next..self.next + events;
        self.next = numbers.end;
        let with = |text: &str, number: usize| format!("{}{number:04}", &text[..text.len() - 4]);
        let event = |number| self.event.replace(ORDER, &with(ORDER, number)).replace(KEY, &with(KEY, number));
        let (runtime, happened) = serve_runtime(numbers.map(event).collect()).await?;
        let mut command = match wrapper {
            [] => Command::new(&self.binary),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.binary);
                command
            }
        };
        let child = command
            .env_clear()
            .envs(&self.variables)
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("AWS_LAMBDA_RUNTIME_API", runtime.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", self.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "bench")
            .env("AWS_SECRET_ACCESS_KEY", "bench")
            .env("AWS_ENDPOINT_URL", format!("http://{aws}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        Ok(Process { name: self.name, child, happened })
    }

    /// The middle one of all rounds, in microseconds.
    fn median(&self, of: impl Fn(Times) -> Duration) -> u64 {
        let mut all: Vec<_> = self.times.iter().map(|times| of(*times)).collect();
        all.sort_unstable();
        let middle = all.get(all.len() / 2).copied().unwrap_or_default();
        u64::try_from(middle.as_micros()).unwrap_or(u64::MAX)
    }
}

/// A function's process, which is ended when the value goes.
struct Process {
    name: &'static str,
    child: Child,
    happened: mpsc::UnboundedReceiver<(Happened, Instant)>,
}

impl Process {
    /// Waits until it does this, and says when it was.
    async fn next(&mut self, expected: Happened) -> Result<Instant> {
        match timeout(PATIENCE, self.happened.recv()).await {
            Ok(Some((what, at))) if what == expected => Ok(at),
            Ok(Some((what, _))) => bail!("{}: {what:?}, not {expected:?}", self.name),
            Ok(None) | Err(_) => bail!("{}: nothing came, not {expected:?}", self.name),
        }
    }

    /// Waits until it has answered so many events more.
    async fn answer(&mut self, events: usize) -> Result<()> {
        for _ in 0..events {
            self.next(Happened::Asked).await?;
            self.next(Happened::Answered).await?;
        }
        Ok(())
    }

    /// What its threads have used of the processors: the first figure of each thread's
    /// [schedstat](https://docs.kernel.org/scheduler/sched-stats.html), in nanoseconds.
    fn processor_time(&self) -> Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let path = thread?.path().join("schedstat");
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            nanos += text.split_whitespace().next().context("no figure")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Asks it to end, and waits until it has: a wrapper writes what it knows then.
    fn end(mut self) -> Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status().context("kill")?;
        self.child.wait().map(drop).context("it does not end")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended by itself, or it does now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a function did at the Runtime API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happened {
    /// It asked for an event.
    Asked,
    /// It has answered one.
    Answered,
    /// It could not start, or has not handled an event.
    Failed,
}

/// The Runtime API of one process: it has these events, and says what happened when.
async fn serve_runtime(
    events: Vec<String>,
) -> Result<(SocketAddr, mpsc::UnboundedReceiver<(Happened, Instant)>)> {
    let (tell, happened) = mpsc::unbounded_channel();
    let events: Vec<_> = events.into_iter().map(Bytes::from).collect();
    let (events, given) = (Arc::new(events), Arc::new(AtomicUsize::new(0)));
    let answer = move |request: Request<Incoming>| {
        let (tell, events, given) = (tell.clone(), Arc::clone(&events), Arc::clone(&given));
        async move {
            let what = match (request.method(), request.uri().path().rsplit('/').next().unwrap_or_default()) {
                (&Method::GET, "next") => Happened::Asked,
                (_, "response") => Happened::Answered,
                _ => Happened::Failed,
            };
            let event =
                (what == Happened::Asked).then(|| events.get(given.fetch_add(1, Ordering::SeqCst)).cloned());
            if event == Some(None) {
                // There are no more.
                return pending().await;
            }
            // What is told is heard, unless the round is over.
            let _ = request.into_body().collect().await;
            let _ = tell.send((what, Instant::now()));
            let Some(event) = event.flatten() else { return status(StatusCode::ACCEPTED) };
            let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + PATIENCE;
            let mut response = Response::new(Full::new(event));
            let headers = response.headers_mut();
            for (name, value) in [
                ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
                ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
                (
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:us-east-1:1:function:bench".to_owned(),
                ),
                ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned()),
            ] {
                if let Ok(value) = value.parse() {
                    headers.insert(name, value);
                }
            }
            response
        }
    };
    Ok((serve(answer).await?, happened))
}

/// AWS, as the embedded cloud plays it.
async fn serve_aws(cloud: Cloud) -> Result<SocketAddr> {
    let answer = move |request: Request<Incoming>| {
        let cloud = cloud.clone();
        async move {
            let (parts, body) = request.into_parts();
            let Ok(body) = body.collect().await else { return status(StatusCode::BAD_REQUEST) };
            let request = Request::from_parts(parts, SdkBody::from(body.to_bytes()));
            let Ok(request) = HttpRequest::try_from(request) else { return status(StatusCode::BAD_REQUEST) };
            let Ok(answer) = cloud.answer_aws("bench", request).await else {
                return status(StatusCode::BAD_GATEWAY);
            };
            let mut response = status(StatusCode::OK);
            *response.status_mut() = StatusCode::from_u16(answer.status().as_u16()).unwrap_or_default();
            for (name, value) in answer.headers() {
                if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
                    response.headers_mut().insert(name, value);
                }
            }
            *response.body_mut() =
                Full::new(Bytes::copy_from_slice(answer.body().bytes().unwrap_or_default()));
            response
        }
    };
    serve(answer).await
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// Serves on a free port of this machine until the process ends.
async fn serve<F, A>(answer: F) -> Result<SocketAddr>
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Full<Bytes>>> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let answer = answer(request);
                    async move { Ok::<_, Infallible>(answer.await) }
                });
                // A process that is ended leaves its connection in the middle.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Ok(address)
}
