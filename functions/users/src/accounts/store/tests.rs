use super::*;
use crate::accounts::user::tests::user;
use shop_dynamo::{read, string};
use shop_events::Cause;
use shop_types::Timestamp;

#[test]
fn an_account_reads_back_and_is_listed_until_it_is_deleted() {
    let item = account_item(&user()).unwrap();
    assert_eq!(item["sk"], string("account"));
    assert_eq!(item["listed"], string(format!("1970-01-01T00:00:01.000Z#{}", user().id)));
    assert_eq!(read::<User>(User::KIND, item).unwrap(), user());
    let tombstone = user().deleted(Cause::request("request-2"), Timestamp::from_millis(2000));
    let item = account_item(&tombstone).unwrap();
    assert!(!item.contains_key("listing") && !item.contains_key("listed") && !item.contains_key("profile"));
    assert_eq!(read::<User>(User::KIND, item).unwrap(), tombstone);
}
