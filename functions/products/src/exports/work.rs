//! What the queue of exports holds: an export to be written on.

use serde::{Deserialize, Serialize};
use shop_lambda::{Environment, StartError};
use shop_messaging::consumer::{Body, Unreadable};
use shop_messaging::{NotSent, Sender};
use shop_types::ExportId;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) export: ExportId,
    /// The version that it was written on from, which tells messages apart.
    version: u64,
    #[serde(skip)]
    id: String,
}

impl Body for Work {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        let work: Self = serde_json::from_str(text).map_err(|error| Unreadable {
            code: "no_work_of_an_export",
            may_be_newer: false,
            source: error.into(),
        })?;
        Ok(Self { id: format!("{}:{}", work.export, work.version), ..work })
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
    pub(crate) async fn send(&self, export: &ExportId, version: u64) -> Result<(), NotSent> {
        self.0.send(&Work { export: export.clone(), version, id: String::new() }).await
    }
}
