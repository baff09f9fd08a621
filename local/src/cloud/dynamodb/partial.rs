//! A batch that leaves keys or writes unprocessed, as DynamoDB does when it throttles.

use std::collections::HashMap;

use dynoxide::actions::batch_get_item::BatchGetItemRequest;
use dynoxide::actions::batch_write_item::{BatchWriteItemRequest, WriteRequest};
use serde_json::{Map, Value, json};

use super::{Answer, Request};
use crate::cloud::AwsError;

/// What a batch leaves unprocessed, as its answer says it.
#[derive(Debug, Default)]
pub(in crate::cloud) struct Unprocessed {
    member: &'static str,
    tables: Map<String, Value>,
}

impl Request {
    /// Takes keys or writes off a batch: as many as are asked for, from its end, but never all. Other requests stay as
    /// they are.
    pub(in crate::cloud) fn leave(&mut self, how_many: impl FnOnce(usize) -> usize) -> Unprocessed {
        match self {
            Self::BatchGetItem(request) => leave_keys(request, how_many),
            Self::BatchWriteItem(request) => leave_writes(request, how_many),
            _ => Unprocessed::default(),
        }
    }
}

fn leave_writes(request: &mut BatchWriteItemRequest, how_many: impl FnOnce(usize) -> usize) -> Unprocessed {
    let mut left = Unprocessed { member: "UnprocessedItems", tables: Map::new() };
    if let Some((table, writes)) = one_of(&mut request.request_items, Vec::len) {
        let keep = writes.len().saturating_sub(how_many(writes.len())).max(1);
        let writes = writes.split_off(keep.min(writes.len()));
        if !writes.is_empty() {
            left.tables.insert(table, writes.iter().map(as_json).collect());
        }
    }
    left
}

fn as_json(write: &WriteRequest) -> Value {
    let put = write.put_request.as_ref().map(|put| ("PutRequest", json!({ "Item": put.item })));
    let delete = write.delete_request.as_ref().map(|delete| ("DeleteRequest", json!({ "Key": delete.key })));
    put.into_iter().chain(delete).map(|(name, request)| (name.to_owned(), request)).collect()
}

fn leave_keys(request: &mut BatchGetItemRequest, how_many: impl FnOnce(usize) -> usize) -> Unprocessed {
    let mut left = Unprocessed { member: "UnprocessedKeys", tables: Map::new() };
    let Some((table, wanted)) = one_of(&mut request.request_items, |wanted| wanted.keys.len()) else {
        return left;
    };
    let keep = wanted.keys.len().saturating_sub(how_many(wanted.keys.len())).max(1);
    let keys = wanted.keys.split_off(keep.min(wanted.keys.len()));
    if keys.is_empty() {
        return left;
    }
    let mut unprocessed = json!({ "Keys": keys });
    for (name, value) in [
        ("ConsistentRead", wanted.consistent_read.map(Value::from)),
        ("ProjectionExpression", wanted.projection_expression.clone().map(Value::from)),
        ("ExpressionAttributeNames", wanted.expression_attribute_names.as_ref().map(|names| json!(names))),
    ] {
        if let Some(value) = value {
            unprocessed[name] = value;
        }
    }
    left.tables.insert(table, unprocessed);
    left
}

/// One of several tables, by the size of the request: a map's own order is another in each process.
fn one_of<T>(tables: &mut HashMap<String, T>, size: impl Fn(&T) -> usize) -> Option<(String, &mut T)> {
    let whole: usize = tables.values().map(size).sum();
    let mut tables: Vec<_> = tables.iter_mut().collect();
    tables.sort_unstable_by_key(|(table, _)| (*table).clone());
    let place = whole.checked_rem(tables.len())?;
    let (table, wanted) = tables.swap_remove(place);
    Some((table.clone(), wanted))
}

impl Unprocessed {
    /// The answer, with what was left.
    pub(in crate::cloud) fn add_to(self, answer: Answer) -> Result<Answer, AwsError> {
        if self.tables.is_empty() {
            return Ok(answer);
        }
        let mut body: Value =
            serde_json::from_slice(&answer.body).map_err(|error| AwsError::internal(&error))?;
        body[self.member] = Value::Object(self.tables);
        Ok(Answer { body: body.to_string().into_bytes(), ..answer })
    }
}
