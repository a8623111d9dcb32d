"""Invocations that do not come from the gateway: new objects in a bucket, changes of a table from its stream, and messages
of queues."""

import base64
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from lambdas import FunctionError

# The template has Lambda's number of retries; here nothing is retried for a whole day.
ATTEMPTS = 3
PAUSE = 0.2


def matches(pattern, value):
    """Whether a value matches an event filter: all fields must match, each one of its alternatives."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(matches(one, value.get(key)) for key, one in pattern.items())
    return any(fits(alternative, value) for alternative in pattern)


def fits(alternative, value):
    if not isinstance(alternative, dict):
        return value == alternative
    ((rule, operand),) = alternative.items()
    if rule == "prefix":
        return isinstance(value, str) and value.startswith(operand)
    if rule == "exists":
        return (value is not None) == operand
    raise ValueError(f"the filter rule {rule} is not known here")


def plain(value):
    """An attribute as JSON: bytes in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, set)):
        return [plain(one) for one in value]
    return value


class Mapping:
    """An event source mapping: batches of a stream's records, in order, to one function."""

    def __init__(self, stack, properties, invoke):
        self.function = stack.binaries[stack.function_in(properties["FunctionName"])]
        self.batch_size = properties["BatchSize"]
        self.filters = [json.loads(one["Pattern"]) for one in properties["FilterCriteria"]["Filters"]]
        self.invoke = invoke
        self.arn = stack.client("dynamodb").describe_table(TableName=stack.table)["Table"]["LatestStreamArn"]
        self.streams = stack.client("dynamodbstreams")
        (shard,) = self.streams.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]
        self.shard = {"StreamArn": self.arn, "ShardId": shard["ShardId"]}
        self.place = {"ShardIteratorType": "TRIM_HORIZON"}
        self.seen = 0

    def follow(self):
        """Handles the new records."""
        # A new iterator every time: moto's refers to the old table, which a failed transaction has replaced.
        iterator = self.streams.get_shard_iterator(**self.shard, **self.place)["ShardIterator"]
        records = [self.record(one) for one in self.streams.get_records(ShardIterator=iterator, Limit=1000)["Records"]]
        if records:
            last = records[-1]["dynamodb"]["SequenceNumber"]
            self.place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": last}
        wanted = [one for one in records if any(matches(pattern, one) for pattern in self.filters)]
        for start in range(0, len(wanted), self.batch_size):
            self.hand(wanted[start : start + self.batch_size])
        self.seen += len(records)

    def record(self, one):
        """A record in the format of Lambda."""
        told = plain(dict(one["dynamodb"]))
        told["ApproximateCreationDateTime"] = told["ApproximateCreationDateTime"].timestamp()
        source = {"eventSourceARN": self.arn, "eventSource": "aws:dynamodb", "awsRegion": one["awsRegion"]}
        return source | {key: one[key] for key in ("eventID", "eventName", "eventVersion")} | {"dynamodb": told}

    def hand(self, batch):
        """Invokes the function, and again from the first record that failed."""
        for attempt in range(ATTEMPTS):
            try:
                answer = json.loads(self.invoke(self.function, json.dumps({"Records": batch}).encode()))
            except FunctionError as error:
                problem = error
            else:
                failed = [one["itemIdentifier"] for one in (answer or {}).get("batchItemFailures", [])]
                if not failed:
                    return
                first = next(i for i, one in enumerate(batch) if one["dynamodb"]["SequenceNumber"] == failed[0])
                batch, problem = batch[first:], f"could not do {failed}"
            time.sleep(PAUSE * (attempt + 1))
        print(f"{self.function}: given up: {problem}", flush=True)


class QueueMapping:
    """An event source mapping: messages of a queue, to one function."""

    def __init__(self, stack, properties, invoke):
        self.function = stack.binaries[stack.function_in(properties["FunctionName"])]
        self.batch_size = properties["BatchSize"]
        self.invoke = invoke
        self.url = stack.queue_url(properties["EventSourceArn"])
        self.queues = stack.client("sqs")

    def follow(self):
        """Handles the next messages; returns whether there were any."""
        batch = self.queues.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=self.batch_size, AttributeNames=["All"], WaitTimeSeconds=0
        ).get("Messages", [])
        if not batch:
            return False
        try:
            answer = json.loads(self.invoke(self.function, json.dumps({"Records": list(map(self.record, batch))}).encode()))
        except FunctionError as error:
            print(f"{self.function}: {error}", flush=True)
            failed = {one["MessageId"] for one in batch}
        else:
            failed = {one["itemIdentifier"] for one in (answer or {}).get("batchItemFailures", [])}
        for one in batch:
            receipt = {"QueueUrl": self.url, "ReceiptHandle": one["ReceiptHandle"]}
            if one["MessageId"] in failed:
                # As soon as moto can, because the queue's own time is long.
                self.queues.change_message_visibility(**receipt, VisibilityTimeout=1)
            else:
                self.queues.delete_message(**receipt)
        return True

    def record(self, one):
        """A message in the format of Lambda."""
        return {
            "messageId": one["MessageId"],
            "receiptHandle": one["ReceiptHandle"],
            "body": one["Body"],
            "attributes": one["Attributes"],
            "messageAttributes": {},
            "md5OfBody": one["MD5OfBody"],
            "eventSource": "aws:sqs",
            "awsRegion": "us-east-1",
        }

    def is_empty(self):
        """Whether no message waits or is in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.queues.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return all(int(count) == 0 for count in counts.values())


class Events:
    """The events of one stack."""

    def __init__(self, stack, invoke, stream_length):
        """`stream_length` returns the number of records in the stream, so it is not read when there is nothing new."""
        self.invoke = invoke
        self.stream_length = stream_length
        of_queues = [one for one in stack.mappings if "FilterCriteria" not in one]
        self.mappings = [Mapping(stack, one, invoke) for one in stack.mappings if one not in of_queues]
        self.queues = [QueueMapping(stack, one, invoke) for one in of_queues]
        self.workers = ThreadPoolExecutor(max_workers=2)
        self.under_way = 0
        self.lock = threading.Lock()
        self.stopped = False
        for mapping in self.mappings:
            threading.Thread(target=self._follow, args=[mapping], daemon=True).start()
        for queue in self.queues:
            threading.Thread(target=self._follow_queue, args=[queue], daemon=True).start()

    def _follow_queue(self, queue):
        while not self.stopped:
            if not queue.follow():
                time.sleep(0.05)

    def _follow(self, mapping):
        while not self.stopped:
            if mapping.seen < self.stream_length():
                mapping.follow()
            time.sleep(0.05)

    def object_created(self, function, event):
        """Passes a new object to a function, after the request that created it."""
        with self.lock:
            self.under_way += 1
        self.workers.submit(self._object_created, function, json.dumps(event).encode())

    def _object_created(self, function, event):
        try:
            for attempt in range(ATTEMPTS):
                try:
                    self.invoke(function, event)
                    return
                except FunctionError as error:
                    print(f"{function}: {error}", flush=True)
                    time.sleep(PAUSE * (attempt + 1))
        finally:
            with self.lock:
                self.under_way -= 1

    def settle(self, seconds):
        """Waits until no event is in progress, including events caused by other events."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            length = self.stream_length()
            done = all(mapping.seen >= length for mapping in self.mappings)
            done = done and all(queue.is_empty() for queue in self.queues)
            if self.under_way == 0 and done and length == self.stream_length():
                return True
            time.sleep(0.01)
        return False

    def stop(self):
        self.stopped = True
        self.workers.shutdown(wait=False, cancel_futures=True)
