//! Creates the tables, the topic, the queues and the bucket of the checks' template at an endpoint, by its API.
//!
//! Names are those that CloudFormation would give: the run's own, so that runs do not meet.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    StreamSpecification, StreamViewType, TableStatus,
};
use aws_sdk_sesv2::operation::create_email_identity::CreateEmailIdentityError;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use serde_json::json;
use shop_local::template::{Key, Queue, Table, Template, Topic};

use crate::answers::taken;
use crate::target::{self, SENDER};
use crate::wait::{self, Look};

/// What was created.
pub(crate) struct Created {
    /// What no other run is called.
    pub(crate) run: String,
    /// A table's name, a topic's ARN, a queue's URL, by its logical id.
    pub(crate) names: BTreeMap<String, String>,
    /// The stream of the one table that has one.
    pub(crate) stream_arn: String,
}

pub(crate) async fn create(sdk: &SdkConfig, template: &Template) -> Result<Created> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let run = format!("{}-{}", since.as_millis(), std::process::id());
    let physical = |id: &str| format!("conformance-{run}-{id}");
    let mut names = BTreeMap::new();
    let mut stream_arn = None;
    let dynamodb = aws_sdk_dynamodb::Client::new(sdk);
    for (id, table) in &template.tables {
        let name = physical(id);
        let stream = create_table(&dynamodb, &name, table).await.with_context(|| name.clone())?;
        stream_arn = stream.or(stream_arn);
        names.insert(id.clone(), name);
    }
    let sqs = aws_sdk_sqs::Client::new(sdk);
    let mut arns = BTreeMap::new();
    // A dead-letter queue comes before those that it serves.
    let (with, without): (Vec<_>, Vec<_>) =
        template.queues.iter().partition(|(_, queue)| queue.redrive.is_some());
    for (id, queue) in without.into_iter().chain(with) {
        let name = physical(id);
        let (url, arn) = create_queue(&sqs, &name, queue, &arns).await.with_context(|| name.clone())?;
        names.insert(id.clone(), url);
        arns.insert(id.clone(), arn);
    }
    let sns = aws_sdk_sns::Client::new(sdk);
    for (id, topic) in &template.topics {
        let name = physical(id);
        let arn = create_topic(&sns, &name, topic, &arns).await.with_context(|| name.clone())?;
        names.insert(id.clone(), arn);
    }
    let s3 = target::s3(sdk);
    for id in template.buckets.keys() {
        // A bucket's name has no capital letter.
        let name = physical(id).to_lowercase();
        taken(s3.create_bucket().bucket(&name).send().await).with_context(|| name.clone())?;
        names.insert(id.clone(), name);
    }
    let ses = aws_sdk_sesv2::Client::new(sdk);
    match ses.create_email_identity().email_identity(SENDER).send().await {
        Err(error)
            if error
                .as_service_error()
                .is_some_and(CreateEmailIdentityError::is_already_exists_exception) => {}
        answer => drop(taken(answer).context(SENDER)?),
    }
    Ok(Created { run, names, stream_arn: stream_arn.context("a table with a stream")? })
}

/// Creates a table, waits until it can be used, and gives its stream.
async fn create_table(
    client: &aws_sdk_dynamodb::Client,
    name: &str,
    table: &Table,
) -> Result<Option<String>> {
    let mut create = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind) in &table.attributes {
        let definition = AttributeDefinition::builder().attribute_name(attribute);
        create = create.attribute_definitions(definition.attribute_type(kind.as_str().into()).build()?);
    }
    create = create.set_key_schema(Some(key_schema(&table.key)?));
    for index in &table.indexes {
        let projection = Projection::builder().projection_type(index.projection.as_str().into());
        let included = Some(index.included.clone()).filter(|included| !included.is_empty());
        let index = GlobalSecondaryIndex::builder()
            .index_name(&index.name)
            .set_key_schema(Some(key_schema(&index.key)?))
            .projection(projection.set_non_key_attributes(included).build());
        create = create.global_secondary_indexes(index.build()?);
    }
    if let Some(view) = &table.stream {
        let view = StreamViewType::from(view.as_str());
        let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(view);
        create = create.stream_specification(stream.build()?);
    }
    taken(create.send().await)?;
    wait::until("the table", async || {
        let answer = taken(client.describe_table().table_name(name).send().await)?;
        let table = answer.table.context("a description of the table")?;
        Ok(match table.table_status {
            Some(TableStatus::Active) => Look::Done(table.latest_stream_arn),
            other => Look::NotYet(format!("{other:?}")),
        })
    })
    .await
}

