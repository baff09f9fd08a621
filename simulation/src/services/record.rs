//! The record of a write, and what all services read off one.

use std::error::Error;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use shop_messaging::relay::Image;

use crate::violation::Violation;

/// An item's attributes.
pub(crate) type Item = Map<String, Value>;

/// The write of an item.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// Milliseconds since the epoch.
    pub(crate) time: i64,
    pub(crate) caller: &'a str,
    pub(crate) old: Option<Image>,
    pub(crate) new: Image,
}

/// What a stream record says of its item.
#[derive(Deserialize)]
struct StreamRecord {
    #[serde(rename = "dynamodb")]
    change: Change,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "OldImage", default)]
    old: Option<Image>,
    #[serde(rename = "NewImage", default)]
    new: Option<Image>,
}

impl<'a> Record<'a> {
    /// Reads a stream record. No function deletes an item that a stream tells of.
    pub(crate) fn parse(time: i64, caller: &'a str, record: &str) -> Result<Self, Violation> {
        let unreadable = |why: String| Violation::new("an-item-is-readable", why);
        let read = serde_json::from_str::<StreamRecord>(record);
        let Change { old, new } = read.map_err(|error| unreadable(format!("{error}: {record}")))?.change;
        let new = new.ok_or_else(|| unreadable(format!("{caller} removed an item: {record}")))?;
        Ok(Self { time, caller, old, new })
    }

    /// The item as it was and as it is.
    ///
    /// # Errors
    /// One of them is no such item.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<(Option<T>, T), Violation> {
        Ok((self.old.as_ref().map(read).transpose()?, read(&self.new)?))
    }

    /// # Errors
    /// An attribute has no form in JSON.
    pub(crate) fn images(&self, service: &'static str) -> Result<Images, Violation> {
        let (old, new) = self.read()?;
        Ok(Images { service, old, new })
    }

    pub(crate) fn sort_key(&self) -> &str {
        self.new.text("sk").unwrap_or_default()
    }

    /// The key of the item, as one text.
    pub(crate) fn key(&self) -> String {
        let parts = ["id", "pk", "sk"].into_iter().filter_map(|name| self.new.text(name));
        parts.collect::<Vec<_>>().join(" ")
    }
}

/// # Errors
/// The image is no such item.
pub(crate) fn read<T: DeserializeOwned>(image: &Image) -> Result<T, Violation> {
    let unreadable = |error: &dyn Error| {
        let why = shop_lambda::log::Chain(error);
        Violation::new("an-item-is-readable", format!("{why}: {image:?}"))
    };
    image.read("item").map_err(|error| unreadable(&error))
}

/// An item as it was and as it is, in plain JSON.
#[derive(Debug)]
pub(crate) struct Images {
    /// The name of the service whose item it is.
    pub(crate) service: &'static str,
    pub(crate) old: Option<Item>,
    pub(crate) new: Item,
}

impl Images {
    /// An event as it must be published; `clock` is the attribute that says when the write was made.
    pub(super) fn event(&self, kind: &str, subject: &str, version: u64, clock: &str, data: &Value) -> Value {
        let mut event = json!({
            "specversion": "1.0",
            "id": format!("{subject}:{version}:{kind}"),
            "source": format!("/{}", self.service),
            "type": kind,
            "subject": subject,
            "time": self.new.get(clock),
            "dataschema": format!("https://shop.example/events/v1/{kind}.schema.json"),
            "datacontenttype": "application/json",
            "correlationid": self.new.get("correlation_id"),
            "sequence": format!("{version:020}"),
            "data": data,
        });
        for (name, attribute) in [("causationid", "causation_id"), ("actor", "actor")] {
            if let Some(value) = self.new.get(attribute) {
                event[name] = value.clone();
            }
        }
        event
    }

    /// Whether an attribute is as it was.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.old.as_ref().is_some_and(|old| old.get(name) == self.new.get(name))
    }
}

/// Those attributes that an item has.
pub(super) fn picked(item: &Item, names: &[&str]) -> Value {
    let present = names.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())));
    Value::Object(present.collect())
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn number(item: &Item, name: &str) -> u64 {
    item.get(name).and_then(Value::as_u64).unwrap_or_default()
}
