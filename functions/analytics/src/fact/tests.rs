use proptest::prelude::*;
use shop_events::{Cause, OrderCancelled, OrderLine};
use shop_types::Money;

use super::*;
use crate::zone::tests::zone;

/// An order by its name, of two of each product at 3.00, placed at a time of its own.
pub(crate) fn order(name: &str, products: &[usize]) -> (Sold, Timestamp) {
    let line = |product: &usize| FactLine {
        product_id: format!("prod-{product:03}").parse().unwrap(),
        quantity: 2,
        unit_price: 300,
    };
    let sold = Sold {
        order_id: OrderId::derived(b"test", "test", name),
        currency: Currency::USD,
        total: i64::try_from(products.len()).unwrap() * 600,
        lines: products.iter().map(line).collect(),
    };
    (sold, Timestamp::from_millis(1_795_446_000_000))
}

fn snapshot(sold: &Sold, placed_at: Timestamp) -> OrderSnapshot {
    let line = |line: &FactLine| OrderLine {
        product_id: line.product_id.clone(),
        name: "=HYPERLINK(1)".into(),
        quantity: line.quantity,
        unit_price: line.unit_price,
    };
    OrderSnapshot {
        order_id: sold.order_id.clone(),
        customer_id: None,
        status: OrderStatus::Confirmed,
        lines: sold.lines.iter().map(line).collect(),
        total: Money { minor: sold.total, currency: sold.currency },
        placed_at,
    }
}

fn confirmed(sold: &Sold, placed_at: Timestamp) -> Event {
    let data = EventData::OrderConfirmed(snapshot(sold, placed_at));
    Event::new(data, 2, Timestamp::from_millis(placed_at.as_millis() + 800), Cause::request("request-1"))
}

fn cancelled(sold: &Sold, from: Option<OrderStatus>, version: u64, at: Timestamp) -> Event {
    let order = snapshot(sold, Timestamp::from_millis(7));
    let data = EventData::OrderCancelled(OrderCancelled { order, cancelled_from: from });
    Event::new(data, version, at, Cause::request("request-2"))
}

