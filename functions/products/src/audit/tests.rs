//! What snapshots see of books that are right, of books that are wrong, and of books that change between two reads.

use proptest::prelude::*;
use shop_events::{Cause, ReservedLine};
use shop_types::Timestamp;

use super::*;
use crate::stock::tests::stock;

fn product(name: &str) -> ProductId {
    name.parse().unwrap()
}

fn reserved(name: &str, lines: &[(&str, u32)]) -> Reservation {
    let line =
        |(name, quantity): &(&str, u32)| ReservedLine { product_id: product(name), quantity: *quantity };
    let order = OrderId::derived(b"test", "test", name);
    let now = Timestamp::from_millis(5);
    Reservation::reserved(order, lines.iter().map(line).collect(), now, Cause::request("request-1"))
}

fn released(entry: &Reservation) -> Reservation {
    entry.released(Timestamp::from_millis(6), Cause::request("request-2"))
}

/// An order of 100 products, two of each.
fn large(name: &str) -> Reservation {
    let names: Vec<_> = (0..100).map(|number| format!("p{number:03}")).collect();
    reserved(name, &names.iter().map(|name| (name.as_str(), 2)).collect::<Vec<_>>())
}

fn snapshot(counters: &[Stock], entries: &[Reservation]) -> Snapshot {
    let mut snapshot = Snapshot::new();
    // Items come in no order that means anything.
    for entry in entries.iter().rev() {
        snapshot.see_entry(entry.clone());
    }
    for counter in counters {
        snapshot.see_counter(counter.clone());
    }
    snapshot.end()
}

#[test]
fn books_that_agree_are_not_wrong() {
    let gone = reserved("gone", &[("a", 7)]);
    let entries = [reserved("o", &[("a", 2), ("b", 1)]), reserved("p", &[("a", 3)]), released(&gone)];
    let seen = snapshot(&[stock("a", 5, 5), stock("b", 0, 1), stock("c", 9, 0)], &entries);
    assert_eq!(seen.wrong(), []);
    assert_eq!((seen.counters(), seen.entries()), (3, 3));
}

#[test]
fn a_counter_that_differs_from_the_ledger_is_wrong_and_its_total_is_kept() {
    let seen = snapshot(&[stock("a", 5, 4), stock("b", 3, 0)], &[reserved("o", &[("a", 6)])]);
    let wrong = seen.wrong();
    let [wrong] = &wrong[..] else { panic!("{wrong:?}") };
    assert_eq!((wrong.product_id.as_str(), wrong.reserved), ("a", 6));
    assert_eq!(wrong.found.unwrap().figures, StockFigures { total: 9, available: 5, reserved: 4 });
    assert_eq!(wrong.right, Some(StockFigures { total: 9, available: 3, reserved: 6 }));
}

#[test]
fn a_counter_whose_figures_do_not_add_up_is_wrong() {
    let lost = Stock { available: 4, ..stock("a", 5, 2) };
    let wrong = snapshot(&[lost], &[reserved("o", &[("a", 2)])]).wrong();
    assert_eq!(wrong[0].right, Some(StockFigures { total: 7, available: 5, reserved: 2 }));
}

#[test]
fn what_cannot_be_put_right_is_wrong_all_the_same() {
    let oversold = snapshot(&[stock("a", 1, 1)], &[reserved("o", &[("a", 3)])]).wrong();
    assert_eq!((oversold[0].right, oversold[0].reserved), (None, 3));
    let unknown = snapshot(&[], &[reserved("o", &[("a", 3)]), released(&reserved("p", &[("b", 3)]))]).wrong();
    assert_eq!((unknown.len(), unknown[0].found, unknown[0].right), (1, None, None));
}

#[test]
fn a_claim_counts_as_the_entry_that_it_becomes() {
    let counters = |claim: Option<Reservation>, reserved| {
        let mut counters: Vec<_> =
            (0..100).map(|number| stock(&format!("p{number:03}"), 9, reserved)).collect();
        counters[0].claim = claim;
        counters
    };
    let entry = large("o");
    assert_eq!(snapshot(&counters(Some(entry.clone()), 2), &[]).wrong(), []);
    assert_eq!(snapshot(&counters(Some(entry.clone()), 2), std::slice::from_ref(&entry)).wrong(), []);
    assert_eq!(snapshot(&counters(Some(released(&entry)), 0), std::slice::from_ref(&entry)).wrong(), []);
    assert_eq!(snapshot(&counters(None, 2), &[entry]).wrong(), []);
    assert_eq!(snapshot(&counters(None, 2), &[]).wrong().len(), 100);
}

#[test]
fn looks_agree_only_about_what_did_not_change() {
    let (o, p) = (reserved("o", &[("a", 2)]), reserved("p", &[("a", 2), ("b", 1)]));
    let first = snapshot(&[stock("a", 1, 2), stock("b", 5, 0)], std::slice::from_ref(&o));
    assert!(first.agrees(&first.clone(), &product("a")));
    // One order is released and another takes its stock at once: the counter is not written.
    let swapped = snapshot(&[stock("a", 1, 2), stock("b", 5, 0)], &[released(&o), p.clone()]);
    assert!(!first.agrees(&swapped, &product("a")) && !first.agrees(&swapped, &product("b")));
    let moved = Stock { version: 2, ..stock("a", 1, 2) };
    assert!(!first.agrees(&snapshot(&[moved], std::slice::from_ref(&o)), &product("a")));
    // Another order changes another product.
    let other = snapshot(&[stock("a", 1, 2), stock("b", 4, 1)], &[o, reserved("q", &[("b", 1)])]);
    assert!(first.agrees(&other, &product("a")) && !first.agrees(&other, &product("b")));
}

