//! Each fixture is what its trigger sends, and holds what its function is there for.

use aws_lambda_events::event::dynamodb::Event as StreamEvent;
use aws_lambda_events::event::sqs::SqsEvent;
use serde_json::Value;
use shop_events::{Event, EventType};
use shop_messaging::receipts::Receipts;
use shop_messaging::relay::{Image, Outbox};
use template_truth::template::{Template, refers};
use template_truth::{names, project, queues};

/// The fixtures of the functions that a kind of event source calls, with its settings.
fn fixtures<'a>(template: &'a Template, kind: &str) -> anyhow::Result<Vec<(String, Value, &'a Value)>> {
    let sources = template.sources(kind);
    anyhow::ensure!(!sources.is_empty(), "no function has an event source of type {kind}");
    let named = sources.into_iter().map(|(function, event)| {
        let name = names::of_logical_id(function.id).unwrap_or_default();
        project::fixture(&name).map(|fixture| (name, fixture, event))
    });
    named.collect()
}

#[test]
fn http_fixtures_are_requests_of_the_function_s_route() {
    let template = project::template().unwrap();
    for (name, request, event) in fixtures(&template, "HttpApi").unwrap() {
        if event["Method"] == "HEAD" || event["Path"].is_null() {
            continue;
        }
        let (method, path) = (event["Method"].as_str().unwrap(), event["Path"].as_str().unwrap());
        let route = format!("{method} {path}");
        let context = &request["requestContext"];
        assert_eq!(request["version"], "2.0", "{name}");
        assert_eq!(request["routeKey"], route, "{name}");
        assert_eq!(context["routeKey"], route, "{name}");
        assert_eq!(context["http"]["method"], method, "{name}");
        assert_eq!(context["http"]["path"], request["rawPath"], "{name}");
        let id = request["pathParameters"]["id"].as_str().unwrap_or_default();
        assert_eq!(request["rawPath"], path.replace("{id}", id), "{name}");
        if let Some(body) = request["body"].as_str() {
            assert_eq!(request["headers"]["content-length"], body.len().to_string(), "{name}");
            serde_json::from_str::<Value>(body).unwrap();
        }
    }
}

#[test]
fn queue_fixtures_are_events_that_the_queue_s_filter_lets_through() {
    let template = project::template().unwrap();
    let subscribed = queues::subscribed(&template);
    for (name, fixture, event) in fixtures(&template, "SQS").unwrap() {
        let queue = refers(&event["Queue"], Some("Arn")).unwrap();
        // A queue that no topic feeds has what functions send to it themselves.
        let types = subscribed
            .iter()
            .find(|(id, _)| id == queue)
            .map_or_else(Default::default, |(_, types)| types.clone());
        let batch: SqsEvent = serde_json::from_value(fixture).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for message in batch.records {
            assert!(message.event_source_arn.unwrap().ends_with(queue), "{name}");
            if types.is_empty() {
                // What another system says, in its own form: its consumer's tests read it.
                continue;
            }
            let body = message.body.unwrap();
            if queue == queues::UNFILTERED && serde_json::from_str::<Receipts>(&body).is_ok() {
                // The journal is also sent what consumers say of theirs.
                continue;
            }
            let event = Event::from_json(&body).unwrap();
            let attribute = &message.message_attributes["type"];
            assert_eq!(attribute.string_value.as_deref(), Some(event.event_type().as_str()), "{name}");
            seen.insert(event.event_type().as_str().to_owned());
        }
        if queue == queues::UNFILTERED {
            // It takes a type of which it knows nothing as it takes any other.
            assert!(!seen.is_empty() && seen.is_subset(&types), "{name}: {seen:?}");
        } else {
            assert_eq!(seen, types, "{name}: each type that its queue is sent");
        }
    }
}

#[test]
fn schedule_fixtures_are_what_the_schedule_or_an_operator_sends() {
    let template = project::template().unwrap();
    for (name, fixture, event) in fixtures(&template, "Schedule").unwrap() {
        assert!(event["Schedule"].as_str().unwrap().starts_with("rate("), "{name}");
        let is_schedule_s = fixture["source"] == "aws.events" && fixture["detail"].is_object();
        let members = fixture.as_object().unwrap();
        let is_operator_s = members.len() == 1 && fixture["repair"] == true;
        assert!(is_schedule_s || is_operator_s, "{name}: {fixture}");
        if is_operator_s {
            let asked: shop_lambda::report::VerifyRequest = serde_json::from_value(fixture).unwrap();
            assert!(asked.repair, "{name}");
        }
    }
}

#[test]
fn stream_fixtures_are_records_of_the_function_s_table() {
    let template = project::template().unwrap();
    for (name, fixture, event) in fixtures(&template, "DynamoDB").unwrap() {
        let table = refers(&event["Stream"], Some("StreamArn")).unwrap();
        let keys: Vec<_> = template.resource(table)["Properties"]["KeySchema"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["AttributeName"].as_str().unwrap())
            .collect();
        let batch: StreamEvent = serde_json::from_value(fixture.clone()).unwrap();
        assert!(!batch.records.is_empty(), "{name}");
        for record in fixture["Records"].as_array().unwrap() {
            assert!(record["eventSourceARN"].as_str().unwrap().contains(table), "{name}");
            let change = &record["dynamodb"];
            for key in &keys {
                let value = &change["Keys"][*key];
                assert!(value["S"].is_string(), "{name}: {key}");
                for image in ["NewImage", "OldImage"] {
                    assert!(change[image].is_null() || change[image][*key] == *value, "{name}: {image}");
                }
            }
            assert_eq!(record["eventName"] == "INSERT", change["OldImage"].is_null(), "{name}");
        }
    }
}

/// The number of events that each record of a relay's fixture becomes.
fn published<O: Outbox>() -> anyhow::Result<Vec<usize>> {
    let fixture = project::fixture(O::NAME)?;
    let image = |value: &Value| -> Result<Option<Image>, serde_json::Error> {
        if value.is_null() { Ok(None) } else { serde_json::from_value(value.clone()).map(Some) }
    };
    let records = fixture["Records"].as_array().into_iter().flatten();
    let published = records.map(|record| {
        let (old, new) = (image(&record["dynamodb"]["OldImage"])?, image(&record["dynamodb"]["NewImage"])?);
        O::events(old.as_ref(), new.as_ref())
            .map(|events| events.len())
            .map_err(|error| anyhow::anyhow!("{error}"))
    });
    published.collect()
}

#[test]
fn stream_fixtures_become_events() {
    assert_eq!(published::<orders::publish_order_events::OrderEvents>().unwrap(), [1, 1, 1]);
    assert_eq!(published::<products::publish_product_events::ProductEvents>().unwrap(), [1, 1, 1, 1]);
    // A confirmation is told of as a mail, and as what it is.
    assert_eq!(published::<emails::publish_email_events::EmailEvents>().unwrap(), [2]);
    // A user's statistics are told of by the entries of the ledger alone; an account tells of itself.
    assert_eq!(published::<users::publish_user_events::UserEvents>().unwrap(), [0, 1, 1]);
}

#[test]
fn filter_policies_name_types_that_exist() {
    for (queue, types) in queues::subscribed(&project::template().unwrap()) {
        for name in types {
            assert!(name.parse::<EventType>().is_ok(), "{queue}: {name}");
        }
    }
}
