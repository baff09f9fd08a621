//! Consumer of the queue of imports, which start-import and it itself send to: reads files to find their parts, and applies
//! parts.
//!
//! - A file is read a window at a time. The parts of a window are sent, and then it is noted how far the file was read:
//!   whoever reads it again in between sends the same parts, and leaves the rest to who noted it first. After some seconds
//!   the rest is left to another message.
//! - A part is counted in one write with the import's totals, if it was not counted. Before that its lines may be
//!   applied more than once, which is the same as once: a product remembers the line that it is of. A line without an id
//!   has one that follows from the import and the line.
//! - What is wrong with lines is kept in S3 before the part is counted, under a key of this try.
//! - Retried: failures of DynamoDB, S3 and SQS, and products that others change at the same moment.
//! - Dropped: work of an import that is forgotten, was not started or has ended, and of a file that was replaced.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use data_encoding::HEXLOWER;
use shop_lambda::{Clock, Environment, Function, Random, Start, StartError};
use shop_messaging::consumer::{self, Consumer, Failure as Failed, MessageResult};
use shop_messaging::{WorkQueue, somebody_is_at_it};

use super::apply::apply;
use super::bucket::Bucket;
use super::import::{Failure, FailureCode, Import, Stage};
use super::line::{self, Author};
use super::records::{self, Part, WINDOW};
use super::store::{DonePart, Imports};
use super::work::{Step, Work};
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::each_of::<Work, ImportProducts>();

/// How long one message may read: what the file still holds is another's.
const READING_TIME: Duration = Duration::from_secs(4);

pub(crate) struct ImportProducts {
    imports: Imports,
    products: Store,
    bucket: Bucket,
    queue: WorkQueue<Work>,
    clock: Clock,
    random: Random,
}

impl Start for ImportProducts {
    const NAME: &'static str = "import-products";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let client = Client::new(environment.sdk_config());
        Ok(Self {
            imports: Imports::start(environment, client.clone())?,
            products: Store::start(environment, client)?,
            bucket: Bucket::start(environment)?,
            queue: WorkQueue::start(environment, "QUEUE_URL")?,
            clock: environment.clock(),
            random: environment.random(),
        })
    }
}

impl Consumer<Work> for ImportProducts {
    async fn consume(&self, work: &Work) -> MessageResult {
        let id = &work.import;
        let Some(import) = self.imports.find(id).await.map_err(store_failed)? else {
            tracing::warn!(import.id = %id, "the import is forgotten");
            return Ok(());
        };
        match work.step {
            Step::Begin if self.somebody_reads(&import) => Ok(self.queue.look_again(work).await?),
            Step::Begin | Step::Read(_) => self.read(import).await,
            Step::Apply(part) => self.apply(&import, part).await,
        }
    }
}

impl ImportProducts {
    fn somebody_reads(&self, import: &Import) -> bool {
        let is_begun = import.stage == Stage::Reading && !import.place.is_start();
        is_begun && somebody_is_at_it(import.updated_at, self.clock.now())
    }

    /// Reads on from where the reading stopped, whatever the message says of that.
    async fn read(&self, mut import: Import) -> MessageResult {
        let begun = self.clock.now();
        while import.stage == Stage::Reading {
            let (next, parts) = self.read_window(&import).await?;
            self.queue.send_all(parts.into_iter().map(|part| Work::apply(&import.id, part))).await?;
            let stored = self.imports.read_on(&import, next.clone()).await.map_err(store_failed)?;
            if next.is_overtaken_by(&stored) && stored.stage == Stage::Reading {
                // Another message reads it on: with each that does so as well all of it would be read once more. Who may
                // be the same message, delivered twice, and is looked after, since this one is gone with it.
                return Ok(self.queue.look_again(&Work::begin(&stored)).await?);
            }
            let next = stored;
            if let Some(failure) = &next.failure {
                let Failure { code, line, .. } = failure;
                tracing::info!(import.id = %import.id, ?code, line, "a file cannot be read");
            }
            import = next;
            if import.stage == Stage::Reading && self.clock.now().abs_diff(begun) > READING_TIME {
                return Ok(self.queue.send(&Work::read(&import)).await?);
            }
        }
        Ok(())
    }

    /// The parts of the next window, and the import as it is behind it: perhaps it cannot be read further.
    async fn read_window(&self, import: &Import) -> Result<(Import, Vec<Part>), Failed> {
        let from = import.place.offset;
        let to = (from + WINDOW).min(import.size);
        let updated_at = self.clock.now().max(import.updated_at);
        let next = Import { reads: import.reads + 1, updated_at, ..import.clone() };
        let Some(window) = self.bytes(import, from, to).await? else {
            return Ok((next.failed(changed(import)), Vec::new()));
        };
        let is_last = to == import.size;
        if import.place.is_start() {
            // Noted by itself: a part may be applied before it is noted that it was found, and needs the columns.
            return Ok(match records::head(import.format, &window, is_last) {
                Ok((columns, place)) => (Import { place, columns, ..next }, Vec::new()),
                Err(failure) => (next.failed(failure), Vec::new()),
            });
        }
        let (parts, place, failure) = records::parts(import.format, &window, is_last, next.place);
        Ok((next.read_to(place, is_last, failure), parts))
    }

    async fn apply(&self, import: &Import, part: Part) -> MessageResult {
        if self.imports.is_done(&import.id, part.number).await.map_err(store_failed)? {
            return Ok(());
        }
        let Some(bytes) = self.bytes(import, part.from, part.to).await? else {
            let failure = Failure { line: part.line, ..changed(import) };
            let broken = self.imports.break_off(import, &failure, self.clock.now()).await;
            return broken.map_err(store_failed);
        };
        let (lines, mut refused) = line::read(import.format, &import.columns, &bytes, part.line, &import.id);
        let all = lines.len() + refused.len();
        let author = Author {
            import: &import.id,
            started_at: import.started_at,
            cause: &import.cause,
            now: self.clock.now(),
        };
        let applied = apply(&self.products, &self.clock, lines, &author).await;
        refused.extend(applied.map_err(store_failed)?);
        refused.sort_by_key(|line| line.line);
        let refusals = if refused.is_empty() {
            None
        } else {
            let nonce = HEXLOWER.encode(&self.random.bytes::<8>());
            let kept = self.bucket.keep_refusals(&import.id, part.number, &nonce, &refused).await;
            Some(kept.map_err(bucket_failed)?)
        };
        let done = DonePart {
            number: part.number,
            accepted: count(all - refused.len()),
            refused: count(refused.len()),
            refusals,
            expires_at: import.expires_at,
        };
        self.imports.count(&import.id, &done, self.clock.now()).await.map_err(store_failed)
    }

    /// Bytes of the file that was there when the import was started; none where it is not there any more.
    async fn bytes(&self, import: &Import, from: u64, to: u64) -> Result<Option<Vec<u8>>, Failed> {
        let Some(etag) = &import.etag else { return Ok(None) };
        self.bucket.read(&import.id, etag, from, to).await.map_err(bucket_failed)
    }
}

fn changed(import: &Import) -> Failure {
    Failure {
        line: import.place.line,
        column: None,
        code: FailureCode::FileChanged,
        detail: "The file was replaced while it was read. Import it anew.".to_owned(),
    }
}

fn count(lines: usize) -> u32 {
    u32::try_from(lines).unwrap_or(u32::MAX)
}

fn store_failed(error: shop_dynamo::StoreError) -> Failed {
    Failed::new("store_failed", error)
}

fn bucket_failed(error: shop_bucket::BucketError) -> Failed {
    Failed::new("bucket_failed", error)
}
