"""The npm packages that Freehold brings: the AWS SDKs that Lambda's Node runtimes supply, and esbuild for builds.

Each set is installed once per machine from its lock file in node/. They lie apart, so that a function finds the SDKs
as on AWS, and nothing else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class NodePackages:
    name: str  # Of its folder among the tools, and of that of its manifest.
    proof: str  # A package that is there when they are installed.

    @property
    def directory(self) -> Path | None:
        """Their node_modules; None when they are not installed."""
        directory = tools_directory() / self.name / "node_modules"
        return directory if (directory / self.proof).is_dir() else None

    def is_current(self) -> bool:
        """Whether what is installed is what the lock file says."""
        target = tools_directory() / self.name
        return self.directory is not None and all(
            (target / name).is_file() and (target / name).read_bytes() == (self._manifest / name).read_bytes()
            for name in _FILES
        )

    def install(self) -> Path:
        """Installs them with npm; does nothing when they are current. Raises InstallError."""
        target = tools_directory() / self.name
        if self.is_current():
            return target / "node_modules"
        npm = shutil.which("npm")
        if npm is None:
            raise InstallError("npm is not on the PATH: Node.js functions need Node.js and npm on this machine.")
        target.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            shutil.copyfile(self._manifest / name, target / name)
        try:
            subprocess.run(
                [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                cwd=target,
                check=True,
                capture_output=True,
                text=True,
                timeout=_INSTALL_LIMIT_S,
            )
        except (subprocess.SubprocessError, OSError) as error:
            # A half-made installation must not pass for a current one.
            (target / _FILES[1]).unlink(missing_ok=True)
            said = (getattr(error, "stderr", None) or str(error)).strip()
            raise InstallError(f"npm could not install {self.proof} and its companions: {said[-500:]}") from error
        return target / "node_modules"

    @property
    def _manifest(self) -> Path:
        return Path(__file__).parent / "node" / self.name


SDK = NodePackages("sdk", "aws-sdk")
BUILD_TOOLS = NodePackages("build", "esbuild")


if __name__ == "__main__":
    print(SDK.install())
    print(BUILD_TOOLS.install())
