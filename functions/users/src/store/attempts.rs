//! Attempts to log in, counted in the sessions table: by account, and by the address that they come from.
//!
//! A counter is of one window of time, which is in its key, and the table drops it when the window is over.
//! At the border of two windows twice as many attempts fit: that is the price of one write for each.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use serde::Deserialize;
use shop_dynamo::{Item, StoreError, batch_get_items, condition_failed, number, read, string};
use shop_lambda::{Environment, StartError};
use shop_types::Timestamp;

use super::accounts::{Login, login_key, seconds};
use crate::lookup::LoginKey;

/// How long a window is.
const WINDOW_SECONDS: i64 = 900;
/// Attempts on one account in a window, whatever comes of them: each is counted before any work is done, so
/// that no number of them at once gets more. Nearly a thousand guesses a day find no password of 12 characters.
const MOST_ON_ACCOUNT: i64 = 10;
/// Failed attempts from one address in a window. Many people may share an address, so it is more; they are
/// counted when they failed, so a burst may go beyond by as many as the function runs at once.
const MOST_FROM_ADDRESS: i64 = 100;
const KIND: &str = "attempts";

/// The window of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    number: i64,
    now: i64,
}

impl Window {
    /// The window that a moment is in.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { number: now.as_secs().div_euclid(WINDOW_SECONDS), now: now.as_secs() }
    }

    /// The seconds until it is over: at least one.
    #[must_use]
    pub fn rest(self) -> u32 {
        u32::try_from(self.end() - self.now).unwrap_or(1).max(1)
    }

    const fn end(self) -> i64 {
        (self.number + 1) * WINDOW_SECONDS
    }
}

/// A counter's value.
#[derive(Deserialize)]
struct Counter {
    tries: i64,
}

/// Counts attempts.
#[derive(Clone, Debug)]
pub struct AttemptStore {
    client: Client,
    table: String,
}

impl AttemptStore {
    /// The store in the table that `SESSIONS_TABLE` names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { client, table: environment.required("SESSIONS_TABLE")?.to_owned() })
    }

    /// Counts an attempt on an account, unless there were too many: whether it may be made.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn may_try(&self, account: &str, window: Window) -> Result<bool, StoreError> {
        let update = self
            .count(key("account", account, window), window)
            .condition_expression("attribute_not_exists(tries) OR tries < :most")
            .expression_attribute_values(":most", number(MOST_ON_ACCOUNT));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => condition_failed(error).map(|_| false),
        }
    }

    /// Counts a failed attempt from an address.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn failed(&self, address: &str, window: Window) -> Result<(), StoreError> {
        let update = self.count(key("address", address, window), window);
        update.send().await.map(drop).map_err(StoreError::call("UpdateItem"))
    }

    /// A login, and whether an address may try any: one call.
    ///
    /// # Errors
    /// DynamoDB failed, or kept throttling.
    pub async fn login(
        &self,
        login: &LoginKey,
        address: Option<&str>,
        window: Window,
    ) -> Result<(Option<Login>, bool), StoreError> {
        let counter = address.map(|address| key("address", address, window));
        let keys = std::iter::once(login_key(login)).chain(counter).collect();
        let (mut found, mut may_try) = (None, true);
        for item in batch_get_items(&self.client, &self.table, keys).await? {
            if item.contains_key("tries") {
                may_try = read::<Counter>(KIND, item)?.tries < MOST_FROM_ADDRESS;
            } else {
                found = Some(read("login", item)?);
            }
        }
        Ok((found, may_try))
    }

    fn count(&self, key: Item, window: Window) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .update_expression("SET expires_at = :end ADD tries :one")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":end", seconds(Timestamp::from_millis(window.end() * 1000)))
    }
}

fn key(kind: &str, whose: &str, window: Window) -> Item {
    let pk = format!("attempts#{kind}#{whose}#{}", window.number);
    Item::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string("attempts"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_says_how_long_it_lasts() {
        let at = |seconds: i64| Window::at(Timestamp::from_millis(seconds * 1000));
        assert_eq!((at(0).rest(), at(899).rest(), at(900).rest()), (900, 1, 900));
        assert_eq!(key("account", "a", at(899)), key("account", "a", at(1)));
        assert_ne!(key("account", "a", at(899)), key("account", "a", at(900)));
        assert_ne!(key("account", "a", at(0)), key("address", "a", at(0)));
    }
}
