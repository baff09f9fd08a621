//! Queries: a page at a time, all pages, or a page of a list that an index keeps in order.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use crate::expression::{Placeholders, projection};
use crate::{Attribute, Condition, Item, Read, Record, StoreError, Table, read, string};

/// A query of a table or an index.
#[derive(Clone, Debug)]
pub struct Query {
    request: QueryFluentBuilder,
    condition: Condition,
    filter: Option<Condition>,
    attributes: Vec<&'static str>,
}

/// What one call of a query has found.
#[derive(Debug)]
pub struct Found {
    /// The items, in the order of their sort keys.
    pub items: Vec<Item>,
    /// The key behind which the query goes on, if it does.
    pub next: Option<Item>,
}

impl Found {
    /// The items as what they are.
    ///
    /// # Errors
    /// One of them is something else.
    pub fn read<T: Record>(self) -> Result<Vec<T>, StoreError> {
        self.items.into_iter().map(|item| read(T::KIND, item)).collect()
    }
}

impl Query {
    pub(crate) fn new(table: &Table, index: Option<&str>, condition: Condition, consistency: Read) -> Self {
        let request = table.client.query().table_name(table.name()).set_index_name(index.map(str::to_owned));
        let consistent = consistency.is_consistent().then_some(true);
        let request = request.set_consistent_read(consistent);
        Self { request, condition, filter: None, attributes: Vec::new() }
    }

    /// Leaves out what does not meet a filter, after it was read.
    #[must_use]
    pub fn filter(self, filter: Condition) -> Self {
        Self { filter: Some(filter), ..self }
    }

    /// Reads these attributes only.
    #[must_use]
    pub fn only(self, attributes: &[&'static str]) -> Self {
        Self { attributes: attributes.to_vec(), ..self }
    }

    /// The highest sort key first.
    #[must_use]
    pub fn backwards(self) -> Self {
        Self { request: self.request.scan_index_forward(false), ..self }
    }

    /// At most so many items for each call.
    #[must_use]
    pub fn limit(self, limit: i32) -> Self {
        Self { request: self.request.limit(limit), ..self }
    }

    /// Goes on behind a key.
    #[must_use]
    pub fn after(self, key: Option<Item>) -> Self {
        Self { request: self.request.set_exclusive_start_key(key), ..self }
    }

    /// One call: what it finds, 1 MB at most.
    ///
    /// # Errors
    /// The call failed.
    pub async fn page(self) -> Result<Found, StoreError> {
        let mut placeholders = Placeholders::of([&self.condition].into_iter().chain(&self.filter));
        let (projection, _) = projection(&self.attributes);
        placeholders.read(projection.as_deref().unwrap_or_default(), &[]);
        let request = self
            .request
            .key_condition_expression(self.condition.text())
            .set_filter_expression(self.filter.map(|filter| filter.text().to_owned()))
            .set_projection_expression(projection)
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values());
        let answer = request.send().await.map_err(StoreError::call("Query"))?;
        Ok(Found { items: answer.items.unwrap_or_default(), next: answer.last_evaluated_key })
    }

    /// As many calls as it takes.
    ///
    /// # Errors
    /// A call failed, or an item cannot be read.
    pub async fn all<T: Record>(self) -> Result<Vec<T>, StoreError> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let mut found = self.clone().after(next).page().await?;
            next = found.next.take();
            all.append(&mut found.read()?);
            if next.is_none() {
                return Ok(all);
            }
        }
    }
}

/// A list that an index keeps: one partition of it, in the order of its sort key.
#[derive(Clone, Debug)]
pub struct List<'a> {
    /// The index.
    pub index: &'a str,
    /// Its partition key, and the value of that.
    pub partition: (&'a str, &'a str),
    /// Its sort key.
    pub sort_key: &'a str,
    /// Whether the highest sort key comes first.
    pub backwards: bool,
    /// The sort keys between which, both inclusive, the list lies; all, without.
    pub within: Option<(String, String)>,
}

/// Where a list goes on: behind an item, by its sort key in the index and its key in the table.
#[derive(Clone, Debug)]
pub struct After {
    /// The sort key in the index.
    pub sort_key: String,
    /// The key in the table.
    pub key: Item,
}

/// A page of a list.
#[derive(Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In the list's order.
    pub items: Vec<T>,
    /// Whether the list goes on behind them.
    pub goes_on: bool,
}

impl<T> Page<T> {
    /// Where the list goes on, if it does: behind the last item of the page.
    pub fn next<P>(&self, position: impl FnOnce(&T) -> P) -> Option<P> {
        self.items.last().filter(|_| self.goes_on).map(position)
    }
}

impl Table {
    /// `Query`: a page of a list, of so many items at most. It may be shorter (1 MB of items fill it) and go on all
    /// the same.
    ///
    /// # Errors
    /// The call failed, or an item cannot be read.
    pub async fn page<T: Record>(
        &self,
        list: &List<'_>,
        after: Option<After>,
        limit: i32,
    ) -> Result<Page<T>, StoreError> {
        let (attribute, value) = list.partition;
        let mut condition = Condition::equals(attribute, value);
        if let Some((lowest, highest)) = &list.within {
            let between = Condition::of(format!("#{} BETWEEN :lowest AND :highest", list.sort_key));
            condition = condition.and(between.with("lowest", lowest).with("highest", highest));
        }
        let start = after.map(|after| {
            let mut key = after.key;
            key.insert(attribute.to_owned(), value.into_attribute());
            key.insert(list.sort_key.to_owned(), string(after.sort_key));
            key
        });
        // One more than asked for tells whether more follow.
        let query = self.query_index(list.index, condition).limit(limit.saturating_add(1)).after(start);
        let query = if list.backwards { query.backwards() } else { query };
        let mut found = query.page().await?;
        let limit = usize::try_from(limit).unwrap_or_default();
        let goes_on = found.next.is_some() || found.items.len() > limit;
        found.items.truncate(limit);
        Ok(Page { items: found.read()?, goes_on })
    }
}