fn key_schema(key: &Key) -> Result<Vec<KeySchemaElement>> {
    let keys = [(Some(&key.hash), KeyType::Hash), (key.range.as_ref(), KeyType::Range)];
    let element = |(name, kind): (Option<&String>, KeyType)| {
        Some(KeySchemaElement::builder().attribute_name(name?).key_type(kind).build().map_err(Into::into))
    };
    keys.into_iter().filter_map(element).collect()
}

/// Creates a queue; gives its URL and its ARN.
async fn create_queue(
    client: &aws_sdk_sqs::Client,
    name: &str,
    queue: &Queue,
    arns: &BTreeMap<String, String>,
) -> Result<(String, String)> {
    use QueueAttributeName as Name;
    let mut create = client
        .create_queue()
        .queue_name(name)
        .attributes(Name::VisibilityTimeout, queue.visibility_timeout.as_secs().to_string())
        .attributes(Name::MessageRetentionPeriod, queue.retention.as_secs().to_string());
    if let Some(redrive) = &queue.redrive {
        let target = arns.get(&redrive.queue).context("the dead-letter queue")?;
        let policy = json!({"deadLetterTargetArn": target, "maxReceiveCount": redrive.max_receive_count});
        create = create.attributes(Name::RedrivePolicy, policy.to_string());
    }
    let url = taken(create.send().await)?.queue_url.context("the queue's URL")?;
    let attributes = client.get_queue_attributes().queue_url(&url).attribute_names(Name::QueueArn);
    let attributes = taken(attributes.send().await)?.attributes.unwrap_or_default();
    let arn = attributes.get(&Name::QueueArn).context("the queue's ARN")?.clone();
    Ok((url, arn))
}

/// Creates a topic with its subscriptions; gives its ARN.
async fn create_topic(
    client: &aws_sdk_sns::Client,
    name: &str,
    topic: &Topic,
    arns: &BTreeMap<String, String>,
) -> Result<String> {
    let topic_arn = taken(client.create_topic().name(name).send().await)?.topic_arn.context("its ARN")?;
    for subscription in &topic.subscriptions {
        let endpoint = arns.get(&subscription.queue).context("the subscribed queue")?;
        let mut subscribe = client.subscribe().topic_arn(&topic_arn).protocol("sqs").endpoint(endpoint);
        subscribe = subscribe.attributes("RawMessageDelivery", "true");
        if let Some(filter) = &subscription.filter {
            subscribe = subscribe.attributes("FilterPolicy", filter.document().to_string());
        }
        taken(subscribe.send().await).with_context(|| subscription.id.clone())?;
    }
    Ok(topic_arn)
}

/// Removes what [`create`] has created.
pub(crate) async fn remove(
    sdk: &SdkConfig,
    template: &Template,
    names: &BTreeMap<String, String>,
) -> Result<()> {
    let dynamodb = aws_sdk_dynamodb::Client::new(sdk);
    for name in template.tables.keys().filter_map(|id| names.get(id)) {
        taken(dynamodb.delete_table().table_name(name).send().await).with_context(|| name.clone())?;
    }
    let sns = aws_sdk_sns::Client::new(sdk);
    for arn in template.topics.keys().filter_map(|id| names.get(id)) {
        taken(sns.delete_topic().topic_arn(arn).send().await).with_context(|| arn.clone())?;
    }
    let s3 = target::s3(sdk);
    for name in template.buckets.keys().filter_map(|id| names.get(id)) {
        empty(&s3, name).await.with_context(|| name.clone())?;
        taken(s3.delete_bucket().bucket(name).send().await).with_context(|| name.clone())?;
    }
    let sqs = aws_sdk_sqs::Client::new(sdk);
    for url in template.queues.keys().filter_map(|id| names.get(id)) {
        taken(sqs.delete_queue().queue_url(url).send().await).with_context(|| url.clone())?;
    }
    Ok(())
}

/// Only an empty bucket can be deleted.
async fn empty(client: &aws_sdk_s3::Client, bucket: &str) -> Result<()> {
    let list = taken(client.list_objects_v2().bucket(bucket).send().await)?;
    for key in list.contents().iter().filter_map(|object| object.key()) {
        taken(client.delete_object().bucket(bucket).key(key).send().await)?;
    }
    Ok(())
}
