//! Consumer of the queue of redrives, which the routes and it itself send to: moves dead letters, some at a time.
//!
//! - Letters are sent to their queue first and marked as moved then, in one transaction with the redrive's progress: what
//!   dies in between sends some of them twice, and every consumer bears that. Nothing is marked that was not sent.
//! - It goes no faster than the redrive's rate. After some seconds the rest is left to another message, so that a pause
//!   is heard.
//! - One message at a time moves a redrive's letters: whoever finds that another has moved some leaves it to that, and
//!   looks again. Of two that begin at once each counts those that it has marked.
//! - Letters that came back meanwhile are later than the cutoff, and left alone.
//! - A redrive to a consumer that has no queue any more ends as failed: no retry makes it one.
//! - Retried: failures of DynamoDB and SQS. Dropped: work of a redrive that is forgotten, paused or done.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use shop_events::Disposal;
use shop_lambda::{Environment, Function, Start, StartError, Timer};
use shop_messaging::consumer::{self, Consumer, Failure, MessageResult};
use shop_messaging::{Sender, WorkQueue, somebody_is_at_it};
use shop_types::DeadLetterId;

use crate::letter::{Letter, Parked, Position};
use crate::queues;
use crate::redrive::{Redrive, Status};
use crate::store::{Letters, Moved, Redrives};
use crate::work::Work;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::each_of::<Work, RunRedrive>();

/// How long one message may move letters: what is left is another's.
const WORKING_TIME: Duration = Duration::from_secs(5);
/// How many letters are moved at once. With the redrive they are one transaction; and it is what one call of SQS sends,
/// and what a hundred letters a second are in a quarter of a second.
const AT_ONCE: usize = 25;

pub(crate) struct RunRedrive {
    letters: Letters,
    redrives: Redrives,
    queue: WorkQueue<Work>,
    /// A sender to the queue of each consumer.
    consumers: BTreeMap<String, Sender>,
    timer: Timer,
}

impl Start for RunRedrive {
    const NAME: &'static str = "run-redrive";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let client = Client::new(environment.sdk_config());
        let sqs = aws_sdk_sqs::Client::new(environment.sdk_config());
        let consumers = queues::read(environment, "CONSUMER_QUEUES")?;
        let sender = |(name, url)| (name, Sender::to(sqs.clone(), url));
        Ok(Self {
            letters: Letters::start(environment, client.clone())?,
            redrives: Redrives::start(environment, client)?,
            queue: WorkQueue::start(environment, "QUEUE_URL")?,
            consumers: consumers.into_iter().map(sender).collect(),
            timer: Timer::start(environment),
        })
    }
}

/// How a step of a redrive ended.
enum Step {
    /// There may be more behind it, and so many letters were moved.
    On(Redrive, u32),
    /// There are no more letters, or there is nowhere to send them: it has come to this.
    End(Redrive, Status),
    /// Somebody else moved one of the letters, or decided otherwise of the redrive.
    Outrun,
}

impl Consumer<Work> for RunRedrive {
    async fn consume(&self, work: &Work) -> MessageResult {
        let begun = self.timer.clock().now();
        // How far it was when this message, or this function, last moved letters.
        let mut left_at: Option<Redrive> = None;
        loop {
            let Some(redrive) = self.redrives.find(&work.redrive).await.map_err(store_failed)? else {
                tracing::warn!(redrive.id = %work.redrive, "the redrive is forgotten");
                return Ok(());
            };
            if redrive.status != Status::Running {
                return Ok(());
            }
            let step_began = self.timer.clock().now();
            // With two at it the rate would be twice what was asked for.
            let goes_on =
                left_at.as_ref().map_or_else(|| work.goes_on(&redrive), |left| left.is_as_far_as(&redrive));
            if !goes_on && redrive.behind.is_some() && somebody_is_at_it(redrive.updated_at, step_began) {
                return Ok(self.queue.look_again(work).await?);
            }
            left_at = Some(redrive.clone());
            match self.step(redrive).await? {
                Step::Outrun => {}
                Step::End(redrive, status) => return self.finish(redrive, status).await,
                Step::On(redrive, moved) => {
                    let now = self.timer.clock().now();
                    let pace = Duration::from_secs(moved.into()) / redrive.rate;
                    let pause = pace.saturating_sub(now.abs_diff(step_began));
                    if now.abs_diff(begun) + pause > WORKING_TIME {
                        // Who goes on keeps the pace, too. The queue waits for whole seconds.
                        self.timer.wait(Duration::from_nanos(pause.subsec_nanos().into())).await;
                        return Ok(self.queue.send_later(&Work::of(&redrive), pause).await?);
                    }
                    self.timer.wait(pause).await;
                    left_at = Some(redrive);
                }
            }
        }
    }
}

