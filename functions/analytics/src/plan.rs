//! How many facts share a transaction. Pure: no AWS, no clock.
//!
//! A fact costs a write of its own, and so does each bucket that a transaction touches, however many of its facts do.
//! So facts of the same products belong together.

use std::collections::BTreeMap;

use shop_dynamo::MAX_TRANSACTION_ITEMS;
use shop_types::ProductId;

use crate::fact::{Fact, add};
use crate::figures::{Bucket, Figures, OutOfRange};

/// A fact, and what it adds to each bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) fact: Fact,
    pub(crate) adds: BTreeMap<Bucket, Figures>,
}

/// Cuts facts into transactions, those of the same products into the same.
#[must_use]
pub(crate) fn pack(mut entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let products = |entry: &Entry| -> Vec<ProductId> {
        entry.fact.lines.iter().map(|line| line.product_id.clone()).collect()
    };
    entries.sort_by_cached_key(|entry| (entry.fact.currency, products(entry), entry.fact.key()));
    let mut packs: Vec<(Vec<Entry>, BTreeMap<Bucket, Figures>)> = Vec::new();
    for entry in entries {
        if let Some((pack, sums)) = packs.last_mut()
            && let Ok(together) = added(sums.clone(), &entry)
            && pack.len() + 1 + together.len() <= MAX_TRANSACTION_ITEMS
        {
            *sums = together;
            pack.push(entry);
        } else {
            let adds = entry.adds.clone();
            packs.push((vec![entry], adds));
        }
    }
    packs.into_iter().map(|(pack, _)| pack).collect()
}

/// What some facts add to each bucket together.
pub(crate) fn sum(entries: &[Entry]) -> Result<BTreeMap<Bucket, Figures>, OutOfRange> {
    entries.iter().try_fold(BTreeMap::new(), added)
}

fn added(
    mut sums: BTreeMap<Bucket, Figures>,
    entry: &Entry,
) -> Result<BTreeMap<Bucket, Figures>, OutOfRange> {
    for (bucket, figures) in &entry.adds {
        add(&mut sums, bucket.clone(), *figures)?;
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::fact::tests::order;
    use crate::fact::{FactKind, facts};
    use crate::zone::tests::zone;

    fn entries(orders: &[Vec<usize>]) -> Vec<Entry> {
        let utc = zone("UTC");
        let facts = orders.iter().enumerate().flat_map(|(n, products)| {
            let (sold, at) = order(&n.to_string(), products);
            facts(&sold, FactKind::Confirmed, at)
        });
        facts.map(|fact| Entry { adds: fact.adds(&utc).unwrap(), fact }).collect()
    }

    fn items(packs: &[Vec<Entry>]) -> Vec<usize> {
        packs.iter().map(|pack| pack.len() + sum(pack).unwrap().len()).collect()
    }

    #[test]
    fn a_hundred_orders_of_twenty_products_are_two_transactions() {
        let orders: Vec<_> = (0..100).map(|n| vec![n * 7 % 20]).collect();
        let packs = pack(entries(&orders));
        let items = items(&packs);
        assert!(items.len() == 2 && items.iter().all(|items| *items <= 100), "{items:?}");
        // Two units for each item of a transaction.
        assert!(items.iter().sum::<usize>() * 2 <= 260, "{items:?}");
    }

    #[test]
    fn the_largest_order_there_may_be_fits_in_parts() {
        let packs = pack(entries(&[(0..100).collect()]));
        assert_eq!(items(&packs), [93, 13]);
    }

    proptest! {
        #[test]
        fn nothing_is_left_out_or_counted_twice_and_every_transaction_fits(
            orders in prop::collection::vec(prop::collection::btree_set(0_usize..300, 0..100), 0..40),
        ) {
            let orders: Vec<Vec<usize>> = orders.into_iter().map(|products| products.into_iter().collect()).collect();
            let all = entries(&orders);
            let expected = sum(&all).unwrap();
            let keys: BTreeSet<_> = all.iter().map(|entry| entry.fact.key()).collect();
            let packs = pack(all);
            prop_assert!(items(&packs).iter().all(|items| *items <= MAX_TRANSACTION_ITEMS));
            let packed: Vec<_> = packs.concat();
            prop_assert_eq!(packed.len(), keys.len());
            prop_assert_eq!(packed.iter().map(|entry| entry.fact.key()).collect::<BTreeSet<_>>(), keys);
            prop_assert_eq!(sum(&packed).unwrap(), expected);
        }
    }
}
