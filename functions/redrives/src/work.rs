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
}

impl Work {
    pub(crate) fn of(redrive: &Redrive) -> Self {
        Self { redrive: redrive.id.clone(), moved: redrive.moved, version: redrive.version }
    }
}

impl shop_messaging::Work for Work {
    const UNREADABLE: &'static str = "no_work_of_a_redrive";

    fn key(&self) -> String {
        format!("{}:{}:{}", self.redrive, self.version, self.moved)
    }
}
