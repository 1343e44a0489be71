"""One resource made, changed or deleted: its name filled in, references resolved, failures put into AWS's words."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.dynamic_references import resolve_references
from freehold.stacks.names import physical_name
from freehold.stacks.record import Stacks
from freehold.stacks.resources import Created, Place, PlacedType, ResourceType, find_type

_log = logging.getLogger(__name__)

_HANDLER_CODES = (
    (
        ("AlreadyExists", "ResourceConflict", "BucketAlreadyOwnedByYou", "ResourceInUse", "EntityExists"),
        "AlreadyExists",
    ),
    (("NotFound", "NoSuch", "DoesNotExist"), "NotFound"),
    (("AccessDenied", "Unauthorized"), "AccessDenied"),
    (("Throttling", "TooManyRequests"), "Throttling"),
    (("LimitExceeded", "ServiceQuota"), "ServiceLimitExceeded"),
    (("NotStabilized",), "NotStabilized"),
    (("Invalid", "Validation", "BadRequest", "Malformed"), "InvalidRequest"),
)
_GONE = ("NotFound", "NoSuch", "NonExistent", "DoesNotExist")


class ResourceFailed(Exception):
    """The resource could not be made, changed or deleted; `str()` is the event's ResourceStatusReason."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Acts on the resources of one stack. Documents are those of `documents.RESOURCE`."""

    stacks: Stacks
    aws: Aws
    stack: Json

    async def create(self, document: Json) -> Created:
        """Raises ResourceFailed."""
        found = _type(document)
        try:
            properties = await self._ready(found, document)
            if isinstance(found, PlacedType):
                return await found.create(self._place(document), properties)
            return await found.create(self.aws, properties)
        except Exception as error:  # A mistake of ours must end as a failed resource, not as a stack that hangs.
            raise ResourceFailed(reason_of(error, self.stacks.ids.uuid())) from error

    async def update(self, document: Json, previous: Json) -> Created:
        """`previous` are the properties it has now. Raises ResourceFailed."""
        found = _type(document)
        physical_id = document["PhysicalResourceId"]
        try:
            properties = await self._ready(found, document)
            before = self._named(found, document, previous)
            if isinstance(found, PlacedType):
                return await found.update(self._place(document), physical_id, properties, before)
            assert found.update is not None
            return await found.update(self.aws, physical_id, properties, before)
        except Exception as error:  # As in `create`.
            raise ResourceFailed(reason_of(error, self.stacks.ids.uuid())) from error

    async def delete(self, document: Json) -> None:
        """What is not there any more counts as deleted. Raises ResourceFailed."""
        found = _type(document)
        try:
            properties = self._named(found, document, document["properties"])
            if isinstance(found, PlacedType):
                await found.delete(self._place(document), document["PhysicalResourceId"], properties)
            else:
                await found.delete(self.aws, document["PhysicalResourceId"], properties)
        except AwsError as error:
            if not any(word in error.code for word in _GONE):
                raise ResourceFailed(reason_of(error, self.stacks.ids.uuid())) from error
        except Exception as error:  # As in `create`.
            raise ResourceFailed(reason_of(error, self.stacks.ids.uuid())) from error

    async def _ready(self, found: ResourceType | PlacedType, document: Json) -> Json:
        resolved: Json = await resolve_references(document["properties"], self.aws)
        return self._named(found, document, resolved)

    def _named(self, found: ResourceType | PlacedType, document: Json, properties: Json) -> Json:
        """With the physical name, where the template gives none."""
        name = found.name
        if name is None or name.property in properties:
            return properties
        logical_id = document["LogicalResourceId"]
        seed = f"{self.stack['StackId']}/{logical_id}/{document.get('generation', 0)}"
        made = physical_name(self.stack["StackName"], logical_id, seed, limit=name.limit, lower=name.lower)
        if name.letters_only:
            made = "".join(filter(str.isalnum, made))
        return {**properties, name.property: made}

    def _place(self, document: Json) -> Place:
        return Place(
            aws=self.aws,
            stack_id=self.stack["StackId"],
            stack_name=self.stack["StackName"],
            logical_id=document["LogicalResourceId"],
            type=document["ResourceType"],
            request_id=self.stacks.ids.uuid(),
            root_id=self.stack.get("RootId") or self.stack["StackId"],
            tags=tuple((tag["Key"], tag["Value"]) for tag in self.stack.get("Tags", [])),
        )


def reason_of(error: Exception, token: str) -> str:
    """The reason of a failure, as a resource's event tells it."""
    if not isinstance(error, AwsError):
        _log.error("A resource type failed unexpectedly", exc_info=error)
        return f"Internal Failure: {type(error).__name__}: {error}"
    if error.code in ("ValidationError", "UnknownOperationException", "CustomResourceFailed"):
        return error.message
    code = next(
        (name for words, name in _HANDLER_CODES if any(w in error.code for w in words)), "GeneralServiceException"
    )
    return f'Resource handler returned message: "{error.message}" (RequestToken: {token}, HandlerErrorCode: {code})'


def _type(document: Json) -> ResourceType | PlacedType:
    found = find_type(document["ResourceType"])
    if found is None:
        raise ResourceFailed(f"Freehold does not support {document['ResourceType']} any more")
    return found
