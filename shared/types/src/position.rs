//! Where a list goes on that is sorted by time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A place in a list that is sorted by time: behind a thing, by its time and its id. Its text is the sort key of the
/// list's index, and sorts as the places do: 13 digits of milliseconds last until the year 2286.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[serde(bound(serialize = "Id: Clone + fmt::Display", deserialize = "Id: FromStr + fmt::Display + Clone"))]
pub struct ListPosition<Id> {
    /// In milliseconds since the epoch.
    at: u64,
    id: Id,
}

impl<Id> ListPosition<Id> {
    /// The place behind a thing of a time and an id.
    #[must_use]
    pub const fn new(at: Timestamp, id: Id) -> Self {
        Self { at: at.as_millis().unsigned_abs(), id }
    }

    /// The thing's id.
    #[must_use]
    pub const fn id(&self) -> &Id {
        &self.id
    }
}

impl<Id: fmt::Display> From<ListPosition<Id>> for String {
    fn from(position: ListPosition<Id>) -> Self {
        format!("{:013}#{}", position.at, position.id)
    }
}

impl<Id: FromStr + fmt::Display + Clone> TryFrom<String> for ListPosition<Id> {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = text.split_once('#').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
        let (at, id) = parts.ok_or("not a position")?;
        let position = Self { at, id };
        if String::from(position.clone()) == text { Ok(position) } else { Err("not a position") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProductId;

    fn position(at: i64, id: &str) -> ListPosition<ProductId> {
        ListPosition::new(Timestamp::from_millis(at), id.parse().unwrap())
    }

    #[test]
    fn positions_sort_by_time_and_read_back() {
        let (older, newer) = (position(999, "b"), position(1000, "a"));
        assert!(older < newer);
        assert!(String::from(older) < String::from(newer.clone()));
        assert_eq!(ListPosition::try_from(String::from(newer.clone())), Ok(newer.clone()));
        assert_eq!(serde_json::to_string(&newer).unwrap(), "\"0000000001000#a\"");
        for bad in ["", "#", "1#a", "0000000001000#", "-000000001000#a", "x#a", "0000000001000#a b"] {
            assert!(ListPosition::<ProductId>::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
