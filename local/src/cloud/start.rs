//! Puts a cloud together from a template, and starts its event sources.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_types::region::Region;
use shop_lambda::Function;
use tokio::sync::Notify;

use super::clock::Clock;
use super::core::Core;
use super::dynamodb::DynamoDb;
use super::edge::Edge;
use super::http_api::Routes;
use super::lambda::Lambda;
use super::mapping_sqs::SqsMapping;
use super::mapping_stream::StreamMapping;
use super::meter::Counter;
use super::observer::{Observer, Observers};
use super::policies::Policies;
use super::random::Random;
use super::running::Running;
use super::s3::{ENDPOINT, S3};
use super::secrets::Secrets;
use super::ses::Ses;
use super::sns::Topics;
use super::sqs::{Journal, Queues};
use super::{Cloud, CloudError, Inner, Mode, Options, schedules};
use crate::template::{self, Event, REGION, Template};

/// A runtime for [`Mode::Simulated`]: one thread, and a clock that moves only when nothing else can.
///
/// # Errors
/// When the system gives no runtime.
pub fn simulated_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()
}

/// A region that no other cloud of this process has.
///
/// The SDK limits retries by a quota that all clients of a process share which name the same service and region, and
/// nothing else of [`SdkConfig`](aws_types::SdkConfig) says which quota is meant. With one region an outage in one
/// simulated shop would take the retries from the next, and the same seed would not be the same run.
fn client_region() -> Region {
    static CLOUDS: AtomicU64 = AtomicU64::new(0);
    Region::new(format!("{REGION}-{}", CLOUDS.fetch_add(1, Ordering::Relaxed)))
}

pub(super) fn start(
    template: &Template,
    functions: &[Function],
    options: Options,
) -> Result<Cloud, CloudError> {
    let (clock, random, folder) = match &options.mode {
        Mode::Real { data_dir } => (Clock::real(), Random::system(), data_dir.as_deref()),
        Mode::Simulated { seed } => {
            // The SDK draws the waits of its retries and its tokens from this generator of the thread.
            fastrand::seed(*seed);
            (Clock::simulated(), Random::seeded(*seed), None)
        }
    };
    let journal = folder
        .map(|folder| {
            std::fs::create_dir_all(folder)
                .map_err(|error| CloudError::state(folder.display().to_string(), error))?;
            let failed = |error| CloudError::state("queues.sqlite", error);
            let journal = Journal::open(folder).map_err(failed)?;
            match journal.damage().map_err(failed)? {
                None => Ok(journal),
                Some(damage) => Err(CloudError::state("queues.sqlite", damage)),
            }
        })
        .transpose()?;
    let changed = Arc::new(Notify::new());
    let counter = Arc::new(Counter::default());
    let interceptor = options.interceptor;
    let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::clone(&counter) as _];
    observers.extend(options.observers);
    let observers = Observers::new(&clock, observers);
    let queues = Queues::open(template, journal, &clock, &random, Arc::clone(&changed), observers.clone())?;
    let with_replica = interceptor.as_ref().is_some_and(|interceptor| interceptor.has_stale_reads());
    let secrets = Secrets::open(template, &queues, &clock, &random)?;
    let region = client_region();
    let core = Arc::new(Core {
        edge: Edge::of(template, &secrets, &clock, &random),
        dynamodb: DynamoDb::open(folder, template, &clock, with_replica, options.watched_tables)?,
        topics: Topics::new(template, &random, observers.clone(), interceptor.clone()),
        secrets,
        ses: Ses::new(template, options.mail, &clock, &random),
        s3: S3::open(folder, template, &region, &clock, &random)?,
        region,
        endpoint: options.front_door.unwrap_or_else(|| ENDPOINT.to_owned()),
        queues,
        clock,
        random,
        grants: template
            .functions
            .values()
            .map(|function| (function.name.clone(), function.grants.clone()))
            .collect(),
        policies: Policies::of(template),
        changed: Arc::clone(&changed),
        counter,
        observers,
        interceptor,
        simulated: matches!(options.mode, Mode::Simulated { .. }),
        deliver_twice: options.deliver_twice,
        environments: AtomicU64::new(0),
    });
    let running = Running::new(changed);
    let lambda = Lambda::new(&core, template, functions, options.environments, running.clone())?;
    let lambda = Arc::new(lambda);
    let consumed = start_sources(template, &core, &lambda, &running);
    Ok(Cloud(Arc::new(Inner {
        core,
        lambda,
        routes: Routes::of(template),
        running,
        physical: physical(template),
        queues: template.queues.iter().map(|(id, queue)| (id.clone(), queue.name.clone())).collect(),
        consumed,
    })))
}

