//! What the queue of imports holds: a file to be read on, or a part to be applied.

use serde::{Deserialize, Serialize};
use shop_types::ImportId;

use super::import::Import;
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
    /// Begin to read, where nobody does: sent ahead of the write that has the import read.
    Begin,
    /// Find parts from where the reading stopped: behind so many bytes when this was sent.
    Read(u64),
    Apply(Part),
}

impl Work {
    /// To read a file that is about to be noted.
    pub(crate) fn begin(import: &Import) -> Self {
        Self { import: import.id.clone(), step: Step::Begin }
    }

    /// To read on a file.
    pub(crate) fn read(import: &Import) -> Self {
        Self { import: import.id.clone(), step: Step::Read(import.place.offset) }
    }

    pub(crate) fn apply(import: &ImportId, part: Part) -> Self {
        Self { import: import.clone(), step: Step::Apply(part) }
    }
}

impl shop_messaging::Work for Work {
    const UNREADABLE: &'static str = "no_work_of_an_import";

    fn key(&self) -> String {
        let step = match self.step {
            Step::Begin => "begin".to_owned(),
            Step::Read(offset) => format!("read:{offset}"),
            Step::Apply(part) => format!("apply:{}", part.number),
        };
        format!("{}:{step}", self.import)
    }
}
