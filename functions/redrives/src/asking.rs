//! What the two routes have in common that ask for something to become of dead letters.

use std::collections::BTreeSet;

use shop_events::Disposal;
use shop_http::{Call, Contract, Problem, Reply, Start, request_hash};
use shop_lambda::{Clock, Random, StartError};
use shop_messaging::WorkQueue;
use shop_types::RedriveId;

use crate::letter::Position;
use crate::queues;
use crate::redrive::{Redrive, RedriveRequest, RedriveView, no_such_consumer};
use crate::store::{Created, Letters, PARKED_PAGE, Redrives};
use crate::work::Work;

pub(crate) struct Asking {
    disposal: Disposal,
    /// To whom letters can be sent again; of no matter where they are given up, which those of a consumer that was removed
    /// can be, too.
    consumers: Option<BTreeSet<String>>,
    letters: Letters,
    redrives: Redrives,
    queue: WorkQueue<Work>,
    clock: Clock,
    random: Random,
}

impl Asking {
    pub(crate) fn start(disposal: Disposal, start: &Start) -> Result<Self, StartError> {
        let consumers = match disposal {
            Disposal::Redrive => Some(queues::consumers(start.environment())?),
            Disposal::Discard => None,
        };
        Ok(Self {
            disposal,
            consumers,
            letters: Letters::start(start.environment(), start.client())?,
            redrives: Redrives::start(start.environment(), start.client())?,
            queue: WorkQueue::start(start.environment(), "REDRIVES_QUEUE_URL")?,
            clock: start.clock(),
            random: start.random(),
        })
    }

    pub(crate) fn contract(summary: &'static str) -> Contract {
        Contract::new(summary)
            .body(RedriveRequest::read)
            .accepted_at::<RedriveView<'_>>("The redrive: `GET /monitor/redrives/{id}` tells how far it is.")
            .idempotent()
    }

    pub(crate) async fn answer(&self, call: &Call) -> Result<Reply, Problem> {
        let request = RedriveRequest::read(call.body()?)?;
        if self.consumers.as_ref().is_some_and(|consumers| !consumers.contains(&request.consumer)) {
            return Err(no_such_consumer());
        }
        let key = call.idempotency_key()?;
        call.audit("redrive.consumer", &request.consumer);
        call.audit("redrive.reason", &request.reason);
        let hash = request_hash(&(self.disposal, &request)).map_err(Unwritable).map_err(Problem::internal)?;
        let now = self.clock.now();
        let id = match key {
            Some(key) => RedriveId::derived(key.scope(), key.as_str()),
            None => RedriveId::fresh(now, self.random.bytes()),
        };
        call.audit("redrive.id", &id);
        let mut redrive = Redrive::new((id, hash), (self.disposal, request), 0, now, call.cause());
        redrive.matched = self.count(&redrive).await?;
        self.queue.send_ahead(&Work::ahead(&redrive)).await.map_err(Problem::internal)?;
        let stored = match self.redrives.create(&redrive).await? {
            Created::New => None,
            Created::There(stored) if stored.request_hash == redrive.request_hash => Some(stored),
            Created::There(_) => return Err(Problem::idempotency_key_reused()),
        };
        if stored.is_none() {
            // At once. Whoever asks again has sent for it ahead, which is enough where nobody is at it.
            self.queue.send(&Work::of(&redrive)).await.map_err(Problem::internal)?;
        }
        let redrive = stored.as_deref().unwrap_or(&redrive);
        let reply = Reply::accepted_at(&format!("/monitor/redrives/{}", redrive.id), &redrive.view())?;
        Ok(if stored.is_some() { reply.replayed() } else { reply })
    }

    /// How many letters it is about.
    async fn count(&self, redrive: &Redrive) -> Result<u64, Problem> {
        let (mut matched, mut after) = (0, None);
        loop {
            let page = self.letters.parked(Some(redrive.places()), after.as_ref(), PARKED_PAGE).await?;
            matched += page.items.iter().filter(|letter| redrive.is_about(&letter.code)).count();
            after = page.next(|last| Position { place: last.place.clone(), id: last.id.clone() });
            if after.is_none() {
                return Ok(u64::try_from(matched).unwrap_or(u64::MAX));
            }
        }
    }
}

/// A request that was read cannot be written: it never happens.
#[derive(Debug, thiserror::Error)]
#[error("the request cannot be written")]
struct Unwritable(#[source] serde_json::Error);

impl shop_lambda::Internal for Unwritable {}
