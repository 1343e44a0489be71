"""Warm GET through an HTTP API to a Python function: latency at 1 connection, throughput at 64, beside the others.

.venv/bin/python -m benches.http_api [--seconds 5] [--rounds 3] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import statistics
import sys

from benches import load
from benches.systems import BareUvicorn, FreeholdDev, FreeholdServe, Ministack, ServerlessOffline, System

SYSTEMS: list[type[System]] = [BareUvicorn, FreeholdServe, FreeholdDev, ServerlessOffline, Ministack]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3, help="the systems take turns this often; medians are shown")
    parser.add_argument("--only", nargs="+", default=[])
    options = parser.parse_args()
    wanted = [kind for kind in SYSTEMS if not options.only or any(word in kind.name for word in options.only)]
    running: list[System] = []
    try:
        for kind in wanted:
            system = kind()
            running.append(system)
            print(f"{system.name}: first 200 after {system.start():.2f} s", flush=True)
        results = _measure(running, options.rounds, options.seconds)
    finally:
        for system in running:
            system.stop()
    _show(results)
    return 0


def _measure(systems: list[System], rounds: int, seconds: float) -> dict[str, tuple[float, float, float, int]]:
    one: dict[str, list[load.Load]] = {system.name: [] for system in systems}
    many: dict[str, list[load.Load]] = {system.name: [] for system in systems}
    for system in systems:
        load.run(system.url, 64, 2)
    for _ in range(rounds):
        for system in systems:
            one[system.name].append(load.run(system.url, 1, seconds))
            many[system.name].append(load.run(system.url, 64, seconds))
    return {
        name: (
            statistics.median(result.p50_ms for result in one[name]),
            statistics.median(result.requests_per_s for result in many[name]),
            statistics.median(result.p99_ms for result in many[name]),
            sum(result.errors for result in one[name] + many[name]),
        )
        for name in one
    }


def _show(results: dict[str, tuple[float, float, float, int]]) -> None:
    bare = results.get(BareUvicorn.name)
    print(f"{'':20} {'p50 c=1':>10} {'over bare':>10} {'req/s c=64':>11} {'of bare':>8} {'p99 c=64':>10} {'errors':>7}")
    for name, (p50, rate, p99, errors) in results.items():
        over = f"{p50 - bare[0]:+.2f} ms" if bare else "-"
        ratio = f"{rate / bare[1]:.3f}" if bare else "-"
        print(f"{name:20} {p50:>7.2f} ms {over:>10} {rate:>11.0f} {ratio:>8} {p99:>7.1f} ms {errors:>7}")


if __name__ == "__main__":
    sys.exit(main())