/// Starts every event source but the routes. Returns the physical names of the queues that are consumed.
fn start_sources(
    template: &Template,
    core: &Arc<Core>,
    lambda: &Arc<Lambda>,
    running: &Running,
) -> Vec<String> {
    let mut consumed = Vec::new();
    let mut readers: BTreeMap<&str, usize> = BTreeMap::new();
    let events = template.functions.values();
    let events = events.flat_map(|function| function.events.values().map(move |event| (function, event)));
    for (function, event) in events {
        let (core, lambda) = (Arc::clone(core), Arc::clone(lambda));
        match event {
            Event::Http { .. } => {}
            Event::Sqs(event) => {
                let Some(queue) = template.queues.get(&event.queue) else { continue };
                consumed.push(queue.name.clone());
                let mapping = SqsMapping {
                    core,
                    lambda,
                    running: running.clone(),
                    function: function.name.clone(),
                    queue: queue.name.clone(),
                    event: event.clone(),
                };
                running.worker(mapping.run());
            }
            Event::Stream(event) => {
                let Some(table) = template.tables.get(&event.table) else { continue };
                let reader = readers.entry(&event.table).or_default();
                let Some(wake) = core.dynamodb.stream_readers(&table.name).get(*reader).cloned() else {
                    continue;
                };
                *reader += 1;
                let mapping = StreamMapping {
                    core,
                    lambda,
                    running: running.clone(),
                    function: function.name.clone(),
                    function_arn: function.arn.clone(),
                    table: table.name.clone(),
                    destination: event
                        .on_failure
                        .as_ref()
                        .and_then(|id| Some(template.queues.get(id)?.name.clone())),
                    event: event.clone(),
                    wake,
                };
                running.worker(mapping.run());
            }
            Event::Schedule { every } => {
                let name = function.name.clone();
                running.worker(schedules::run(core, lambda, running.clone(), name, *every));
            }
        }
    }
    if template.tables.values().any(|table| table.time_to_live.is_some()) {
        running.worker(schedules::expire_items(Arc::clone(core), running.clone()));
    }
    consumed
}

/// What `Ref` gives, by logical id.
fn physical(template: &Template) -> BTreeMap<String, String> {
    let tables = template.tables.iter().map(|(id, table)| (id.clone(), table.name.clone()));
    let topics = template.topics.iter().map(|(id, topic)| (id.clone(), template::topic_arn(&topic.name)));
    let queues = template.queues.iter().map(|(id, queue)| (id.clone(), template::queue_url(&queue.name)));
    let secrets =
        template.secrets.iter().map(|(id, secret)| (id.clone(), template::secret_arn(&secret.name)));
    let functions =
        template.functions.iter().map(|(id, function)| (id.clone(), function.physical_name.clone()));
    let sets = template.configuration_sets.iter().map(|(id, set)| (id.clone(), set.name.clone()));
    let edge = template.distribution.iter().map(|edge| (edge.id.clone(), edge.id.clone()));
    let buckets = template.buckets.iter().map(|(id, bucket)| (id.clone(), bucket.name.clone()));
    let named = tables.chain(topics).chain(queues).chain(secrets).chain(functions).chain(sets);
    named.chain(edge).chain(buckets).collect()
}
