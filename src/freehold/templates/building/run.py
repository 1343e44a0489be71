"""Runs the tools of a build: pip, npm, esbuild, make. Blocking: call it on a thread.

One decision to know: dependencies are installed into a cache folder named by the content of what asks for them
(requirements.txt, package.json and its lock file) and are hard-linked from there, so a build after an edit of the code
installs nothing and copies little. A note beside each built folder remembers what went in: where all of it is as it
was, nothing is done at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from freehold.aws.call import Json
from freehold.templates.building.complaints import npm_failed, pip_failed, tool_failed
from freehold.templates.building.notes import LEFT_OUT, Note, identity, requirements_of
from freehold.templates.building.plan import Build, Method, plan_build
from freehold.templates.errors import TemplateError

Progress = Callable[[str], None]  # One line for the person who waits.

_LEFT_OUT = shutil.ignore_patterns(*LEFT_OUT)
_LOCK_FILES = ("package-lock.json", "npm-shrinkwrap.json", ".npmrc")
# An index that cannot be reached is told after seconds, not after minutes.
_PATIENCE = ("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")


def build_function(
    source_dir: Path,
    runtime: str,
    metadata: Json,
    output_dir: Path,
    cache_dir: Path,
    progress: Progress,
    *,
    logical_id: str = "function",
    is_layer: bool = False,
    python: str = sys.executable,
) -> Path:
    """The folder (or file) that is the code: `output_dir`, or the source itself where there is nothing to do.

    `python` is the interpreter that will run the function: its pip chooses the wheels. Raises TemplateError.
    """
    method = str(metadata.get("BuildMethod") or runtime)
    build = plan_build(logical_id, source_dir, method, metadata, is_layer=is_layer)
    return run_build(build, output_dir, cache_dir, progress, python=python)


def run_build(
    build: Build, output_dir: Path, cache_dir: Path, progress: Progress, *, python: str = sys.executable
) -> Path:
    """Raises TemplateError with the end of the tool's output when it fails."""
    if build.method is Method.AS_IS:
        return build.source
    note = Note.of(build, output_dir, python)
    if note.is_current():
        return output_dir
    fresh = output_dir.with_name(f".{output_dir.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    inputs: list[Path] = []
    match build.method:
        case Method.PIP:
            _with_pip(build, fresh, cache_dir, progress, python)
        case Method.NPM:
            _with_npm(build, fresh, cache_dir, progress)
        case Method.ESBUILD:
            inputs = _with_esbuild(build, fresh, cache_dir, progress)
        case Method.MAKE:
            progress(f"{build.logical_id}: make build-{build.logical_id}")
            environment = {**os.environ, **build.settings, "ARTIFACTS_DIR": str(fresh.resolve())}
            _run(["make", f"build-{build.logical_id}"], build.source, build.logical_id, environment)
    # A build that failed leaves the last good one in place.
    shutil.rmtree(output_dir, ignore_errors=True)
    fresh.rename(output_dir)
    note.write(inputs)
    return output_dir


def _with_pip(build: Build, output: Path, cache_dir: Path, progress: Progress, python: str) -> None:
    target = output / build.subfolder
    if build.manifest is not None and _has_requirements(build.manifest):
        manifest = build.manifest
        key = _digest("pip", identity(python), requirements_of(manifest))

        def install(folder: Path) -> None:
            progress(f"{build.logical_id}: pip install -r {manifest}")
            command = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
            done = _call([*command, "-r", str(manifest), "-t", str(folder)], build.source, build.logical_id)
            if done.returncode != 0:
                raise pip_failed(build.logical_id, manifest, done.stderr + done.stdout)

        _link_tree(_cached(cache_dir, key, install), target)
    shutil.copytree(build.source, target, ignore=_LEFT_OUT, dirs_exist_ok=True)


def _with_npm(build: Build, output: Path, cache_dir: Path, progress: Progress) -> None:
    target = output / build.subfolder
    shutil.copytree(build.source, target, ignore=_LEFT_OUT, dirs_exist_ok=True)
    if build.manifest is None or not _dependencies(build.manifest, ("dependencies", "optionalDependencies")):
        return
    folder = _node_modules(build, build.manifest, cache_dir, progress, ("--omit=dev",))
    _link_tree(folder / "node_modules", target / "node_modules")


def _with_esbuild(build: Build, output: Path, cache_dir: Path, progress: Progress) -> list[Path]:
    """The files that it read."""
    environment = dict(os.environ)
    places = [build.source, *build.source.resolve().parents]
    found = next((place / "node_modules" for place in places if (place / "node_modules/.bin/esbuild").exists()), None)
    modules: list[Path] = [found] if found else []
    needs = build.manifest and _dependencies(
        build.manifest, ("dependencies", "devDependencies", "optionalDependencies")
    )
    if build.manifest and needs and not (build.source / "node_modules").is_dir():
        modules.insert(0, _node_modules(build, build.manifest, cache_dir, progress, ()) / "node_modules")
    brought = [Path(each) for each in os.environ.get("FREEHOLD_NODE_PATH", "").split(os.pathsep) if each]
    programs = [folder / ".bin/esbuild" for folder in (*modules, *brought)]
    program = next((str(file) for file in programs if file.exists()), shutil.which("esbuild"))
    if program is None:
        raise TemplateError(
            f"{build.logical_id}: esbuild is not there; add it to the devDependencies of {build.source}/package.json"
        )
    if modules:
        environment["NODE_PATH"] = os.pathsep.join(str(folder.resolve()) for folder in modules)
    progress(f"{build.logical_id}: esbuild {' '.join(build.arguments[:1])}")
    report = output.with_name(f"{output.name}.meta.json")
    where = [f"--outdir={output.resolve()}", f"--metafile={report.resolve()}"]
    try:
        _run([program, *build.arguments, *where, "--log-level=warning"], build.source, build.logical_id, environment)
        return [build.source / name for name in json.loads(report.read_text())["inputs"]]
    finally:
        report.unlink(missing_ok=True)


def _node_modules(build: Build, manifest: Path, cache_dir: Path, progress: Progress, options: Sequence[str]) -> Path:
    """The cache folder whose node_modules has what package.json asks for."""
    locks = [manifest.with_name(name) for name in _LOCK_FILES if manifest.with_name(name).is_file()]
    key = _digest("npm", identity("node"), *options, *(file.read_text() for file in (manifest, *locks)))

    def install(folder: Path) -> None:
        for file in (manifest, *locks):
            shutil.copy(file, folder / file.name)
        verb = "ci" if build.use_npm_ci else "install"
        progress(f"{build.logical_id}: npm {verb} ({manifest})")
        command = ["npm", verb, "--no-audit", "--no-fund", "--loglevel=error", *_PATIENCE, *options]
        done = _call(command, folder, build.logical_id)
        if done.returncode != 0:
            raise npm_failed(build.logical_id, manifest, done.stderr + done.stdout)
        (folder / "node_modules").mkdir(exist_ok=True)

    return _cached(cache_dir, key, install)


def _cached(cache_dir: Path, key: str, install: Callable[[Path], None]) -> Path:
    """A folder that is there is whole: it gets its name only after the tool has succeeded."""
    folder = cache_dir / key
    if folder.is_dir():
        return folder
    fresh = cache_dir / f".{key}.{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        install(fresh)
        fresh.rename(folder)
    except OSError:
        if not folder.is_dir():  # Another process was quicker: its folder is as good.
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _link_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=_link, symlinks=True, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # Another file system.
        shutil.copy2(source, target)


def _has_requirements(file: Path) -> bool:
    lines = (line.strip() for line in file.read_text().splitlines())
    return any(line and not line.startswith("#") for line in lines)


def _dependencies(manifest: Path, sections: Sequence[str]) -> bool:
    try:
        package = json.loads(manifest.read_text())
    except json.JSONDecodeError as error:
        raise TemplateError(f"{manifest} is not JSON: {error.msg}", manifest, error.lineno) from error
    return isinstance(package, dict) and any(package.get(section) for section in sections)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _run(command: Sequence[str], folder: Path, logical_id: str, environment: Mapping[str, str] | None = None) -> None:
    """Raises TemplateError with the end of what the tool said."""
    done = _call(command, folder, logical_id, environment)
    if done.returncode != 0:
        raise tool_failed(logical_id, Path(command[0]).name, done.stderr or done.stdout)


def _call(
    command: Sequence[str], folder: Path, logical_id: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise TemplateError(f"{logical_id}: {command[0]} is needed to build it and is not installed") from error
