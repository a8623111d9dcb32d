//! Works around two weaknesses of the engine's stream records: it searches all of them at every write, and keeps them
//! for ever.
//!
//! A short-lived second connection changes the engine's own file: an index makes the search fast, and records that
//! DynamoDB would have dropped are deleted.

use rusqlite::{Connection, params};

use crate::Error;

/// Where the engine's file is.
#[derive(Debug, Clone)]
pub struct Upkeep(String);

impl Upkeep {
    /// Upkeep of the engine at this path or URI, under which every connection in this process finds the same data.
    pub fn new(location: impl Into<String>) -> Self {
        Self(location.into())
    }

    /// Creates the index, unless it exists.
    pub fn prepare(&self) -> Result<(), Error> {
        let index = "CREATE INDEX IF NOT EXISTS handset_stream_order \
                     ON _stream_records (table_name, CAST(sequence_number AS INTEGER), shard_id)";
        Ok(self.connection()?.execute_batch(index)?)
    }

    /// Deletes a table's records before a sequence, but never the newest one, because the engine counts on from it.
    /// Returns the number of deleted records.
    pub fn trim(&self, table: &str, before: i64) -> Result<usize, Error> {
        let delete = "DELETE FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) < MIN(?2, \
                      (SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1))";
        Ok(self.connection()?.execute(delete, params![table, before])?)
    }

    fn connection(&self) -> Result<Connection, Error> {
        Ok(Connection::open(&self.0)?)
    }
}

#[cfg(test)]
mod tests {
    use dynoxide::Database;
    use dynoxide::actions::get_records::GetRecordsRequest;
    use dynoxide::actions::get_shard_iterator::encode_shard_iterator;
    use serde_json::{Value, json};

    use super::Upkeep;

    fn request<T: serde::de::DeserializeOwned>(request: Value) -> T {
        serde_json::from_value(request).expect("a request")
    }

    fn put(database: &Database, n: u32) {
        let item = json!({"pk": {"S": "a"}, "n": {"N": n.to_string()}});
        database.put_item(request(json!({"TableName": "Main", "Item": item}))).expect("an item");
    }

    fn sequences(database: &Database) -> Vec<String> {
        let shard_iterator = encode_shard_iterator("Main", &dynoxide::streams::shard_id("Main"), 0);
        let records = database.get_records(GetRecordsRequest { shard_iterator, limit: None }).expect("records").records;
        records.into_iter().map(|record| record.dynamodb.sequence_number).collect()
    }

    #[test]
    fn old_records_go_but_the_engine_counts_on() {
        let location = "file:/upkeep-test?vfs=memdb";
        let database = Database::new(location).expect("a database");
        let upkeep = Upkeep::new(location);
        upkeep.prepare().expect("an index");
        upkeep.prepare().expect("the same index");
        let table = json!({
            "TableName": "Main",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        });
        database.create_table(request(table)).expect("a table");
        assert_eq!(upkeep.trim("Main", i64::MAX).expect("nothing"), 0);
        (0..5).for_each(|n| put(&database, n));
        let before = sequences(&database);
        let third = before[2][1..].parse().expect("a sequence");
        assert_eq!(upkeep.trim("Other", i64::MAX).expect("nothing"), 0);
        assert_eq!(upkeep.trim("Main", third).expect("two"), 2);
        assert_eq!(upkeep.trim("Main", i64::MAX).expect("two more"), 2);
        assert_eq!(sequences(&database), before[4..]);
        put(&database, 5);
        assert!(sequences(&database)[1] > before[4]);
    }
}
