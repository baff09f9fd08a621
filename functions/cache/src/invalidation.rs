//! What a change makes stale, as the tags of the answers that show it. Pure: no AWS, no clock.

use std::collections::BTreeSet;
use std::time::Duration;

use shop_events::{Event, EventData};
use shop_http::{CacheTag, fingerprint};
use shop_types::{ProductId, Timestamp};

/// Of more products than this, all that is shown of the catalogue goes: one tag instead of many.
const MAX_PRODUCTS: usize = 50;
/// How long after a change an answer of before may still be kept: what a cache keeps it for
/// ([`shop_http::SHARED_CACHE`]), and a minute in which it was under way, or an index was behind its table.
const STALE_AFTER: Duration = Duration::from_secs(shop_http::SHARED_CACHE.as_secs() + 60);

/// A call that makes caches forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalidation {
    /// What tells it from every other: the same changes are the same call, so that CloudFront takes it once.
    pub(crate) reference: String,
    /// What is to be forgotten: CloudFront bills each as a path. It is never empty.
    pub(crate) tags: BTreeSet<CacheTag>,
}

impl Invalidation {
    /// What some events call for; none where nothing that was kept before them can still be kept.
    pub(crate) fn of<'e>(events: impl Iterator<Item = &'e Event>, now: Timestamp) -> Option<Self> {
        let mut ids: Vec<&str> = Vec::new();
        let (mut products, mut changes_lists) = (BTreeSet::new(), false);
        for event in events.filter(|event| is_recent(event, now)) {
            let Some((product, is_listed_elsewhere)) = concern(event) else { continue };
            ids.push(event.id().as_str());
            products.insert(product);
            changes_lists |= is_listed_elsewhere;
        }
        if ids.is_empty() {
            return None;
        }
        ids.sort_unstable();
        ids.dedup();
        let reference = fingerprint(ids.join(" ").as_bytes());
        let tags = if products.len() > MAX_PRODUCTS {
            BTreeSet::from([CacheTag::Catalogue])
        } else {
            let lists = changes_lists.then_some(CacheTag::Lists);
            products.into_iter().map(|id| CacheTag::Product(id.clone())).chain(lists).collect()
        };
        Some(Self { reference, tags })
    }

    /// The same in one path, at the price of all else that is kept of the catalogue.
    pub(crate) fn coarse(&self) -> Self {
        Self { reference: self.reference.clone(), tags: BTreeSet::from([CacheTag::Catalogue]) }
    }
}

/// The product that an event makes stale what is shown of, and whether it stands elsewhere in the lists since.
pub(crate) const fn concern(event: &Event) -> Option<(&ProductId, bool)> {
    match event.data() {
        // A name, a price or a category has another place in the lists. Which, nobody remembers.
        EventData::ProductCreated(data) | EventData::ProductUpdated(data) => Some((&data.product_id, true)),
        EventData::ProductDeleted(data) => Some((&data.product_id, true)),
        EventData::InventorySoldOut(data) => Some((&data.product_id, false)),
        EventData::InventoryBackInStock(data) => Some((&data.product_id, false)),
        _ => None,
    }
}

fn is_recent(event: &Event, now: Timestamp) -> bool {
    let age = now.as_millis().saturating_sub(event.time().as_millis());
    u128::try_from(age).unwrap_or(0) <= STALE_AFTER.as_millis()
}

#[cfg(test)]
mod tests {
    use shop_events::{Cause, InventorySoldOut, ProductDeleted};

    use super::*;

    const NOW: i64 = 10_000_000;

    fn id(number: usize) -> ProductId {
        format!("prod-{number}").parse().unwrap()
    }

    fn event(data: EventData, time: i64) -> Event {
        Event::new(data, 2, Timestamp::from_millis(time), Cause::request("request-1"))
    }

    fn deleted(number: usize) -> Event {
        event(EventData::ProductDeleted(ProductDeleted { product_id: id(number) }), NOW)
    }

    fn sold_out(number: usize, time: i64) -> Event {
        event(EventData::InventorySoldOut(InventorySoldOut { product_id: id(number) }), time)
    }

    fn of(events: &[Event]) -> Option<Invalidation> {
        Invalidation::of(events.iter(), Timestamp::from_millis(NOW))
    }

    fn tags(events: &[Event]) -> Vec<String> {
        of(events).unwrap().tags.iter().map(CacheTag::to_string).collect()
    }

    #[test]
    fn a_change_of_the_catalogue_is_in_the_lists_and_a_crossing_is_not() {
        assert_eq!(tags(&[sold_out(1, NOW)]), ["product:prod-1"]);
        assert_eq!(tags(&[deleted(2), sold_out(1, NOW)]), ["lists", "product:prod-1", "product:prod-2"]);
    }

    #[test]
    fn many_products_are_one_path() {
        let events: Vec<_> = (0..50).map(|number| sold_out(number, NOW)).collect();
        assert_eq!(tags(&events).len(), 50);
        let events: Vec<_> = (0..51).map(|number| sold_out(number, NOW)).collect();
        assert_eq!(tags(&events), ["catalogue"]);
    }

    #[test]
    fn the_same_events_are_the_same_call_in_whatever_order_and_number() {
        let (one, other) = (deleted(1), sold_out(2, NOW));
        let both = of(&[one.clone(), other.clone()]);
        assert_eq!(both, of(&[other.clone(), one.clone(), other.clone()]));
        assert_ne!(both, of(&[one]));
    }

    #[test]
    fn what_no_cache_can_still_show_is_let_be() {
        assert_eq!(of(&[sold_out(1, NOW - 120_001)]), None);
        assert_eq!(of(&[]), None);
        let recent = [sold_out(1, NOW - 120_000), sold_out(2, NOW - 120_001), sold_out(3, NOW + 5000)];
        assert_eq!(tags(&recent), ["product:prod-1", "product:prod-3"]);
    }
}
