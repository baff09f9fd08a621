//! The operations: from AWS JSON to dynoxide's requests, and back.

use std::collections::BTreeMap;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};

use dynoxide::actions::{
    batch_get_item, batch_write_item, delete_item, get_item, put_item, query, scan, transact_write_items,
    update_item,
};
use dynoxide::storage::Storage;
use dynoxide::types::{ConsumedCapacity, Item};
use dynoxide::{DynoxideError, errors};
use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Answer, capacity, strict};
use crate::cloud::AwsError;
use crate::cloud::observer::Access;

/// Asks dynoxide for the cost of the table and of each index.
const DETAILED: &str = "INDEXES";

#[derive(Debug)]
pub(in crate::cloud) enum Request {
    BatchGetItem(batch_get_item::BatchGetItemRequest),
    BatchWriteItem(batch_write_item::BatchWriteItemRequest),
    DeleteItem(delete_item::DeleteItemRequest),
    GetItem(get_item::GetItemRequest),
    PutItem(put_item::PutItemRequest),
    Query(query::QueryRequest),
    Scan(scan::ScanRequest),
    TransactWriteItems(transact_write_items::TransactWriteItemsRequest),
    UpdateItem(update_item::UpdateItemRequest),
}

impl Request {
    pub(in crate::cloud) fn parse(operation: &str, body: &[u8]) -> Result<Self, AwsError> {
        strict::check(operation, body)?;
        Ok(match operation {
            "BatchGetItem" => Self::BatchGetItem(decode(body)?),
            "BatchWriteItem" => Self::BatchWriteItem(decode(body)?),
            "DeleteItem" => Self::DeleteItem(decode(body)?),
            "GetItem" => Self::GetItem(decode(body)?),
            "PutItem" => Self::PutItem(decode(body)?),
            "Query" => Self::Query(decode(body)?),
            "Scan" => Self::Scan(decode(body)?),
            "TransactWriteItems" => Self::TransactWriteItems(decode(body)?),
            "UpdateItem" => Self::UpdateItem(decode(body)?),
            other => return Err(AwsError::client("UnknownOperationException", other)),
        })
    }

    /// The IAM actions: those of the single items for a transaction.
    pub(in crate::cloud) fn accesses(&self) -> Vec<Access> {
        self.touched().into_iter().map(|(access, _)| access).collect()
    }

    /// The IAM actions, each with the items or keys that it names.
    pub(super) fn touched(&self) -> Vec<(Access, Vec<&Item>)> {
        let one = |action: &str, table: &str| Access {
            action: format!("dynamodb:{action}"),
            resource: table.to_owned(),
        };
        let indexed = |action: &str, table: &str, index: Option<&str>| match index {
            Some(index) => one(action, &format!("{table}/index/{index}")),
            None => one(action, table),
        };
        let mut touched = match self {
            Self::BatchGetItem(r) => {
                let tables: BTreeMap<_, _> = r.request_items.iter().collect();
                let tables = tables.into_iter();
                tables.map(|(table, of)| (one("BatchGetItem", table), of.keys.iter().collect())).collect()
            }
            Self::BatchWriteItem(r) => {
                let tables: BTreeMap<_, _> = r.request_items.iter().collect();
                let tables = tables.into_iter();
                tables.map(|(table, writes)| (one("BatchWriteItem", table), written(writes))).collect()
            }
            Self::DeleteItem(r) => vec![(one("DeleteItem", &r.table_name), vec![&r.key])],
            Self::GetItem(r) => vec![(one("GetItem", &r.table_name), vec![&r.key])],
            Self::PutItem(r) => vec![(one("PutItem", &r.table_name), vec![&r.item])],
            Self::Query(r) => vec![(indexed("Query", &r.table_name, r.index_name.as_deref()), Vec::new())],
            Self::Scan(r) => vec![(indexed("Scan", &r.table_name, r.index_name.as_deref()), Vec::new())],
            Self::TransactWriteItems(r) => r
                .transact_items
                .iter()
                .flat_map(|item| {
                    let put = item.put.as_ref().map(|put| ("PutItem", &put.table_name, &put.item));
                    let update = item.update.as_ref();
                    let update = update.map(|update| ("UpdateItem", &update.table_name, &update.key));
                    let delete = item.delete.as_ref();
                    let delete = delete.map(|delete| ("DeleteItem", &delete.table_name, &delete.key));
                    let check = item.condition_check.as_ref();
                    let check = check.map(|check| ("ConditionCheckItem", &check.table_name, &check.key));
                    [put, update, delete, check]
                })
                .flatten()
                .map(|(action, table, item)| (one(action, table), vec![item]))
                .collect(),
            Self::UpdateItem(r) => vec![(one("UpdateItem", &r.table_name), vec![&r.key])],
        };
        touched.truncate(100);
        touched
    }

