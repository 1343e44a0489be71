"""wrk, and what it says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Load:
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int  # Not 2xx or 3xx, refused, cut or timed out.


def run(
    url: str, connections: int, seconds: float, script: Path | None = None, headers: Mapping[str, str] | None = None
) -> Load:
    """`script`: wrk's, in Lua, that says what is sent."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "30s"]
    if script is not None:
        command += ["-s", str(script)]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    command.append(url)
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    errors = sum(
        int(number)
        for number in re.findall(r"(?:Non-2xx or 3xx responses: |connect |read |write |timeout )(\d+)", text)
    )
    return Load(
        requests_per_s=float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),  # type: ignore[index]
        p50_ms=_latency(text, "50%"),
        p99_ms=_latency(text, "99%"),
        errors=errors,
    )


def _latency(text: str, percentile: str) -> float:
    found = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", text)
    assert found, text
    return float(found[1]) * _UNITS[found[2]]
