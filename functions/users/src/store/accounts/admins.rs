//! The item of all administrators, and the power of one of them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, TransactWriteItem, Update};
use shop_auth::Role;
use shop_dynamo::{Item, StoreError, string};
use shop_types::UserId;

use super::{ACCOUNT, AccountStore, KIND, Part, TRANSACTION};
use crate::account::User;
use crate::store::key;

/// Both keys of the item of all administrators, and its attribute.
const ADMINS: &str = "admins";
const ADMIN_IDS: &str = "ids";

/// By whose power somebody else's account is changed: it must still have it when the change is written.
#[derive(Clone, Copy, Debug)]
pub struct Authority<'a> {
    /// The administrator.
    pub user: &'a UserId,
    /// The account's epoch when the administrator's token was issued.
    pub epoch: u64,
}

impl AccountStore {
    /// The write that has an administrator's account among those of all of them, where it may not be: it was made
    /// before they were written down.
    ///
    /// # Errors
    /// None, unless the SDK refuses a complete request.
    pub fn note_admin(&self, user: &UserId) -> Result<TransactWriteItem, StoreError> {
        let update = self.update_admins(user).update_expression("ADD #ids :user");
        let update = update.build().map_err(StoreError::call(TRANSACTION))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Whether this user is the only administrator.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn is_last_admin(&self, user: &UserId) -> Result<bool, StoreError> {
        let get = self.directory.client.get_item().table_name(&self.directory.users).consistent_read(true);
        let answer = get.set_key(Some(admins_key())).send().await.map_err(StoreError::call("GetItem"))?;
        let ids = answer.item.and_then(|mut item| item.remove(ADMIN_IDS));
        Ok(match ids {
            Some(AttributeValue::Ss(ids)) => ids.iter().all(|id| id == user.as_str()),
            _ => true,
        })
    }

    /// The change of the item of all administrators that an account's change comes with.
    pub(super) fn change_admins(
        &self,
        before: Role,
        after: &User,
    ) -> Result<Option<(Part, TransactWriteItem)>, StoreError> {
        let update = match (before, after.role) {
            (Role::Customer, Role::Customer) | (Role::Admin, Role::Admin) => return Ok(None),
            (Role::Customer, Role::Admin) => return Ok(Some((Part::Other, self.note_admin(&after.id)?))),
            (Role::Admin, Role::Customer) => self
                .update_admins(&after.id)
                .update_expression("DELETE #ids :user")
                // Somebody else is left. One who is not written down was made before there was such an item.
                .condition_expression(
                    "size(#ids) > :one OR (attribute_exists(#ids) AND NOT contains(#ids, :id))",
                )
                .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
                .expression_attribute_values(":id", string(after.id.as_str())),
        };
        let update = update.build().map_err(StoreError::call(TRANSACTION))?;
        Ok(Some((Part::Admins, TransactWriteItem::builder().update(update).build())))
    }

    fn update_admins(&self, user: &UserId) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.directory.users)
            .set_key(Some(admins_key()))
            .expression_attribute_names("#ids", ADMIN_IDS)
            .expression_attribute_values(":user", AttributeValue::Ss(vec![user.to_string()]))
    }

    pub(super) fn check(&self, authority: Authority<'_>) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.directory.users)
            .set_key(Some(key(authority.user, ACCOUNT.to_owned())))
            .condition_expression("#role = :admin AND session_epoch = :epoch")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":admin", shop_dynamo::value(KIND, &Role::Admin)?)
            .expression_attribute_values(":epoch", AttributeValue::N(authority.epoch.to_string()));
        let check = check.build().map_err(StoreError::call(TRANSACTION))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

fn admins_key() -> Item {
    HashMap::from([("pk".to_owned(), string(ADMINS)), ("sk".to_owned(), string(ADMINS))])
}
