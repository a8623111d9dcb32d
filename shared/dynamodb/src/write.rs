//! Describes conditional writes to the table. The same description serves single calls and transactions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
    Update,
};

use super::item::Item;
use super::keys::Key;
use domain::account::UserId;
use domain::clock::Timestamp;
use domain::{Fault, Result};

/// A conditional update of one item. In the expressions, attribute names are written `#name` and values `:value`;
/// [`Change::name`] and [`Change::value`] define their meaning.
#[derive(Clone, Debug)]
pub struct Change {
    pub(super) key: Key,
    pub(super) update: String,
    pub(super) condition: Option<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
    pub(super) returns_item: bool,
}

impl Change {
    /// An update of the item at `key` by an update expression.
    pub fn new(key: Key, update: impl Into<String>) -> Self {
        let change = Self {
            key,
            update: update.into(),
            condition: None,
            names: HashMap::new(),
            values: HashMap::new(),
            returns_item: false,
        };
        let update = change.update.clone();
        change.names_of(&update)
    }

    /// Replaces the update expression.
    pub fn updating(mut self, update: String) -> Self {
        self = self.names_of(&update);
        self.update = update;
        self
    }

    /// Adds the condition.
    pub fn when(mut self, condition: impl Into<String>) -> Self {
        let condition = condition.into();
        self = self.names_of(&condition);
        self.condition = Some(condition);
        self
    }

    /// Adds one more condition.
    pub fn and(self, condition: &str) -> Self {
        let condition = match &self.condition {
            Some(first) => format!("{first} AND {condition}"),
            None => condition.to_owned(),
        };
        self.when(condition)
    }

    /// Adds the condition that the password still has this version. An account that never had a password stores no
    /// version, and a comparison with a missing attribute is never true.
    pub fn if_secret(self, version: u64) -> Self {
        let change = match version {
            0 => self.and("(attribute_not_exists(#version_of_secret) OR #version_of_secret = :checked_version)"),
            _ => self.and("#version_of_secret = :checked_version"),
        };
        change.value(":checked_version", super::item::number(version))
    }

    /// Defines the attribute of a `#placeholder` that has another name than its attribute.
    pub fn name(mut self, placeholder: &str, attribute: impl Into<String>) -> Self {
        self.names.insert(placeholder.to_owned(), attribute.into());
        self
    }

    /// Defines the value of a `:placeholder`.
    pub fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    /// The update returns the whole item as it is afterwards. Outside of transactions only.
    pub fn returning_item(mut self) -> Self {
        self.returns_item = true;
        self
    }

    /// Every `#word` stands for the attribute `word` unless [`Change::name`] defines another one. Placeholders avoid
    /// conflicts with DynamoDB's long list of reserved words.
    fn names_of(mut self, expression: &str) -> Self {
        for piece in expression.split('#').skip(1) {
            let word: String = piece.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            self.names.entry(format!("#{word}")).or_insert(word);
        }
        self
    }

    /// The change as part of a transaction, which returns the old item if the condition fails.
    pub fn in_transaction(self, table: &str) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key_attributes(&self.key)))
            .update_expression(self.update)
            .set_condition_expression(self.condition)
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values(Some(self.values).filter(|values| !values.is_empty()))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build();
        let update = update.map_err(|error| Fault::new("building an update", error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Only its condition, as part of a transaction.
    pub fn into_check(self, table: &str) -> Result<TransactWriteItem> {
        let check = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(key_attributes(&self.key)))
            .set_condition_expression(self.condition)
            .set_expression_attribute_names(Some(self.names).filter(|names| !names.is_empty()))
            .set_expression_attribute_values(Some(self.values).filter(|values| !values.is_empty()))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build();
        let check = check.map_err(|error| Fault::new("building a check", error))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// Puts a whole item on the condition that none exists, as part of a transaction.
pub fn put_new(table: &str, key: &Key, mut item: Item) -> Result<TransactWriteItem> {
    item.extend(key_attributes(key));
    let put = Put::builder().table_name(table).set_item(Some(item)).condition_expression("attribute_not_exists(pk)");
    let put = put.build().map_err(|error| Fault::new("building a put", error))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Puts a whole item, whether or not there is one, as part of a transaction.
pub fn put(table: &str, key: &Key, mut item: Item) -> Result<TransactWriteItem> {
    item.extend(key_attributes(key));
    let put = Put::builder().table_name(table).set_item(Some(item)).build();
    let put = put.map_err(|error| Fault::new("building a put", error))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Deletes an item, whether or not there is one, as part of a transaction.
pub fn delete(table: &str, key: &Key) -> Result<TransactWriteItem> {
    let delete = Delete::builder().table_name(table).set_key(Some(key_attributes(key))).build();
    let delete = delete.map_err(|error| Fault::new("building a delete", error))?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// The condition that there is no item at a key, as part of a transaction.
pub fn check_absent(table: &str, key: &Key) -> Result<TransactWriteItem> {
    let check = ConditionCheck::builder().table_name(table).set_key(Some(key_attributes(key)));
    let check = check.condition_expression("attribute_not_exists(pk)").build();
    let check = check.map_err(|error| Fault::new("building a check", error))?;
    Ok(TransactWriteItem::builder().condition_check(check).build())
}

/// Deletes a claim on the condition that it belongs to nobody else, as part of a transaction. A claim that is missing does
/// not stop the user from giving it up.
pub fn delete_of_user(table: &str, key: &Key, user: UserId) -> Result<TransactWriteItem> {
    let delete = Delete::builder().table_name(table).set_key(Some(key_attributes(key)));
    let delete = delete
        .condition_expression("attribute_not_exists(pk) OR #user = :user")
        .expression_attribute_names("#user", "user")
        .expression_attribute_values(":user", super::item::number(user));
    let delete = delete.build().map_err(|error| Fault::new("building a delete", error))?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// Deletes an item on the condition that its `expires` is later than `now`, as part of a transaction.
pub fn delete_living(table: &str, key: &Key, now: Timestamp) -> Result<TransactWriteItem> {
    let delete = Delete::builder().table_name(table).set_key(Some(key_attributes(key)));
    let delete = delete
        .condition_expression("#expires > :now")
        .expression_attribute_names("#expires", "expires")
        .expression_attribute_values(":now", super::item::moment(now));
    let delete = delete.build().map_err(|error| Fault::new("building a delete", error))?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// The key in the form that the SDK expects.
pub fn key_attributes(key: &Key) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk.clone())),
        ("sk".to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_their_own_spelling_unless_told_otherwise() {
        let key = Key { pk: "p".into(), sk: "s".into() };
        let change =
            Change::new(key, "SET #name = :v, #sessions.#sid = :s").when("size(#sessions) < :n").name("#sid", "x-1");
        assert_eq!(change.names["#name"], "name");
        assert_eq!(change.names["#sessions"], "sessions");
        assert_eq!(change.names["#sid"], "x-1");
        assert_eq!(change.names.len(), 3);
    }
}
