//! What the redrives service publishes: who asked for dead letters to be sent again, or given up, and what came of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_types::{RedriveId, Timestamp};

use crate::aggregate::Aggregate;

/// What becomes of dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disposal {
    /// They are sent to their queue again.
    Redrive,
    /// Nobody will handle them. They are kept for a time.
    Discard,
}

/// The data of redrive.created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedriveCreated {
    /// The redrive.
    pub redrive_id: RedriveId,
    /// What becomes of the letters.
    pub disposal: Disposal,
    /// The consumer whose letters they are.
    pub consumer: String,
    /// The code of their failure; of whichever, without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<String>,
    /// Letters that were parked later are left alone.
    pub cutoff: Timestamp,
    /// How many letters there were.
    pub matched: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// The data of redrive.finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedriveFinished {
    /// The redrive.
    pub redrive_id: RedriveId,
    /// What became of the letters.
    pub disposal: Disposal,
    /// The consumer whose letters they were.
    pub consumer: String,
    /// How many letters it has moved.
    pub moved: u64,
    /// When the last of them was.
    pub finished_at: Timestamp,
}

impl Aggregate for RedriveCreated {
    fn aggregate(&self) -> String {
        self.redrive_id.to_string()
    }
}

impl Aggregate for RedriveFinished {
    fn aggregate(&self) -> String {
        self.redrive_id.to_string()
    }
}
