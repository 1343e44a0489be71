"""What runs inside a Python environment: AWS's own runtime client (awslambdaric) over a socket of ours.

Runs on the function's interpreter (3.9 or newer), in a fork of a zygote that has awslambdaric and boto3 loaded. The
loop, the error documents and the log format are awslambdaric's; only its HTTP client is replaced, by frames on
descriptor 3 (their format: engine/frames.py). With a Runtime API address in the first frame, its HTTP client is used.
"""

import os
import socket
import struct
import sys
import time
from fcntl import ioctl
from resource import RUSAGE_THREAD, getrusage
from termios import FIONREAD

LINK_FD = 3
_INT = struct.Struct("i")
_NO_INT = _INT.pack(0)
_HEAD = struct.Struct(">IHBx")  # Payload length, meta length, type.
_INIT, _INVOKE, _READY, _RESPONSE, _ERROR, _INIT_ERROR = 1, 2, 3, 4, 5, 6
NO_SNAPSHOT = "SnapStart.Threads"  # For engine/snapshots.py.
_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")


def _import_client():
    import site

    site.setquit()
    site.setcopyright()
    site.sethelper()
    sys.path.append(sys.argv[1])
    _beside("endpoint").install()
    import awslambdaric.bootstrap
    import awslambdaric.lambda_runtime_client  # noqa: F401


def _beside(name):
    """A module that lies beside this file, under a name that no function's own module has."""
    from importlib import util

    spec = util.spec_from_file_location("freehold_" + name, os.path.join(os.path.dirname(__file__), name + ".py"))
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _import_sdk():
    try:
        import urllib3  # noqa: F401
    except Exception:
        # This interpreter is too old for the runtime's copy; a package may still bring its own.
        _forget_sdk()


def _import_botocore():
    if "urllib3" in sys.modules:
        import botocore.session  # noqa: F401


def _import_boto3():
    if "botocore" in sys.modules:
        import boto3.session  # noqa: F401
        import botocore.client  # noqa: F401


def _warm_sdk():
    if "boto3" in sys.modules:
        _beside("warm_sdk").warm()


PRELOAD = [_import_client, _import_sdk, _import_botocore, _import_boto3, _warm_sdk]


def enter():
    """In a fresh fork: becomes the environment of one function, as the first frame says."""
    if "awslambdaric" not in sys.modules:
        _import_client()
    link = Link(socket.socket(fileno=LINK_FD))
    kind, _, payload = link.read()
    if kind != _INIT:
        sys.exit(1)
    # The standard library's json may be wanted in another form by the function; ours is imported already.
    import json

    start = json.loads(payload)
    runtime_dir = sys.argv[1]
    os.environ.clear()
    os.environ.update(start["env"])
    time.tzset()
    os.chdir(start["cwd"])
    sys.argv[:] = ["bootstrap.py", start["handler"]]
    _set_path(start, runtime_dir)
    if start["bundles_sdk"]:
        _forget_sdk()
    _run(start, link)


def _set_path(start, runtime_dir):
    standard = [entry for entry in sys.path if entry != runtime_dir]
    ours = [entry for entry in start["env"].get("PYTHONPATH", "").split(":") if entry]
    task = start["task_dir"]
    sys.path[:] = [task, *start["layer_paths"], *(entry for entry in ours if entry != task)]
    if runtime_dir not in sys.path:
        sys.path.append(runtime_dir)
    sys.path += standard


def _forget_sdk():
    """The package brings its own boto3: nothing of the runtime's copy may stay loaded."""
    for name in list(sys.modules):
        if name.partition(".")[0] in _SDK:
            del sys.modules[name]


def _run(start, link):
    import importlib

    import awslambdaric.lambda_runtime_client as client
    from awslambdaric import bootstrap, lambda_runtime_marshaller

    # Read from the environment when they were imported, before it was this function's.
    lambda_runtime_marshaller.LambdaMarshaller.__init__(client.BaseLambdaRuntimeClient.marshaller)
    if "AWS_LAMBDA_LOG_FORMAT" in start["env"] or "AWS_LAMBDA_LOG_LEVEL" in start["env"]:
        importlib.reload(bootstrap)
    address = start["env"].get("AWS_LAMBDA_RUNTIME_API")
    if start["transport"] == "http":
        if client.runtime_client is None:
            client.runtime_client = HttpClient(address)
        bootstrap.run(start["handler"], client.LambdaRuntimeClient(address))
        return
    client.runtime_client = link

    class FrameClient(client.LambdaRuntimeClient):
        def post_init_error(self, error_response_data, error_type_override=None):
            link.write(
                _INIT_ERROR,
                (error_type_override or error_response_data["errorType"]).encode(),
                lambda_runtime_marshaller.to_json(error_response_data).encode(),
            )

        def restore_next(self):
            _await_restore(link)

        def report_restore_error(self, restore_error_data):
            self.post_init_error(restore_error_data, "Runtime.AfterRestoreError")

    bootstrap.run(start["handler"], FrameClient(address))


