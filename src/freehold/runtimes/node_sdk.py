"""The AWS SDKs for JavaScript that Lambda's Node runtimes supply: v3 clients and, for all versions, v2.

They are npm packages, installed once per machine by `install` from the lock file in node/sdk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_MANIFEST = Path(__file__).parent / "node" / "sdk"
_FILES = ("package.json", "package-lock.json")
_INSTALL_LIMIT_S = 600.0


class InstallError(Exception):
    """One sentence on what npm said."""


def tools_directory() -> Path:
    """FREEHOLD_TOOLS; a checkout's .tools; else a folder in the user's data."""
    if chosen := os.environ.get("FREEHOLD_TOOLS"):
        return Path(chosen)
    checkout = Path(__file__).parents[3]
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".tools"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "freehold" / "tools"


def sdk_directory() -> Path | None:
    """The node_modules directory with the SDKs; None when they are not installed."""
    directory = tools_directory() / "node" / "node_modules"
    return directory if (directory / "aws-sdk").is_dir() else None


def is_current() -> bool:
    """Whether what is installed is what the lock file says."""
    directory = tools_directory() / "node"
    return sdk_directory() is not None and all(
        (directory / name).is_file() and (directory / name).read_bytes() == (_MANIFEST / name).read_bytes()
        for name in _FILES
    )


def install() -> Path:
    """Installs them with npm, about 170 MB; does nothing when they are current. Raises InstallError."""
    directory = tools_directory() / "node"
    if is_current():
        return directory / "node_modules"
    npm = shutil.which("npm")
    if npm is None:
        raise InstallError("npm is not on the PATH: Node.js functions need Node.js and npm on this machine.")
    directory.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(_MANIFEST / name, directory / name)
    try:
        subprocess.run(
            [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=directory,
            check=True,
            capture_output=True,
            text=True,
            timeout=_INSTALL_LIMIT_S,
        )
    except (subprocess.SubprocessError, OSError) as error:
        # A half-made installation must not pass for a current one.
        (directory / _FILES[1]).unlink(missing_ok=True)
        said = (getattr(error, "stderr", None) or str(error)).strip()
        raise InstallError(f"npm could not install the AWS SDKs for Node.js functions: {said[-500:]}") from error
    return directory / "node_modules"


if __name__ == "__main__":
    print(install())
