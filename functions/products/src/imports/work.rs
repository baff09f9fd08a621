//! What the queue of imports holds: a file to be read on, or a part to be applied.

use serde::{Deserialize, Serialize};
use shop_lambda::{Environment, StartError};
use shop_messaging::consumer::{Body, Unreadable};
use shop_messaging::{NotSent, Sender};
use shop_types::ImportId;

use super::records::Part;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) import: ImportId,
    pub(crate) step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Find parts from where the reading stopped: behind so many bytes when this was sent.
    Read(u64),
    Apply(Part),
}

/// A message as it came, with what tells it from others.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) work: Work,
    id: String,
}

impl Body for Received {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        let work: Work = serde_json::from_str(text).map_err(|error| Unreadable {
            code: "no_work_of_an_import",
            may_be_newer: false,
            source: error.into(),
        })?;
        let step = match work.step {
            Step::Read(offset) => format!("read:{offset}"),
            Step::Apply(part) => format!("apply:{}", part.number),
        };
        Ok(Self { id: format!("{}:{step}", work.import), work })
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
    pub(crate) async fn send(&self, import: &ImportId, step: Step) -> Result<(), NotSent> {
        self.0.send(&Work { import: import.clone(), step }).await
    }

    /// # Errors
    /// Some may have been sent.
    pub(crate) async fn send_parts(&self, import: &ImportId, parts: &[Part]) -> Result<(), NotSent> {
        let body =
            |part: &Part| serde_json::to_string(&Work { import: import.clone(), step: Step::Apply(*part) });
        self.0.send_all(parts.iter().map(body).collect::<Result<Vec<_>, _>>()?).await
    }
}
