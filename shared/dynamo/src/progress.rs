//! How far a verification is, and whether there is time for more.

use serde::Serialize;
use serde::de::DeserializeOwned;
use shop_lambda::recovery::VERIFY_TIMEOUT;
use shop_lambda::report::{Report, VerifyRequest};
use shop_lambda::{Budget, Clock};

use crate::{Checkpoint, StoreError};

/// A run of a verification: it notes how far it is, so that the next of its kind goes on there if this one has no time
/// for all.
#[derive(Debug)]
pub struct Progress {
    checkpoint: Checkpoint,
    budget: Budget,
}

impl Progress {
    /// A run that begins now.
    #[must_use]
    pub fn start(checkpoint: Checkpoint, clock: &Clock) -> Self {
        Self { checkpoint, budget: Budget::start(clock, VERIFY_TIMEOUT) }
    }

    /// `GetItem`: where the last run of its kind stopped, as the report says then; none where it came to the end, or nobody
    /// wants to know.
    ///
    /// # Errors
    /// The call failed.
    pub async fn resume<P: DeserializeOwned + Serialize>(
        &self,
        request: VerifyRequest,
        report: &mut Report,
    ) -> Result<Option<P>, StoreError> {
        if request.from_start {
            return Ok(None);
        }
        let position = self.checkpoint.position().await?;
        if let Some(position) = &position {
            report.resume(position);
        }
        Ok(position)
    }

    /// `PutItem`: notes how far it is; whether there is time for more. If not, the report says so.
    ///
    /// # Errors
    /// The call failed.
    pub async fn reach<P: Serialize + Sync>(
        &self,
        position: &P,
        report: &mut Report,
    ) -> Result<bool, StoreError> {
        self.checkpoint.reach(position).await?;
        if self.is_over() {
            report.stop(position);
        }
        Ok(report.complete)
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.budget.is_over()
    }

    /// `PutItem`: it came to the end. Nothing is written where nothing says otherwise.
    ///
    /// # Errors
    /// The call failed.
    pub async fn finish(&self) -> Result<(), StoreError> {
        self.checkpoint.finish().await
    }
}
