//! `GET /imports/{id}`: how far an import is. Administrators only.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};
use shop_types::ImportId;

use super::import::ImportView;
use super::store::Imports;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetImport>();

pub(crate) struct GetImport {
    imports: Imports,
}

impl Route for GetImport {
    const NAME: &'static str = "get-import";
    const ENDPOINT: Endpoint = get("/imports/{id}");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { imports: Imports::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        Contract::new("Shows how far an import is").ok::<ImportView<'_>>("The import.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: ImportId = call.id("import")?;
        let import = self.imports.find(&id).await?.ok_or_else(|| Problem::not_found("import"))?;
        Reply::ok(&import.view())
    }
}
