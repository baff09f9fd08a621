//! Events to a service's queue, and those that come out of its topic.

use anyhow::{Context, Result};
use aws_sdk_sqs::Client;
use shop_events::{Cause, Event, EventData, OrderLine, OrderSnapshot, OrderStatus};
use shop_lambda::recovery::RETRIED_FOR;
use shop_types::{Currency, Money, OrderId, ProductId, Timestamp};

use crate::Service;

/// The event that an order of some products was created (version 1) or cancelled (2).
///
/// # Errors
/// When a name is no product's id.
pub fn order_event(
    order: &OrderId,
    placed_at: i64,
    lines: &[(&str, u32)],
    data: fn(OrderSnapshot) -> EventData,
) -> Result<Event> {
    let line = |(product, quantity): &(&str, u32)| -> Result<OrderLine> {
        let product_id: ProductId = product.parse()?;
        Ok(OrderLine { product_id, name: "A product".into(), quantity: *quantity, unit_price: 100 })
    };
    let data = data(OrderSnapshot {
        order_id: order.clone(),
        customer_id: None,
        status: OrderStatus::Pending,
        lines: lines.iter().map(line).collect::<Result<_>>()?,
        total: Money { minor: 100, currency: Currency::USD },
        placed_at: Timestamp::from_millis(placed_at),
    });
    let version = if matches!(data, EventData::OrderCreated(_)) { 1 } else { 2 };
    Ok(Event::new(
        data,
        version,
        Timestamp::from_millis(placed_at),
        Cause::request(format!("request-{order}")),
    ))
}

impl Service {
    /// Sends events to a queue, by its logical id.
    ///
    /// # Errors
    /// When the queue does not take them.
    pub async fn send_events(&self, queue: &str, events: &[Event]) -> Result<()> {
        let bodies = events.iter().map(Event::to_json).collect::<Result<Vec<_>, _>>()?;
        self.send_bodies(queue, &bodies.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// Sends messages to a queue, by its logical id: with the redrive's role, since nobody else may but the topic.
    ///
    /// # Errors
    /// When the queue does not take them.
    pub async fn send_bodies(&self, queue: &str, bodies: &[&str]) -> Result<()> {
        let url = self.cloud.physical(queue).context("the queue")?;
        let client = Client::new(&self.cloud.assume_role("RedriveRole", "test").context("the role")?);
        for body in bodies {
            client.send_message().queue_url(url).message_body(*body).send().await?;
        }
        Ok(())
    }

    /// Takes the events that are in a queue which no function of this service consumes.
    ///
    /// # Errors
    /// When a message is no event.
    pub async fn take_events(&self, queue: &str) -> Result<Vec<Event>> {
        let bodies = self.take_bodies(queue).await?;
        bodies.iter().map(|body| Ok(Event::from_json(body)?)).collect()
    }

    /// Takes what is in a queue which no function of this service consumes.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub async fn take_bodies(&self, queue: &str) -> Result<Vec<String>> {
        let url = self.cloud.physical(queue).context("the queue")?;
        let client = Client::new(&self.cloud.sdk_config("test"));
        let mut bodies = Vec::new();
        loop {
            let received = client.receive_message().queue_url(url).max_number_of_messages(10).send().await?;
            let messages = received.messages.unwrap_or_default();
            if messages.is_empty() {
                return Ok(bodies);
            }
            for message in messages {
                let handle = message.receipt_handle().context("a receipt handle")?;
                client.delete_message().queue_url(url).receipt_handle(handle).send().await?;
                bodies.extend(message.body);
            }
        }
    }

    /// Waits until everything that was sent is dealt with. It is a matter of virtual time, so it takes none;
    /// twice as long as a message is tried says that something never ends.
    ///
    /// # Errors
    /// After that time.
    pub async fn settled(&self) -> Result<()> {
        tokio::time::timeout(RETRIED_FOR * 2, self.cloud.settled()).await.context("it never settles")
    }

    /// How many messages are in a queue, whoever has them.
    #[must_use]
    pub fn depth(&self, queue: &str) -> usize {
        let depth = self.cloud.queues().get(queue).copied().unwrap_or_default();
        depth.visible + depth.in_flight + depth.delayed
    }
}
