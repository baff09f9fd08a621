//! What must hold of each service: a module each, with a model of the service's items as their writes have made them,
//! the events that these writes must publish, and what must hold at every write and when all is done.
//!
//! Nothing outside of here names a service's types. A new service is its module (`mod`, and its place in the list
//! below), which says of itself what must hold, or why nothing does; a test holds that none is forgotten.

mod analytics;
mod api;
mod cache;
mod emails;
mod monitor;
mod notifications;
mod orders;
mod products;
mod record;
mod redrives;
mod search;
mod users;

use std::fmt;

use anyhow::Result;
use serde_json::Value;
use shop_events::Event;
use shop_local::cloud::{Call, Step};
use shop_local::template::Template;

pub(crate) use analytics::TIME_ZONE;
pub(crate) use orders::{ACCOUNT_LIMIT, ADDRESS_LIMIT};
pub(crate) use products::Shown;

/// By how much the clock of a function, which events and items have their times of, and that of a model may differ, in
/// milliseconds.
const SKEW: i64 = 10_000;
pub(crate) use record::{Images, Record, read};
pub(crate) use redrives::{emptied, is_readable};

use crate::violation::Violation;
use crate::workload::History;

/// What must hold of a service.
#[derive(Clone, Copy, Debug)]
pub enum Invariants {
    /// Each by its name, with what it says.
    Are(&'static [(&'static str, &'static str)]),
    /// Nothing, for this reason.
    NoneBecause(&'static str),
}

/// A service, as a run watches it.
pub(crate) trait Service: fmt::Debug + Send {
    /// Its name, as the registry has it.
    fn name(&self) -> &'static str;

    /// The physical name of its table whose stream tells of every write.
    fn table(&self) -> Option<&str> {
        None
    }

    /// Whether a table of that physical name is its own.
    fn owns(&self, table: &str) -> bool {
        self.table() == Some(table)
    }

    /// The function that finds what is wrong with its items.
    fn verification(&self) -> Option<&'static str> {
        None
    }

    /// The function that makes anew what follows from other services' items, which an operator calls when they like.
    fn rebuild(&self) -> Option<&'static str> {
        None
    }

    /// A function has made a call of AWS, and was told that it is done, or was not.
    fn called(&mut self, _time: i64, _call: &Call, _is_done: bool) {}

    /// Some writes follow that take effect as one.
    fn begin(&mut self) {}

    /// Takes in one of them.
    ///
    /// # Errors
    /// The item cannot be read, which is a violation too.
    fn wrote(&mut self, _record: &Record<'_>) -> Result<Vec<Violation>, Violation> {
        Ok(Vec::new())
    }

    /// What does not hold when all of them have taken effect.
    fn settled(&self, _all: &Services) -> Vec<Violation> {
        Vec::new()
    }

    /// The events that the write of an item must publish, envelope and data. They are read off plain JSON, without the
    /// service's types: what its own `events` forgets, adds or gets wrong is another event than these.
    fn events(&self, _images: &Images) -> Vec<Value> {
        Vec::new()
    }

    /// Whether its items show what a consumer of its own does because of an event. What it does not consume, it is not
    /// done with.
    fn is_done(&self, _consumer: &str, _event: &Event) -> bool {
        false
    }

    /// What still has to become of its items, how many.
    fn pending(&self) -> usize {
        0
    }

    /// Something was published for people, on a topic that is not the bus.
    fn told(&mut self, _topic: &str, _message: &str) {}

    /// What does not hold when all is done: the faults have ended, and nothing is under way.
    fn finish(&self, _all: &Services, _history: &History) -> Vec<Violation> {
        Vec::new()
    }

    /// What does not hold then, where no event was lost for good.
    fn finish_whole(&self, _all: &Services) -> Vec<Violation> {
        Vec::new()
    }
}

macro_rules! services {
    ($($name:ident),* $(,)?) => {
        #[derive(Debug)]
        pub(crate) struct Services {
            $(pub(crate) $name: $name::Model,)*
        }

        /// What must hold of each service, by its name.
        pub const INVARIANTS: &[(&str, Invariants)] = &[$((stringify!($name), $name::INVARIANTS)),*];

        impl Services {
            /// # Errors
            /// The template lacks what a service has.
            pub(crate) fn of(template: &Template) -> Result<Self> {
                Ok(Self { $($name: $name::Model::of(template)?,)* })
            }

            pub(crate) fn all(&self) -> impl Iterator<Item = &dyn Service> {
                [$(&self.$name as &dyn Service),*].into_iter()
            }

            pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut dyn Service> {
                [$(&mut self.$name as &mut dyn Service),*].into_iter()
            }
        }
    };
}

services![api, orders, products, users, emails, notifications, cache, analytics, redrives, search, monitor];

impl Services {
    /// Takes in what a topic has taken that is not the shop's own, and says what does not hold of it.
    pub(crate) fn mailed(&mut self, time: i64, topic: &str, message: &str) -> Vec<Violation> {
        let Self { emails, orders, .. } = self;
        emails.published(time, topic, message, &orders.orders)
    }

    /// Takes in what happens to a message of a queue.
    pub(crate) fn queued(&mut self, time: i64, queue: &str, message: &str, step: Step<'_>) -> Vec<Violation> {
        self.emails.queued(time, queue, message, step);
        self.cache.queued(time);
        self.redrives.queued(queue, message, step);
        let said = self.monitor.queued(queue, step);
        let untrue = said.iter().filter(|(consumer, event)| !self.is_done(consumer, event));
        untrue.map(|(consumer, event)| monitor::untrue(consumer, event)).collect()
    }

    /// Whether the tables show what a consumer does because of an event.
    pub(crate) fn is_done(&self, consumer: &str, event: &Event) -> bool {
        self.all().any(|service| service.is_done(consumer, event))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_service_has_its_own_name_and_table() {
        let all = Services::of(&crate::run::template().unwrap()).unwrap();
        let names: Vec<_> = all.all().map(Service::name).collect();
        assert_eq!(names, INVARIANTS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let tables: Vec<_> = all.all().filter_map(Service::table).collect();
        assert_eq!(tables.iter().collect::<BTreeSet<_>>().len(), tables.len(), "{tables:?}");
    }
}
