//! How values are stored, the same for every service (docs/decisions/0034): a time as RFC 3339 text with three digits
//! of a second, which sorts as it does; money as the map that [`shop_types::Money`] is; an id as its text. What
//! DynamoDB itself calculates with (the end of an item's life, a bucket's level) is a number.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use shop_types::{AlertId, ListPosition, OrderId, ProductId, Timestamp, UserId};

use crate::StoreError;

/// A value that can be an attribute.
pub trait Attribute {
    /// The attribute.
    fn into_attribute(self) -> AttributeValue;
}

impl Attribute for AttributeValue {
    fn into_attribute(self) -> AttributeValue {
        self
    }
}

impl Attribute for String {
    fn into_attribute(self) -> AttributeValue {
        AttributeValue::S(self)
    }
}

impl Attribute for &str {
    fn into_attribute(self) -> AttributeValue {
        AttributeValue::S(self.to_owned())
    }
}

impl Attribute for &String {
    fn into_attribute(self) -> AttributeValue {
        AttributeValue::S(self.clone())
    }
}

impl Attribute for Timestamp {
    fn into_attribute(self) -> AttributeValue {
        AttributeValue::S(self.to_string())
    }
}

impl<Id: std::fmt::Display> Attribute for ListPosition<Id> {
    fn into_attribute(self) -> AttributeValue {
        AttributeValue::S(self.into())
    }
}

macro_rules! ids {
    ($($id:ident),*) => {
        $(impl Attribute for &$id {
            fn into_attribute(self) -> AttributeValue {
                AttributeValue::S(self.as_str().to_owned())
            }
        })*
    };
}
ids!(AlertId, OrderId, ProductId, UserId);

macro_rules! numbers {
    ($($number:ident),*) => {
        $(impl Attribute for $number {
            fn into_attribute(self) -> AttributeValue {
                AttributeValue::N(self.to_string())
            }
        })*
    };
}
numbers!(i64, u32, u64);

/// Writes `value` as one attribute, as its serialization has it.
///
/// # Errors
/// [`StoreError::Corrupt`] when `value` cannot be an attribute.
pub fn value<T: Serialize>(kind: &'static str, value: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value)
        .map_err(|source| StoreError::Corrupt { kind, source: source.into() })
}

/// A string attribute.
#[must_use]
pub fn string(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shop_types::{Currency, Money};

    #[test]
    fn a_value_is_stored_in_one_way_whether_alone_or_in_an_item() {
        let time = Timestamp::from_millis(1_795_446_000_007);
        assert_eq!(time.into_attribute(), string("2026-11-23T15:00:00.007Z"));
        assert_eq!(value("time", &time).unwrap(), time.into_attribute());
        let id = OrderId::fresh(time, [1; 10]);
        assert_eq!(value("id", &id).unwrap(), (&id).into_attribute());
        let position = ListPosition::new(time, id);
        assert_eq!(value("position", &position).unwrap(), position.into_attribute());
        let money = value("money", &Money { minor: i64::MAX, currency: Currency::USD }).unwrap();
        let fields = money.as_m().unwrap();
        assert_eq!(fields["amount"], i64::MAX.into_attribute());
        assert_eq!(fields["currency"], "USD".into_attribute());
        assert_eq!(u64::MAX.into_attribute(), AttributeValue::N("18446744073709551615".to_owned()));
    }
}
