//! A `BatchGetItem` that leaves keys unprocessed, as DynamoDB does when it throttles.

use serde_json::{Map, Value, json};

use super::{Answer, Request};
use crate::cloud::AwsError;

/// What a batch leaves unprocessed, as its answer says it.
#[derive(Debug, Default)]
pub(in crate::cloud) struct Unprocessed(Map<String, Value>);

impl Request {
    /// Takes keys off a batch: as many as are asked for, from its end, but never all. Other requests stay as they are.
    pub(in crate::cloud) fn leave_keys(&mut self, how_many: impl FnOnce(usize) -> usize) -> Unprocessed {
        let Self::BatchGetItem(request) = self else { return Unprocessed::default() };
        let mut left = Unprocessed::default();
        // Of several tables one, by the size of the request: a map's own order is another in each process.
        let size: usize = request.request_items.values().map(|wanted| wanted.keys.len()).sum();
        let mut tables: Vec<_> = request.request_items.iter_mut().collect();
        if tables.is_empty() {
            return left;
        }
        tables.sort_unstable_by_key(|(table, _)| (*table).clone());
        let (table, wanted) = tables.swap_remove(size % tables.len());
        let keep = wanted.keys.len().saturating_sub(how_many(wanted.keys.len())).max(1);
        let keys = wanted.keys.split_off(keep);
        if keys.is_empty() {
            return left;
        }
        let mut unprocessed = json!({ "Keys": keys });
        for (name, value) in [
            ("ConsistentRead", wanted.consistent_read.map(Value::from)),
            ("ProjectionExpression", wanted.projection_expression.clone().map(Value::from)),
            (
                "ExpressionAttributeNames",
                wanted.expression_attribute_names.as_ref().map(|names| json!(names)),
            ),
        ] {
            if let Some(value) = value {
                unprocessed[name] = value;
            }
        }
        left.0.insert(table.clone(), unprocessed);
        left
    }
}

impl Unprocessed {
    /// The answer, with what was left.
    pub(in crate::cloud) fn add_to(self, answer: Answer) -> Result<Answer, AwsError> {
        if self.0.is_empty() {
            return Ok(answer);
        }
        let mut body: Value =
            serde_json::from_slice(&answer.body).map_err(|error| AwsError::internal(&error))?;
        body["UnprocessedKeys"] = Value::Object(self.0);
        Ok(Answer { body: body.to_string().into_bytes(), ..answer })
    }
}
