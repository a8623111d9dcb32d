"""The third-party engines: moto in place of AWS, and the built binaries under Amazon's emulator in place of Lambda.

A small HTTP service with which tests create their own stacks and invoke their functions:

    POST   /stacks                    {"parameters": {…}}: a new stack; its name, table, bucket, topic
    POST   /stacks/NAME/BINARY        send an event: the function's result, or 502
    GET    /stacks/NAME/settled       responds when no event is in progress
    GET    /stacks/NAME/texts         SMS texts, newest first
    GET    /stacks/NAME/told          messages of the stack's topic and pushes, oldest first
    DELETE /stacks/NAME               stops its functions
"""

import copy
import http.server
import json
import os
import threading
import time
from pathlib import Path
from urllib.parse import quote_plus, unquote_plus

import moto.s3.notifications
import werkzeug.serving
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.dynamodbstreams.models import dynamodbstreams_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sns.models import sns_backends

from events import Events
from lambdas import Function, FunctionError
from stacks import ACCOUNT, REGION, Stack


# Stream iterators that may be in use at the same time.
KEPT = 20


class OneByOne:
    """moto handles one request at a time, because simultaneous transactions are not isolated from each other."""

    def __init__(self, app):
        self.app = app
        self.turn = threading.Lock()

    def __call__(self, environ, start_response):
        with self.turn:
            # moto keeps every iterator that it has returned.
            given = dynamodbstreams_backends[ACCOUNT][REGION].shard_iterators
            for old in list(given)[:-KEPT]:
                del given[old]
            return [b"".join(self.app(environ, start_response))]


def lighten_transactions():
    """Makes moto back up only the items that a transaction names, in case it fails.

    Without this it copies the whole table for each item, which takes longer than the functions' time-outs.
    """
    whole = DynamoDBBackend.transact_write_items

    def transact_write_items(self, transact_items):
        before, lengths = [], {}
        for one in transact_items:
            ((_, operation),) = one.items()
            if table := self.tables.get(operation.get("TableName")):
                keys = self.get_keys_value(table, operation.get("Key") or operation["Item"])
                before.append((table, keys, copy.deepcopy(table.get_item(*keys))))
                lengths[table] = len(table.stream_shard.items)
        try:
            whole(self, transact_items)
        except Exception:
            for table, (first, second), item in before:
                if item:
                    table.items[first][second] = item
                else:
                    table.items.get(first, {}).pop(second, None)
            for table, length in lengths.items():
                del table.stream_shard.items[length:]
            raise

    DynamoDBBackend.transact_write_items = transact_write_items
    Table.__deepcopy__ = lambda self, memo: self


class Quiet(werkzeug.serving.WSGIRequestHandler):
    """Does not log each request."""

    def log_request(self, *_args):
        pass


def start_moto():
    """Serves moto on a free port of the loopback interface; returns its URL."""
    lighten_transactions()
    app = OneByOne(DomainDispatcherApplication(create_backend_app))
    server = werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class Deployed:
    """A stack with running functions."""

    def __init__(self, stack, binaries, logs):
        self.stack = stack
        self.functions = {
            binary: Function(binaries / binary, environment, open(logs / f"{stack.name}-{binary}.log", "wb"))
            for binary, environment in stack.environments.items()
        }
        self.texts_before = len(texts())
        self.events = Events(stack, self.invoke, self._stream_length)

    def _stream_length(self):
        table = dynamodb_backends[ACCOUNT][REGION].tables.get(self.stack.table)
        return len(table.stream_shard.items) if table else 0

    def invoke(self, binary, payload):
        return self.functions[binary].invoke(payload)

    def told(self):
        """The published messages, from moto's own records."""
        backend = sns_backends[ACCOUNT][REGION]
        topic = [
            [message, {key: value["Value"] for key, value in (attributes or {}).items()}]
            for _id, message, _subject, attributes, _group in backend.topics[self.stack.topic].sent_notifications
        ]
        pushes = [
            [endpoint.token, payload]
            for endpoint in backend.platform_endpoints.values()
            if endpoint.application.arn in self.stack.platforms
            for payload in endpoint.messages.values()
        ]
        return {"topic": topic, "pushes": pushes}

    def stop(self):
        self.events.stop()
        for function in self.functions.values():
            function.stop()
        # Unused stacks take memory.
        tables = self.stack.client("dynamodb")
        tables.update_table(TableName=self.stack.table, DeletionProtectionEnabled=False)
        tables.delete_table(TableName=self.stack.table)


def texts():
    return list(sns_backends[ACCOUNT][REGION].sms_messages.values())


class Server(http.server.ThreadingHTTPServer):
    """Accepts hundreds of simultaneous connections; by default five can wait and the others are refused."""

    request_queue_size = 1024
    daemon_threads = True


class Engine:
    """All stacks."""

    def __init__(self, binaries, logs):
        os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION)
        logs.mkdir(parents=True, exist_ok=True)
        self.binaries, self.logs = Path(binaries), logs
        self.moto = start_moto()
        self.deployed = {}
        self.made = 0
        self.lock = threading.Lock()
        # moto would start a container here.
        moto.s3.notifications._invoke_awslambda = self._object_created

    def deploy(self, parameters):
        with self.lock:
            self.made += 1
            name = f"handset-{self.made}"
            one = Deployed(Stack(name, self.moto, parameters), self.binaries, self.logs)
            self.deployed[name] = one
        stack = one.stack
        return {
            "name": name,
            "aws": self.moto,
            "table": stack.table,
            "bucket": stack.bucket,
            "topic": stack.topic,
            "environments": stack.environments,
        }

    def _object_created(self, _account, event, arn, _region):
        for record in event["Records"]:
            # moto encodes slashes; S3 does not.
            told = record["s3"]["object"]
            told["key"] = quote_plus(unquote_plus(told["key"]), safe="/")
        for one in list(self.deployed.values()):
            if binary := one.stack.function_of(arn):
                one.events.object_created(binary, event)

    def stop(self, name=None):
        with self.lock:
            gone = [name] if name else list(self.deployed)
            stopped = [self.deployed.pop(one) for one in gone if one in self.deployed]
        for one in stopped:
            one.stop()

    def serve(self):
        """Serves tests on a free port of the loopback interface; returns its URL."""
        engine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                try:
                    status, body = route(engine, self.command, self.path, self.rfile.read(length))
                except Exception as error:  # said to the test, which fails by it
                    status, body = 500, repr(error).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_args):
                pass

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"


def route(engine, method, path, body):
    """The response to one request: status and body."""
    parts = path.strip("/").split("/")[1:]
    if method == "POST" and not parts:
        return 200, json.dumps(engine.deploy(json.loads(body)["parameters"])).encode()
    one = engine.deployed[parts[0]]
    if method == "DELETE":
        engine.stop(parts[0])
        return 200, b"{}"
    if method == "POST":
        try:
            return 200, one.invoke(parts[1], body)
        except FunctionError as error:
            return 502, str(error).encode()
    if parts[1] == "settled":
        return (200 if one.events.settle(60) else 504), b"{}"
    if parts[1] == "told":
        return 200, json.dumps(one.told()).encode()
    sent = texts()[one.texts_before :]
    now = int(time.time() * 1000)
    return 200, json.dumps([{"phone": phone, "body": text, "sent_at": now} for phone, text in reversed(sent)]).encode()
