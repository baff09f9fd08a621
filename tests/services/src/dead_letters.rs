//! Dead letters, and what becomes of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::{Account, Service};

impl Service {
    /// Lets a consumer give up on messages, and keeps them as letters. `consumer` is what its queues begin with.
    ///
    /// # Errors
    /// When they do not come to its dead-letter queue, or are not kept.
    pub async fn dead_letters(&self, consumer: &str, bodies: &[&str]) -> Result<()> {
        let queue = format!("{consumer}Queue");
        self.send_bodies(&queue, bodies).await?;
        let mut waited = 0;
        while self.depth(&queue) > 0 {
            waited += 1;
            ensure!(waited < 100_000, "they are never given up");
            self.pass(Duration::from_millis(100)).await;
        }
        self.collect().await
    }

    /// Empties the dead-letter queues.
    ///
    /// # Errors
    /// When it fails.
    pub async fn collect(&self) -> Result<()> {
        self.invoke("collect-dead-letters", &json!({})).await.map(drop)
    }

    /// A letter that settle-order could not read.
    ///
    /// # Errors
    /// When there is none.
    pub async fn new_dead_letter_as(&self, who: &Account) -> Result<String> {
        self.dead_letters("SettleOrder", &["{"]).await?;
        let path = "/monitor/queues/settle-order/dead-letters";
        let page = self.send_as(who, Method::GET, path, None).await?.expect(200)?;
        Ok(page.body["data"][0]["id"].as_str().with_context(|| page.text.clone())?.to_owned())
    }

    /// Asks for letters of a consumer to be redriven, or discarded.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn new_redrive_as(&self, who: &Account, path: &str, body: &Value) -> Result<String> {
        let redrive = self.send_as(who, Method::POST, path, Some(body)).await?.expect(202)?;
        Ok(redrive.body["id"].as_str().context("an id")?.to_owned())
    }
}
