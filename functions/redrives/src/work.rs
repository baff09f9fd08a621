//! What the queue of redrives holds: a redrive to go on with.

use serde::{Deserialize, Serialize};
use shop_lambda::{Environment, StartError};
use shop_messaging::consumer::{Body, Unreadable};
use shop_messaging::{NotSent, Sender};
use shop_types::RedriveId;

use crate::redrive::Redrive;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) redrive: RedriveId,
    /// How far it was, which tells messages apart.
    moved: u64,
    version: u64,
    #[serde(skip)]
    id: String,
}

impl Body for Work {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        let work: Self = serde_json::from_str(text).map_err(|error| Unreadable {
            code: "no_work_of_a_redrive",
            may_be_newer: false,
            source: error.into(),
        })?;
        Ok(Self { id: format!("{}:{}:{}", work.redrive, work.version, work.moved), ..work })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

/// The queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue(Sender);

impl Queue {
    /// The queue that a variable names.
    pub(crate) fn start(environment: &Environment, variable: &str) -> Result<Self, StartError> {
        Ok(Self(Sender::start(environment, variable)?))
    }

    /// # Errors
    /// It may have been sent.
    pub(crate) async fn send(&self, redrive: &Redrive) -> Result<(), NotSent> {
        let (redrive, moved, version) = (redrive.id.clone(), redrive.moved, redrive.version);
        self.0.send(&Work { redrive, moved, version, id: String::new() }).await
    }
}
