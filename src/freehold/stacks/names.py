"""Physical names of resources that the template does not name, as AWS makes them: stack-LogicalId-RANDOM.

One decision to know: the random part is a digest of the stack's id, the logical id and a generation, not a dice throw.
So an execution that is resumed after a crash finds again what it had begun to make.
"""

from __future__ import annotations

import base64
import hashlib

_SUFFIX = 12
_MIN_PREFIX = 1


def physical_name(stack_name: str, logical_id: str, seed: str, *, limit: int, lower: bool = False) -> str:
    """At most `limit` characters: the stack's name and the logical id are cut, the random part never."""
    suffix = random_part(seed)
    room = limit - len(suffix) - 2
    if len(stack_name) + len(logical_id) > room:
        stack_room = max(room - len(logical_id), room // 2, _MIN_PREFIX)
        stack_name = stack_name[:stack_room].rstrip("-") or "s"
        logical_id = logical_id[: max(room - len(stack_name), _MIN_PREFIX)]
    name = f"{stack_name}-{logical_id}-{suffix}"
    return name.lower() if lower else name


def random_part(seed: str) -> str:
    return base64.b32encode(hashlib.sha256(seed.encode()).digest()).decode()[:_SUFFIX]
