//! The orders service alone: guests and their tokens, idempotency, budgets, lists, and what becomes of an order.

mod budgets;
mod guests;
mod lifecycle;
mod lists;
mod shipping;
mod stage;
