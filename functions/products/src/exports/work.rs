//! What the queue of exports holds: an export to be written on.

use serde::{Deserialize, Serialize};
use shop_types::ExportId;

use super::export::Export;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) export: ExportId,
    /// The version that it was written on from, which tells messages apart.
    version: u64,
}

impl Work {
    pub(crate) fn of(export: &Export) -> Self {
        Self { export: export.id.clone(), version: export.version }
    }
}

impl shop_messaging::Work for Work {
    const UNREADABLE: &'static str = "no_work_of_an_export";

    fn key(&self) -> String {
        format!("{}:{}", self.export, self.version)
    }
}
