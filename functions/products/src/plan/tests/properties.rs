//! What holds for any orders, deliveries, crashes and stale reads.

use proptest::prelude::*;

use super::*;

/// The lines of an order as product numbers and quantities, when it was placed, whether it is a large one.
type Shape = (Vec<(usize, u32)>, i64, bool);

/// Orders of a few products, some of 100 products.
fn orders() -> impl Strategy<Value = Vec<ReservationRequest>> {
    let lines = prop::collection::vec((0_usize..5, 1_u32..4), 1..4);
    let shape = (lines, 0_i64..10, prop::bool::weighted(0.1));
    prop::collection::vec(shape, 1..12).prop_map(|shapes| {
        shapes.into_iter().enumerate().map(|(number, shape)| shaped(number, shape)).collect()
    })
}

fn shaped(number: usize, (lines, at, is_large): Shape) -> ReservationRequest {
    let names: Vec<_> = lines.iter().map(|(i, quantity)| (format!("p{i:03}"), *quantity)).collect();
    let lines: Vec<_> = names.iter().map(|(name, quantity)| (name.as_str(), *quantity)).collect();
    let request = placed(&format!("o{number}"), at, &lines);
    if is_large { ReservationRequest { lines: large("x").lines, ..request } } else { request }
}

/// What a message says of its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Created,
    Stalled,
    Cancelled,
}

/// One delivery: the number of an order (modulo their count), and what it says of it.
type Delivery = (prop::sample::Index, Says);

fn deliveries() -> impl Strategy<Value = Vec<Vec<Delivery>>> {
    let says = prop_oneof![4 => Just(Says::Created), 3 => Just(Says::Stalled), 3 => Just(Says::Cancelled)];
    let batch = prop::collection::vec((any::<prop::sample::Index>(), says), 1..6);
    prop::collection::vec(batch, 1..12)
}

/// A batch of deliveries as requests, one per order.
fn batch_of(orders: &[ReservationRequest], batch: &[Delivery]) -> Vec<ReservationRequest> {
    let mut requests: BTreeMap<OrderId, ReservationRequest> = BTreeMap::new();
    for (index, says) in batch {
        let order = index.get(orders);
        let nothing = || ReservationRequest { created: None, ..order.clone() };
        let request = requests.entry(order.order_id.clone()).or_insert_with(nothing);
        match says {
            Says::Created => request.created = Some(cause("created")),
            Says::Stalled => request.stalled = Some(cause("stalled")),
            Says::Cancelled => request.cancelled = Some(cause("cancelled")),
        }
    }
    requests.into_values().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Two consumers with reads of different age, crashes between steps, duplicates, any order of arrival.
    #[test]
    fn the_books_agree_after_every_step(
        orders in orders(),
        batches in deliveries(),
        stale in prop::collection::vec(any::<bool>(), 12),
        crashes in prop::collection::vec(0_usize..4, 12),
        available in 0_u64..12,
    ) {
        let mut table = warehouse(available);
        let mut older = table.clone();
        for (number, batch) in batches.iter().enumerate() {
            let requests = batch_of(&orders, batch);
            let seen = read(if stale[number] { &older } else { &table }, &requests);
            older = table.clone();
            for step in plan(&requests, seen, now()).iter().take(crashes[number] + 1) {
                if !carry_out(&mut table, step) {
                    prop_assert!(stale[number], "a fresh read cannot be contradicted");
                    break;
                }
                check(&table);
            }
        }
        // Everything is delivered once more, and settles.
        for batch in &batches {
            settle(&mut table, &batch_of(&orders, batch));
        }
        prop_assert!(table.stocks.values().all(|stock| stock.claim.is_none()));
        for (index, says) in batches.iter().flatten() {
            let status = table.reservations[&index.get(&orders).order_id].status;
            prop_assert!(*says != Says::Cancelled || status != Status::Reserved);
        }
    }

    /// While there is enough, it does not matter how and in which order events arrive.
    #[test]
    fn any_order_of_arrival_gives_the_same_books(orders in orders(), batches in deliveries(), seed in any::<prop::sample::Index>()) {
        let mut table = warehouse(1000);
        for batch in &batches {
            settle(&mut table, &batch_of(&orders, batch));
        }
        let mut single: Vec<Delivery> = batches.concat();
        single.reverse();
        let middle = seed.index(single.len());
        single.rotate_left(middle);
        let mut other = warehouse(1000);
        for delivery in &single {
            settle(&mut other, &batch_of(&orders, std::slice::from_ref(delivery)));
            settle(&mut other, &batch_of(&orders, std::slice::from_ref(delivery)));
        }
        let outcome = |table: &StockState| -> Vec<_> {
            table.reservations.iter().map(|(id, entry)| (id.clone(), entry.status)).collect()
        };
        prop_assert_eq!(outcome(&table), outcome(&other));
        for (product, stock) in &table.stocks {
            let twin = &other.stocks[product];
            prop_assert_eq!((stock.available, stock.reserved), (twin.available, twin.reserved));
        }
    }

    /// An order that is stalled is published: by the entry that is written, or once more. Only what is or gets
    /// released is not.
    #[test]
    fn a_stalled_order_is_published_again(orders in orders(), batches in deliveries(), available in 0_u64..12) {
        let mut table = warehouse(available);
        for batch in &batches {
            let requests = batch_of(&orders, batch);
            let steps = settle(&mut table, &requests);
            let mut published: Vec<&OrderId> = Vec::new();
            for step in &steps {
                match step {
                    Step::Settle { entries, .. } => {
                        published.extend(entries.iter().map(|entry| &entry.reservation.order_id));
                    }
                    Step::Complete { entry, .. } => published.push(&entry.reservation.order_id),
                    Step::ReEmit { entries } => published.extend(entries.iter().map(|entry| &entry.order_id)),
                    Step::Claim { .. } => {}
                }
            }
            for request in requests.iter().filter(|request| request.stalled.is_some()) {
                let entry = &table.reservations[&request.order_id];
                let times = published.iter().filter(|order| ***order == request.order_id).count();
                prop_assert!(times == 1 || entry.status == Status::Released || request.cancelled.is_some());
            }
        }
    }

    /// No order is rejected whose lines are still there when the batch is settled.
    #[test]
    fn nothing_is_undersold(orders in orders(), available in 0_u64..12) {
        let mut table = warehouse(available);
        settle(&mut table, &orders);
        for request in &orders {
            let entry = &table.reservations[&request.order_id];
            let is_there = request.quantities().iter().all(|(product, quantity)| {
                table.stocks[product].available >= *quantity
            });
            prop_assert_eq!(entry.status == Status::Rejected && is_there, false);
            prop_assert_eq!(entry.status == Status::Rejected, !entry.shortages.is_empty());
        }
    }
}
