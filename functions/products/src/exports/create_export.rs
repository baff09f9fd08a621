//! `POST /exports`: an administrator asks for the catalogue as a file, which is written in the background.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, Random, StartError};
use shop_messaging::WorkQueue;
use shop_types::ExportId;

use super::export::{Export, ExportView};
use super::store::Exports;
use super::work::Work;
use crate::imports::import::Format;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<CreateExport>();

pub(crate) struct CreateExport {
    exports: Exports,
    queue: WorkQueue<Work>,
    clock: Clock,
    random: Random,
}

impl Route for CreateExport {
    const NAME: &'static str = "create-export";
    const ENDPOINT: Endpoint = post("/exports");
    const ACCESS: Access = Access::Admin;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            exports: Exports::start(start.environment(), start.client())?,
            queue: WorkQueue::start(start.environment(), "EXPORTS_QUEUE_URL")?,
            clock: start.clock(),
            random: start.random(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Has the catalogue written to a file").body(Format::read).created::<ExportView<'_>>(
            "The export: `GET /exports/{id}` tells how far it is, and where its file.",
        )
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let format = Format::read(call.body()?)?;
        let now = self.clock.now();
        let id = ExportId::fresh(now, self.random.bytes());
        call.audit("export.id", &id);
        let export = Export::create(id, format, now, call.cause());
        self.queue.send_ahead(&Work::ahead(&export)).await.map_err(Problem::internal)?;
        self.exports.create(&export).await?;
        self.queue.send(&Work::of(&export)).await.map_err(Problem::internal)?;
        Reply::created(&format!("/exports/{}", export.id), &export.view(None))
    }
}