    pub(in crate::cloud) fn writes(&self) -> bool {
        matches!(
            self,
            Self::BatchWriteItem(_)
                | Self::DeleteItem(_)
                | Self::PutItem(_)
                | Self::TransactWriteItems(_)
                | Self::UpdateItem(_)
        )
    }

    /// Whether it is a read that may show the past: not consistent, or of an index.
    pub(in crate::cloud) fn may_be_stale(&self) -> bool {
        match self {
            Self::GetItem(r) => r.consistent_read != Some(true),
            Self::Query(r) => r.consistent_read != Some(true),
            Self::Scan(r) => r.consistent_read != Some(true),
            Self::BatchGetItem(r) => r.request_items.values().all(|keys| keys.consistent_read != Some(true)),
            _ => false,
        }
    }

    /// The tables that it touches, each once.
    pub(in crate::cloud) fn tables(&self) -> Vec<String> {
        let mut tables: Vec<String> = self.accesses().into_iter().map(|access| access.resource).collect();
        tables.sort();
        tables.dedup();
        tables
    }

    /// The token of a transaction, and a digest of what the transaction does that does not depend on the
    /// order of its JSON members.
    pub(super) fn token(&self) -> Option<(String, u64)> {
        let Self::TransactWriteItems(request) = self else { return None };
        let token = request.client_request_token.clone()?;
        let items = serde_json::to_value(&request.transact_items).ok()?;
        Some((token, digest(&items)))
    }

    /// Runs it, and says what it cost. A caller that asks for the cost itself is refused: nobody here does.
    pub(super) fn execute(mut self, storage: &Storage) -> Result<Answer, AwsError> {
        let writes = self.writes();
        self.ask_for_capacity()?;
        macro_rules! run {
            ($module:ident, $request:expr) => {{
                let mut response = now($module::execute(storage, $request))?;
                let consumed = response.consumed_capacity.take();
                let consumed = consumed.into_iter().flat_map(Many::many).collect();
                Ok(Answer { body: encode(&response)?, units: capacity::of(consumed, writes) })
            }};
        }
        match self {
            Self::BatchGetItem(request) => run!(batch_get_item, request),
            Self::BatchWriteItem(request) => run!(batch_write_item, request),
            Self::DeleteItem(request) => run!(delete_item, request),
            Self::GetItem(request) => run!(get_item, request),
            Self::PutItem(request) => run!(put_item, request),
            Self::Query(request) => run!(query, request),
            Self::Scan(request) => run!(scan, request),
            Self::TransactWriteItems(request) => run!(transact_write_items, request),
            Self::UpdateItem(request) => {
                let creates = creates_under_all_old(storage, &request)?;
                let answer: Result<Answer, AwsError> = run!(update_item, request);
                if creates { without_attributes(answer?) } else { answer }
            }
        }
    }

    /// Makes dynoxide report the cost.
    fn ask_for_capacity(&mut self) -> Result<(), AwsError> {
        let setting = match self {
            Self::BatchGetItem(r) => &mut r.return_consumed_capacity,
            Self::BatchWriteItem(r) => &mut r.return_consumed_capacity,
            Self::DeleteItem(r) => &mut r.return_consumed_capacity,
            Self::GetItem(r) => &mut r.return_consumed_capacity,
            Self::PutItem(r) => &mut r.return_consumed_capacity,
            Self::Query(r) => &mut r.return_consumed_capacity,
            Self::Scan(r) => &mut r.return_consumed_capacity,
            Self::TransactWriteItems(r) => &mut r.return_consumed_capacity,
            Self::UpdateItem(r) => &mut r.return_consumed_capacity,
        };
        if setting.is_some() {
            return Err(AwsError::client("ValidationException", "ReturnConsumedCapacity is not known here"));
        }
        *setting = Some(DETAILED.to_owned());
        Ok(())
    }
}

