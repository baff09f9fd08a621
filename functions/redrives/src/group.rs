//! Parked letters in groups: those of one consumer that failed in one way.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shop_types::Timestamp;

use crate::letter::Parked;

/// Letters of a consumer that failed in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DeadLetterGroup")]
pub(crate) struct Group {
    /// The consumer.
    consumer: String,
    /// How they failed.
    failure_code: String,
    /// How many are parked.
    pub(crate) letters: u64,
    /// When the first and the last of them were found.
    first_parked_at: Timestamp,
    last_parked_at: Timestamp,
    /// How many of them came back after they were sent again.
    came_back: u64,
}

/// The groups of the parked letters, by their oldest.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeadLetterGroups")]
pub(crate) struct Groups {
    data: Vec<Group>,
    /// How many letters they have together.
    letters: u64,
    /// Whether all were counted: beyond a number, letters are left out.
    complete: bool,
}

impl Groups {
    /// Groups what was found parked.
    pub(crate) fn of(found: impl IntoIterator<Item = Parked>, complete: bool) -> Self {
        let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
        for letter in found {
            let Parked { consumer, code, came_back, since, .. } = letter;
            let group = groups.entry((consumer.clone(), code.clone())).or_insert_with(|| Group {
                consumer,
                failure_code: code,
                letters: 0,
                first_parked_at: since,
                last_parked_at: since,
                came_back: 0,
            });
            group.letters += 1;
            group.came_back += u64::from(came_back > 0);
            group.first_parked_at = group.first_parked_at.min(since);
            group.last_parked_at = group.last_parked_at.max(since);
        }
        let mut data: Vec<_> = groups.into_values().collect();
        data.sort_by_key(|group| group.first_parked_at);
        let letters = data.iter().map(|group| group.letters).sum();
        Self { data, letters, complete }
    }
}
