//! A redrive: what is stored of it, and what is shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_dynamo::Record;
use shop_events::Cause;
use shop_types::{RedriveId, Timestamp};

/// A redrive, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redrive {
    pub(crate) id: RedriveId,
    /// One more with every change.
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
    /// Why it was written last.
    #[serde(flatten)]
    pub(crate) cause: Cause,
}

impl Record for Redrive {
    const KIND: &'static str = "redrive";
}

/// A redrive, as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Redrive")]
pub(crate) struct RedriveView<'a> {
    id: &'a RedriveId,
    version: u64,
    created_at: Timestamp,
}

impl Redrive {
    pub(crate) fn view(&self) -> RedriveView<'_> {
        RedriveView { id: &self.id, version: self.version, created_at: self.created_at }
    }
}
