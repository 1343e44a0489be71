"""Runs a JavaScript or TypeScript file with node and takes what it exports, as JSON.

evaluate.cjs runs inside of node. The two talk in lines of JSON: the script may ask back (a function that a
serverless.yml names may call `resolveVariable`), its last line is the answer.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from freehold.aws.call import Json

_PROGRAM = Path(__file__).with_name("evaluate.cjs")
_LONGEST_LINE_BYTES = 64 * 1024 * 1024


class NodeError(Exception):
    """Its text is what went wrong, in one line."""


async def evaluate(
    file: Path,
    keys: list[str],
    options: Json,
    environ: Mapping[str, str],
    answer: Callable[[Json], Awaitable[Any]] | None = None,
) -> Any:
    """The export of `file`, followed along `keys`; functions on the way are called. None when nothing is there."""
    program = shutil.which("node", path=environ.get("PATH")) or shutil.which("node")
    if program is None:
        raise NodeError("node is not installed, and this file needs it")
    process = await asyncio.create_subprocess_exec(
        program,
        "--no-warnings",
        str(_PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=file.parent,
        env={**environ, "NODE_NO_WARNINGS": "1"},
        limit=_LONGEST_LINE_BYTES,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        _send(process.stdin, {"file": str(file), "keys": keys, "options": options})
        async for line in process.stdout:
            if not line.startswith(b"\0"):
                continue  # The file's own output.
            message: Json = json.loads(line[1:])
            if "value" in message:
                return message["value"]
            if "error" in message:
                raise NodeError(" ".join(str(message["error"]).split()))
            assert answer is not None
            _send(process.stdin, {"id": message["id"], "value": await answer(message)})
        problem = (await process.stderr.read()).decode("utf-8", "replace").strip()
        raise NodeError(problem.splitlines()[-1] if problem else "node ended without an answer")
    finally:
        process.stdin.close()
        if process.returncode is None:
            process.kill()
        await process.wait()


def _send(stdin: asyncio.StreamWriter, message: Json) -> None:
    stdin.write(json.dumps(message).encode() + b"\n")
