"""What Lambda's Python runtimes supply to functions, as a directory of links to our own installed packages.

One decision to know: only these few are visible to a function, never the rest of the server's environment, and the
function's own copies come first.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
from importlib import metadata
from pathlib import Path

# Distribution -> its top-level modules: the runtime client, its hooks, and the SDK that AWS documents as included.
_CLIENT = {"awslambdaric": ["awslambdaric", "runtime_client"], "simplejson": ["simplejson"]}
_CLIENT_HOOKS = {"snapshot-restore-py": ["snapshot_restore_py"]}
_SDK = {
    "boto3": ["boto3"],
    "botocore": ["botocore"],
    "s3transfer": ["s3transfer"],
    "jmespath": ["jmespath"],
    "python-dateutil": ["dateutil"],
    "urllib3": ["urllib3"],
    "six": ["six"],
}


def link_packages(directory: Path) -> Path:
    """A directory below `directory` with the links, made if need be; named by what it holds, so it never changes."""
    links: dict[str, str] = {}
    for distribution, modules in {**_CLIENT, **_CLIENT_HOOKS, **_SDK}.items():
        for module in modules:
            origin = _origin(module)
            if origin is not None:
                links[os.path.basename(origin)] = origin
        info = metadata.distribution(distribution)
        # importlib.metadata inside a function finds versions by these.
        info_directory = getattr(info, "_path", None)
        if info_directory is not None:
            links[os.path.basename(info_directory)] = str(info_directory)
    name = hashlib.sha256(repr(sorted(links.items())).encode()).hexdigest()[:16]
    target = directory / f"python-{name}"
    if target.exists():
        return target
    directory.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=directory))
    fresh.chmod(0o755)
    for link, origin in links.items():
        (fresh / link).symlink_to(origin)
    try:
        fresh.rename(target)
    except OSError:
        # Another server of this data directory was quicker.
        assert target.exists()
    return target


def _origin(module: str) -> str | None:
    """Where it lies, found without importing it."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return next(iter(spec.submodule_search_locations))
    return spec.origin
