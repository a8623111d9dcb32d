//! Finds the partition keys in a call, for conditions on `dynamodb:LeadingKeys`.

use dynoxide::Database;
use serde_json::Value;

use crate::authority::Signer;

/// Replaces a partition key that was not found in a call. No policy contains it, so a call with a hidden key is denied
/// rather than allowed.
const UNKNOWN: &str = "\u{0}";

/// Looks up the partition key attribute of a table or an index, if the caller's role needs it.
pub struct Schema<'a> {
    database: &'a Database,
    asked_for: bool,
}

impl<'a> Schema<'a> {
    /// The part of the schema that this caller's role needs.
    pub fn new(database: &'a Database, caller: &Signer) -> Self {
        Self { database, asked_for: caller.reads_leading_keys() }
    }

    /// Whether a condition uses partition keys.
    pub fn is_asked_for(&self) -> bool {
        self.asked_for
    }

    /// The partition key of an item or of its key, as text.
    pub fn key_of_item(&self, table: &str, item: &Value) -> String {
        self.partition_key(table, None).and_then(|name| text_of(&item[name])).unwrap_or_else(|| UNKNOWN.to_owned())
    }

    /// The partition key in a query, as text.
    pub fn key_of_query(&self, table: &str, index: Option<&str>, query: &Value) -> String {
        self.partition_key(table, index)
            .and_then(|name| match query["KeyConditionExpression"].as_str() {
                Some(expression) => from_expression(expression, &name, query),
                None => text_of(&query["KeyConditions"][name]["AttributeValueList"][0]),
            })
            .unwrap_or_else(|| UNKNOWN.to_owned())
    }

    fn partition_key(&self, table: &str, index: Option<&str>) -> Option<String> {
        let request = dynoxide::actions::describe_table::DescribeTableRequest { table_name: table.to_owned() };
        let answer = self.database.describe_table(request).ok()?;
        let table = serde_json::to_value(answer.table).ok()?;
        let schema = match index {
            None => &table["KeySchema"],
            Some(name) => {
                let of_kind = |kind: &str| table[kind].as_array().cloned().unwrap_or_default();
                let mut indexes = of_kind("LocalSecondaryIndexes");
                indexes.extend(of_kind("GlobalSecondaryIndexes"));
                &indexes.into_iter().find(|index| index["IndexName"] == name)?["KeySchema"]
            }
        };
        let hash = schema.as_array()?.iter().find(|key| key["KeyType"] == "HASH")?;
        Some(hash["AttributeName"].as_str()?.to_owned())
    }
}

/// Finds `name = :value` in a key condition, in either order.
fn from_expression(expression: &str, name: &str, query: &Value) -> Option<String> {
    let spaced = expression.replace('=', " = ").replace(['(', ')'], " ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let is_key = |token: &str| token == name || query["ExpressionAttributeNames"][token].as_str() == Some(name);
    let operand = tokens.windows(3).find_map(|window| match window {
        [left, "=", right] if is_key(left) => Some(*right),
        [left, "=", right] if is_key(right) => Some(*left),
        _ => None,
    })?;
    text_of(&query["ExpressionAttributeValues"][operand])
}

/// The text of an attribute value such as `{"S": "a"}`; numbers and binary values are compared as written in the
/// request.
fn text_of(value: &Value) -> Option<String> {
    let (_, scalar) = value.as_object()?.iter().next()?;
    Some(scalar.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::from_expression;

    #[test]
    fn the_key_is_found_in_either_order_and_behind_a_placeholder() {
        let query = json!({
            "ExpressionAttributeNames": {"#p": "pk"},
            "ExpressionAttributeValues": {":p": {"S": "user#1"}, ":v": {"N": "7"}},
        });
        for expression in
            ["pk = :p", "#p=:p AND version > :v", "version > :v and (:p = #p)", "(pk=:p) AND begins_with(sk, :v)"]
        {
            let found = from_expression(expression, "pk", &query);
            assert_eq!(found.as_deref(), Some("user#1"), "{expression}");
        }
        assert_eq!(from_expression("sk = :v", "pk", &query), None);
    }
}
