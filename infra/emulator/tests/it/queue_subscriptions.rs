//! Queues and subscriptions to their messages, as a template writes them.

use emulator::template::{Deployment, Error, QueueEvents, Redrive, Stack, Template};

/// Resolves a template with one queue and one function whose event has these properties.
fn resolve(queue: &str, event: &str) -> Result<Stack, Error> {
    let text = format!(
        "
Resources:
  Jobs:
    Type: AWS::SQS::Queue
    Properties: {queue}
  Dead: {{Type: AWS::SQS::Queue}}
  F:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: f}}}}
    Properties:
      Timeout: 29
      Environment: {{Variables: {{QUEUE: !Ref Jobs}}}}
      Events:
        Work:
          Type: SQS
          Properties: {event}
"
    );
    Template::parse(&text)?.resolve(&Deployment::default())
}

#[test]
fn queues_and_subscriptions_have_the_defaults_of_aws() {
    let stack = resolve("{}", "{Queue: !GetAtt Jobs.Arn}").unwrap();
    let queue = &stack.queues[1];
    assert_eq!((queue.name(), &*queue.arn), ("handset-Jobs", "arn:aws:sqs:us-east-1:123456789012:handset-Jobs"));
    assert_eq!((queue.visibility_timeout, queue.retention, queue.delay, queue.wait), (30, 345_600, 0, 0));
    assert_eq!((&queue.redrive, &queue.url), (&None, &stack.functions[0].environment["QUEUE"]));
    assert_eq!(queue.url, "https://sqs.us-east-1.amazonaws.com/123456789012/handset-Jobs");
    let expected = QueueEvents {
        name: "Work".into(),
        queue: queue.arn.clone(),
        batch_size: 10,
        max_concurrency: None,
        reports_failures: false,
    };
    assert_eq!(stack.functions[0].queue_events, [expected]);
    assert!(stack.functions[0].other_events.is_empty());
}

#[test]
fn queues_and_subscriptions_are_read_whole() {
    let queue = "
      VisibilityTimeout: 60
      MessageRetentionPeriod: 1209600
      DelaySeconds: 5
      ReceiveMessageWaitTimeSeconds: 20
      SqsManagedSseEnabled: true
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}";
    let event = "
            Queue: !GetAtt Jobs.Arn
            BatchSize: 4
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 7}";
    let stack = resolve(queue, event).unwrap();
    let (dead, queue) = (&stack.queues[0], &stack.queues[1]);
    assert_eq!((queue.visibility_timeout, queue.retention, queue.delay, queue.wait), (60, 1_209_600, 5, 20));
    assert_eq!(queue.redrive, Some(Redrive { dead_letters: dead.arn.clone(), max_receives: 3 }));
    let events = &stack.functions[0].queue_events[0];
    assert_eq!((events.batch_size, events.max_concurrency, events.reports_failures), (4, Some(7), true));
    assert!(resolve("{}", "{Queue: !GetAtt Jobs.Arn, Enabled: false}").unwrap().functions[0].queue_events.is_empty());
}

#[test]
fn what_aws_refuses_and_what_is_not_supported_is_an_error_with_its_place() {
    let jobs = "{Queue: !GetAtt Jobs.Arn}";
    let dead = "deadLetterTargetArn: 'arn:aws:sqs:us-east-1:123456789012:gone'";
    for (queue, event, words) in [
        ("{VisibilityTimeout: 28}", jobs, "shorter than the function's Timeout"),
        ("{VisibilityTimeout: 43201}", jobs, "within 0 and 43200"),
        ("{FifoQueue: true}", jobs, "FifoQueue is not understood"),
        (&format!("{{RedrivePolicy: {{{dead}, maxReceiveCount: 3}}}}"), jobs, "there is no queue"),
        ("{RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn}}", jobs, "maxReceiveCount is missing"),
        ("{}", "{BatchSize: 1}", "Queue is missing"),
        ("{}", "{Queue: 'arn:aws:sqs:us-east-1:123456789012:gone'}", "there is no queue"),
        ("{}", "{Queue: !GetAtt Jobs.Arn, BatchSize: 11}", "MaximumBatchingWindowInSeconds"),
        ("{}", "{Queue: !GetAtt Jobs.Arn, ScalingConfig: {MaximumConcurrency: 1}}", "within 2 and 1000"),
        ("{}", "{Queue: !GetAtt Jobs.Arn, FilterCriteria: {}}", "FilterCriteria is not understood"),
    ] {
        let error = resolve(queue, event).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
