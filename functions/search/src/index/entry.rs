//! A product as the index has it.

use serde::{Deserialize, Serialize};
use shop_types::{Currency, Money, ProductId, Timestamp};

/// A product that is for sale, with all that it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is shown of it, and what it is sorted by.
    pub shown: Shown,
    /// Its description, by which it is found and which is not kept.
    pub description: Option<String>,
}

/// What the index keeps of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The product.
    pub id: ProductId,
    /// Its name.
    pub name: String,
    /// Its price.
    pub price: Money,
    /// Its category.
    pub category: Option<String>,
    /// Its picture.
    pub image_url: Option<String>,
    /// Whether there is any for sale.
    pub in_stock: bool,
    /// The product's version.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The same in as few bytes as may be.
#[derive(Serialize, Deserialize)]
struct Packed(ProductId, String, i64, Currency, Option<String>, Option<String>, bool, u64, i64);

impl Shown {
    pub(super) fn pack(&self) -> Result<Vec<u8>, serde_json::Error> {
        let Self { id, name, price, category, image_url, in_stock, version, created_at } = self.clone();
        let created_at = created_at.as_millis();
        let Money { minor, currency } = price;
        serde_json::to_vec(&Packed(
            id, name, minor, currency, category, image_url, in_stock, version, created_at,
        ))
    }

    pub(super) fn unpack(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let Packed(id, name, minor, currency, category, image_url, in_stock, version, created_at) =
            serde_json::from_slice(bytes)?;
        let (price, created_at) = (Money { minor, currency }, Timestamp::from_millis(created_at));
        Ok(Self { id, name, price, category, image_url, in_stock, version, created_at })
    }

    /// What the index is sorted by: when it was made, and its id, as the catalogue's list.
    pub(crate) fn place(&self) -> (Timestamp, &str) {
        (self.created_at, self.id.as_str())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A product of the tests.
    pub(crate) fn entry(id: &str, name: &str) -> Entry {
        Entry {
            shown: Shown {
                id: id.parse().unwrap(),
                name: name.to_owned(),
                price: Money { minor: 2990, currency: Currency::USD },
                category: None,
                image_url: None,
                in_stock: true,
                version: 1,
                created_at: Timestamp::from_millis(1000),
            },
            description: None,
        }
    }

    #[test]
    fn what_is_kept_reads_back() {
        let mut shown = entry("prod-1", "A \"mug\"").shown;
        assert_eq!(Shown::unpack(&shown.pack().unwrap()).unwrap(), shown);
        shown.category = Some("kitchen".into());
        shown.image_url = Some("/mug.webp".into());
        shown.in_stock = false;
        assert_eq!(Shown::unpack(&shown.pack().unwrap()).unwrap(), shown);
    }
}
