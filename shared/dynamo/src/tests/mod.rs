//! What the stores' foundation makes of DynamoDB's answers, over a DynamoDB that answers by script.

mod batches;
mod errors;
mod support;
