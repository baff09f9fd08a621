//! `GET /exports/{id}`: how far an export is, and where its file. Administrators only.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Clock, Function, StartError};
use shop_types::{ExportId, Timestamp};

use super::export::{DOWNLOAD_TIME, DownloadView, ExportView, Status};
use super::store::Exports;
use crate::imports::bucket::Bucket;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetExport>();

pub(crate) struct GetExport {
    exports: Exports,
    bucket: Bucket,
    clock: Clock,
}

impl Route for GetExport {
    const NAME: &'static str = "get-export";
    const ENDPOINT: Endpoint = get("/exports/{id}");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            exports: Exports::start(start.environment(), start.client())?,
            bucket: Bucket::start(start.environment())?,
            clock: start.clock(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Shows how far an export is, and where its file").ok::<ExportView<'_>>("The export.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: ExportId = call.id("export")?;
        let export = self.exports.find(&id).await?.ok_or_else(|| Problem::not_found("export"))?;
        let download = match export.status {
            Status::Running => None,
            Status::Done => {
                let now = self.clock.now();
                let url = self.bucket.export_url(&id, export.format, now, DOWNLOAD_TIME).await;
                let holds = i64::try_from(DOWNLOAD_TIME.as_millis()).unwrap_or(0);
                let expires_at = Timestamp::from_millis(now.as_millis().saturating_add(holds));
                Some(DownloadView { url: url.map_err(Problem::internal)?, expires_at })
            }
        };
        Reply::ok(&export.view(download))
    }
}