def _await_restore(link):
    """The init is done, once for all environments of the version: returns in each of them, a fork."""
    import gc
    import json

    if len(os.listdir("/proc/self/task")) > 1:
        # A fork has none of them.
        link.write(_INIT_ERROR, NO_SNAPSHOT.encode(), b"")
        os._exit(0)
    sys.stdout.flush()
    sys.stderr.flush()
    gc.collect()
    gc.freeze()
    link.write(_READY, b"", b"")
    wait_for_restore()  # noqa: F821 - the spawner's, for processes that it forks again.
    link.restored()
    kind, _, payload = link.read()
    if kind != _INIT:
        os._exit(1)
    os.environ.update(json.loads(payload)["env"])


class Link:
    """awslambdaric's `runtime_client`, on frames: `next`, `post_invocation_result`, `post_error`."""

    def __init__(self, connection):
        self.connection = connection
        self.output = os.dup(1)  # The function may put something else in its place.
        self.ready = False
        self.began = None

    def restored(self):
        """The descriptors are another environment's now."""
        self.connection.detach()
        self.connection = socket.socket(fileno=LINK_FD)
        os.close(self.output)
        self.output = os.dup(1)

    def next(self):
        if not self.ready:
            self.ready = True
            self.write(_READY, b"", b"")
        _, meta, payload = self.read()
        self.began = getrusage(RUSAGE_THREAD)
        request_id, deadline_ms, arn, trace, client_context, identity, content_type = meta.decode().split("\0")
        return payload, {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": int(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": arn,
            "Lambda-Runtime-Trace-Id": trace or None,
            "Lambda-Runtime-Client-Context": client_context or None,
            "Lambda-Runtime-Cognito-Identity": identity or None,
            "Content-Type": content_type or "application/json",
        }

    def post_invocation_result(self, invoke_id, data, content_type, invocation_id=None):
        meta = "%s\0%s\0%d\0%d" % (invoke_id, content_type, self._worked_us(), self._unread_bytes())
        self.write(_RESPONSE, meta.encode(), data)

    def _worked_us(self):
        """The processor's time since the invocation arrived; -1 when the thread waited for something meanwhile."""
        began, now = self.began, getrusage(RUSAGE_THREAD)
        if now.ru_nvcsw != began.ru_nvcsw:
            return -1
        return int((now.ru_utime + now.ru_stime - began.ru_utime - began.ru_stime) * 1e6)

    def _unread_bytes(self):
        """What lies in the pipe of our output and nobody has read; -1 when it cannot be known."""
        try:
            return _INT.unpack(ioctl(self.output, FIONREAD, _NO_INT))[0]
        except OSError:
            return -1

    def post_error(self, invoke_id, error, xray_fault, invocation_id=None):
        self.write(_ERROR, ("%s\0%s" % (invoke_id, _error_type(error))).encode(), error.encode("utf-8", "replace"))

    def write(self, kind, meta, payload):
        self.connection.sendall(_HEAD.pack(len(payload), len(meta), kind) + meta + payload)

    def read(self):
        data = self.connection.recv(65536)
        while len(data) < 8:
            data += self._more(8 - len(data))
        size, meta_size, kind = _HEAD.unpack_from(data)
        whole = 8 + meta_size + size
        if len(data) < whole:
            parts = [data]
            missing = whole - len(data)
            while missing:
                parts.append(self._more(missing))
                missing -= len(parts[-1])
            data = b"".join(parts)
        return kind, data[8 : 8 + meta_size], data[8 + meta_size :]

    def _more(self, size):
        part = self.connection.recv(size)
        if not part:
            os._exit(0)  # The engine let go of this environment.
        return part


class HttpClient:
    """The same over the documented Runtime API, where awslambdaric's compiled client does not load."""

    def __init__(self, address):
        import http.client

        self.connection = http.client.HTTPConnection(address)

    def next(self):
        _, headers, body = self._call("GET", "next", None, {})
        found = {name: value for name, value in headers.items() if name.startswith("Lambda-Runtime-")}
        found["Lambda-Runtime-Deadline-Ms"] = int(headers["Lambda-Runtime-Deadline-Ms"])
        found["Content-Type"] = headers["Content-Type"]
        return body, found

    def post_invocation_result(self, invoke_id, data, content_type, invocation_id=None):
        self._post(invoke_id + "/response", data, {"Content-Type": content_type})

    def post_error(self, invoke_id, error, xray_fault, invocation_id=None):
        headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": _error_type(error)}
        self._post(invoke_id + "/error", error.encode("utf-8", "replace"), headers)

    def _post(self, path, body, headers):
        status, _, answer = self._call("POST", path, body, headers)
        if status == 413 and path.endswith("/response"):
            return
        if status != 202:
            raise RuntimeError("Failed to post invocation response: %d %s" % (status, answer.decode()))

    def _call(self, method, path, body, headers):
        self.connection.request(method, "/2018-06-01/runtime/invocation/" + path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()


def _error_type(error):
    """The exception's name, out of the error document."""
    import json

    return json.loads(error).get("errorType") or "Runtime.Unknown"


if __name__ == "__main__":
    enter()
