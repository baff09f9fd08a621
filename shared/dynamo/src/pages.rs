//! A table, page by page. Only for what looks after a whole table; no route may scan.

use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;

use crate::{Item, StoreError};

/// The pages of a scan, as they are when they are asked for: pages are read one after another, so what they
/// hold together may never have been in the table at one moment.
#[derive(Debug)]
pub struct ScanPages {
    scan: ScanFluentBuilder,
    start: Option<Item>,
    is_over: bool,
}

impl ScanPages {
    /// The pages of a scan.
    #[must_use]
    pub fn of(scan: ScanFluentBuilder) -> Self {
        Self { scan, start: None, is_over: false }
    }

    /// The same from behind a key on, which [`ScanPages::position`] has said; from the beginning, without one.
    #[must_use]
    pub fn behind(self, start: Option<Item>) -> Self {
        Self { start, ..self }
    }

    /// The key behind which the next page begins; none before the first and behind the last.
    #[must_use]
    pub const fn position(&self) -> Option<&Item> {
        self.start.as_ref()
    }

    /// The next page, of 1 MB at most; none behind the last.
    ///
    /// # Errors
    /// DynamoDB failed. The same page may be asked for again.
    pub async fn next(&mut self) -> Result<Option<Vec<Item>>, StoreError> {
        if self.is_over {
            return Ok(None);
        }
        let scan = self.scan.clone().set_exclusive_start_key(self.start.clone());
        let answer = scan.send().await.map_err(StoreError::call("Scan"))?;
        self.start = answer.last_evaluated_key;
        self.is_over = self.start.is_none();
        Ok(Some(answer.items.unwrap_or_default()))
    }
}
