//! The embedded cloud with the template's one function, which writes the records of a stream down.

use anyhow::Result;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shop_lambda::{Environment, Function, FunctionError, Handler, Invocation, Kind, StartError};
use shop_local::cloud::{Cloud, MailAccount, Options};
use shop_local::template::Template;

use crate::target::SENDER;

/// Any seed does: the checks must hold under each.
const SEED: u64 = 1;

pub(crate) async fn start(template: &Template) -> Result<Cloud> {
    let record = Function::new("record-changes", Kind::Relay, |environment| {
        async move { recorder(&environment) }.boxed()
    });
    let verified = Some([SENDER.to_owned()].into());
    let mail = MailAccount { verified, ..MailAccount::default() };
    Ok(Cloud::start(template, &[record], Options { mail, ..Options::simulated(SEED) }).await?)
}

/// Puts each record into a table, under the partition key of the item that changed.
struct Recorder {
    client: Client,
    table: String,
}

fn recorder(environment: &Environment) -> Result<Box<dyn Handler>, StartError> {
    let table = environment.required("RECORDED_TABLE")?.to_owned();
    Ok(Box::new(Recorder { client: Client::new(environment.sdk_config()), table }))
}

impl Handler for Recorder {
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>> {
        async move {
            let failed = |error| FunctionError::new("the payload is no stream event", error);
            let event: Value = serde_json::from_str(invocation.payload.get()).map_err(failed)?;
            for record in event["Records"].as_array().into_iter().flatten() {
                let text = |value: &Value| AttributeValue::S(value.as_str().unwrap_or_default().to_owned());
                let change = &record["dynamodb"];
                let put = self.client.put_item().table_name(&self.table);
                put.item("pk", text(&change["Keys"]["pk"]["S"]))
                    .item("number", text(&change["SequenceNumber"]))
                    .item("record", AttributeValue::S(record.to_string()))
                    .send()
                    .await
                    .map_err(|error| FunctionError::new("a record cannot be written down", error))?;
            }
            serde_json::value::to_raw_value(&json!({})).map_err(failed)
        }
        .boxed()
    }
}
