"""Policies on roles, users and groups: the operations are alike, only their names differ."""

from __future__ import annotations

from freehold.aws.call import Aws, Json

# Property -> (member of the request, word in the operation's name).
_HOLDERS = {"Roles": ("RoleName", "Role"), "Users": ("UserName", "User"), "Groups": ("GroupName", "Group")}


async def put_inline(aws: Aws, name: str, document: str, properties: Json, previous: Json) -> None:
    """The inline policy `name` on each holder that the properties list, and off those they list no more."""
    for holders, (member, word) in _HOLDERS.items():
        new, old = properties.get(holders) or [], previous.get(holders) or []
        for holder in new:
            request = {member: holder, "PolicyName": name, "PolicyDocument": document}
            await aws("iam", f"Put{word}Policy", request)
        for holder in old:
            if holder not in new:
                await aws("iam", f"Delete{word}Policy", {member: holder, "PolicyName": name})


async def attach(aws: Aws, arn: str, properties: Json, previous: Json) -> None:
    """The managed policy `arn`, likewise."""
    for holders, (member, word) in _HOLDERS.items():
        new, old = properties.get(holders) or [], previous.get(holders) or []
        for holder in new:
            if holder not in old:
                await aws("iam", f"Attach{word}Policy", {member: holder, "PolicyArn": arn})
        for holder in old:
            if holder not in new:
                await aws("iam", f"Detach{word}Policy", {member: holder, "PolicyArn": arn})
