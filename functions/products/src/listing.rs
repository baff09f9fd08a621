//! How the catalogue is listed: all of it or a category, by one of several orders. Pure: no AWS.
//!
//! Each order is an index, and each product's item has a sort key for each (docs/decisions/0024). A category is a
//! partition of its own.

use serde::{Deserialize, Serialize};
use shop_types::{ListPosition, ProductId};

use crate::product::Product;

/// Of a name so many bytes are sorted by: more would make keys and cursors long, and nobody sees the difference.
const SORTED_BYTES: usize = 160;
/// Between what is sorted by and the id: below every character that a name may have.
const BETWEEN: char = '\u{1}';

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The newest product first.
    #[default]
    Newest,
    /// By name, whatever its case.
    Name,
    /// By currency, and the cheapest first.
    PriceUp,
    /// By currency, the dearest first, and currencies backwards.
    PriceDown,
}

impl Sort {
    pub(crate) const NAMES: [&'static str; 4] = ["newest", "name", "price", "-price"];

    const ALL: [(Self, &'static str); 4] = [
        (Self::Newest, "newest"),
        (Self::Name, "name"),
        (Self::PriceUp, "price"),
        (Self::PriceDown, "-price"),
    ];

    #[must_use]
    pub(crate) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| *name == text).map(|(sort, _)| sort)
    }

    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(sort, _)| *sort == self).map_or("newest", |(_, name)| name)
    }

    /// The attribute that holds a product's sort key.
    #[must_use]
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::Newest => "listed",
            Self::Name => "named",
            Self::PriceUp | Self::PriceDown => "priced",
        }
    }

    /// Whether the lowest sort key comes first.
    #[must_use]
    pub(crate) const fn is_forward(self) -> bool {
        matches!(self, Self::Name | Self::PriceUp)
    }

    /// A product's sort key. It ends with the id, so no two products have the same.
    #[must_use]
    pub(crate) fn key(self, product: &Product) -> String {
        match self {
            Self::Newest => ListPosition::new(product.created_at, product.id.clone()).into(),
            Self::Name => format!("{}{BETWEEN}{}", sorted_name(&product.name), product.id),
            Self::PriceUp | Self::PriceDown => {
                format!("{}#{:015}#{}", product.price.currency, product.price.minor, product.id)
            }
        }
    }

    /// Whether a text could be the sort key of a product with this id.
    fn is_key(self, text: &str, id: &ProductId) -> bool {
        match self {
            Self::Newest => {
                ListPosition::<ProductId>::try_from(text.to_owned()).is_ok_and(|position| position.id() == id)
            }
            Self::Name => text
                .strip_suffix(id.as_str())
                .and_then(|text| text.strip_suffix(BETWEEN))
                .is_some_and(|name| name.len() <= SORTED_BYTES),
            Self::PriceUp | Self::PriceDown => {
                let mut parts = text.splitn(3, '#');
                let is_digits =
                    |part: &str| part.len() == 15 && part.bytes().all(|byte| byte.is_ascii_digit());
                parts
                    .next()
                    .is_some_and(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()))
                    && parts.next().is_some_and(is_digits)
                    && parts.next() == Some(id.as_str())
            }
        }
    }
}

/// The beginning of a name in lower case.
fn sorted_name(name: &str) -> String {
    let mut name = name.to_lowercase();
    name.truncate(name.floor_char_boundary(SORTED_BYTES));
    name
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Of one category; of all of them, and of none, without.
    pub(crate) category: Option<String>,
    pub(crate) sort: Sort,
}

/// Where a list goes on: behind a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The product's sort key.
    #[serde(rename = "k")]
    pub(crate) key: String,
    #[serde(rename = "i")]
    pub(crate) id: ProductId,
}

