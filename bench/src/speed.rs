//! Orders a second, the time an order takes to settle, and the memory after many orders.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::Value;
use shop_types::Timestamp;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::client::Client;
use crate::report::{Bound, Report, Target};
use crate::shop::Shop;

const PRODUCTS: u64 = 20;
/// Enough for every order; prices and sums stay far from their limits.
const STOCK: u64 = 1_000_000;
/// Clients that order without a pause: enough to keep both processors busy.
const CLIENTS: u64 = 32;
const STEADY_RATE_PER_SECOND: u64 = 50;
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How many orders are placed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// As fast as they are accepted.
    burst: u64,
    /// Evenly, at 50 a second.
    steady: u64,
    /// All in all, before the memory is read.
    total: u64,
}

impl Load {
    pub(crate) const FULL: Self = Self { burst: 5_000, steady: 1_500, total: 20_000 };
    pub(crate) const QUICK: Self = Self { burst: 500, steady: 150, total: 2_000 };
}

/// Measures one running shop; `label` says how it keeps its state.
pub(crate) async fn measure(shop: &Shop, load: Load, label: &str, report: &mut Report) -> Result<()> {
    let client = Client::new(shop.base());
    report.add(format!("{label}: start"), "ms", millis(shop.start), Target::None);
    for number in 0..PRODUCTS {
        client.create_product(&product(number), STOCK).await?;
    }
    settled(&client).await?;
    if let Some(megabytes) = shop.resident_megabytes() {
        report.add(format!("{label}: memory at the start"), "MB", megabytes, Target::None);
    }

    let latencies = steady(&client, load.steady).await?;
    let at =
        |per_cent: usize| latencies.get((latencies.len() * per_cent / 100).min(latencies.len() - 1)).copied();
    let rate = format!("{label}: settled at {STEADY_RATE_PER_SECOND}/s");
    report.add(format!("{rate}, median"), "ms", at(50).context("no order")?, Target::None);
    let bound = Target::About(Bound::AtMost(1000));
    report.add(format!("{rate}, 99 %"), "ms", at(99).context("no order")?, bound);

    let processor = shop.processor_millis();
    let begin = Instant::now();
    burst(&client, load.burst).await?;
    let accepted = begin.elapsed();
    settled(&client).await?;
    let settled_after = begin.elapsed();
    report.add(format!("{label}: accepted"), "orders/s", rate_of(load.burst, accepted), Target::None);
    let bound = Target::About(Bound::AtLeast(250));
    report.add(
        format!("{label}: accepted and settled"),
        "orders/s",
        rate_of(load.burst, settled_after),
        bound,
    );

    if let (Some(before), Some(after)) = (processor, shop.processor_millis()) {
        // Unlike the rate it does not depend on what else runs on the machine.
        let micros = (after - before) * 1000 / load.burst;
        report.add(format!("{label}: processor time, per order settled"), "us", micros, Target::None);
    }

    burst(&client, load.total.saturating_sub(load.burst + load.steady)).await?;
    settled(&client).await?;
    if let Some(megabytes) = shop.resident_megabytes() {
        let bound = Target::About(Bound::AtMost(200));
        report.add(format!("{label}: memory after {} orders", load.total), "MB", megabytes, bound);
    }
    Ok(())
}

/// Orders as fast as they are accepted.
async fn burst(client: &Client, orders: u64) -> Result<()> {
    let next = Arc::new(AtomicU64::new(0));
    let clients = (0..CLIENTS).map(|_| {
        let (client, next) = (client.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= orders {
                    return anyhow::Ok(());
                }
                client.order(&product(number)).await?;
            }
        })
    });
    for client in try_join_all(clients).await? {
        client?;
    }
    Ok(())
}

/// Orders at an even rate, whatever the answers take; the sorted milliseconds from an order's being placed to
/// its being confirmed, as the shop itself writes the two times.
async fn steady(client: &Client, orders: u64) -> Result<Vec<u64>> {
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(STEADY_RATE_PER_SECOND)?);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut placed = Vec::new();
    for number in 0..orders {
        ticks.tick().await;
        let client = client.clone();
        placed.push(tokio::spawn(async move { client.order(&product(number)).await }));
    }
    let ids = try_join_all(placed).await?.into_iter().collect::<Result<Vec<_>>>()?;
    settled(client).await?;
    let mut latencies = Vec::with_capacity(ids.len());
    for id in ids {
        latencies.push(latency(&client.get_order(&id).await?).with_context(|| format!("order {id}"))?);
    }
    latencies.sort_unstable();
    Ok(latencies)
}

fn latency(order: &Value) -> Option<u64> {
    let time = |name: &str| order[name].as_str()?.parse::<Timestamp>().ok();
    let elapsed = time("updated_at")?.as_millis() - time("created_at")?.as_millis();
    (order["status"] == "confirmed").then_some(u64::try_from(elapsed).ok()?)
}

/// Waits until no order is pending.
async fn settled(client: &Client) -> Result<()> {
    while client.has_pending().await? {
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

fn product(number: u64) -> String {
    format!("bench-{}", number % PRODUCTS)
}

fn rate_of(orders: u64, time: Duration) -> u64 {
    orders * 1000 / millis(time).max(1)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
