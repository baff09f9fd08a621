//! Products as lines of a file: the columns of an import, so that the file imports back unchanged. Stock is not among
//! them: an import leaves that of a product alone.

use csv::{Terminator, WriterBuilder};
use serde::Serialize;
use shop_http::Decimal;
use shop_types::{Currency, ProductId};

use crate::imports::import::Format;
use crate::product::Product;

const COLUMNS: [&str; 7] = ["id", "name", "description", "price", "currency", "category", "image_url"];

#[derive(Serialize)]
struct Row<'a> {
    id: &'a ProductId,
    name: &'a str,
    description: Option<&'a str>,
    price: Decimal,
    currency: Currency,
    category: Option<&'a str>,
    image_url: Option<&'a str>,
}

/// Why a product cannot be written: it never happens to a text in memory.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RowError {
    #[error("a product cannot be written as CSV")]
    Csv(#[from] csv::Error),
    #[error("a product cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// What a file begins with.
pub(crate) fn head(format: Format) -> Vec<u8> {
    match format {
        Format::Csv => format!("{}\r\n", COLUMNS.join(",")).into_bytes(),
        Format::Jsonl => Vec::new(),
    }
}

/// Adds products to a file.
///
/// # Errors
/// None where memory is written to.
pub(crate) fn write(format: Format, products: &[Product], file: &mut Vec<u8>) -> Result<(), RowError> {
    match format {
        Format::Csv => {
            let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(file);
            for product in products {
                writer.write_record([
                    product.id.as_str(),
                    &product.name,
                    product.description.as_deref().unwrap_or_default(),
                    &product.price.decimal(),
                    &product.price.currency.to_string(),
                    product.category.as_deref().unwrap_or_default(),
                    product.image_url.as_deref().unwrap_or_default(),
                ])?;
            }
            writer.flush().map_err(csv::Error::from)?;
        }
        Format::Jsonl => {
            for product in products {
                let row = Row {
                    id: &product.id,
                    name: &product.name,
                    description: product.description.as_deref(),
                    price: Decimal(product.price),
                    currency: product.price.currency,
                    category: product.category.as_deref(),
                    image_url: product.image_url.as_deref(),
                };
                serde_json::to_writer(&mut *file, &row)?;
                file.push(b'\n');
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shop_events::Cause;
    use shop_types::{Money, Timestamp};

    use super::*;
    use crate::fields::NewProduct;
    use crate::imports::line::{self, Author, Decision};
    use crate::imports::records;
    use shop_http::Input;

    /// What a file does to the products that it was made of.
    fn import_back(format: Format, products: &[Product]) {
        let mut file = head(format);
        write(format, products, &mut file).unwrap();
        let (columns, place) = match records::head(format, &file, true) {
            Ok(head) => head,
            Err(_) if products.is_empty() => return,
            Err(failure) => panic!("{failure:?}"),
        };
        let body = &file[usize::try_from(place.offset).unwrap()..];
        let (parts, end, failure) = records::parts(format, body, true, place);
        assert_eq!(failure, None);
        assert_eq!(end.records, u64::try_from(products.len()).unwrap());
        let import = "imp_01jd9c3k7m2q8r5t6v0w1x2y3z".parse().unwrap();
        let cause = Cause::request("import");
        let (started_at, now) = (Some(Timestamp::from_millis(0)), Timestamp::from_millis(1));
        let author = Author { import: &import, started_at, cause: &cause, now };
        let mut left = products.iter();
        for part in parts {
            let bytes = &file[usize::try_from(part.from).unwrap()..usize::try_from(part.to).unwrap()];
            let (lines, refused) = line::read(format, &columns, bytes, part.line, &import);
            assert_eq!(refused, []);
            for line in lines {
                let product = left.next().unwrap();
                assert_eq!(line.id, product.id);
                let decision = line.decide(Some(product), &author);
                let Decision::Replace(change) = decision else { panic!("{product:?}: {decision:?}") };
                let unchanged = Product { imported: None, ..change.1.clone() };
                assert_eq!(unchanged, *product, "all but the line that said so");
                // And where it is not known, it is made as it was.
                let Decision::Create(new) = line.decide(None, &author) else { panic!("{product:?}") };
                let as_csv = |product: &Product| Product {
                    description: product.description.clone().filter(|text| !text.is_empty()),
                    ..product.clone()
                };
                assert!(as_csv(&new.0).says_the_same(&as_csv(product)), "{product:?}: {:?}", new.0);
            }
        }
        assert_eq!(left.next(), None);
    }

    prop_compose! {
        /// Any product that the API takes.
        fn product()(
            name in "[ =\"a,;ä@'-]{0,8}[a-z]",
            description in prop::option::of("[a \"\r\n,;=ä]{0,20}"),
            minor in 1_i64..1_000_000_000,
            currency in prop::sample::select(vec!["USD", "JPY", "KWD", "EUR"]),
            category in prop::option::of("[a, \"]{0,4}[b-d]"),
            image_url in prop::option::of("/[a-z,]{1,8}"),
            id in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,20}",
        ) -> Option<Product> {
            let currency: Currency = currency.parse().unwrap();
            let price = Money { minor, currency };
            let body = serde_json::json!({
                "name": name, "description": description, "currency": currency, "category": category,
                "image_url": image_url,
            });
            let body = body.to_string().replacen('{', &format!("{{\"price\":{},", price.decimal()), 1);
            let new = NewProduct::read(Input::parse(body.as_bytes()).unwrap()).ok()?;
            let (now, cause) = (Timestamp::from_millis(0), Cause::request("request"));
            Some(Product::create(id.parse().unwrap(), new, String::new(), now, cause))
        }
    }

    proptest! {
        #[test]
        fn a_file_imports_back_unchanged(products in prop::collection::vec(product(), 0..8)) {
            let products: Vec<Product> = products.into_iter().flatten().collect();
            import_back(Format::Csv, &products);
            import_back(Format::Jsonl, &products);
        }
    }
}
