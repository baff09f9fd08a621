//! The fixture of the stream becomes the event that it stands for.

use redrives::publish_redrive_events::RedriveEvents;
use serde_json::Value;
use shop_messaging::relay::{Image, Outbox};

#[test]
fn a_new_item_is_published_and_nothing_else() {
    let fixture = include_str!("../../../events/publish-redrive-events.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let image: Image = serde_json::from_value(fixture["Records"][0]["dynamodb"]["NewImage"].clone()).unwrap();
    let published = RedriveEvents::events(None, Some(&image)).unwrap();
    let [event] = &published[..] else { panic!("{published:?}") };
    assert_eq!(event.event_type().as_str(), "redrive.created");
    assert_eq!(Some(event.subject().as_str()), image.text("id"));
    assert!(RedriveEvents::events(Some(&image), Some(&image)).unwrap().is_empty());
    assert!(RedriveEvents::events(Some(&image), None).unwrap().is_empty());
}

#[test]
fn the_end_of_a_redrive_is_told_once() {
    let fixture = include_str!("../../../events/publish-redrive-events.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let mut stored = fixture["Records"][0]["dynamodb"]["NewImage"].clone();
    let image = |stored: &Value| serde_json::from_value::<Image>(stored.clone()).unwrap();
    let running = image(&stored);
    for (name, value) in [("status", "done"), ("finished_at", "2026-11-23T15:01:39.000Z")] {
        stored[name] = serde_json::json!({ "S": value });
    }
    stored["version"] = serde_json::json!({ "N": "2" });
    let done = image(&stored);
    let told = RedriveEvents::events(Some(&running), Some(&done)).unwrap();
    let types: Vec<_> = told.iter().map(|event| event.event_type().as_str()).collect();
    assert_eq!(types, ["redrive.finished"]);
    assert!(RedriveEvents::events(Some(&done), Some(&done)).unwrap().is_empty());
}
