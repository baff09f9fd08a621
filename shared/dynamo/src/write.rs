//! Writes of one item: alone, or in a transaction with others.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::{self, AllOld};
use aws_sdk_dynamodb::types::{self, AttributeValue, TransactWriteItem};

use crate::expression::Placeholders;
use crate::{Attribute, Condition, Item};

/// A write of a transaction.
#[derive(Clone, Debug)]
pub enum Write {
    /// An item is put in the place of what there is.
    Put(Put),
    /// Attributes of an item are changed.
    Update(Update),
    /// An item is deleted.
    Delete(Delete),
    /// Nothing is written: a condition on an item must hold.
    Check(Check),
}

/// Puts an item.
#[derive(Clone, Debug)]
pub struct Put {
    pub(crate) table: String,
    pub(crate) key: &'static str,
    pub(crate) item: Item,
    pub(crate) condition: Option<Condition>,
    returns_stored: bool,
}

/// Changes attributes of an item; an item that is not there is made, unless a condition forbids it.
#[derive(Clone, Debug)]
pub struct Update {
    pub(crate) table: String,
    pub(crate) key: Item,
    pub(crate) condition: Option<Condition>,
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    delete: Vec<String>,
    values: Vec<(String, AttributeValue)>,
}

/// Deletes an item.
#[derive(Clone, Debug)]
pub struct Delete {
    pub(crate) table: String,
    pub(crate) key: Item,
    condition: Option<Condition>,
}

/// Checks an item that another write of the same transaction depends on.
#[derive(Clone, Debug)]
pub struct Check {
    pub(crate) table: String,
    pub(crate) key: Item,
    pub(crate) condition: Condition,
}

impl Put {
    pub(crate) fn new(table: &str, key: &'static str, item: Item) -> Self {
        Self { table: table.to_owned(), key, item, condition: None, returns_stored: false }
    }

    /// Only where no item has this key.
    #[must_use]
    pub fn if_new(self) -> Self {
        let key = self.key;
        self.only_if(Condition::absent(key))
    }

    /// Only where the stored item meets a condition.
    #[must_use]
    pub fn only_if(self, condition: Condition) -> Self {
        Self { condition: Some(condition), ..self }
    }

    /// Where its condition fails, a transaction's refusal has the stored item.
    #[must_use]
    pub fn returning_stored(self) -> Self {
        Self { returns_stored: true, ..self }
    }
}

