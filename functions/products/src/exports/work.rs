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
    /// Whether it was sent ahead of the write that has the export run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_ahead: bool,
}

impl Work {
    pub(crate) fn of(export: &Export) -> Self {
        Self { export: export.id.clone(), version: export.version, is_ahead: false }
    }

    /// What is to be done of an export that is about to be stored.
    pub(crate) fn ahead(export: &Export) -> Self {
        Self { is_ahead: true, ..Self::of(export) }
    }
}

impl shop_messaging::Work for Work {
    const UNREADABLE: &'static str = "no_work_of_an_export";

    fn key(&self) -> String {
        format!("{}:{}{}", self.export, self.version, if self.is_ahead { ":ahead" } else { "" })
    }
}
