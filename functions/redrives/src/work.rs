//! What the queue of redrives holds: a redrive to go on with.

use serde::{Deserialize, Serialize};
use shop_types::RedriveId;

use crate::redrive::Redrive;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) redrive: RedriveId,
    /// How far it was, which tells messages apart.
    moved: u64,
    version: u64,
    /// Whether it is sent before the redrive is written: who receives it works where nobody else does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_beginning: bool,
}

impl Work {
    pub(crate) fn of(redrive: &Redrive) -> Self {
        let Redrive { id, moved, version, .. } = redrive;
        Self { redrive: id.clone(), moved: *moved, version: *version, is_beginning: false }
    }

    /// What is to be done of a redrive that is about to be written.
    pub(crate) fn beginning(redrive: &Redrive) -> Self {
        Self { is_beginning: true, ..Self::of(redrive) }
    }
}

impl shop_messaging::Work for Work {
    const UNREADABLE: &'static str = "no_work_of_a_redrive";

    fn key(&self) -> String {
        format!("{}:{}:{}", self.redrive, self.version, self.moved)
    }
}
