//! Which crossings of stock are to be told: a reference model that knows the rule, and nothing of how it is kept.

use std::collections::BTreeMap;

use products::stock::Stock;
use shop_types::ProductId;

use crate::violation::Violation;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Crossed {
    Low,
    SoldOut,
}

impl Crossed {
    pub(crate) const fn alert(self) -> &'static str {
        match self {
            Self::Low => "low_stock",
            Self::SoldOut => "sold_out",
        }
    }
}

/// A product's stock, as far as somebody is told of it.
#[derive(Debug)]
struct Product {
    threshold: u64,
    level: u64,
    low_since: Option<u64>,
    sold_out_since: Option<u64>,
}

/// All products, and everything that was ever low or sold out.
#[derive(Debug, Default)]
pub(crate) struct Crossings {
    products: BTreeMap<ProductId, Product>,
    /// By what it was, of which product, and since which version: whether that is over.
    all: BTreeMap<(Crossed, ProductId, u64), bool>,
}

impl Crossings {
    /// What was low or sold out, and whether that is over.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Crossed, &ProductId, u64, bool)> {
        self.all.iter().map(|((crossed, product, since), is_over)| (*crossed, product, *since, *is_over))
    }

    /// Takes in a write of a counter.
    pub(super) fn counter(&mut self, new: &Stock) -> Option<Violation> {
        let id = &new.product_id;
        let (threshold, level) = (new.watch.map_or(0, |watch| watch.threshold()), new.available);
        if new.deleted_at.is_some() {
            if let Some(product) = self.products.remove(id) {
                self.end(Crossed::Low, id, product.low_since);
                self.end(Crossed::SoldOut, id, product.sold_out_since);
            }
            return None;
        }
        let new_product = Product { threshold, level, low_since: None, sold_out_since: None };
        let product = self.products.entry(id.clone()).or_insert(new_product);
        let (mut began, mut ended) = (Vec::new(), Vec::new());
        if (product.threshold, product.level) != (threshold, level) {
            match product.low_since {
                None if level < threshold => {
                    product.low_since = Some(new.version);
                    began.push(Crossed::Low);
                }
                Some(_) if level >= threshold + threshold / 5 => {
                    ended.push((Crossed::Low, product.low_since.take()));
                }
                _ => {}
            }
            if product.level > 0 && level == 0 {
                product.sold_out_since = Some(new.version);
                began.push(Crossed::SoldOut);
            }
            if level > 0 {
                ended.push((Crossed::SoldOut, product.sold_out_since.take()));
            }
            (product.threshold, product.level) = (threshold, level);
        }
        let expected = (product.low_since, product.sold_out_since);
        let found = new.watch.map_or((None, None), |watch| (watch.low_since(), watch.sold_out_since()));
        for crossed in began {
            self.all.insert((crossed, id.clone(), new.version), false);
        }
        for (crossed, since) in ended {
            self.end(crossed, id, since);
        }
        (expected != found).then(|| {
            let seen = format!("{new:?}: low and sold out since {expected:?} as the rule has it");
            Violation::new("a-crossing-is-told-once", seen)
        })
    }

    fn end(&mut self, crossed: Crossed, product: &ProductId, since: Option<u64>) {
        if let Some(since) = since
            && let Some(is_over) = self.all.get_mut(&(crossed, product.clone(), since))
        {
            *is_over = true;
        }
    }
}
