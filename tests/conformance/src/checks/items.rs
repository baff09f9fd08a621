//! Items as the checks write them.

use std::collections::HashMap;
use std::fmt::Display;

use anyhow::{Result, ensure};
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::answers::taken;
use crate::target::Target;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn n(number: impl Display) -> AttributeValue {
    AttributeValue::N(format!("{number}"))
}

pub(super) fn key(pk: &str, sk: &str) -> Item {
    item(pk, sk, &[])
}

pub(super) fn item(pk: &str, sk: &str, attributes: &[(&str, AttributeValue)]) -> Item {
    let mut item = HashMap::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))]);
    item.extend(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    item
}

impl Target {
    /// The table of most checks.
    pub(super) fn items(&self) -> Result<&str> {
        self.name("ItemsTable")
    }

    pub(super) fn put(&self, item: Item) -> Result<PutItemFluentBuilder> {
        Ok(self.dynamodb.put_item().table_name(self.items()?).set_item(Some(item)))
    }

    pub(super) fn update(&self, pk: &str, sk: &str, expression: &str) -> Result<UpdateItemFluentBuilder> {
        let update = self.dynamodb.update_item().table_name(self.items()?).set_key(Some(key(pk, sk)));
        Ok(update.update_expression(expression))
    }

    /// Stores an item.
    pub(super) async fn store(&self, item: Item) -> Result<()> {
        taken(self.put(item)?.send().await).map(drop)
    }

    /// The item as it is now.
    pub(super) async fn stored(&self, pk: &str, sk: &str) -> Result<Option<Item>> {
        let get = self.dynamodb.get_item().table_name(self.items()?).set_key(Some(key(pk, sk)));
        Ok(taken(get.consistent_read(true).send().await)?.item)
    }

    /// Holds that the item is this one.
    pub(super) async fn has(&self, expected: &Item) -> Result<()> {
        let text = |name: &str| expected.get(name).and_then(|value| value.as_s().ok()).cloned();
        let (pk, sk) = (text("pk").unwrap_or_default(), text("sk").unwrap_or_default());
        let stored = self.stored(&pk, &sk).await?;
        ensure!(stored.as_ref() == Some(expected), "stored is {stored:?} instead of {expected:?}");
        Ok(())
    }
}
