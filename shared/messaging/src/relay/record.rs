//! A record of a table's stream, as Lambda delivers it.
//!
//! Only what the relay needs is read, record by record, so that one that is malformed is one poison record.

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};
use serde_json::value::RawValue;

/// A stream event, its records unread.
#[derive(Deserialize)]
pub(super) struct StreamEvent {
    #[serde(rename = "Records")]
    pub(super) records: Vec<Box<RawValue>>,
}

/// One change of one item.
#[derive(Deserialize)]
pub(super) struct Record {
    #[serde(rename = "dynamodb")]
    pub(super) change: Change,
}

#[derive(Deserialize)]
pub(super) struct Change {
    #[serde(rename = "OldImage", default)]
    pub(super) old: Option<Image>,
    #[serde(rename = "NewImage", default)]
    pub(super) new: Option<Image>,
}

/// What can be said of a record even if the rest of it is unreadable.
#[derive(Deserialize)]
struct Position {
    dynamodb: SequenceNumber,
}

#[derive(Deserialize)]
struct SequenceNumber {
    #[serde(rename = "SequenceNumber")]
    sequence_number: String,
}

/// The record's place in the stream, by which its failure is reported.
pub(super) fn sequence_number(record: &RawValue) -> Option<String> {
    let position: Position = serde_json::from_str(record.get()).ok()?;
    Some(position.dynamodb.sequence_number)
}

/// An item as it was before or after a write.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Image(Item);

/// The image is not the item that its key says it is. Its text holds no data of the item; its source may.
#[derive(Debug, thiserror::Error)]
#[error("the image of a {kind} cannot be read or written")]
pub struct ImageError {
    kind: &'static str,
    #[source]
    source: serde_dynamo::Error,
}

impl Image {
    /// The image as the service's own type, which `kind` names in the error.
    ///
    /// # Errors
    /// An attribute is missing or of another type.
    pub fn read<T: DeserializeOwned>(&self, kind: &'static str) -> Result<T, ImageError> {
        serde_dynamo::from_item(self.0.clone()).map_err(|source| ImageError { kind, source })
    }

    /// A string attribute, such as a key.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(AttributeValue::S(text)) => Some(text),
            _ => None,
        }
    }

    /// The image of an item as the SDK has it, for tests of a service's events.
    #[must_use]
    pub fn of_item(item: impl Into<Item>) -> Self {
        Self(item.into())
    }

    /// The image of an item that would be stored as `item` is serialised, for tests of a service's events.
    ///
    /// # Errors
    /// `item` is not a map of attributes.
    pub fn of<T: Serialize>(kind: &'static str, item: &T) -> Result<Self, ImageError> {
        serde_dynamo::to_item(item).map(Self).map_err(|source| ImageError { kind, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        id: String,
        version: u64,
    }

    #[test]
    fn images_read_as_the_services_types() {
        let json = r#"{ "eventName": "MODIFY", "dynamodb": { "SequenceNumber": "7",
            "OldImage": { "id": { "S": "a" } },
            "NewImage": { "id": { "S": "a" }, "version": { "N": "2" } } } }"#;
        let record: Record = serde_json::from_str(json).unwrap();
        let new = record.change.new.unwrap();
        let thing = Thing { id: "a".to_owned(), version: 2 };
        assert_eq!(new.read::<Thing>("thing").unwrap(), thing);
        assert_eq!(new, Image::of("thing", &thing).unwrap());
        assert_eq!((new.text("id"), new.text("version"), new.text("x")), (Some("a"), None, None));
        let error = record.change.old.unwrap().read::<Thing>("thing").unwrap_err();
        assert_eq!(error.to_string(), "the image of a thing cannot be read or written");
    }

    #[test]
    fn the_place_of_a_record_can_be_read_where_the_rest_cannot() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let broken = raw(r#"{ "dynamodb": { "SequenceNumber": "7", "NewImage": 5 } }"#);
        assert!(serde_json::from_str::<Record>(broken.get()).is_err());
        assert_eq!(sequence_number(&broken).as_deref(), Some("7"));
        assert_eq!(sequence_number(&raw("5")), None);
    }
}
