"""Runs functions as Lambda does: each instance is a process under Amazon's emulator, with one event at a time."""

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

# The most instances of a function in a stack; further events wait.
CONCURRENCY = 4


class FunctionError(Exception):
    """Lambda's function error: the function failed, or its process ended."""


def free_ports(count):
    """Free ports, all reserved until all of them are known."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Instance:
    """The emulator with a `bootstrap` process below it."""

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
        # Only PATH comes from this process's environment, as in a sandbox.
        environment = environment | {"PATH": os.environ["PATH"]}
        # A separate session, so that the emulator and its child process end together.
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
    """The emulator returns a function error with status 200, and with Lambda's description as the body."""
    try:
        answer = json.loads(answer)
    except ValueError:
        return True
    return isinstance(answer, dict) and "errorType" in answer and "errorMessage" in answer


class Function:
    """A function of a stack: instances are started when they are needed, and kept."""

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
                # Under the lock, so that no instance is started after all were stopped.
                with self.lock:
                    if self.stopped:
                        raise FunctionError("the stack is gone")
                    instance = Instance(self.binary, self.environment, self.log)
                    self.all.append(instance)
            try:
                answer = instance.invoke(payload, int(self.environment["AWS_LAMBDA_FUNCTION_TIMEOUT"]))
            except FunctionError:
                # After an error that may have ended the process, Lambda starts a new sandbox.
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
