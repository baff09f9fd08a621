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
