"""Provisioned concurrency of a version or an alias: a resource with it is made when the environments are up."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.wait import until


async def provision(aws: Aws, target: Json, config: Json) -> None:
    """`target` has FunctionName and Qualifier. Raises AwsError when an init fails: then the stack does too."""
    await aws("lambda", "PutProvisionedConcurrencyConfig", {**target, **config})

    async def has_ended() -> bool:
        found = await aws("lambda", "GetProvisionedConcurrencyConfig", target)
        if found["Status"] == "FAILED":
            raise AwsError(
                "NotStabilized",
                f"Provisioned Concurrency configuration failed to be applied. Reason: {found['StatusReason']}",
            )
        return bool(found["Status"] == "READY")

    await until(has_ended)