impl RunRedrive {
    /// Moves the next letters.
    async fn step(&self, mut redrive: Redrive) -> Result<Step, Failure> {
        let after = redrive.behind.as_ref().and_then(|place| position(place));
        let limit = i32::try_from(AT_ONCE).unwrap_or(i32::MAX);
        let page = self.letters.parked(Some(redrive.places()), after.as_ref(), limit);
        let page = page.await.map_err(store_failed)?;
        let Some(last) = page.items.last().map(|last| last.place.clone()) else {
            return Ok(Step::End(redrive, Status::Done));
        };
        let letters = self.still_parked(&redrive, &page.items).await?;
        if redrive.disposal == Disposal::Redrive && !letters.is_empty() {
            let Some(sender) = self.consumers.get(&redrive.consumer) else {
                tracing::warn!(redrive.id = %redrive.id, consumer = redrive.consumer, "the consumer has no queue");
                return Ok(Step::End(redrive, Status::Failed));
            };
            sender.send_all(letters.iter().map(|letter| letter.body.clone()).collect()).await?;
        }
        // Not before what was last written of it, by a clock that may be ahead of this one.
        let now = self.timer.clock().now().max(redrive.updated_at);
        let progress = self.redrives.progress(&redrive, letters.len(), &last, now);
        let moved = self.letters.moved(&letters, (&redrive, progress), now);
        if moved.await.map_err(store_failed)? == Moved::Outrun {
            return Ok(Step::Outrun);
        }
        let count = u32::try_from(letters.len()).unwrap_or(u32::MAX);
        redrive.moved += u64::from(count);
        redrive.behind = Some(last);
        Ok(if page.goes_on { Step::On(redrive, count) } else { Step::End(redrive, Status::Done) })
    }

    /// Those of the letters that it is about, and that nobody has moved: the index is behind the table.
    async fn still_parked(&self, redrive: &Redrive, found: &[Parked]) -> Result<Vec<Letter>, Failure> {
        let wanted = found.iter().filter(|letter| redrive.is_about(&letter.code));
        let wanted: BTreeMap<&DeadLetterId, &Parked> = wanted.map(|letter| (&letter.id, letter)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = wanted.keys().map(|id| (*id).clone()).collect();
        let mut letters = self.letters.all_of(&ids).await.map_err(store_failed)?;
        letters.retain(|letter| {
            letter.listed.is_some() && wanted.get(&letter.id).is_some_and(|found| found.place == letter.place)
        });
        Ok(letters)
    }

    async fn finish(&self, redrive: Redrive, status: Status) -> MessageResult {
        let now = self.timer.clock().now().max(redrive.updated_at);
        let ended = Redrive {
            status,
            version: redrive.version + 1,
            updated_at: now,
            finished_at: Some(now),
            ..redrive.clone()
        };
        if !self.redrives.change(&redrive, &ended).await.map_err(store_failed)? {
            // Somebody paused it at its end; who lets it go on finds nothing more, and ends it.
            tracing::info!(redrive.id = %redrive.id, "a redrive was changed at its end");
        }
        Ok(())
    }
}

/// A place says which letter it is of.
fn position(place: &str) -> Option<Position> {
    let id = place.rsplit('#').next()?.parse().ok()?;
    Some(Position { place: place.to_owned(), id })
}

fn store_failed(error: shop_dynamo::StoreError) -> Failure {
    Failure::new("store_failed", error)
}
