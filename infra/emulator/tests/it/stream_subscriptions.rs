//! Subscriptions to a table's stream, and the resources they need.

use emulator::template::{Deployment, Error, Stack, TableChanged, Template};
use serde_json::json;

/// Resolves a template with one function whose event has these properties.
fn resolve(event: &str, table: &str) -> Result<Stack, Error> {
    let text = format!(
        "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {table}
  Letters: {{Type: AWS::SQS::Queue}}
  News: {{Type: AWS::SNS::Topic, Properties: {{TopicName: news}}}}
  F:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: f}}}}
    Properties:
      Events:
        Changes:
          Type: DynamoDB
          Properties: {event}
"
    );
    Template::parse(&text)?.resolve(&Deployment::default())
}

const STREAM: &str = "{StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}}";

#[test]
fn a_subscription_has_lambda_s_defaults() {
    let stack = resolve("{Stream: !GetAtt Table.StreamArn, StartingPosition: LATEST}", STREAM).unwrap();
    let expected = TableChanged {
        name: "Changes".into(),
        table: "handset-Table".into(),
        from_start: false,
        batch_size: 100,
        parallelization_factor: 1,
        filters: Vec::new(),
        retries: None,
        record_age: None,
        bisects: false,
        reports_failures: false,
        dead_letters: None,
    };
    assert_eq!(stack.functions[0].table_changed, [expected]);
    assert!(stack.functions[0].other_events.is_empty());
}

#[test]
fn a_subscription_is_read_whole() {
    let event = r#"
            Stream: !GetAtt Table.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 25
            MaximumBatchingWindowInSeconds: 1
            ParallelizationFactor: 4
            MaximumRetryAttempts: 5
            MaximumRecordAgeInSeconds: 3600
            BisectBatchOnFunctionError: true
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Letters.Arn}}
            FilterCriteria:
              Filters:
                - Pattern: '{"dynamodb":{"Keys":{"sk":{"S":["head"]}}}}'
"#;
    let stack = resolve(event, STREAM).unwrap();
    let changed = &stack.functions[0].table_changed[0];
    assert_eq!((changed.batch_size, changed.parallelization_factor, changed.from_start), (25, 4, true));
    assert_eq!((changed.retries, changed.record_age), (Some(5), Some(3_600)));
    assert!(changed.bisects && changed.reports_failures);
    assert_eq!(changed.filters, [json!({"dynamodb": {"Keys": {"sk": {"S": ["head"]}}}})]);
    assert_eq!(changed.dead_letters.as_deref(), Some("arn:aws:sqs:us-east-1:123456789012:handset-Letters"));
    assert_eq!(stack.queues[0].arn, changed.dead_letters.clone().unwrap());
    assert_eq!(stack.topics[0].arn, "arn:aws:sns:us-east-1:123456789012:news");
}

#[test]
fn what_lambda_takes_as_endless_or_off_is_taken() {
    let endless = "{Stream: !GetAtt Table.StreamArn, StartingPosition: LATEST, MaximumRetryAttempts: -1, \
                   MaximumRecordAgeInSeconds: -1, FunctionResponseTypes: []}";
    let changed = resolve(endless, STREAM).unwrap().functions.remove(0).table_changed;
    assert_eq!((changed[0].retries, changed[0].record_age, changed[0].reports_failures), (None, None, false));
    let off = "{Stream: !GetAtt Table.StreamArn, StartingPosition: LATEST, Enabled: false}";
    assert!(resolve(off, STREAM).unwrap().functions[0].table_changed.is_empty());
}

#[test]
fn a_subscription_that_lambda_would_refuse_is_an_error_with_its_place() {
    let with = |more: &str| format!("{{Stream: !GetAtt Table.StreamArn, StartingPosition: LATEST{more}}}");
    for (event, table, words) in [
        ("{StartingPosition: LATEST}".to_owned(), STREAM, "Stream is missing"),
        ("{Stream: !GetAtt Table.StreamArn}".to_owned(), STREAM, "StartingPosition"),
        ("{Stream: !GetAtt Table.Arn, StartingPosition: LATEST}".to_owned(), STREAM, "not the stream"),
        ("{Stream: 'arn:x:table/t/stream/1', StartingPosition: LATEST}".to_owned(), STREAM, "no table t"),
        (with(""), "{BillingMode: PAY_PER_REQUEST}", "StreamSpecification"),
        (with(", BatchSize: 0"), STREAM, "within 1 and 10000"),
        (with(", MaximumRecordAgeInSeconds: 59"), STREAM, "within 60"),
        (with(", ParallelizationFactor: 11"), STREAM, "within 1 and 10"),
        (with(", TumblingWindowInSeconds: 1"), STREAM, "TumblingWindowInSeconds"),
        (with(", FunctionResponseTypes: [All]"), STREAM, "ReportBatchItemFailures"),
        (with(", FilterCriteria: {Filters: [{Pattern: '{'}]}"), STREAM, "not JSON"),
        (with(", DestinationConfig: {OnFailure: {Destination: !GetAtt Letters.Arn}}"), STREAM, "Type"),
    ] {
        let error = resolve(&event, table).unwrap_err();
        assert!(error.to_string().contains(words), "{event}: {error}");
        assert!(error.place().starts_with("Resources.F.Properties.Events.Changes"), "{event}: {error}");
    }
}
