//! What operations cost, in DynamoDB's request units.

use dynoxide::types::ConsumedCapacity;

use crate::cloud::AwsError;
use crate::cloud::observer::{Access, Units};

/// The units of a table and of each index, from what dynoxide reports with `INDEXES`.
pub(super) fn of(consumed: Vec<ConsumedCapacity>, writes: bool) -> Vec<(String, Units)> {
    let mut units = Vec::new();
    let mut add = |resource: String, capacity: f64| {
        let halves = halves(capacity);
        if halves > 0 {
            let cost = if writes {
                Units { writes: halves.div_ceil(2), ..Units::default() }
            } else {
                Units { half_reads: halves, ..Units::default() }
            };
            units.push((resource, cost));
        }
    };
    for consumed in consumed {
        let table = consumed.table.as_ref();
        add(consumed.table_name.clone(), table.map_or(consumed.capacity_units, |table| table.capacity_units));
        let mut indexes: Vec<_> = consumed.global_secondary_indexes.into_iter().flatten().collect();
        indexes.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (index, detail) in indexes {
            add(format!("{}/index/{index}", consumed.table_name), detail.capacity_units);
        }
    }
    // dynoxide lists the tables of a transaction in no fixed order.
    units.sort_by(|(left, _), (right, _)| left.cmp(right));
    units
}

/// A write whose condition fails costs what the write would have cost at least: one unit for each item,
/// two in a transaction.
pub(super) fn of_failure(error: &AwsError, accesses: &[Access]) -> Vec<(String, Units)> {
    let each = match error.code.as_str() {
        "ConditionalCheckFailedException" => 1,
        "TransactionCanceledException" => 2,
        _ => return Vec::new(),
    };
    let units = Units { writes: each, ..Units::default() };
    accesses.iter().map(|access| (access.resource.clone(), units)).collect()
}

/// Units come as 0.5 steps in floating point; from here on they are whole halves.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the one place where dynoxide's floating point is turned into whole halves"
)]
fn halves(capacity: f64) -> u64 {
    (capacity * 2.0).round() as u64
}
