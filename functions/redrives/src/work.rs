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
    /// Whether it was sent ahead of the write that has the redrive run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_ahead: bool,
}

impl Work {
    pub(crate) fn of(redrive: &Redrive) -> Self {
        let Redrive { id, moved, version, .. } = redrive;
        Self { redrive: id.clone(), moved: *moved, version: *version, is_ahead: false }
    }

    /// Whether it is what the last step of the redrive left to be done. Where it is not, somebody else may be at it.
    pub(crate) const fn goes_on(&self, redrive: &Redrive) -> bool {
        !self.is_ahead && self.moved == redrive.moved && self.version == redrive.version
    }

    /// What is to be done of a redrive that is about to be written as running, or may have nobody at it.
    pub(crate) fn ahead(redrive: &Redrive) -> Self {
        Self { is_ahead: true, ..Self::of(redrive) }
    }
}

impl shop_messaging::Work for Work {
    const UNREADABLE: &'static str = "no_work_of_a_redrive";

    fn key(&self) -> String {
        let Self { redrive, version, moved, is_ahead } = self;
        format!("{redrive}:{version}:{moved}{}", if *is_ahead { ":ahead" } else { "" })
    }
}
