//! Everything that happens in a cloud, one line each: the same seed must give the same lines.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use super::observer::{Call, Delivery, Invoked, Observer, Outcome};

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

impl Observer for Trace {
    fn called(&self, time: i64, call: &Call, outcome: &Outcome<'_>) {
        let Call { caller, service, operation, accesses } = call;
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
}
