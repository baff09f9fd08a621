//! The fields of the index: what is found by words, what is filtered and sorted by, and what is kept.

use shop_types::ProductId;
use tantivy::index::IndexSettings;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::store::Compressor;
use tantivy::{TantivyDocument, Term};

use super::entry::Entry;
use super::words::{self, ANALYZER};

/// Columns, by their names.
pub(super) const PRICE: &str = "price";
pub(super) const CURRENCY: &str = "currency";
pub(super) const CATEGORY: &str = "category";
pub(super) const IN_STOCK: &str = "in_stock";
pub(super) const CREATED: &str = "created";
pub(super) const LENGTH: &str = "length";
pub(super) const ORDER: &str = "order";

/// What the index's fields are called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) id: Field,
    pub(super) name: Field,
    pub(super) description: Field,
    pub(super) category_words: Field,
    pub(super) shown: Field,
    price: Field,
    currency: Field,
    category: Field,
    in_stock: Field,
    created: Field,
    length: Field,
    order: Field,
}

/// Which documents have a word, and no more: what a match is worth does not depend on how often.
fn found_by_words() -> TextOptions {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(ANALYZER)
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    TextOptions::default().set_indexing_options(indexing)
}

/// The fields, and the schema that they are of.
pub(super) fn fields() -> (Fields, Schema) {
    let mut schema = Schema::builder();
    let column = TextOptions::default().set_fast("raw");
    let fields = Fields {
        id: schema.add_text_field("id", STRING),
        name: schema.add_text_field("name", found_by_words()),
        description: schema.add_text_field("description", found_by_words()),
        category_words: schema.add_text_field("category_words", found_by_words()),
        shown: schema.add_bytes_field("shown", STORED),
        price: schema.add_u64_field(PRICE, FAST),
        currency: schema.add_text_field(CURRENCY, column.clone()),
        category: schema.add_text_field(CATEGORY, column),
        in_stock: schema.add_u64_field(IN_STOCK, FAST),
        created: schema.add_u64_field(CREATED, FAST),
        length: schema.add_u64_field(LENGTH, FAST),
        order: schema.add_u64_field(ORDER, FAST),
    };
    (fields, schema.build())
}

/// Without a thread, and without what another dependency would pack and unpack.
pub(super) fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compression: Compressor::None,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}

impl Fields {
    pub(super) fn document(&self, entry: &Entry) -> Result<TantivyDocument, serde_json::Error> {
        let Entry { shown, description } = entry;
        let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
        let mut document = TantivyDocument::default();
        document.add_text(self.id, shown.id.as_str());
        document.add_text(self.name, &shown.name);
        if let Some(description) = description {
            document.add_text(self.description, description);
        }
        if let Some(category) = &shown.category {
            document.add_text(self.category_words, category);
            document.add_text(self.category, category);
        }
        document.add_u64(self.price, unsigned(shown.price.minor));
        document.add_text(self.currency, shown.price.currency.code());
        document.add_u64(self.in_stock, u64::from(shown.in_stock));
        document.add_u64(self.created, unsigned(shown.created_at.as_millis()));
        document.add_u64(self.length, u64::try_from(words::words(&shown.name).len()).unwrap_or(u64::MAX));
        document.add_u64(self.order, order(&shown.id));
        document.add_bytes(self.shown, &shown.pack()?);
        Ok(document)
    }

    pub(super) fn id_term(&self, id: &ProductId) -> Term {
        Term::from_field_text(self.id, id.as_str())
    }
}

/// Where a product stands among those that are alike, the same in every version of the index: FNV-1a of its id. Of a
/// million products, two have the same with a chance of one in thirty million.
pub(super) fn order(id: &ProductId) -> u64 {
    id.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
