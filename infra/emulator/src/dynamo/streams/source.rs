//! Reads a table's stream from the engine, in the format in which Lambda passes records to functions.

use dynoxide::Database;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::get_records::{GetRecordsRequest, Record as EngineRecord};
use dynoxide::actions::get_shard_iterator::{GetShardIteratorRequest, decode_shard_iterator, encode_shard_iterator};
use dynoxide::types::item_size;
use serde_json::{Value, json};

use crate::Error;
use crate::dynamo::region::{ENGINE_REGION, PUBLIC_REGION};
use crate::place::REGION;

/// The number of records read at a time.
const PAGE: usize = 250;

/// A record of a stream.
#[derive(Debug, Clone)]
pub struct StreamRecord {
    /// Its position in the stream. Sequences grow, also across restarts.
    pub sequence: i64,
    /// The partition key of the item, as text that is unique for each key.
    pub key: String,
    /// The time of the write, in seconds since the Unix epoch.
    pub created: u64,
    /// The record as a function receives it.
    pub event: Value,
    /// The length of this as text, in bytes.
    pub length: usize,
}

impl StreamRecord {
    /// The sequence number as callers see it.
    pub fn sequence_number(&self) -> &str {
        self.event["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
    }
}

/// A table's stream.
#[derive(Clone)]
pub struct Source {
    database: Database,
    /// The table's name.
    pub table: String,
    /// The ARN of the stream.
    pub arn: String,
    partition_key: String,
}

impl Source {
    /// The stream of a table, which must have one.
    pub fn open(database: &Database, table: &str) -> Result<Self, Error> {
        let request = DescribeTableRequest { table_name: table.to_owned() };
        let description = serde_json::to_value(database.describe_table(request)?.table).unwrap_or_default();
        let arn = description["LatestStreamArn"].as_str().filter(|_| !description["StreamSpecification"].is_null());
        let arn = arn.ok_or_else(|| Error::NoStream(table.to_owned()))?;
        let keys = description["KeySchema"].as_array().into_iter().flatten();
        let partition_key = keys.filter(|key| key["KeyType"] == "HASH").find_map(|key| key["AttributeName"].as_str());
        Ok(Self {
            database: database.clone(),
            table: table.to_owned(),
            arn: arn.replace(ENGINE_REGION, PUBLIC_REGION),
            partition_key: partition_key.unwrap_or_default().to_owned(),
        })
    }

    /// The only shard of the stream.
    pub fn shard(&self) -> String {
        dynoxide::streams::shard_id(&self.table)
    }

    /// Reads the records after a sequence, and returns them with the last sequence read. The engine also records writes
    /// that change nothing; DynamoDB does not, so they are skipped.
    pub async fn read(&self, after: i64) -> Result<(Vec<StreamRecord>, i64), Error> {
        let iterator = encode_shard_iterator(&self.table, &self.shard(), after);
        let database = self.database.clone();
        let request = GetRecordsRequest { shard_iterator: iterator, limit: Some(PAGE) };
        let page = blocking(move || Ok(database.get_records(request)?)).await?;
        let read_to = page.records.last().map_or(after, sequence_of);
        let changes = page.records.iter().filter(|record| !changed_nothing(record));
        Ok((changes.map(|record| self.record(record)).collect(), read_to))
    }

    /// The sequence of the newest record; 0 if there never was one.
    pub async fn newest(&self) -> Result<i64, Error> {
        let request = GetShardIteratorRequest {
            stream_arn: dynoxide::streams::stream_arn(&self.table, "any"),
            shard_id: self.shard(),
            shard_iterator_type: "LATEST".to_owned(),
            sequence_number: None,
        };
        let database = self.database.clone();
        let iterator = blocking(move || Ok(database.get_shard_iterator(request)?.shard_iterator)).await?;
        let position = iterator.as_deref().and_then(decode_shard_iterator).map(|(_, _, position)| position);
        Ok(position.unwrap_or_default())
    }

    /// The format is `Record` in the API reference, with the stream's ARN, which Lambda adds.
    fn record(&self, record: &EngineRecord) -> StreamRecord {
        let mut event = serde_json::to_value(record).unwrap_or_default();
        let created = seconds(record.dynamodb.approximate_creation_date_time);
        event["awsRegion"] = json!(REGION);
        event["eventSourceARN"] = json!(self.arn);
        event["dynamodb"]["ApproximateCreationDateTime"] = json!(created);
        let images =
            [Some(&record.dynamodb.keys), record.dynamodb.new_image.as_ref(), record.dynamodb.old_image.as_ref()];
        event["dynamodb"]["SizeBytes"] = json!(images.into_iter().flatten().map(item_size).sum::<usize>());
        let key = event["dynamodb"]["Keys"][&self.partition_key].to_string();
        let length = event.to_string().len();
        StreamRecord { sequence: sequence_of(record), key, created, event, length }
    }
}

fn changed_nothing(record: &EngineRecord) -> bool {
    let images = &record.dynamodb;
    images.old_image.is_some() && images.old_image == images.new_image
}

/// The engine writes sequences in 21 digits, of which the first is always 1.
fn sequence_of(record: &EngineRecord) -> i64 {
    record.dynamodb.sequence_number.get(1..).and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the engine's times are whole seconds")]
fn seconds(time: f64) -> u64 {
    time as u64
}

/// Runs work that waits for the engine's lock on a thread where waiting blocks nothing else.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::io("a read of the stream")(error.into())),
    }
}
