//! On a schedule: finds mails that nobody is sending any more, and drives them on.
//!
//! - A mail that has been `sending` for ten minutes, and of which SES has told nothing: its message was not taken, or SES's
//!   word is lost. It is sent again, if it is still wanted.
//! - A mail that is `queued`, and was not tried for ten minutes: that no message in a queue is about, or only in a while.
//! - One that could not be sent for three days is marked as failed.
//! - Two runs at once, or one beside send-email, send once: the claim is conditional on what was read.
//! - What fails is found by the next run; the others are sent all the same, and the invocation fails, so that its alarm
//!   tells.

use futures::future::join_all;
use serde::Serialize;
use serde::de::IgnoredAny;
use shop_lambda::log::Chain;
use shop_lambda::recovery::RESEND_TIMEOUT;
use shop_lambda::{Budget, Environment, Function, FunctionError, Start, StartError, Task, task};
use shop_types::EmailId;

use crate::email::Reason;
use crate::postman::{Delivery, DeliveryError, Postman};
use crate::store::SHARDS;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = task::<ResendEmails>();

/// How many mails of a part of the index are looked at in one run. What is left is due at the next.
const MOST: i32 = 250;
/// How many mails are sent at a time: less than the 14 a second that SES gives an account at first.
const CONCURRENCY: usize = 8;

pub(crate) struct ResendEmails {
    postman: Postman,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Resent {
    /// How many mails the index had as due.
    pub(crate) due: u64,
    /// How many are settled now: sent, failed or skipped, or left for SES to tell of.
    pub(crate) handled: u64,
    /// How many SES did not take now.
    pub(crate) waiting: u64,
    /// How many somebody else had settled, or tried meanwhile.
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// How many there was no time for.
    pub(crate) left: u64,
}

impl Start for ResendEmails {
    const NAME: &'static str = "resend-emails";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { postman: Postman::start(environment)? })
    }
}

impl Task for ResendEmails {
    type Input = IgnoredAny;
    type Answer = Resent;

    async fn run(&self, _: Self::Input, _: &str) -> Result<Resent, FunctionError> {
        let Postman { store, clock, .. } = &self.postman;
        let budget = Budget::start(clock, RESEND_TIMEOUT);
        let (mut resent, mut failure) = (Resent::default(), None);
        let now = clock.now();
        for found in join_all((0..SHARDS).map(|shard| store.due(shard, now, MOST))).await {
            let ids = match found {
                Ok(ids) => ids,
                Err(error) => {
                    failure = failure.or(Some(error.into()));
                    continue;
                }
            };
            resent.due += count(ids.len());
            for ids in ids.chunks(CONCURRENCY) {
                if budget.is_over() {
                    resent.left += count(ids.len());
                    continue;
                }
                for delivered in join_all(ids.iter().map(|id| self.resend(id))).await {
                    match delivered {
                        Ok(Delivery::Done) => resent.handled += 1,
                        Ok(Delivery::NotYet(_)) => resent.waiting += 1,
                        Ok(Delivery::Outrun(_)) => resent.passed += 1,
                        Err(error) => {
                            tracing::warn!(error = %Chain(&error), "a mail is not sent again");
                            resent.failed += 1;
                            failure = failure.or(Some(error));
                        }
                    }
                }
            }
        }
        log(&resent);
        match failure {
            None => Ok(resent),
            Some(error) => Err(FunctionError::new("some mails could not be sent again", error)),
        }
    }
}

impl ResendEmails {
    /// Drives on a mail that the index has as due, if it still is.
    async fn resend(&self, id: &EmailId) -> Result<Delivery, DeliveryError> {
        let Postman { store, clock, .. } = &self.postman;
        let Some(email) = store.find(id).await? else { return Ok(Delivery::Done) };
        let now = clock.now();
        if email.due().is_none_or(|due| due > now) {
            return Ok(Delivery::Outrun(Box::new(email)));
        }
        if email.is_expired(now) {
            tracing::error!(email.id = %id, email.attempt = email.attempt, "a mail could not be sent for days");
            return Ok(store.save(&email, &email.failed(Reason::Expired, now)).await?.into());
        }
        self.postman.deliver(&email).await
    }
}

fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}

fn log(resent: &Resent) {
    let Resent { due, handled, waiting, passed, failed, left } = *resent;
    if due == 0 {
        tracing::info!("no mail is due");
    } else {
        tracing::warn!(
            emails.due = due,
            emails.handled = handled,
            emails.waiting = waiting,
            emails.passed = passed,
            emails.failed = failed,
            emails.left = left,
            "mails were due"
        );
    }
}
