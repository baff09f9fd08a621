//! `POST /imports`: an administrator is given an address for a file of products, which S3 takes by `PUT`.
//!
//! Nothing happens of it until the import is started. An address that nobody uses ends with its time, and the import is
//! forgotten after thirty days.

use schemars::JsonSchema;
use serde::Serialize;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, Random, StartError};
use shop_types::{ImportId, Timestamp};

use super::bucket::Bucket;
use super::import::{Format, Import, ImportView, MAX_BYTES, UPLOAD_TIME};
use super::store::Imports;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<CreateImport>();

pub(crate) struct CreateImport {
    imports: Imports,
    bucket: Bucket,
    clock: Clock,
    random: Random,
}

/// An import, and where its file is put.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewImport")]
pub(crate) struct NewImportView<'a> {
    #[serde(flatten)]
    import: ImportView<'a>,
    upload: UploadView,
}

/// Where a file is put: `PUT` its bytes there, without a token.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Upload")]
pub(crate) struct UploadView {
    url: String,
    /// The address is good until then.
    expires_at: Timestamp,
    /// A larger file is not read.
    max_bytes: u64,
}

impl Route for CreateImport {
    const NAME: &'static str = "create-import";
    const ENDPOINT: Endpoint = post("/imports");
    const ACCESS: Access = Access::Admin;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            imports: Imports::start(start.environment(), start.client())?,
            bucket: Bucket::start(start.environment())?,
            clock: start.clock(),
            random: start.random(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Gives an address for a file of products to be imported")
            .body(Format::read)
            .created::<NewImportView<'_>>("The import, and where its file is put.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let format = Format::read(call.body()?)?;
        let now = self.clock.now();
        let id = ImportId::fresh(now, self.random.bytes());
        call.audit("import.id", &id);
        let import = Import::create(id, format, now, call.cause());
        let url = self.bucket.upload_url(&import.id, now, UPLOAD_TIME).await.map_err(Problem::internal)?;
        self.imports.create(&import).await?;
        let holds = i64::try_from(UPLOAD_TIME.as_millis()).unwrap_or(0);
        let expires_at = Timestamp::from_millis(now.as_millis().saturating_add(holds));
        let upload = UploadView { url, expires_at, max_bytes: MAX_BYTES };
        Reply::created(&format!("/imports/{}", import.id), &NewImportView { import: import.view(), upload })
    }
}
