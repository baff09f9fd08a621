//! A file of products: what is right is in the catalogue, and what is wrong is told by line and column.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::request::Caller;
use crate::shop::Shop;
use crate::wait::{Look, until};

/// Puts a file under an import's address, and has it imported; the import as it is then.
async fn import(administrator: &Caller<'_>, format: &str, file: String) -> Result<Value> {
    let made = administrator.post("/imports").json(&json!({ "format": format })).await?.expect(201)?;
    made.has("/status", "waiting")?;
    let (id, url) = (made.string("/id")?.to_owned(), made.string("/upload/url")?.to_owned());
    let shop = administrator.shop();
    let start = format!("/imports/{id}/start");
    administrator.post(start.clone()).await?.problem(409, "no_file")?;
    let put = shop.http().put(&url).body(file).send().await.context("the file was not put")?;
    ensure!(put.status().is_success(), "PUT of the file: {}", put.status());
    // Who sends it again starts nothing twice.
    for _ in 0..2 {
        administrator.post(start.clone()).await?.expect(202)?;
    }
    until(&format!("{id} to end"), shop.patience(), async || {
        let import = administrator.get(format!("/imports/{id}")).await?.expect(200)?;
        Ok(match import.string("/status")? {
            "done" | "failed" => Look::Done(import.json),
            _ => Look::NotYet(import.body),
        })
    })
    .await
}

pub(super) async fn a_file_of_products_is_imported(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let (first, second) = (shop.unique("e2e"), shop.unique("e2e"));
    let file = format!(
        "\u{feff}id,name,price,stock,description\r\n{first},Mug,29.90,5,\"two\r\nlines\"\r\n{second},,free,1,\r\n"
    );
    let done = import(&administrator, "csv", file).await?;
    ensure!(done["status"] == "done", "{done}");
    ensure!(done["lines"] == json!({ "read": 2, "accepted": 1, "refused": 1 }), "{done}");
    let product = administrator.get(format!("/products/{first}")).await?.expect(200)?;
    product.has("/description", "two\nlines")?;
    product.has("/stock", 5)?;
    ensure!(product.body.contains("\"price\":29.90"), product.wrong("another price"));
    administrator.get(format!("/products/{second}")).await?.problem(404, "not_found")?;

    let id = done["id"].as_str().context("an id")?;
    let refusals = administrator.get(format!("/imports/{id}/refusals")).await?.expect(200)?;
    let errors = refusals.at("/data/0/errors")?.as_array().context("errors")?.clone();
    let told: Vec<_> =
        errors.iter().map(|error| (error["column"].as_str(), error["code"].as_str())).collect();
    ensure!(
        told == [(Some("name"), Some("missing")), (Some("price"), Some("wrong_type"))],
        refusals.wrong("other mistakes")
    );
    refusals.has("/data/0/line", 4)?;

    // The same id again changes the product.
    let line = json!({ "id": first, "price": 31 }).to_string();
    let done = import(&administrator, "jsonl", line).await?;
    ensure!(done["lines"] == json!({ "read": 1, "accepted": 1, "refused": 0 }), "{done}");
    administrator.get(format!("/products/{first}")).await?.expect(200)?.has("/version", 2)
}

/// Whatever else is in the catalogue, and changes meanwhile.
pub(super) async fn the_catalogue_is_exported(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let product = crate::steps::product(shop, 2.50, 1).await?;
    let made = administrator.post("/exports").json(&json!({ "format": "jsonl" })).await?.expect(201)?;
    let path = format!("/exports/{}", made.string("/id")?);
    let done = until(&format!("{path} to be written"), shop.patience(), async || {
        let export = administrator.get(path.clone()).await?.expect(200)?;
        Ok(if export.string("/status")? == "done" { Look::Done(export) } else { Look::NotYet(export.body) })
    })
    .await?;
    let file =
        shop.http().get(done.string("/download/url")?).send().await?.error_for_status()?.text().await?;
    let lines: Vec<&str> = file.lines().filter(|line| line.contains(&format!("\"{product}\""))).collect();
    ensure!(lines.len() == 1 && lines[0].contains("\"price\":2.50"), "{lines:?}");
    Ok(())
}

pub(super) async fn a_file_that_is_none_is_refused(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let done = import(&administrator, "csv", "%PDF-1.7\n".to_owned()).await?;
    ensure!(done["status"] == "failed" && done["failure"]["code"] == "unknown_column", "{done}");
    let wrong = json!({ "format": "xls" });
    let refused = administrator.post("/imports").json(&wrong).await?.problem(422, "invalid_request")?;
    refused.has("/errors/0/code", "unknown_format")?;
    administrator.get("/imports/imp_00000000000000000000000001").await?.problem(404, "not_found")?;
    Ok(())
}
