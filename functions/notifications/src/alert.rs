//! An alert: what somebody must look at, until it is over. Pure: no AWS, no clock.
//!
//! An alert is raised by one event and resolved by one other, which names the first. Both find the alert by the id that
//! follows from the first event, so they may come in any order and any number of times: each writes its own half, once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_dynamo::Record;
use shop_events::{AlertKind, AlertRaised, AlertResolved, Cause, Event, EventData};
use shop_types::{AlertId, ListPosition, ProductId, Timestamp};

/// Where a list of alerts goes on.
pub(crate) type Position = ListPosition<AlertId>;

/// Whether what an alert is about is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// It is not.
    Open,
    /// It is.
    Closed,
}

impl Status {
    pub(crate) const ALL: [Self; 2] = [Self::Open, Self::Closed];

    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// An alert, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alert {
    pub(crate) id: AlertId,
    pub(crate) kind: AlertKind,
    pub(crate) product_id: ProductId,
    /// Closed as soon as it is resolved, even before it was raised.
    pub(crate) status: Status,
    /// What raised it; none as long as only its end was heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raised: Option<Raised>,
    /// What resolved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resolved: Option<Resolved>,
    /// When one of its halves was written last.
    pub(crate) updated_at: Timestamp,
    /// When its text was published for those who are told by mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) announced_at: Option<Timestamp>,
}

impl Record for Alert {
    const KIND: &'static str = "alert";
}

/// What raised an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Raised {
    /// When the stock changed.
    pub(crate) at: Timestamp,
    /// How many were for sale then.
    pub(crate) available: u64,
    /// The threshold that this was below, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) low_stock_threshold: Option<u64>,
    #[serde(flatten)]
    pub(crate) cause: Cause,
}

/// What resolved an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resolved {
    /// When the stock changed, or the product was deleted.
    pub(crate) at: Timestamp,
    #[serde(flatten)]
    pub(crate) cause: Cause,
}

/// One half of an alert, as an event has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) id: AlertId,
    pub(crate) kind: AlertKind,
    pub(crate) product_id: ProductId,
    pub(crate) half: Half,
}

/// Which half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Raised(Raised),
    Resolved(Resolved),
}

impl Note {
    fn new(kind: AlertKind, product_id: &ProductId, version: u64, half: Half) -> Self {
        let id = AlertId::derived(kind.as_str(), product_id.as_str(), version);
        Self { id, kind, product_id: product_id.clone(), half }
    }

    /// What an event says of alerts: of none, one or two. None, where it is of no type that says anything.
    #[must_use]
    pub(crate) fn of(event: &Event) -> Option<Vec<Self>> {
        let raised = |available, low_stock_threshold| {
            Half::Raised(Raised { at: event.time(), available, low_stock_threshold, cause: event.as_cause() })
        };
        let resolved = || Half::Resolved(Resolved { at: event.time(), cause: event.as_cause() });
        let ended = |kind, product: &ProductId, since: Option<u64>| {
            since.map(|version| Self::new(kind, product, version, resolved()))
        };
        let (low, sold_out) = (AlertKind::LowStock, AlertKind::SoldOut);
        Some(match event.data() {
            EventData::InventoryLow(data) => {
                let half = raised(data.available, Some(data.low_stock_threshold));
                vec![Self::new(low, &data.product_id, event.version(), half)]
            }
            EventData::InventorySoldOut(data) => {
                vec![Self::new(sold_out, &data.product_id, event.version(), raised(0, None))]
            }
            EventData::InventoryReplenished(data) => {
                ended(low, &data.product_id, Some(data.low_since)).into_iter().collect()
            }
            EventData::InventoryBackInStock(data) => {
                ended(sold_out, &data.product_id, data.sold_out_since).into_iter().collect()
            }
            EventData::InventoryClosed(data) => {
                let ends = [(low, data.low_since), (sold_out, data.sold_out_since)];
                ends.into_iter().filter_map(|(kind, since)| ended(kind, &data.product_id, since)).collect()
            }
            _ => return None,
        })
    }
}

