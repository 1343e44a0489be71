"""Leads botocore's requests to AWS's own hosts to AWS_ENDPOINT_URL. What endpoint.cjs does for Node.

boto3 reads that variable itself. Who names another address (a WebSocket API's `https://{domainName}/{stage}`, a library
with the host written in) is recognised by the request: to amazonaws.com, signed with this function's key. Runs on the
function's interpreter, whichever copy of botocore it loads.
"""

import os
import sys
from urllib.parse import unquote, urlsplit

_MODULE = "botocore.httpsession"
_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")


def install():
    sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds nothing itself; the module that it waits for is changed when it has been loaded."""

    def find_spec(self, name, path=None, target=None):
        if name != _MODULE:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                _after_loading(spec.loader)
                return spec
        return None


def _after_loading(loader):
    load = loader.exec_module

    def exec_module(module):
        load(module)
        _lead(module.URLLib3Session)

    loader.exec_module = exec_module


def _lead(session_class):
    send = session_class.send

    def send_there(self, request):
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        if endpoint:
            _redirect(request, endpoint)
        return send(self, request)

    session_class.send = send_there


def _redirect(request, endpoint):
    """The host it was meant for tells which service, API or bucket."""
    meant = urlsplit(request.url)
    if not (meant.hostname or "").endswith(_HOSTS) or not _is_ours(request, meant.query):
        return
    query = "?" + meant.query if meant.query else ""
    request.url = endpoint.rstrip("/") + (meant.path or "/") + query
    request.headers["Host"] = meant.netloc


def _is_ours(request, query):
    """Nobody else's credentials go anywhere but where they were sent."""
    signed = request.headers.get("Authorization") or unquote(query)
    if isinstance(signed, bytes):
        signed = signed.decode("latin-1")
    return f"Credential={os.environ.get('AWS_ACCESS_KEY_ID')}/" in signed