/// The items that a batch puts, and the keys of those that it deletes.
fn written(writes: &[batch_write_item::WriteRequest]) -> Vec<&Item> {
    writes
        .iter()
        .flat_map(|write| {
            let put = write.put_request.as_ref().map(|put| &put.item);
            put.into_iter().chain(write.delete_request.as_ref().map(|delete| &delete.key))
        })
        .collect()
}

/// Whether an update that asks for the old item will create one. dynoxide answers it with the key then, where DynamoDB
/// answers with nothing.
fn creates_under_all_old(
    storage: &Storage,
    request: &update_item::UpdateItemRequest,
) -> Result<bool, AwsError> {
    if request.return_values.as_deref() != Some("ALL_OLD") {
        return Ok(false);
    }
    let read = get_item::GetItemRequest {
        table_name: request.table_name.clone(),
        key: request.key.clone(),
        consistent_read: Some(true),
        projection_expression: None,
        expression_attribute_names: None,
        return_consumed_capacity: None,
        attributes_to_get: None,
    };
    Ok(now(get_item::execute(storage, read))?.item.is_none())
}

fn without_attributes(answer: Answer) -> Result<Answer, AwsError> {
    let mut body: Value = serde_json::from_slice(&answer.body).map_err(|error| AwsError::internal(&error))?;
    if let Some(members) = body.as_object_mut() {
        members.remove("Attributes");
    }
    Ok(Answer { body: encode(&body)?, ..answer })
}

/// The consumed capacity of one table or of many, as the operations' responses have it.
trait Many: Sized {
    fn many(self) -> Vec<ConsumedCapacity>;
}

impl Many for ConsumedCapacity {
    fn many(self) -> Vec<ConsumedCapacity> {
        vec![self]
    }
}

impl Many for Vec<ConsumedCapacity> {
    fn many(self) -> Vec<ConsumedCapacity> {
        self
    }
}

/// The value of one of dynoxide's futures. They never wait, since the storage is in this process.
pub(super) fn now<T>(future: impl Future<Output = errors::Result<T>>) -> Result<T, AwsError> {
    match future.now_or_never() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(refused(&error)),
        None => Err(AwsError::service("InternalServerError", "the storage did not answer at once")),
    }
}

fn refused(error: &DynoxideError) -> AwsError {
    if error.status_code() >= 500 {
        return AwsError::internal(error);
    }
    let kind = error.error_type();
    let code = kind.rsplit('#').next().unwrap_or(kind);
    let body = Some(error.to_json().into_bytes());
    AwsError { status: error.status_code(), code: code.to_owned(), message: error.to_string(), body }
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        // dynoxide marks what is DynamoDB's own validation; the rest is JSON of the wrong shape.
        let marks = ["VALIDATION_REQUEST:", "VALIDATION_AS_READ:", "VALIDATION:"];
        match marks.iter().find_map(|mark| text.strip_prefix(mark)) {
            Some(message) => {
                let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
                AwsError::client("ValidationException", message)
            }
            None => AwsError::client("SerializationException", text),
        }
    })
}

fn encode(response: &impl Serialize) -> Result<Vec<u8>, AwsError> {
    serde_json::to_vec(response).map_err(|error| AwsError::internal(&error))
}

/// Members of an object are added up, so that their order does not count.
fn digest(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let mut member = DefaultHasher::new();
                (name, digest(value)).hash(&mut member);
                member.finish()
            });
            members.fold(0, u64::wrapping_add).hash(&mut hasher);
        }
        Value::Array(values) => values.iter().for_each(|value| digest(value).hash(&mut hasher)),
        Value::String(text) => text.hash(&mut hasher),
        other => other.to_string().hash(&mut hasher),
    }
    hasher.finish()
}
