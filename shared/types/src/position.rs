//! Where a list goes on that is sorted by time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The last moment that a place can have: later ones would be texts that do not sort as they should.
const LATEST: Timestamp = Timestamp::from_millis(253_402_300_799_999);

/// A place in a list that is sorted by time: behind a thing, by its time and its id. Its text is the sort key of the
/// list's index, and sorts as the places do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[serde(bound(serialize = "Id: Clone + fmt::Display", deserialize = "Id: FromStr + fmt::Display + Clone"))]
pub struct ListPosition<Id> {
    at: Timestamp,
    id: Id,
}

impl<Id> ListPosition<Id> {
    /// The place behind a thing of a time and an id.
    #[must_use]
    pub fn new(at: Timestamp, id: Id) -> Self {
        Self { at: at.clamp(Timestamp::default(), LATEST), id }
    }

    /// The thing's id.
    #[must_use]
    pub const fn id(&self) -> &Id {
        &self.id
    }

    /// The text that comes before those of all places of a moment and later, and behind those of all before it.
    #[must_use]
    pub fn before(at: Timestamp) -> String {
        at.clamp(Timestamp::default(), LATEST).to_string()
    }
}

impl<Id: fmt::Display> From<ListPosition<Id>> for String {
    fn from(position: ListPosition<Id>) -> Self {
        format!("{}#{}", position.at, position.id)
    }
}

impl<Id: FromStr + fmt::Display + Clone> TryFrom<String> for ListPosition<Id> {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = text.split_once('#').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
        let (at, id) = parts.ok_or("not a position")?;
        let position = Self::new(at, id);
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
        assert_eq!(serde_json::to_string(&newer).unwrap(), "\"1970-01-01T00:00:01.000Z#a\"");
        for bad in [
            "",
            "#",
            "#a",
            "1#a",
            "0000000001000#a",
            "1970-01-01T00:00:01.000Z#",
            "1970-01-01T00:00:01Z#a",
            "1970-01-01T00:00:01.0000Z#a",
            "1970-01-01T01:00:01.000+01:00#a",
            "1969-12-31T23:59:59.999Z#a",
            "1970-01-01T00:00:01.000Z#a b",
        ] {
            assert!(ListPosition::<ProductId>::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_moment_is_before_its_own_positions_and_behind_all_others() {
        let before = |millis| ListPosition::<ProductId>::before(Timestamp::from_millis(millis));
        let text = |millis| String::from(position(millis, "a"));
        assert!(text(999) < before(1000) && before(1000) < text(1000));
        let (first, last) = (String::from(position(i64::MIN, "a")), String::from(position(i64::MAX, "a")));
        assert_eq!((&first[..4], &last[..4]), ("1970", "9999"));
        assert!(before(i64::MIN) < first && before(i64::MAX) < last);
    }
}
