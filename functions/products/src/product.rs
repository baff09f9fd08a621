//! A product of the catalogue. Pure: no AWS, no clock. Its stock is another thing, with a life of its own:
//! see [`crate::stock`].

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_events::{Cause, ProductSnapshot};
use shop_http::{Decimal, EntityTag};
use shop_types::{Currency, ImportId, Money, ProductId, Timestamp};

use crate::fields::{Changes, NewProduct};
use crate::stock::Stock;

/// A product, as it is stored. `create-order` reads `name`, `price` and `deleted_at` of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Product {
    /// Its id, which no other product ever has, not even after a deletion.
    #[serde(rename = "pk")]
    pub(crate) id: ProductId,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// The price of one. Its currency never changes.
    pub(crate) price: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image_url: Option<String>,
    /// 1 when created, one more with every change. Stock has a version of its own.
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// When it was deleted; it stays as a tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deleted_at: Option<Timestamp>,
    /// What it was created from, to tell a repeated request from another one.
    pub(crate) request_hash: String,
    /// The last line of an import that said what it is to be, if one did, and perhaps changed nothing. It may change while the
    /// version stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) imported: Option<ImportedLine>,
    #[serde(flatten)]
    pub(crate) cause: Cause,
}

/// A line of an import. Of two of them the greater one decides: that of the import that was started last, and in one import
/// the one that is behind the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportedLine {
    /// When its import was started; absent where that was not noted yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) import: ImportId,
    pub(crate) line: u64,
    /// The last line that told each member, where lines of one import may tell different ones: an earlier line that comes
    /// later has its say in what no line behind it tells. Absent where all lines tell the same ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) members: Option<BTreeMap<String, u64>>,
}

impl ImportedLine {
    /// Whether it is this line, or one that decides in its place.
    #[must_use]
    pub(crate) fn decides(&self, line: &Self) -> bool {
        let place = |line: &Self| (line.started_at, line.import.clone(), line.line);
        place(self) >= place(line)
    }

    /// Whether it, or a line that it remembers, decides what another line says of a member.
    #[must_use]
    pub(crate) fn tells(&self, member: &str, line: &Self) -> bool {
        match &self.members {
            Some(members) if self.import == line.import => {
                members.get(member).is_some_and(|told| *told >= line.line)
            }
            _ => true,
        }
    }

    /// What is remembered of both lines, if they are of one import: of this one otherwise.
    #[must_use]
    pub(crate) fn over(mut self, before: Option<&Self>) -> Self {
        let Some(before) = before.filter(|before| before.import == self.import) else { return self };
        self.line = self.line.max(before.line);
        for (member, line) in before.members.iter().flatten() {
            let told = self.members.get_or_insert_default().entry(member.clone()).or_default();
            *told = (*told).max(*line);
        }
        self
    }
}

impl Product {
    #[must_use]
    pub(crate) fn create(
        id: ProductId,
        new: NewProduct,
        request_hash: String,
        now: Timestamp,
        cause: Cause,
    ) -> Self {
        Self {
            id,
            name: new.name,
            description: new.description,
            price: new.price,
            category: new.category,
            image_url: new.image_url,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
            request_hash,
            imported: None,
            cause,
        }
    }

    #[must_use]
    pub(crate) fn with(&self, changes: &Changes, now: Timestamp, cause: Cause) -> Self {
        let mut product = self.next(now, cause);
        if let Some(name) = &changes.name {
            product.name.clone_from(name);
        }
        if let Some(description) = &changes.description {
            product.description.clone_from(description);
        }
        if let Some(price) = changes.price {
            product.price = price;
        }
        if let Some(category) = &changes.category {
            product.category.clone_from(category);
        }
        if let Some(image_url) = &changes.image_url {
            product.image_url.clone_from(image_url);
        }
        product
    }

    /// Whether all that is told of the product is as in another version of it.
    #[must_use]
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let told = |product: &Self| {
            let Self { name, description, price, category, image_url, .. } = product.clone();
            (name, description, price, category, image_url)
        };
        told(self) == told(other)
    }

    #[must_use]
    pub(crate) fn deleted(&self, now: Timestamp, cause: Cause) -> Self {
        let product = self.next(now, cause);
        Self { deleted_at: Some(product.updated_at), ..product }
    }

    fn next(&self, now: Timestamp, cause: Cause) -> Self {
        // Never back in time: a product's events sort by their time as by their version.
        let updated_at = now.max(self.updated_at);
        Self { version: self.version + 1, updated_at, cause, ..self.clone() }
    }

    #[must_use]
    pub(crate) fn snapshot(&self) -> ProductSnapshot {
        ProductSnapshot {
            product_id: self.id.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            price: self.price,
            category: self.category.clone(),
            image_url: self.image_url.clone(),
            created_at: self.created_at,
        }
    }
}

/// A product and its stock: what the API shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CatalogueItem {
    pub(crate) product: Product,
    pub(crate) stock: Stock,
}

impl CatalogueItem {
    /// The tag of the answer: it changes with the product and with its stock.
    #[must_use]
    pub(crate) const fn tag(&self) -> EntityTag {
        EntityTag::showing(self.product.version, self.stock.version)
    }

    #[must_use]
    pub(crate) fn view(&self) -> ProductView<'_> {
        let product = &self.product;
        ProductView {
            id: &product.id,
            name: &product.name,
            description: product.description.as_deref(),
            price: Decimal(product.price),
            currency: product.price.currency,
            category: product.category.as_deref(),
            image_url: product.image_url.as_deref(),
            stock: self.stock.available,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

/// A product of the catalogue.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Product")]
pub(crate) struct ProductView<'a> {
    id: &'a ProductId,
    name: &'a str,
    description: Option<&'a str>,
    price: Decimal,
    currency: Currency,
    category: Option<&'a str>,
    image_url: Option<&'a str>,
    /// How many are for sale.
    stock: u64,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn product() -> Product {
        Product {
            id: "prod-1".parse().unwrap(),
            name: "Mug".into(),
            description: None,
            price: Money { minor: 2990, currency: Currency::USD },
            category: Some("kitchen".into()),
            image_url: None,
            version: 1,
            created_at: Timestamp::from_millis(1000),
            updated_at: Timestamp::from_millis(1000),
            deleted_at: None,
            request_hash: "hash".into(),
            imported: None,
            cause: Cause::request("request-1"),
        }
    }

    #[test]
    fn a_change_changes_what_it_names_and_the_version() {
        let changes = Changes {
            description: Some(Some("Blue".into())),
            category: Some(None),
            price: Some(Money { minor: 1, currency: Currency::USD }),
            ..Changes::default()
        };
        let second = product().with(&changes, Timestamp::from_millis(5), Cause::request("request-2"));
        let expected = Product {
            description: Some("Blue".into()),
            category: None,
            price: Money { minor: 1, currency: Currency::USD },
            version: 2,
            cause: Cause::request("request-2"),
            ..product()
        };
        assert_eq!(second, expected, "and its time does not go back");
    }

    #[test]
    fn the_view_writes_the_price_with_all_digits_and_absent_fields_as_null() {
        let stock =
            Stock::create("prod-1".parse().unwrap(), 7, Timestamp::from_millis(0), Cause::request("r"));
        let item = CatalogueItem { product: product(), stock };
        let text = serde_json::to_string(&item.view()).unwrap();
        assert!(text.contains(r#""price":29.90,"#), "{text}");
        let view: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(view["description"], json!(null));
        assert_eq!(view["stock"], json!(7));
        assert_eq!(view["created_at"], json!("1970-01-01T00:00:01.000Z"));
    }
}
