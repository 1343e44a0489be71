from __future__ import annotations

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest

from freehold.aws.errors import AwsError
from freehold.engine import packages
from freehold.engine.packages import Packages
from freehold.state.blobs import Blobs


def make_zip(files: dict[str, bytes], modes: dict[str, int] | None = None) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            file.writestr(entry, content)
    return data.getvalue()


@pytest.fixture
def made(tmp_path: Path) -> tuple[Packages, Blobs]:
    blobs = Blobs(tmp_path / "blobs")
    return Packages(blobs, tmp_path / "code"), blobs


async def test_a_zip_is_unpacked_once_with_its_modes(made: tuple[Packages, Blobs]) -> None:
    unpacked, blobs = made
    sha256 = await blobs.put(make_zip({"a/b.py": b"x", "run": b"#!"}, {"run": stat.S_IFREG | 0o755}))
    place = await unpacked.unpack(sha256)
    assert (place / "a/b.py").read_bytes() == b"x"
    assert os.access(place / "run", os.X_OK)
    (place / "mark").touch()
    assert (await unpacked.unpack(sha256) / "mark").exists()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\..\\evil"])
async def test_a_path_out_of_the_package_is_refused(made: tuple[Packages, Blobs], name: str, tmp_path: Path) -> None:
    unpacked, blobs = made
    sha256 = await blobs.put(make_zip({name: b"x"}))
    with pytest.raises(AwsError, match="path outside of the package"):
        await unpacked.unpack(sha256)
    assert not list(tmp_path.rglob("evil"))
    assert not unpacked.directory(sha256).exists()


@pytest.mark.parametrize("aim", ["/etc/passwd", "../../outside", "a/../../outside"])
async def test_a_link_out_of_the_package_is_refused(made: tuple[Packages, Blobs], aim: str) -> None:
    unpacked, blobs = made
    sha256 = await blobs.put(make_zip({"link": aim.encode()}, {"link": stat.S_IFLNK | 0o777}))
    with pytest.raises(AwsError, match="link out of the package"):
        await unpacked.unpack(sha256)


async def test_a_link_within_the_package_is_kept(made: tuple[Packages, Blobs]) -> None:
    unpacked, blobs = made
    sha256 = await blobs.put(make_zip({"a/x": b"1", "a/link": b"x"}, {"a/link": stat.S_IFLNK | 0o777}))
    assert (await unpacked.unpack(sha256) / "a/link").read_bytes() == b"1"


async def test_a_zip_bomb_is_refused(made: tuple[Packages, Blobs], monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked, blobs = made
    monkeypatch.setattr(packages, "UNZIPPED_BYTES", 1000)
    sha256 = await blobs.put(make_zip({"bomb": bytes(1001)}))
    with pytest.raises(AwsError, match="Unzipped size must be smaller than 1000 bytes"):
        await unpacked.unpack(sha256)


@pytest.mark.parametrize("data", [b"no zip", b"", make_zip({})])
async def test_what_is_no_zip_is_refused(made: tuple[Packages, Blobs], data: bytes) -> None:
    unpacked, blobs = made
    sha256 = await blobs.put(data)
    with pytest.raises(AwsError) as error:
        await unpacked.unpack(sha256)
    assert error.value.code == "InvalidParameterValueException"


async def test_layers_are_merged_in_order(made: tuple[Packages, Blobs]) -> None:
    unpacked, blobs = made
    first = await blobs.put(make_zip({"python/a.py": b"1", "python/b.py": b"1"}))
    second = await blobs.put(make_zip({"python/b.py": b"2"}))
    opt = await unpacked.merge([first, second])
    assert opt is not None
    assert [(opt / f"python/{name}.py").read_bytes() for name in "ab"] == [b"1", b"2"]
    assert (unpacked.directory(first) / "python/b.py").read_bytes() == b"1"
    assert await unpacked.merge([]) is None
