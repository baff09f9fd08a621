//! Outages: a function, or what it stands on, that is down for hours.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use shop_local::template::{Event, Template};

use crate::faults::{Fault, Rates};

const HOUR: i64 = 3_600_000;

/// A time in which a function does nothing, or nothing but fail. Milliseconds since the opening.
#[derive(Clone, Debug)]
pub(super) struct Outage {
    pub(super) function: String,
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) kind: OutageKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutageKind {
    /// It is given nothing.
    Down,
    /// It is called, and dies at once.
    Broken,
    /// It runs, and DynamoDB refuses it. That is no disturbance: it must do the right thing about what fails.
    Refused,
    /// SES takes nothing, whoever calls it.
    NoMail,
    /// CloudFront takes no invalidation.
    NoEdge,
}

/// The outages of a run, each of a function that is drawn.
pub(super) fn outages(rates: &Rates, template: &Template, open_for: u64, random: &mut StdRng) -> Vec<Outage> {
    let (mut consumers, mut relays) = (Vec::new(), Vec::new());
    for function in template.functions.values() {
        for event in function.events.values() {
            match event {
                Event::Sqs(_) => consumers.push(function.name.clone()),
                Event::Stream(_) => relays.push(function.name.clone()),
                _ => {}
            }
        }
    }
    let everybody = vec![String::new()];
    let mut outages = Vec::new();
    for (fault, functions, hours, kind) in [
        (Fault::ConsumerDown, &consumers, 1..5, OutageKind::Down),
        (Fault::ConsumerBroken, &consumers, 1..2, OutageKind::Broken),
        (Fault::RelayDown, &relays, 1..9, OutageKind::Down),
        (Fault::RelayOutage, &relays, 48..49, OutageKind::Down),
        (Fault::DependencyDown, &consumers, 1..2, OutageKind::Refused),
        (Fault::MailServiceDown, &everybody, 1..2, OutageKind::NoMail),
        (Fault::EdgeServiceDown, &everybody, 1..2, OutageKind::NoEdge),
    ] {
        let Some(function) = functions.choose(random).cloned() else { continue };
        let from = i64::try_from(random.random_range(0..open_for)).unwrap_or(0);
        let until = from + HOUR * random.random_range(hours);
        if rates.has(fault) {
            outages.push(Outage { function, from, until, kind });
        }
    }
    outages
}
