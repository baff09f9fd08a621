//! Everything that happens in a cloud, one line each: the same seed must give the same lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::observer::{Call, Delivery, Invoked, Observer, Outcome, Step, Written};

/// An observer that writes what it sees into memory.
#[derive(Debug, Default)]
pub struct Trace(Mutex<String>);

impl Trace {
    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, line: std::fmt::Arguments<'_>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail.
        let _: std::fmt::Result = writeln!(lines, "{line}");
    }
}

/// What a stream record says has changed: its kind, and the item as it is now.
fn change(record: &str) -> String {
    let record: Value = serde_json::from_str(record).unwrap_or_default();
    let (event, change) = (&record["eventName"], &record["dynamodb"]);
    let item = if change["NewImage"].is_null() { &change["Keys"] } else { &change["NewImage"] };
    format!("{} {}", event.as_str().unwrap_or_default(), sorted(item))
}

/// JSON with the members of its objects in the order of their names: those of an item come in any order.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<&String, String> =
                members.iter().map(|(name, value)| (name, sorted(value))).collect();
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

impl Observer for Trace {
    fn called(&self, time: i64, call: &Call, outcome: &Outcome<'_>) {
        let Call { caller, service, operation, accesses, .. } = call;
        let resources: Vec<&str> = accesses.iter().map(|access| access.resource.as_str()).collect();
        let units: Vec<String> = outcome
            .units
            .iter()
            .map(|(resource, u)| format!("{resource}={}/{}/{}", u.half_reads, u.writes, u.requests))
            .collect();
        let (resources, units) = (resources.join(","), units.join(","));
        let error = outcome.error.unwrap_or("ok");
        self.write(format_args!("{time} call {caller} {service}:{operation} {resources} {units} {error}"));
    }

    fn invoked(&self, time: i64, invoked: &Invoked<'_>) {
        let Invoked { function, request_id, duration, cold, error } = invoked;
        let (duration, error) = (duration.as_millis(), error.unwrap_or("ok"));
        self.write(format_args!("{time} invoked {function} {request_id} {duration}ms cold={cold} {error}"));
    }

    fn delivered(&self, time: i64, delivery: &Delivery<'_>) {
        let Delivery { function, source, ids, earlier } = delivery;
        self.write(format_args!("{time} deliver {source} {function} {} earlier={earlier}", ids.join(",")));
    }

    fn batch_completed(&self, time: i64, delivery: &Delivery<'_>, failed: &BTreeSet<usize>) {
        let failed: Vec<&str> = failed.iter().filter_map(|place| delivery.ids.get(*place)).copied().collect();
        let failed = if failed.is_empty() { "none".to_owned() } else { failed.join(",") };
        self.write(format_args!(
            "{time} completed {} {} failed={failed}",
            delivery.source, delivery.function
        ));
    }

    fn published(&self, time: i64, topic: &str, message: &str) {
        self.write(format_args!("{time} published {topic} {message}"));
    }

    fn queued(&self, time: i64, queue: &str, message: &str, step: Step<'_>) {
        match step {
            // The publication has said what it holds.
            Step::Sent(_) => self.write(format_args!("{time} queue {queue} {message} sent")),
            step => self.write(format_args!("{time} queue {queue} {message} {step:?}")),
        }
    }

    fn wrote(&self, time: i64, caller: &str, written: &[Written<'_>]) {
        for Written { table, record } in written {
            self.write(format_args!("{time} wrote {caller} {table} {}", change(record)));
        }
    }

    fn wants_writes(&self) -> bool {
        true
    }
}
