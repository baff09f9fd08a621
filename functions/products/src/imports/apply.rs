//! The lines of a part, applied: many products in a transaction, and one by one where that is refused.

use std::collections::{BTreeMap, VecDeque};

use shop_dynamo::StoreError;
use shop_lambda::Clock;
use shop_types::ProductId;

use super::line::{Author, Decision, Line};
use super::refusal::RefusedLine;
use crate::product::Product;
use crate::store::{Kind, Store, Wanted};

/// How many products a transaction changes: a new one is two items, of 100 that DynamoDB takes.
const TOGETHER: usize = 45;

/// Applies lines, each once however often it is called; the ones that are refused.
///
/// # Errors
/// See [`StoreError`]: some lines are applied, and to call it again applies the rest.
pub(crate) async fn apply(
    store: &Store,
    clock: &Clock,
    lines: Vec<Line>,
    author: &Author<'_>,
) -> Result<Vec<RefusedLine>, StoreError> {
    let mut refused = Vec::new();
    // A product that is named twice is changed twice, one after the other.
    let mut left: VecDeque<Line> = lines.into();
    while !left.is_empty() {
        let mut batch: BTreeMap<ProductId, Line> = BTreeMap::new();
        while batch.len() < TOGETHER
            && left.front().is_some_and(|line| !batch.contains_key(&line.id))
            && let Some(line) = left.pop_front()
        {
            batch.insert(line.id.clone(), line);
        }
        let author = Author { now: clock.now(), ..author.clone() };
        refused.extend(apply_batch(store, &batch, &author).await?);
    }
    Ok(refused)
}

async fn apply_batch(
    store: &Store,
    batch: &BTreeMap<ProductId, Line>,
    author: &Author<'_>,
) -> Result<Vec<RefusedLine>, StoreError> {
    let stored = store.products(batch.keys()).await?;
    let mut refused = Vec::new();
    let mut wanted = Vec::new();
    for (id, line) in batch {
        wanted.extend(decide(line, stored.get(id), author, &mut refused));
    }
    if wanted.is_empty() || is_written(store.put_all(&wanted).await)? {
        return Ok(refused);
    }
    // Somebody changed one of them meanwhile: which, each finds out for itself.
    refused.clear();
    for line in batch.values() {
        apply_one(store, line, author, &mut refused).await?;
    }
    Ok(refused)
}

async fn apply_one(
    store: &Store,
    line: &Line,
    author: &Author<'_>,
    refused: &mut Vec<RefusedLine>,
) -> Result<(), StoreError> {
    let mut tries = store.tries(Kind::Product);
    loop {
        let stored = store.products([&line.id]).await?;
        let Some(wanted) = decide(line, stored.get(&line.id), author, refused) else { return Ok(()) };
        if is_written(store.put_all(&[wanted]).await)? {
            return Ok(());
        }
        tries.pause().await?;
    }
}

/// What is to be written for a line, if anything is.
fn decide(
    line: &Line,
    stored: Option<&Product>,
    author: &Author<'_>,
    refused: &mut Vec<RefusedLine>,
) -> Option<Wanted> {
    match line.decide(stored, author) {
        Decision::Nothing => None,
        Decision::Refuse(errors) => {
            refused.push(RefusedLine { line: line.number, errors });
            None
        }
        Decision::Create(new) => Some(Wanted::New(new)),
        Decision::Replace(change) => Some(Wanted::Next(change)),
    }
}

/// Transactions of many items meet others often, and each by itself seldom.
fn is_written(written: Result<bool, StoreError>) -> Result<bool, StoreError> {
    match written {
        Err(StoreError::Contended { .. }) => Ok(false),
        written => written,
    }
}
