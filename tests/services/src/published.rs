//! What the topic of events has taken.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use serde_json::Value;
use shop_local::cloud::Observer;

/// Keeps every event that is published.
#[derive(Debug, Default)]
pub struct Published(Mutex<Vec<String>>);

impl Published {
    /// The events so far.
    ///
    /// # Errors
    /// When one is not JSON.
    pub fn events(&self) -> Result<Vec<Value>> {
        let messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(messages.iter().map(|message| serde_json::from_str(message)).collect::<Result<_, _>>()?)
    }
}

impl Observer for Published {
    fn published(&self, _time: i64, topic: &str, message: &str) {
        // What is published for people is no event.
        if !topic.contains("EventsTopic") {
            return;
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.to_owned());
    }
}
