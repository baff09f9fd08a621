//! What the redrives service publishes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_types::{RedriveId, Timestamp};

use crate::aggregate::Aggregate;

/// The data of redrive.created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedriveCreated {
    /// The redrive.
    pub redrive_id: RedriveId,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Aggregate for RedriveCreated {
    fn aggregate(&self) -> String {
        self.redrive_id.to_string()
    }
}
