//! An order as the API shows it. Pure.

use schemars::JsonSchema;
use serde::Serialize;
use shop_events::{OrderLine, OrderStatus};
use shop_http::{Decimal, Problem};
use shop_types::{Currency, Money, OrderId, ProductId, Timestamp, UserId};

use crate::order::{Order, Rejection};

impl Order {
    /// The order as the API shows it.
    ///
    /// # Errors
    /// 500 for a stored line whose total would overflow, which no order was placed with.
    pub fn view(&self) -> Result<OrderView<'_>, Problem> {
        let currency = self.total.currency;
        let item = |line: &'_ OrderLine| {
            let price = Money { minor: line.unit_price, currency };
            Ok::<_, Problem>((price, price.checked_mul(line.quantity).map_err(Problem::internal)?))
        };
        let items = self.lines.iter().map(|line| {
            let (price, line_total) = item(line)?;
            Ok(OrderItemView {
                product_id: &line.product_id,
                name: &line.name,
                quantity: line.quantity,
                price: Decimal(price),
                line_total: Decimal(line_total),
            })
        });
        Ok(OrderView {
            id: &self.id,
            status: self.status,
            items: items.collect::<Result<_, Problem>>()?,
            total_amount: Decimal(self.total),
            currency,
            customer_id: self.customer_id.as_ref(),
            tracking_number: self.tracking_number.as_deref(),
            rejection: self.rejection.as_ref(),
            version: self.version,
            created_at: self.placed_at,
            updated_at: self.updated_at,
            order_token: None,
        })
    }
}

impl OrderView<'_> {
    /// The same answer with the token that a guest reads and cancels the order by.
    #[must_use]
    pub(crate) fn with_token(self, token: Option<String>) -> Self {
        Self { order_token: token, ..self }
    }
}

/// An order.
// It has no `Debug`: it may hold a guest's token.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Order")]
pub struct OrderView<'a> {
    id: &'a OrderId,
    status: OrderStatus,
    items: Vec<OrderItemView<'a>>,
    total_amount: Decimal,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<&'a Rejection>,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_token: Option<String>,
}

/// A line of an order.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OrderItem")]
struct OrderItemView<'a> {
    product_id: &'a ProductId,
    name: &'a str,
    quantity: u32,
    price: Decimal,
    line_total: Decimal,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::tests::order;

    #[test]
    fn the_answer_writes_money_with_all_its_digits() {
        let order = order(OrderStatus::Pending);
        let json = serde_json::to_string(&order.view().unwrap()).unwrap();
        assert!(json.contains(r#""price":29.99,"line_total":59.98"#), "{json}");
        assert!(json.contains(r#""total_amount":59.98,"currency":"USD""#), "{json}");
    }
}
