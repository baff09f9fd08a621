//! What one call has written: taken in by the services whose items it is, and by the event log.

use shop_local::cloud::Written;

use super::event_log::EventLog;
use crate::services::{Record, Service, Services};
use crate::violation::Violation;

/// Who writes what is no item at all.
pub(crate) const POISONER: &str = "poisoner";

/// Takes in what one call has written, and says what does not hold of it.
pub(super) fn take_in(
    services: &mut Services,
    event_log: &mut EventLog,
    (time, caller): (i64, &str),
    written: &[Written<'_>],
) -> Vec<Violation> {
    if caller == POISONER {
        return Vec::new();
    }
    services.all_mut().for_each(Service::begin);
    let mut violations = Vec::new();
    for Written { table, record } in written {
        let took = Record::parse(time, caller, record).and_then(|record| {
            let owner = services.all_mut().find(|service| service.owns(table));
            let Some(service) = owner else {
                return Err(Violation::new("the-harness-works", format!("{table} is no service's")));
            };
            let mut found = service.wrote(&record).unwrap_or_else(|unreadable| vec![unreadable]);
            let item = format!("{table} {}", record.key());
            for event in service.events(&record.images(service.name())?) {
                found.extend(event_log.record(time, caller, &item, event));
            }
            Ok(found)
        });
        violations.extend(took.unwrap_or_else(|unreadable| vec![unreadable]));
    }
    violations.extend(services.all().flat_map(|service| service.settled(services)));
    violations
}
