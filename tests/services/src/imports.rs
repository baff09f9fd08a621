//! Imports as a client makes them: an address is asked for, the file put there, and the import started.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::{Account, Service};

impl Service {
    /// A new import's answer.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn new_import(&self, format: &str) -> Result<Value> {
        let body = json!({ "format": format });
        Ok(self.send(Method::POST, "/imports", Some(&body)).await?.expect(201)?.body)
    }

    /// The same as somebody's.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn new_import_as(&self, who: &Account, format: &str) -> Result<Value> {
        let body = json!({ "format": format });
        Ok(self.send_as(who, Method::POST, "/imports", Some(&body)).await?.expect(201)?.body)
    }

    /// A new export of somebody's; its id.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn new_export_as(&self, who: &Account, format: &str) -> Result<String> {
        let body = json!({ "format": format });
        let export = self.send_as(who, Method::POST, "/exports", Some(&body)).await?.expect(201)?;
        Ok(export.body["id"].as_str().context("an id")?.to_owned())
    }

    /// A new export's id.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn new_export(&self, format: &str) -> Result<String> {
        let body = json!({ "format": format });
        let export = self.send(Method::POST, "/exports", Some(&body)).await?.expect(201)?;
        Ok(export.body["id"].as_str().context("an id")?.to_owned())
    }

    /// The catalogue as a file, once it is written.
    ///
    /// # Errors
    /// When it is refused, or S3 does not give the file.
    pub async fn export(&self, format: &str) -> Result<Bytes> {
        let path = format!("/exports/{}", self.new_export(format).await?);
        self.cloud.settled().await;
        let export = self.send(Method::GET, &path, None).await?.expect(200)?.body;
        ensure!(export["status"] == "done", "{export}");
        let url = export["download"]["url"].as_str().context("an address")?;
        let request = Request::builder().method(Method::GET).uri(url).body(Bytes::new())?;
        let answer = self.cloud.invoke_presigned(request).await?;
        ensure!(answer.status() == 200, "{}: {:?}", answer.status(), answer.body());
        Ok(answer.into_body())
    }

    /// Puts a file under the address that an import was given.
    ///
    /// # Errors
    /// When S3 does not take it.
    pub async fn upload(&self, import: &Value, file: impl Into<Bytes>) -> Result<()> {
        let url = import["upload"]["url"].as_str().context("an address")?;
        let request = Request::builder().method(Method::PUT).uri(url).body(file.into())?;
        let answer = self.cloud.invoke_presigned(request).await?;
        ensure!(answer.status() == 200, "{}: {:?}", answer.status(), answer.body());
        Ok(())
    }

    /// Imports a file; the id of the import, which has been started.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn import(&self, format: &str, file: impl Into<Bytes>) -> Result<String> {
        let import = self.new_import(format).await?;
        self.upload(&import, file).await?;
        let id = import["id"].as_str().context("an id")?.to_owned();
        self.send(Method::POST, &format!("/imports/{id}/start"), None).await?.expect(202)?;
        Ok(id)
    }

    /// An import as it is now.
    ///
    /// # Errors
    /// When there is none.
    pub async fn find_import(&self, id: &str) -> Result<Value> {
        Ok(self.send(Method::GET, &format!("/imports/{id}"), None).await?.expect(200)?.body)
    }

    /// The lines that were refused, each with its mistakes as `column code`.
    ///
    /// # Errors
    /// When a page is refused.
    pub async fn refused_lines(&self, id: &str) -> Result<Vec<(u64, Vec<String>)>> {
        let (mut all, mut path) = (Vec::new(), format!("/imports/{id}/refusals?limit=5"));
        loop {
            let page = self.send(Method::GET, &path, None).await?.expect(200)?.body;
            for line in page["data"].as_array().context("a list")? {
                let errors = line["errors"].as_array().context("errors")?;
                let error = |error: &Value| {
                    let column = error["column"].as_str().unwrap_or_default();
                    format!("{column} {}", error["code"].as_str().unwrap_or_default())
                };
                all.push((line["line"].as_u64().context("a line")?, errors.iter().map(error).collect()));
            }
            let Some(cursor) = page["next_cursor"].as_str() else { return Ok(all) };
            path = format!("/imports/{id}/refusals?limit=5&cursor={cursor}");
        }
    }
}
