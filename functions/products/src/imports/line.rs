//! A line of a file as a product: read by the rules of the API, in the API's own words. Pure: no AWS.
//!
//! A line is a body of `POST /products`, or of `PATCH /products/{id}` where its id is a product's. A price is written in
//! the file as it is in the API: `29.90`.

use csv::ByteRecord;
use serde_json::value::{RawValue, to_raw_value};
use shop_events::Cause;
use shop_http::{FieldCode, Input, Members, Problem};
use shop_types::{ImportId, ProductId, Timestamp};

use super::import::Format;
use super::records;
use super::refusal::{LineError, RefusedLine};
use crate::fields::{Changes, NewProduct};
use crate::product::{ImportedLine, Product};
use crate::stock::Stock;

/// Columns whose value is a number.
const NUMBERS: [&str; 3] = ["price", "stock", "low_stock_threshold"];
/// What a line may change of a product that is there: columns whose value an empty cell takes away; of others it says
/// nothing.
const CHANGED: [&str; 5] = ["name", "price", "description", "category", "image_url"];

/// A line that could be read so far.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) id: ProductId,
    format: Format,
    members: Members,
}

/// What is to be done for a line.
#[derive(Debug)]
pub(crate) enum Decision {
    Create(Box<(Product, Stock)>),
    /// What was there, and what is to be: of the same version where the line says what was there already. That it was said
    /// is noted then, or an earlier line that comes later would decide.
    Replace(Box<(Product, Product)>),
    /// This line has been there, or one that decides in its place.
    Nothing,
    Refuse(Vec<LineError>),
}

/// Who changes products, and when.
#[derive(Clone, Debug)]
pub(crate) struct Author<'a> {
    pub(crate) import: &'a ImportId,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) cause: &'a Cause,
    pub(crate) now: Timestamp,
}

/// The lines of a part, and those that are none.
pub(crate) fn read(
    format: Format,
    columns: &[String],
    bytes: &[u8],
    first: u64,
    import: &ImportId,
) -> (Vec<Line>, Vec<RefusedLine>) {
    let (mut lines, mut refused) = (Vec::new(), Vec::new());
    let mut take = |number: u64, members: Result<Members, LineError>| match members {
        Ok(members) => {
            let own = members.text("id").and_then(|id| id.parse().ok());
            let id = own.unwrap_or_else(|| ProductId::derived(import.as_str(), &number.to_string()));
            lines.push(Line { number, id, format, members });
        }
        Err(error) => refused.push(RefusedLine { line: number, errors: vec![error] }),
    };
    match format {
        Format::Csv => {
            for (number, cells) in &records::cells(bytes, first) {
                take(*number, of_cells(columns, cells));
            }
        }
        Format::Jsonl => {
            for (number, object) in records::objects(bytes, first) {
                take(number, of_object(object));
            }
        }
    }
    (lines, refused)
}

fn of_object(object: &[u8]) -> Result<Members, LineError> {
    let text = std::str::from_utf8(object).map_err(|_| not_utf8())?;
    serde_json::from_str(text)
        .map_err(|_| LineError::of_line("malformed_json", "The line is no JSON object."))
}

fn of_cells(columns: &[String], cells: &ByteRecord) -> Result<Members, LineError> {
    if let Some(missing) = columns.get(cells.len()) {
        let detail = "The line has fewer cells than the header.";
        return Err(LineError::of_column(missing, FieldCode::Missing, detail));
    }
    if cells.len() > columns.len() {
        return Err(LineError::of_line(
            FieldCode::Unexpected.as_str(),
            "The line has more cells than the header.",
        ));
    }
    let mut members = Vec::with_capacity(columns.len());
    for (column, cell) in columns.iter().zip(cells) {
        let cell = std::str::from_utf8(cell).map_err(|_| not_utf8())?;
        let number = NUMBERS.contains(&column.as_str()).then(|| number(cell)).flatten();
        let raw = match number {
            Some(raw) => Some(raw),
            None if cell.is_empty() && CHANGED.contains(&column.as_str()) => to_raw_value(&()).ok(),
            None if cell.is_empty() => None,
            None => to_raw_value(cell).ok(),
        };
        members.extend(raw.map(|raw| (column.clone(), raw)));
    }
    Ok(Members(members))
}