impl Alert {
    /// Whether somebody is still to be told by mail: it goes on, and nobody was told.
    #[must_use]
    pub(crate) const fn is_to_be_announced(&self) -> bool {
        self.raised.is_some() && self.resolved.is_none() && self.announced_at.is_none()
    }

    /// Where it is in a list; nowhere, as long as only its end was heard of.
    #[must_use]
    pub(crate) fn position(&self) -> Option<Position> {
        Some(Position::new(self.raised.as_ref()?.at, self.id.clone()))
    }

    /// The subject and the text of its mail; none as long as only its end was heard of. SNS takes at most 100
    /// characters of ASCII for a subject: a product's id has at most 64.
    #[must_use]
    pub(crate) fn mail(&self) -> Option<(String, String)> {
        let Raised { at, available, low_stock_threshold, .. } = self.raised.as_ref()?;
        let product = &self.product_id;
        let (subject, what) = match low_stock_threshold {
            Some(threshold) => (
                format!("Stock is low: {product}"),
                format!(
                    "{available} of product {product} are for sale, fewer than its threshold of {threshold}."
                ),
            ),
            None => {
                (format!("Sold out: {product}"), format!("None of product {product} are for sale any more."))
            }
        };
        let id = &self.id;
        Some((
            subject,
            format!("{what}\n\nThe stock changed at {at}.\nAlert {id}; GET /alerts shows what is open.\n"),
        ))
    }

    /// What clients see of it; nothing as long as only its end was heard of.
    #[must_use]
    pub(crate) fn view(&self) -> Option<AlertView<'_>> {
        let raised = self.raised.as_ref()?;
        Some(AlertView {
            id: &self.id,
            kind: self.kind,
            status: self.status,
            product_id: &self.product_id,
            available: raised.available,
            low_stock_threshold: raised.low_stock_threshold,
            raised_at: raised.at,
            resolved_at: self.resolved.as_ref().map(|resolved| resolved.at),
        })
    }

    /// The data of alert.raised, once it was raised.
    #[must_use]
    pub(crate) fn as_raised(&self) -> Option<(AlertRaised, &Raised)> {
        let raised = self.raised.as_ref()?;
        let data = AlertRaised {
            alert_id: self.id.clone(),
            kind: self.kind,
            product_id: self.product_id.clone(),
            available: raised.available,
            low_stock_threshold: raised.low_stock_threshold,
            raised_at: raised.at,
        };
        Some((data, raised))
    }

    /// The data of alert.resolved, once it was both raised and resolved.
    #[must_use]
    pub(crate) fn as_resolved(&self) -> Option<(AlertResolved, &Resolved)> {
        let resolved = self.resolved.as_ref().filter(|_| self.raised.is_some())?;
        let data = AlertResolved {
            alert_id: self.id.clone(),
            kind: self.kind,
            product_id: self.product_id.clone(),
            resolved_at: resolved.at,
        };
        Some((data, resolved))
    }
}

