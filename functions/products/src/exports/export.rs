//! An export, as it is stored and shown. Pure: no AWS, no clock.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_events::Cause;
use shop_types::{ExportId, Timestamp};

use crate::imports::import::{Format, KEPT};
use crate::listing::Position;

/// How long an address for the file is good.
pub(crate) const DOWNLOAD_TIME: Duration = Duration::from_mins(15);

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ExportStatus")]
pub(crate) enum Status {
    /// It is being written.
    Running,
    /// The file is there.
    Done,
}

/// What is written so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    /// Behind which product the writing goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) behind: Option<Position>,
    /// So many products are written.
    pub(crate) products: u64,
    /// The upload in S3, if there is one, and the `ETag`s of its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upload: Option<String>,
    #[serde(default)]
    pub(crate) parts: Vec<String>,
    /// Where the bytes are kept that are too few for a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rest: Option<String>,
}

/// An export, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Export {
    #[serde(rename = "pk")]
    pub(crate) id: ExportId,
    pub(crate) format: Format,
    pub(crate) status: Status,
    pub(crate) written: Written,
    /// How often something was written: whoever writes on has to have read the last time.
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Seconds since the epoch: DynamoDB deletes the item some time after.
    pub(crate) expires_at: i64,
    #[serde(flatten)]
    pub(crate) cause: Cause,
}

impl Export {
    #[must_use]
    pub(crate) fn create(id: ExportId, format: Format, now: Timestamp, cause: Cause) -> Self {
        let kept = i64::try_from(KEPT.as_secs()).unwrap_or(i64::MAX);
        Self {
            id,
            format,
            status: Status::Running,
            written: Written::default(),
            version: 1,
            created_at: now,
            updated_at: now,
            expires_at: now.as_millis() / 1000 + kept,
            cause,
        }
    }

    /// The export when something more was written.
    #[must_use]
    pub(crate) fn next(&self, status: Status, written: Written, now: Timestamp) -> Self {
        let updated_at = now.max(self.updated_at);
        Self { status, written, version: self.version + 1, updated_at, ..self.clone() }
    }

    #[must_use]
    pub(crate) fn view(&self, download: Option<DownloadView>) -> ExportView<'_> {
        ExportView {
            id: &self.id,
            format: self.format,
            status: self.status,
            products: self.written.products,
            download,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// An export of the catalogue.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Export")]
pub(crate) struct ExportView<'a> {
    id: &'a ExportId,
    format: Format,
    status: Status,
    /// So many products are written.
    products: u64,
    /// Where the file is, once it is there.
    download: Option<DownloadView>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Where a file is: `GET` it there, without a token.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Download")]
pub(crate) struct DownloadView {
    pub(crate) url: String,
    /// The address is good until then.
    pub(crate) expires_at: Timestamp,
}