fn one(meaning: Meaning) -> Fact {
    match meaning {
        Meaning::Counts(facts) if facts.len() == 1 => facts.into_iter().next().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sale_counts_when_it_was_placed_and_what_is_taken_back_when_that_was() {
    let (sold, placed_at) = order("a", &[1, 2]);
    let fact = one(meaning(&confirmed(&sold, placed_at)));
    assert_eq!((fact.kind, fact.at, fact.total), (FactKind::Confirmed, placed_at, 1200));
    let later = Timestamp::from_millis(placed_at.as_millis() + 86_400_000);
    let back = one(meaning(&cancelled(&sold, Some(OrderStatus::Confirmed), 3, later)));
    assert_eq!((back.kind, back.at, back.lines.len()), (FactKind::Cancelled, later, 2));
    let berlin = zone("Europe/Berlin");
    let day = |fact: &Fact| {
        let adds = fact.adds(&berlin).unwrap();
        adds.into_iter().find(|(bucket, _)| matches!(bucket, Bucket::Day(..))).unwrap()
    };
    let (bucket, figures) = day(&fact);
    assert_eq!(bucket.to_string(), "day#USD#2026 2026-11-23");
    assert_eq!(figures, Figures { orders: 1, units: 4, gross: 1200, ..Figures::default() });
    let (bucket, figures) = day(&back);
    assert_eq!(bucket.to_string(), "day#USD#2026 2026-11-24");
    let expected = Figures { cancelled_orders: 1, cancelled_units: 4, cancelled: 1200, ..Figures::default() };
    assert_eq!(figures, expected);
}

#[test]
fn an_order_that_was_no_sale_is_not_taken_back() {
    let (sold, at) = order("a", &[1]);
    for (from, version, counts) in [
        (Some(OrderStatus::Pending), 2, false),
        (Some(OrderStatus::Pending), 3, false),
        (Some(OrderStatus::Confirmed), 3, true),
        // Events of before it was told.
        (None, 2, false),
        (None, 3, true),
    ] {
        let found = meaning(&cancelled(&sold, from, version, at));
        assert_eq!(matches!(found, Meaning::Counts(_)), counts, "{from:?} {version}");
        assert!(counts || found == Meaning::Nothing);
    }
    let data = EventData::OrderCreated(snapshot(&sold, at));
    assert_eq!(meaning(&Event::new(data, 1, at, Cause::request("r"))), Meaning::Unexpected);
}

#[test]
fn a_large_order_is_cut_the_same_way_however_its_lines_are_sorted() {
    let products: Vec<_> = (0..100).collect();
    let (mut sold, at) = order("a", &products);
    let parts = facts(&sold, FactKind::Confirmed, at);
    assert_eq!(parts.iter().map(|part| part.lines.len()).collect::<Vec<_>>(), [90, 10]);
    assert_eq!(parts.iter().map(|part| part.total).collect::<Vec<_>>(), [60_000, 0]);
    let keys: Vec<_> = parts.iter().map(|part| part.key().1).collect();
    assert!(keys[0].ends_with("#confirmed") && keys[1].ends_with("#confirmed#1"), "{keys:?}");
    sold.lines.reverse();
    assert_eq!(facts(&sold, FactKind::Confirmed, at), parts);
    let utc = zone("UTC");
    let day = Figures::sum(
        parts
            .iter()
            .flat_map(|part| {
                part.adds(&utc).unwrap().into_iter().filter(|(bucket, _)| matches!(bucket, Bucket::Day(..)))
            })
            .map(|(_, figures)| figures),
    );
    assert_eq!(day.unwrap(), Figures { orders: 1, units: 200, gross: 60_000, ..Figures::default() });
}

#[test]
fn a_fact_reads_back_as_it_was_and_holds_no_name() {
    let (sold, at) = order("a", &[1]);
    for fact in [one(meaning(&confirmed(&sold, at))), Fact { part: 3, ..one(meaning(&confirmed(&sold, at))) }]
    {
        let item = shop_dynamo::write(Fact::KIND, &fact).unwrap();
        assert!(!format!("{item:?}").contains("HYPERLINK"));
        assert_eq!(shop_dynamo::read::<Fact>(Fact::KIND, item).unwrap(), fact);
    }
}

#[test]
fn what_is_too_large_or_less_than_nothing_is_refused_and_is_no_panic() {
    let utc = zone("UTC");
    let (sold, at) = order("a", &[1]);
    let fact = one(meaning(&confirmed(&sold, at)));
    let line = |quantity, unit_price| FactLine { quantity, unit_price, ..fact.lines[0].clone() };
    for wrong in [
        Fact { lines: vec![line(u32::MAX, i64::MAX)], ..fact.clone() },
        Fact { lines: vec![line(1, i64::MAX), line(1, 1)], ..fact.clone() },
        Fact { lines: vec![line(1, -1)], ..fact.clone() },
        Fact { total: -1, ..fact.clone() },
        Fact { at: Timestamp::from_millis(i64::MAX), ..fact.clone() },
    ] {
        assert_eq!(wrong.adds(&utc), Err(OutOfRange), "{wrong:?}");
    }
    // Of nothing, nothing is counted: a line of no units has no bucket.
    let adds = Fact { lines: vec![line(0, 5)], ..fact.clone() }.adds(&utc).unwrap();
    assert_eq!(adds.len(), 2);
}

/// What a table comes to which each fact is put into once, on the condition that it is new.
fn counted(events: &[Event], zone: &Zone) -> BTreeMap<Bucket, Figures> {
    let (mut ledger, mut all) = (std::collections::BTreeSet::new(), BTreeMap::new());
    for event in events {
        let Meaning::Counts(facts) = meaning(event) else { continue };
        for fact in facts.into_iter().filter(|fact| ledger.insert(fact.key())) {
            for (bucket, figures) in fact.adds(zone).unwrap() {
                add(&mut all, bucket, figures).unwrap();
            }
        }
    }
    all
}

proptest! {
    /// A cancellation before its confirmation, repeats, and any order: the figures are the same.
    #[test]
    fn any_order_and_any_repetition_come_to_the_same(
        orders in prop::collection::vec((0_i64..200_000_000, 0_u8..4, prop::collection::btree_set(0_usize..6, 1..4)), 1..8),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let mut events = Vec::new();
        for (n, (at, fate, products)) in orders.iter().enumerate() {
            let (sold, first) = order(&n.to_string(), &products.iter().copied().collect::<Vec<_>>());
            let placed = Timestamp::from_millis(first.as_millis() + at);
            let later = Timestamp::from_millis(placed.as_millis() + 7_200_000);
            match fate {
                0 => events.push(confirmed(&sold, placed)),
                1 => events.push(cancelled(&sold, Some(OrderStatus::Pending), 2, later)),
                _ => events.extend([confirmed(&sold, placed), cancelled(&sold, Some(OrderStatus::Confirmed), 3, later)]),
            }
        }
        let berlin = zone("Europe/Berlin");
        let expected = counted(&events, &berlin);
        let mut shuffled: Vec<_> = picks.iter().map(|pick| pick.get(&events).clone()).collect();
        shuffled.extend(events.iter().rev().cloned());
        prop_assert_eq!(counted(&shuffled, &berlin), expected.clone());
        // Days and hours tell the same story in sum, and products but for the orders.
        let total = |of: fn(&Bucket) -> bool| Figures::sum(
            expected.iter().filter(|(bucket, _)| of(bucket)).map(|(_, figures)| *figures)).unwrap();
        let days = total(|bucket| matches!(bucket, Bucket::Day(..)));
        prop_assert_eq!(days, total(|bucket| matches!(bucket, Bucket::Hour(..))));
        let products = total(|bucket| matches!(bucket, Bucket::Product(..)));
        prop_assert_eq!(Figures { orders: 0, cancelled_orders: 0, ..days }, products);
    }
}
