"""What an operation may be asked is read by its module, or stands here with the reason.

A new botocore with a new member fails this test until somebody has decided what it means.
"""

from __future__ import annotations

import inspect

import botocore.session
import pytest

from freehold.services.apigateway import OPERATIONS

_PAGED = {"limit", "position"}  # Read by `page`.
_DECIDED = {
    # A key's id is never its value here.
    ("CreateApiKey", "generateDistinctId"),
    # An import that warns of nothing has nothing to fail on: what is not understood is refused.
    ("ImportRestApi", "failOnWarnings"),
    ("PutRestApi", "failOnWarnings"),
    ("ImportDocumentationParts", "failOnWarnings"),
    # API Reference, "GetTags": "(Not currently supported)".
    ("GetTags", "limit"),
    ("GetTags", "position"),
}


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_member_of_a_request_is_read(operation: str) -> None:
    shape = botocore.session.get_session().get_service_model("apigateway").operation_model(operation).input_shape
    module = inspect.getmodule(OPERATIONS[operation])
    assert module is not None
    source = inspect.getsource(module)
    unread = {member for member in (shape.members if shape else ()) if f'"{member}"' not in source}
    if "page(" in source:
        unread -= _PAGED
    assert unread == {member for name, member in _DECIDED if name == operation}
