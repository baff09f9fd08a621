//! The tables of dead letters and of redrives. An item is a letter or a redrive; its key is the id.
//!
//! One sparse index of letters, `parked`: those that wait for somebody to decide, by consumer and
//! the oldest first. It holds what groups are made of, and no body.

mod letters;
mod redrives;

use shop_dynamo::{Item, string};

pub(crate) use letters::{Letters, Moved, PARKED_PAGE};
pub(crate) use redrives::{Created, Redrives};

fn key(id: &str) -> Item {
    Item::from([("id".to_owned(), string(id))])
}
