from __future__ import annotations

from pathlib import Path

import pytest

from freehold.state.seal import CannotOpen, Seal


def test_a_sealed_value_opens_after_a_restart_and_hides_its_text(tmp_path: Path) -> None:
    sealed = Seal(tmp_path / "secrets.key").close(b"open sesame", "a")
    assert "sesame" not in sealed
    assert Seal(tmp_path / "secrets.key").open(sealed, "a") == b"open sesame"


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    Seal(tmp_path / "secrets.key")
    assert (tmp_path / "secrets.key").stat().st_mode & 0o777 == 0o600


def test_a_value_opens_neither_in_another_place_nor_with_another_key(tmp_path: Path) -> None:
    seal = Seal(tmp_path / "secrets.key")
    sealed = seal.close(b"x", "a")
    with pytest.raises(CannotOpen):
        seal.open(sealed, "b")
    with pytest.raises(CannotOpen):
        Seal(tmp_path / "other.key").open(sealed, "a")


def test_a_damaged_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "secrets.key").write_bytes(b"short")
    with pytest.raises(CannotOpen, match=r"secrets\.key is no key"):
        Seal(tmp_path / "secrets.key")
