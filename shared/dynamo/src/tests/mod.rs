//! What a table makes of DynamoDB's answers, and what it asks, over a DynamoDB that answers by script.

mod batches;
mod queries;
mod support;
mod transactions;
mod writes;
