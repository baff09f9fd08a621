//! Editing requests: DynamoDB's and SQS's JSON, and SNS's forms.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};
use shop_local::cloud::Call;

/// The bodies in the place of a request's; none where it is left alone.
pub(crate) type Bodies = Option<Vec<Vec<u8>>>;

/// Whether a function makes this call.
pub(super) fn is(call: &Call, caller: &str, operation: &str) -> bool {
    *call.caller == *caller && call.operation == operation
}

/// One of so many, always the same ones.
pub(super) fn one_in(many: u64, text: impl Hash) -> bool {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().is_multiple_of(many)
}

/// A transaction with an edit of each of its items; untouched where no edit finds anything.
pub(super) fn edited_items(call: &Call, edit: impl Fn(&mut Value) -> bool) -> Bodies {
    edited(call, |body| {
        let mut is_edited = false;
        for item in items(body).into_iter().flatten() {
            let mut copy = item.clone();
            if edit(&mut copy) {
                *item = copy;
                is_edited = true;
            }
        }
        is_edited
    })
}

/// The request with an edit; untouched where the edit says that it found nothing.
pub(super) fn edited(call: &Call, edit: impl FnOnce(&mut Value) -> bool) -> Bodies {
    let mut body: Value = serde_json::from_slice(&call.body).ok()?;
    edit(&mut body).then(|| vec![body.to_string().into_bytes()])
}

/// What a consumer tells its queue, with another pause for each message, in seconds.
pub(super) fn paused(call: &Call, pause: impl Fn(u64) -> u64) -> Bodies {
    edited(call, |body| {
        for entry in body["Entries"].as_array_mut().into_iter().flatten() {
            let seconds = entry["VisibilityTimeout"].as_u64().unwrap_or_default();
            entry["VisibilityTimeout"] = json!(pause(seconds));
        }
        true
    })
}

/// A read by key, of one item or a batch, that need not be consistent.
pub(crate) fn inconsistent(call: &Call, caller: &str) -> Bodies {
    if is(call, caller, "GetItem") {
        return edited(call, |body| {
            body["ConsistentRead"] = json!(false);
            true
        });
    }
    if !is(call, caller, "BatchGetItem") {
        return None;
    }
    edited(call, |body| {
        for (_, wanted) in body["RequestItems"].as_object_mut().into_iter().flatten() {
            wanted["ConsistentRead"] = json!(false);
        }
        true
    })
}

/// The items of a transaction; none of another request.
pub(super) fn items(body: &mut Value) -> Option<&mut Vec<Value>> {
    body["TransactItems"].as_array_mut()
}

/// Makes a condition that holds in any case of one that is there. (Its values must still be used.)
pub(super) fn always(action: &mut Value) -> bool {
    let Some(condition) = action["ConditionExpression"].as_str() else { return false };
    action["ConditionExpression"] = json!(format!("({condition}) OR NOT ({condition})"));
    true
}

/// Cuts a transaction in two: first the items that an edit picks, then the others.
pub(super) fn split(call: &Call, first: impl Fn(&Value) -> bool) -> Bodies {
    let mut body: Value = serde_json::from_slice(&call.body).ok()?;
    let (left, right): (Vec<Value>, Vec<Value>) =
        std::mem::take(items(&mut body)?).into_iter().partition(first);
    if left.is_empty() || right.is_empty() {
        return None;
    }
    let part = |items: Vec<Value>, name: &str| {
        let mut part = body.clone();
        part["TransactItems"] = Value::Array(items);
        // Each is a transaction of its own.
        if let Some(token) = body["ClientRequestToken"].as_str() {
            let (start, _) = token.split_at(token.len().min(30));
            part["ClientRequestToken"] = json!(format!("{start}{name}"));
        }
        part.to_string().into_bytes()
    };
    Some(vec![part(left, "-a"), part(right, "-b")])
}

/// A batch of publications with an edit of each message; untouched where no edit finds anything.
pub(super) fn published(call: &Call, edit: impl Fn(&mut Value) -> bool) -> Bodies {
    let mut is_edited = false;
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(&call.body) {
        let mut value = value.into_owned();
        if name.ends_with(".Message")
            && let Ok(mut event) = serde_json::from_str::<Value>(&value)
            && edit(&mut event)
        {
            value = event.to_string();
            is_edited = true;
        }
        form.append_pair(&name, &value);
    }
    is_edited.then(|| vec![form.finish().into_bytes()])
}