impl Update {
    pub(crate) fn new(table: &str, key: Item) -> Self {
        Self {
            table: table.to_owned(),
            key,
            condition: None,
            set: Vec::new(),
            add: Vec::new(),
            remove: Vec::new(),
            delete: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(self, name: &str, value: impl Attribute) -> Self {
        let placeholder = format!("set_{name}");
        let expression = format!(":{placeholder}");
        self.with(&placeholder, value).set_to(name, &expression)
    }

    /// Sets what has a value, and removes what has none.
    #[must_use]
    pub fn set_or_remove(mut self, attributes: &[(&str, Option<&str>)]) -> Self {
        for (name, value) in attributes {
            self = match value {
                Some(value) => self.set(name, *value),
                None => self.remove(name),
            };
        }
        self
    }

    /// Sets an attribute to what an expression comes to, as in a [`Condition`]; its values are given
    /// [`Update::with`] it.
    #[must_use]
    pub fn set_to(mut self, name: &str, expression: &str) -> Self {
        self.set.push(format!("#{name} = {expression}"));
        self
    }

    /// The same with the value of a placeholder.
    #[must_use]
    pub fn with(mut self, placeholder: &str, value: impl Attribute) -> Self {
        self.values.push((format!(":{placeholder}"), value.into_attribute()));
        self
    }

    /// Adds to a number that is there.
    #[must_use]
    pub fn add(self, name: &str, number: i64) -> Self {
        let placeholder = format!("add_{name}");
        let expression = format!("#{name} + :{placeholder}");
        self.with(&placeholder, number).set_to(name, &expression)
    }

    /// Adds to a number, which is 0 where it is not there.
    #[must_use]
    pub fn count(mut self, name: &str, number: impl Into<i64>) -> Self {
        self.add.push(format!("#{name} :add_{name}"));
        self.with(&format!("add_{name}"), number.into())
    }

    /// Adds a member to a set of texts.
    #[must_use]
    pub fn insert(mut self, name: &str, member: &str) -> Self {
        self.add.push(format!("#{name} :member"));
        self.with("member", AttributeValue::Ss(vec![member.to_owned()]))
    }

    /// Takes a member out of a set of texts.
    #[must_use]
    pub fn take_out(mut self, name: &str, member: &str) -> Self {
        self.delete.push(format!("#{name} :member"));
        self.with("member", AttributeValue::Ss(vec![member.to_owned()]))
    }

    /// Removes an attribute.
    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        self.remove.push(format!("#{name}"));
        self
    }

    /// Only where the stored item meets a condition.
    #[must_use]
    pub fn only_if(self, condition: Condition) -> Self {
        Self { condition: Some(condition), ..self }
    }

    pub(crate) fn expression(&self) -> String {
        let clauses =
            [("SET", &self.set), ("ADD", &self.add), ("REMOVE", &self.remove), ("DELETE", &self.delete)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn placeholders(&self) -> Placeholders {
        let mut all = Placeholders::of(&self.condition);
        all.read(&self.expression(), &self.values);
        all
    }
}

impl Delete {
    pub(crate) fn new(table: &str, key: Item) -> Self {
        Self { table: table.to_owned(), key, condition: None }
    }

    /// Only where the stored item meets a condition.
    #[must_use]
    pub fn only_if(self, condition: Condition) -> Self {
        Self { condition: Some(condition), ..self }
    }
}

macro_rules! writes {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Write {
            fn from(write: $kind) -> Self {
                Self::$kind(write)
            }
        })*
    };
}
writes!(Put, Update, Delete, Check);

fn text(condition: Option<&Condition>) -> Option<String> {
    condition.map(|condition| condition.text().to_owned())
}

impl Write {
    /// The write as the SDK has it.
    pub(crate) fn into_item(self) -> Result<TransactWriteItem, BuildError> {
        let item = TransactWriteItem::builder();
        Ok(match self {
            Self::Put(put) => {
                let placeholders = Placeholders::of(&put.condition);
                let returns: Option<ReturnValuesOnConditionCheckFailure> =
                    put.returns_stored.then_some(AllOld);
                let built = types::Put::builder()
                    .table_name(put.table)
                    .set_condition_expression(text(put.condition.as_ref()))
                    .set_item(Some(put.item))
                    .set_expression_attribute_names(placeholders.names())
                    .set_expression_attribute_values(placeholders.values())
                    .set_return_values_on_condition_check_failure(returns);
                item.put(built.build()?)
            }
            Self::Update(update) => {
                let placeholders = update.placeholders();
                let built = types::Update::builder()
                    .update_expression(update.expression())
                    .set_condition_expression(text(update.condition.as_ref()))
                    .table_name(update.table)
                    .set_key(Some(update.key))
                    .set_expression_attribute_names(placeholders.names())
                    .set_expression_attribute_values(placeholders.values());
                item.update(built.build()?)
            }
            Self::Delete(delete) => {
                let placeholders = Placeholders::of(&delete.condition);
                let built = types::Delete::builder()
                    .set_condition_expression(text(delete.condition.as_ref()))
                    .table_name(delete.table)
                    .set_key(Some(delete.key))
                    .set_expression_attribute_names(placeholders.names())
                    .set_expression_attribute_values(placeholders.values());
                item.delete(built.build()?)
            }
            Self::Check(check) => {
                let placeholders = Placeholders::of([&check.condition]);
                let built = types::ConditionCheck::builder()
                    .condition_expression(check.condition.text())
                    .table_name(check.table)
                    .set_key(Some(check.key))
                    .set_expression_attribute_names(placeholders.names())
                    .set_expression_attribute_values(placeholders.values());
                item.condition_check(built.build()?)
            }
        }
        .build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string;

    #[test]
    fn an_update_says_what_it_sets_counts_removes_and_on_what_condition() {
        let key = Item::from([("pk".to_owned(), string("a"))]);
        let update = Update::new("t", key.clone())
            .set("status", "done")
            .set_or_remove(&[("actor", None), ("request", Some("r"))])
            .add("version", 1)
            .set_to("until", "if_not_exists(#known, :end)")
            .with("end", 9_i64)
            .count("placed", 2)
            .insert("ids", "x")
            .only_if(Condition::equals("version", 3_u64));
        assert_eq!(
            update.expression(),
            "SET #status = :set_status, #request = :set_request, #version = #version + :add_version, \
             #until = if_not_exists(#known, :end) ADD #placed :add_placed, #ids :member REMOVE #actor"
        );
        let built = Write::from(update).into_item().unwrap().update.unwrap();
        assert_eq!(built.condition_expression(), Some("#version = :is_version"));
        let names = built.expression_attribute_names().unwrap();
        assert_eq!(names.len(), 8, "{names:?}");
        assert!(names.iter().all(|(mark, name)| mark[1..] == **name));
        let values = built.expression_attribute_values().unwrap();
        let mut marks: Vec<_> = values.keys().map(String::as_str).collect();
        marks.sort_unstable();
        let expected =
            [":add_placed", ":add_version", ":end", ":is_version", ":member", ":set_request", ":set_status"];
        assert_eq!(marks, expected);

        let update = Update::new("t", key).take_out("ids", "x");
        assert_eq!(update.expression(), "DELETE #ids :member");
    }
}
