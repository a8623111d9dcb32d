"""Functions as Lambda runs them: each instance a process under Amazon's runtime interface emulator, one event at a time."""

import http.client
import json
import os
import platform
import socket
import subprocess
import threading
import time
from pathlib import Path

import samcli

ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
EMULATOR = Path(samcli.__file__).parent / "local" / "rapid" / f"aws-lambda-rie-{ARCHITECTURE}"
INVOKE = "/2015-03-31/functions/function/invocations"

# Instances of one function of one stack at the same time; whoever comes then waits.
CONCURRENCY = 4


class FunctionError(Exception):
    """What Lambda calls a function error: the function failed, or its process ended."""


def free_ports(count):
    """Ports that nobody listens on, all reserved until all are known."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Instance:
    """The emulator with one `bootstrap` below it."""

    def __init__(self, binary, environment, log):
        self.port, runtime_api = free_ports(2)
        command = [
            EMULATOR,
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{self.port}",
            "--runtime-api-address",
            f"127.0.0.1:{runtime_api}",
            binary,
        ]
        # Nothing of this process's environment but the path, as in a sandbox.
        environment = environment | {"PATH": os.environ["PATH"]}
        # A session of its own, so that the emulator and what it started end together.
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        self._await_port()

    def _await_port(self):
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise FunctionError("the emulator does not listen")

    def invoke(self, payload, timeout):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout + 5)
        try:
            connection.request("POST", INVOKE, payload, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        except OSError as error:
            raise FunctionError(str(error)) from error
        finally:
            connection.close()
        if response.status != 200 or is_error(answer):
            raise FunctionError(f"{response.status} {answer[:500]!r}")
        return answer

    def stop(self):
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait()


def is_error(answer):
    """The emulator answers a function error with 200, and Lambda's description of it as the body."""
    try:
        answer = json.loads(answer)
    except ValueError:
        return True
    return isinstance(answer, dict) and "errorType" in answer and "errorMessage" in answer


class Function:
    """One function of a stack: instances are started as they are needed, and kept."""

    def __init__(self, binary, environment, log):
        self.binary, self.environment, self.log = binary, environment, log
        self.free, self.all = [], []
        self.stopped = False
        self.lock = threading.Lock()
        self.places = threading.Semaphore(CONCURRENCY)

    def invoke(self, payload):
        with self.places:
            with self.lock:
                instance = self.free.pop() if self.free else None
            if instance is None:
                # Under the lock, so that none is started after the last was stopped.
                with self.lock:
                    if self.stopped:
                        raise FunctionError("the stack is gone")
                    instance = Instance(self.binary, self.environment, self.log)
                    self.all.append(instance)
            try:
                answer = instance.invoke(payload, int(self.environment["AWS_LAMBDA_FUNCTION_TIMEOUT"]))
            except FunctionError:
                # Lambda starts a new sandbox after what may have ended this one.
                with self.lock:
                    if instance in self.all:
                        self.all.remove(instance)
                instance.stop()
                raise
            with self.lock:
                self.free.append(instance)
            return answer

    def stop(self):
        with self.lock:
            self.stopped = True
            instances, self.all, self.free = self.all, [], []
        for instance in instances:
            instance.stop()
