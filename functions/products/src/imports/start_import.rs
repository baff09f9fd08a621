//! `POST /imports/{id}/start`: the file is there, and is to be read.
//!
//! It is read in the background: `GET /imports/{id}` tells how far. The first start counts. Whoever reads is sent for before
//! the start is noted, so that it is read whatever fails behind that, and at once behind it; sent again, it has the reading
//! go on where it is if nobody reads any more, and adds nobody to who does.

use shop_http::{Access, Call, Code, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, StartError};
use shop_messaging::WorkQueue;
use shop_types::ImportId;

use super::bucket::Bucket;
use super::import::{MAX_BYTES, Stage};
use super::store::Imports;
use super::work::Work;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<StartImport>();

pub(crate) struct StartImport {
    imports: Imports,
    bucket: Bucket,
    queue: WorkQueue<Work>,
    clock: Clock,
}

impl Route for StartImport {
    const NAME: &'static str = "start-import";
    const ENDPOINT: Endpoint = post("/imports/{id}/start");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            imports: Imports::start(start.environment(), start.client())?,
            bucket: Bucket::start(start.environment())?,
            queue: WorkQueue::start(start.environment(), "IMPORTS_QUEUE_URL")?,
            clock: start.clock(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Starts an import whose file was put")
            .accepted("The file is being read, or was: `GET /imports/{id}` tells how far.")
            .codes([Code::NotFound, Code::NoFile, Code::FileTooLarge])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: ImportId = call.id("import")?;
        let mut import = self.imports.find(&id).await?.ok_or_else(|| Problem::not_found("import"))?;
        if import.stage == Stage::Waiting {
            let upload = self.bucket.upload(&id).await.map_err(Problem::internal)?;
            let Some(upload) = upload else {
                let detail = "The import's file was not put, or its address had ended. PUT it first.";
                return Err(Problem::new(Code::NoFile, detail));
            };
            if upload.size > MAX_BYTES {
                let detail = format!("The file has more than {MAX_BYTES} bytes. Divide it.");
                return Err(Problem::new(Code::FileTooLarge, detail));
            }
            self.queue.send_ahead(&Work::begin(&import)).await.map_err(Problem::internal)?;
            import = self.imports.begin(&import, &upload, self.clock.now()).await?;
        }
        if import.stage == Stage::Reading {
            self.queue.send(&Work::begin(&import)).await.map_err(Problem::internal)?;
        }
        Ok(Reply::accepted())
    }
}