impl Listing {
    #[must_use]
    pub(crate) const fn index(&self) -> &'static str {
        match (&self.category, self.sort) {
            (None, Sort::Newest) => "catalogue",
            (None, Sort::Name) => "catalogue-by-name",
            (None, Sort::PriceUp | Sort::PriceDown) => "catalogue-by-price",
            (Some(_), Sort::Newest) => "category",
            (Some(_), Sort::Name) => "category-by-name",
            (Some(_), Sort::PriceUp | Sort::PriceDown) => "category-by-price",
        }
    }

    #[must_use]
    pub(crate) fn behind(&self, product: &Product) -> Position {
        Position { key: self.sort.key(product), id: product.id.clone() }
    }

    /// Whether a position can be one of this list. The store takes no other.
    #[must_use]
    pub(crate) fn may_hold(&self, position: &Position) -> bool {
        self.sort.is_key(&position.key, &position.id)
    }

    /// The list's path with its filter, in one spelling.
    #[must_use]
    pub(crate) fn path(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(category) = &self.category {
            query.append_pair("category", category);
        }
        if self.sort != Sort::default() {
            query.append_pair("sort", self.sort.name());
        }
        let query = query.finish();
        if query.is_empty() { "/products".to_owned() } else { format!("/products?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use shop_http::Cursor;

    use super::*;
    use crate::product::tests::product;
    use proptest::prelude::*;
    use shop_types::{Money, Timestamp};

    fn named(id: &str, name: &str, price: i64, currency: &str, created_at: i64) -> Product {
        Product {
            id: id.parse().unwrap(),
            name: name.into(),
            price: Money { minor: price, currency: currency.parse().unwrap() },
            created_at: Timestamp::from_millis(created_at),
            ..product()
        }
    }

    #[test]
    fn keys_sort_as_the_lists_are_to_be() {
        let products = [
            named("a", "beta", 500, "USD", 3),
            named("b", "Alpha", 1_000, "USD", 1),
            named("c", "alpha beta", 99, "JPY", 2),
            named("d", "ALPHA", 999_999_999_999_999, "EUR", 4),
        ];
        let sorted = |sort: Sort| {
            let mut keys: Vec<_> =
                products.iter().map(|product| (sort.key(product), product.id.as_str())).collect();
            keys.sort();
            keys.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
        };
        assert_eq!(sorted(Sort::Newest), ["b", "c", "a", "d"]);
        assert_eq!(sorted(Sort::Name), ["b", "d", "c", "a"]);
        assert_eq!(sorted(Sort::PriceUp), ["d", "c", "a", "b"]);
    }

    #[test]
    fn a_list_has_a_name_of_its_own_and_an_index() {
        let mut names = std::collections::BTreeSet::new();
        for category in [None, Some("Kitchen & Bath"), Some("ä=1")] {
            for (sort, name) in Sort::ALL {
                let listing = Listing { category: category.map(str::to_owned), sort };
                assert_eq!(Sort::of(name), Some(sort));
                assert!(listing.path().is_ascii() && names.insert(listing.path()));
            }
        }
        assert_eq!(Sort::of("Price"), None);
        let listing = Listing { category: Some("Kitchen & Bath".into()), sort: Sort::PriceDown };
        assert_eq!(listing.path(), "/products?category=Kitchen+%26+Bath&sort=-price");
    }

    #[test]
    fn what_is_no_position_is_none() {
        let at = |key: &str, id: &str| Position { key: key.into(), id: id.parse().unwrap() };
        let long = "a".repeat(161);
        for (sort, position) in [
            (Sort::Newest, at("", "a")),
            (Sort::Newest, at("1970-01-01T00:00:01.000Z#b", "a")),
            (Sort::Newest, at("0000000001000#a", "a")),
            (Sort::Name, at("", "a")),
            (Sort::Name, at("a", "a")),
            (Sort::Name, at("mug\u{1}b", "a")),
            (Sort::Name, at(&format!("{long}\u{1}a"), "a")),
            (Sort::PriceUp, at("USD#1#a", "a")),
            (Sort::PriceUp, at("usd#000000000000100#a", "a")),
            (Sort::PriceDown, at("USD#000000000000100#b", "a")),
            (Sort::PriceDown, at("USD#000000000000100#", "a")),
        ] {
            assert!(!Listing { category: None, sort }.may_hold(&position), "{sort:?} {position:?}");
        }
    }

    #[test]
    fn the_longest_position_has_a_cursor() {
        let id = "p".repeat(64).parse().unwrap();
        let product = Product { id, name: "\"".repeat(200), ..product() };
        let listing = Listing { category: Some("\u{1F381}".repeat(100)), sort: Sort::Name };
        let position = listing.behind(&product);
        let cursor = Cursor::encode(&listing.path(), position.clone()).unwrap();
        assert_eq!(Cursor::decode(&listing.path(), &cursor), Ok(position), "{} bytes", cursor.len());
    }

    proptest! {
        #[test]
        fn every_product_s_position_is_one_and_its_cursor_is_short(name in "\\PC{1,200}", price in 1_i64..=999_999_999_999_999) {
            let price = Money { minor: price, ..product().price };
            let product = Product { name, price, ..product() };
            for (sort, _) in Sort::ALL {
                let listing = Listing { category: Some("c".repeat(100)), sort };
                let position = listing.behind(&product);
                prop_assert!(listing.may_hold(&position));
                prop_assert!(position.key.len() < 1024, "a sort key of DynamoDB's");
                prop_assert!(serde_json::to_string(&position).unwrap().len() < 300);
            }
        }
    }
}