#[test]
fn an_entry_fits_its_order_or_is_to_be_released_or_is_wrong() {
    use OrderStatus::{Cancelled, Confirmed, Delivered, Pending, Rejected, Shipped};
    let entries = [None, Some(Status::Reserved), Some(Status::Rejected), Some(Status::Released)];
    let fits = |order| entries.map(|entry| consistency(order, entry));
    assert_eq!(fits(Pending), [Consistency::Consistent; 4]);
    assert_eq!(
        fits(Cancelled),
        [Consistency::Unreleased, Consistency::Unreleased, Consistency::Consistent, Consistency::Consistent]
    );
    let wrong = Consistency::Inconsistent(Status::Rejected);
    assert_eq!(fits(Rejected), [wrong, wrong, Consistency::Consistent, wrong]);
    let wrong = Consistency::Inconsistent(Status::Reserved);
    for order in [Confirmed, Shipped, Delivered] {
        assert_eq!(fits(order), [wrong, Consistency::Consistent, wrong, wrong]);
    }
}

/// A write to the books of one product: an order is reserved or released, or one takes another's stock, which
/// leaves the counter alone.
#[derive(Clone, Copy, Debug)]
enum Write {
    Reserve(usize),
    Release(usize),
    Swap(usize, usize),
}

/// The books of one product with eight orders: the counter, and the entries.
struct StockState {
    counter: Stock,
    entries: Vec<Option<Reservation>>,
}

impl StockState {
    fn write(&mut self, write: Write) {
        let (takes, gives) = match write {
            Write::Reserve(order) => (Some(order), None),
            Write::Release(order) => (None, Some(order)),
            Write::Swap(gives, takes) => (Some(takes), Some(gives)),
        };
        let can_take = takes.is_none_or(|order| self.entries[order].is_none());
        let can_give = gives.is_none_or(|order| {
            self.entries[order].as_ref().is_some_and(|entry| entry.status == Status::Reserved)
        });
        if !can_take || !can_give {
            return;
        }
        if let Some(order) = gives {
            self.entries[order] = self.entries[order].as_ref().map(released);
        }
        if let Some(order) = takes {
            self.entries[order] = Some(reserved(&order.to_string(), &[("a", 3)]));
        }
        let net = 3 * (i64::from(takes.is_some()) - i64::from(gives.is_some()));
        if net != 0 {
            self.counter.available = self.counter.available.checked_add_signed(-net).unwrap();
            self.counter.reserved = self.counter.reserved.checked_add_signed(net).unwrap();
            self.counter.version += 1;
        }
    }
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let write = prop_oneof![
        (0_usize..8).prop_map(Write::Reserve),
        (0_usize..8).prop_map(Write::Release),
        (0_usize..8, 0_usize..8).prop_map(|(gives, takes)| Write::Swap(gives, takes)),
    ];
    prop::collection::vec(write, 0..3)
}

proptest! {
    /// Writes happen between any two reads of three snapshots. Right books are never found wrong, and wrong ones
    /// only by what they are wrong by.
    #[test]
    fn looks_that_agree_saw_one_moment(
        off_by in 0_u64..3,
        begins in prop::collection::vec(writes(), 0..6),
        meanwhile in prop::collection::vec(writes(), 27),
        place in 0_usize..9,
    ) {
        let mut books = StockState { counter: stock("a", 1000, 0), entries: vec![None; 8] };
        for write in begins.concat() {
            books.write(write);
        }
        books.counter.reserved += off_by;
        books.counter.total += off_by;
        let mut meanwhile = meanwhile.into_iter();
        let snapshots: Vec<_> = (0..3)
            .map(|_| {
                let mut snapshot = Snapshot::new();
                for read in 0..9 {
                    for write in meanwhile.next().unwrap() {
                        books.write(write);
                    }
                    if read == place {
                        snapshot.see_counter(books.counter.clone());
                    } else if let Some(entry) = &books.entries[read - usize::from(read > place)] {
                        snapshot.see_entry(entry.clone());
                    }
                }
                snapshot.end()
            })
            .collect();
        let agree = snapshots.iter().all(|snapshot| snapshot.agrees(&snapshots[0], &product("a")));
        if agree {
            let wrong = snapshots[0].wrong();
            prop_assert_eq!(wrong.len(), usize::from(off_by > 0));
            for wrong in wrong {
                prop_assert_eq!(wrong.found.unwrap().figures.reserved, wrong.reserved + off_by);
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_no_missing_counter() {
    let mut snapshot = Snapshot::new();
    snapshot.see_entry(reserved("o", &[("a", 1)]));
    assert!(snapshot.is_whole());
    assert_eq!(snapshot.wrong().len(), 1);
    snapshot.see_unreadable();
    assert!(!snapshot.is_whole());
    assert_eq!(snapshot.wrong(), []);
}
