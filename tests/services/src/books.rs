//! What the tables hold, read past the services' own code, and what must hold of it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

use crate::Service;

type Item = HashMap<String, AttributeValue>;

/// All items of the tables of orders, products and users.
#[derive(Debug)]
pub struct Books {
    orders: Vec<Item>,
    products: Vec<Item>,
    users: Vec<Item>,
}

impl Books {
    /// Reads all tables.
    ///
    /// # Errors
    /// When one cannot be read.
    pub async fn read(service: &Service) -> Result<Self> {
        Ok(Self {
            orders: scan(service, "OrdersTable").await?,
            products: scan(service, "ProductsTable").await?,
            users: scan(service, "UsersTable").await?,
        })
    }

    /// How many orders have each status.
    ///
    /// # Errors
    /// When an item is no order.
    pub fn statuses(&self) -> Result<BTreeMap<String, usize>> {
        let mut statuses = BTreeMap::new();
        for order in &self.orders {
            *statuses.entry(text(order, "status")?.to_owned()).or_default() += 1;
        }
        Ok(statuses)
    }

    /// How many of a product its counter has as reserved.
    ///
    /// # Errors
    /// When there is no such counter.
    pub fn reserved(&self, product: &str) -> Result<i64> {
        let counters = of_kind(&self.products, "stock")?;
        let counter = counters.into_iter().find(|counter| text(counter, "pk").is_ok_and(|pk| pk == product));
        number(counter.context("no such counter")?, "reserved")
    }

    /// Holds all books against each other: no order is pending, every entry of a ledger is what its order's
    /// status asks for, and every counter and all statistics are the sums of their ledgers.
    ///
    /// # Errors
    /// What does not agree.
    pub fn agree(&self) -> Result<()> {
        let mut reserved: BTreeMap<String, i64> = BTreeMap::new();
        let mut reservations = BTreeMap::new();
        for entry in of_kind(&self.products, "reservation")? {
            let status = text(entry, "status")?;
            reservations.insert(text(entry, "pk")?, status);
            for line in list(entry, "lines")?.iter().filter(|_| status == "reserved") {
                let line = line.as_m().map_err(|_| anyhow::anyhow!("no line"))?;
                *reserved.entry(text(line, "product_id")?.to_owned()).or_default() +=
                    number(line, "quantity")?;
            }
        }
        for counter in of_kind(&self.products, "stock")? {
            let product = text(counter, "pk")?;
            let figures =
                [number(counter, "total")?, number(counter, "available")?, number(counter, "reserved")?];
            let expected = reserved.remove(product).unwrap_or_default();
            ensure!(figures[2] == expected, "{product}: {figures:?}, and {expected} in the ledger");
            ensure!(figures[0] == figures[1] + figures[2], "{product}: {figures:?}");
        }
        ensure!(reserved.is_empty(), "reserved without a counter: {reserved:?}");

        let mut entries = BTreeMap::new();
        let mut counted: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for entry in
            self.users.iter().filter(|item| text(item, "sk").is_ok_and(|sk| sk.starts_with("order#")))
        {
            let state = text(entry, "state")?;
            entries.insert(text(entry, "order_id")?, state);
            if state == "counted" {
                let total = entry["total"].as_m().map_err(|_| anyhow::anyhow!("no total"))?;
                let sums = counted.entry(text(entry, "pk")?).or_default();
                *sums = (sums.0 + 1, sums.1 + number(total, "amount")?);
            }
        }
        for stats in of_kind(&self.users, "stats")? {
            let user = text(stats, "pk")?;
            let spent = stats["spent"].as_m().map_err(|_| anyhow::anyhow!("no sums"))?;
            let spent: i64 = spent.keys().map(|currency| number(spent, currency)).sum::<Result<_>>()?;
            let found = (number(stats, "orders_placed")?, spent);
            let expected = counted.remove(user).unwrap_or_default();
            ensure!(found == expected, "{user}: {found:?}, and {expected:?} in the ledger");
        }
        ensure!(counted.is_empty(), "counted without statistics: {counted:?}");

        for order in &self.orders {
            let (id, status) = (text(order, "id")?, text(order, "status")?);
            let found = (reservations.get(id).copied(), entries.get(id).copied());
            let has_user = order.contains_key("customer_id");
            let fits = match status {
                "confirmed" => found == (Some("reserved"), has_user.then_some("counted")),
                "rejected" => found == (Some("rejected"), None),
                "cancelled" => {
                    matches!(found.0, Some("released" | "rejected"))
                        && found.1 == has_user.then_some("cancelled")
                }
                _ => false,
            };
            ensure!(fits, "{id} is {status}: {found:?}");
        }
        Ok(())
    }
}

async fn scan(service: &Service, table: &str) -> Result<Vec<Item>> {
    let client = Client::new(&service.cloud.sdk_config("test"));
    let table = service.cloud.physical(table).context(table.to_owned())?;
    let pages = client.scan().table_name(table).consistent_read(true).into_paginator().items().send();
    Ok(pages.collect::<Result<_, _>>().await?)
}

fn of_kind<'a>(items: &'a [Item], sk: &str) -> Result<Vec<&'a Item>> {
    let mut found = Vec::new();
    for item in items {
        if text(item, "sk")? == sk {
            found.push(item);
        }
    }
    Ok(found)
}

fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str> {
    let text = item.get(name).and_then(|value| value.as_s().ok());
    text.map(String::as_str).with_context(|| format!("no {name}"))
}

fn number(item: &Item, name: &str) -> Result<i64> {
    let number = item.get(name).and_then(|value| value.as_n().ok());
    Ok(number.with_context(|| format!("no {name}"))?.parse()?)
}

fn list<'a>(item: &'a Item, name: &str) -> Result<&'a [AttributeValue]> {
    let list = item.get(name).and_then(|value| value.as_l().ok());
    list.map(Vec::as_slice).with_context(|| format!("no {name}"))
}