/// A cell as the JSON number that it is written as.
fn number(cell: &str) -> Option<Box<RawValue>> {
    let begins = cell.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    if begins { RawValue::from_string(cell.to_owned()).ok() } else { None }
}

fn not_utf8() -> LineError {
    LineError::of_line("not_utf8", "The line is not text in UTF-8.")
}

impl Line {
    /// What becomes of the product with the line's id.
    pub(crate) fn decide(&self, stored: Option<&Product>, author: &Author<'_>) -> Decision {
        // Deliveries repeat, and parts come in any order, an old import's perhaps behind those of a new one.
        let imported = stored.and_then(|product| product.imported.as_ref());
        let mark = self.mark(author);
        if let Some((product, imported)) = stored.zip(imported.filter(|imported| imported.decides(&mark))) {
            let members: Vec<_> =
                self.members.0.iter().filter(|(name, _)| !imported.tells(name, &mark)).cloned().collect();
            let is_done = !members.iter().any(|(name, _)| CHANGED.contains(&name.as_str()));
            if is_done || product.deleted_at.is_some() {
                return Decision::Nothing;
            }
            // A later line of the file came first, and does not say all that this one says.
            let rest = Self {
                number: self.number,
                id: self.id.clone(),
                format: self.format,
                members: Members(members),
            };
            // What is wrong with it is refused as it had been in the file's order.
            let changed = self.change(product, author).and_then(|_| rest.change(product, author));
            return changed.unwrap_or_else(|problem| Decision::Refuse(LineError::of_problem(&problem)));
        }
        let decided = match stored {
            None => self.create(author),
            Some(product) if product.deleted_at.is_some() => {
                let detail = "This id belonged to a product that was deleted.";
                return Decision::Refuse(vec![LineError::of_column("id", FieldCode::IdTaken, detail)]);
            }
            Some(product) => self.change(product, author),
        };
        decided.unwrap_or_else(|problem| Decision::Refuse(LineError::of_problem(&problem)))
    }

    fn create(&self, author: &Author<'_>) -> Result<Decision, Problem> {
        let text = serde_json::to_vec(&self.members)?;
        let new = NewProduct::read(Input::parse(&text)?)?;
        let (now, cause) = (author.now, author.cause.clone());
        let stock = Stock::create(self.id.clone(), new.stock, now, cause.clone());
        let stock = stock.watched_below(new.low_stock_threshold);
        let hash = new.hash()?;
        let product = Product::create(self.id.clone(), new, hash, now, cause);
        Ok(Decision::Create(Box::new((self.marked(product, author), stock))))
    }

    fn change(&self, product: &Product, author: &Author<'_>) -> Result<Decision, Problem> {
        let text = serde_json::to_vec(&self.members)?;
        let mut changes = Changes::read_line(Input::parse(&text)?, product.price)?;
        // A CSV file cannot tell an empty text from none.
        if self.format == Format::Csv && product.description.as_deref() == Some("") {
            changes.description = changes.description.filter(Option::is_some);
        }
        let next = product.with(&changes, author.now, author.cause.clone());
        let next = if next.says_the_same(product) { product.clone() } else { next };
        Ok(Decision::Replace(Box::new((product.clone(), self.marked(next, author)))))
    }

    fn marked(&self, product: Product, author: &Author<'_>) -> Product {
        Product { imported: Some(self.mark(author).over(product.imported.as_ref())), ..product }
    }

    fn mark(&self, author: &Author<'_>) -> ImportedLine {
        let told = |name: &&String| CHANGED.contains(&name.as_str());
        let members = (self.format == Format::Jsonl).then(|| {
            let names = self.members.0.iter().map(|(name, _)| name).filter(told);
            names.map(|name| (name.clone(), self.number)).collect()
        });
        let Author { import, started_at, .. } = author;
        ImportedLine { started_at: *started_at, import: (*import).clone(), line: self.number, members }
    }
}

#[cfg(test)]
mod tests;