/// Something that an administrator should look at, or should have.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Alert")]
pub(crate) struct AlertView<'a> {
    id: &'a AlertId,
    kind: AlertKind,
    status: Status,
    product_id: &'a ProductId,
    /// How many were for sale when it was raised.
    available: u64,
    /// The threshold that this was below; null where it is about none.
    low_stock_threshold: Option<u64>,
    raised_at: Timestamp,
    /// When it was over; null as long as it is not.
    resolved_at: Option<Timestamp>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use shop_events::{
        InventoryBackInStock, InventoryClosed, InventoryLow, InventoryReplenished, InventorySoldOut,
        ProductDeleted,
    };

    pub(crate) fn product() -> ProductId {
        "prod-1".parse().unwrap()
    }

    pub(crate) fn event(data: EventData, version: u64) -> Event {
        let at = Timestamp::from_millis(i64::try_from(version).unwrap() * 1000);
        Event::new(data, version, at, Cause::request("request-1"))
    }

    pub(crate) fn low(version: u64) -> Event {
        let data = InventoryLow { product_id: product(), available: 4, low_stock_threshold: 5 };
        event(EventData::InventoryLow(data), version)
    }

    pub(crate) fn replenished(low_since: u64, version: u64) -> Event {
        let data =
            InventoryReplenished { product_id: product(), available: 9, low_stock_threshold: 5, low_since };
        event(EventData::InventoryReplenished(data), version)
    }

    fn note(event: &Event) -> Note {
        let notes = Note::of(event).unwrap();
        let [note] = &notes[..] else { panic!("{notes:?}") };
        note.clone()
    }

    #[test]
    fn the_end_of_an_alert_finds_it_and_no_other() {
        let raised = note(&low(7));
        let resolved = note(&replenished(7, 9));
        assert_eq!((&resolved.id, resolved.kind), (&raised.id, AlertKind::LowStock));
        let Half::Raised(half) = &raised.half else { panic!("{raised:?}") };
        assert_eq!((half.at, half.available), (Timestamp::from_millis(7000), 4));
        assert_eq!(half.cause, low(7).as_cause());
        let sold_out = event(EventData::InventorySoldOut(InventorySoldOut { product_id: product() }), 7);
        assert_ne!(note(&sold_out).id, raised.id, "at the very same version");
        let data = InventoryBackInStock { product_id: product(), available: 1, sold_out_since: Some(7) };
        assert_eq!(note(&event(EventData::InventoryBackInStock(data), 8)).id, note(&sold_out).id);
        assert_ne!(note(&low(8)).id, raised.id);
        let other = InventorySoldOut { product_id: "prod-2".parse().unwrap() };
        assert_ne!(note(&event(EventData::InventorySoldOut(other), 7)).id, note(&sold_out).id);
    }

    #[test]
    fn an_event_says_something_of_none_one_or_two_alerts() {
        let first = InventoryBackInStock { product_id: product(), available: 1, sold_out_since: None };
        assert_eq!(Note::of(&event(EventData::InventoryBackInStock(first), 1)), Some(vec![]));
        for (low_since, sold_out_since, count) in [(None, None, 0), (Some(3), None, 1), (Some(3), Some(4), 2)]
        {
            let data = InventoryClosed { product_id: product(), low_since, sold_out_since };
            assert_eq!(Note::of(&event(EventData::InventoryClosed(data), 5)).unwrap().len(), count);
        }
        let other = EventData::ProductDeleted(ProductDeleted { product_id: product() });
        assert_eq!(Note::of(&event(other, 1)), None);
    }

    #[test]
    fn a_mail_says_what_and_fits_into_what_sns_takes() {
        let Half::Raised(raised) = note(&low(7)).half else { panic!() };
        let long: ProductId = "p".repeat(64).parse().unwrap();
        let alert = |threshold| Alert {
            id: AlertId::derived("low_stock", long.as_str(), 7),
            kind: AlertKind::LowStock,
            product_id: long.clone(),
            status: Status::Open,
            raised: Some(Raised { low_stock_threshold: threshold, ..raised.clone() }),
            resolved: None,
            updated_at: Timestamp::from_millis(9000),
            announced_at: None,
        };
        for threshold in [Some(5), None] {
            let (subject, text) = alert(threshold).mail().unwrap();
            assert!(
                subject.len() < 100 && subject.is_ascii() && subject.ends_with(long.as_str()),
                "{subject}"
            );
            assert!(text.contains(long.as_str()) && text.contains("1970-01-01T00:00:07.000Z"), "{text}");
        }
        assert!(alert(Some(5)).mail().unwrap().1.starts_with("4 of product"));
        assert_eq!(Alert { raised: None, ..alert(None) }.mail(), None);
    }
}
