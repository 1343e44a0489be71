"""Disks that are full, read-only or damaged: tables say so, lose nothing they acknowledged, and go on when they can."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.live import LiveServer

_DATABASES = ("control.db", "tables.db", "queue.db", "messages.db")
_PAGE_BYTES = 4096


@pytest.fixture
def server(own_server: LiveServer) -> LiveServer:
    own_server.client("dynamodb").create_table(
        TableName="things",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    return own_server


def put(server: LiveServer, item_id: str) -> None:
    item = {"id": {"S": item_id}, "data": {"S": item_id * 20_000}}
    server.client("dynamodb").put_item(TableName="things", Item=item)


def ids(server: LiveServer) -> list[str]:
    found = server.client("dynamodb").scan(TableName="things", ProjectionExpression="id")["Items"]
    return sorted(item["id"]["S"] for item in found)


def serve(data_dir: Path, *before: str) -> str:
    """What a server that cannot start prints."""
    command = [*before, sys.executable, "-m", "freehold", "serve", "--port", "0", "--data-dir", str(data_dir)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1, ended
    return ended.stderr


def test_a_full_disk_is_told_and_what_was_acknowledged_stays(server: LiveServer) -> None:
    put(server, "a")
    # Files cannot grow past what they are: to the server, a disk without room.
    log_bytes = (server.data_dir / "tables.db-wal").stat().st_size
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (log_bytes, resource.RLIM_INFINITY))
    for item_id in ("b", "c"):
        with pytest.raises(ClientError, match=r"Nothing was written: tables\.db: ") as refused:
            put(server, item_id)
        assert refused.value.response["Error"]["Code"] == "InternalServerError"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    with pytest.raises(ClientError, match=r"InternalServerError.*Nothing was written"):
        server.client("dynamodb").delete_table(TableName="things")
    assert ids(server) == ["a"]

    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    put(server, "d")
    server.kill()
    server.start()
    assert ids(server) == ["a", "d"]


def test_a_damaged_file_is_told_by_who_reads_it_and_other_items_are_served(server: LiveServer) -> None:
    for number in range(40):
        put(server, f"{number:02}")
    server.stop()
    file = server.data_dir / "tables.db"
    damaged = bytearray(file.read_bytes())
    # In the middle lie the items' pages; the tables' own descriptions lie in the first ones.
    for start in range(len(damaged) // 2, len(damaged) // 2 + 20 * _PAGE_BYTES, _PAGE_BYTES):
        damaged[start : start + 200] = b"\xff" * 200
    file.write_bytes(damaged)
    server.start()
    with pytest.raises(ClientError, match=r"InternalServerError.*tables\.db cannot be read: ") as refused:
        ids(server)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    answer = server.client("dynamodb").get_item(TableName="things", Key={"id": {"S": "00"}})
    assert answer["Item"]["data"]["S"] == "00" * 20_000


@pytest.mark.parametrize("database", _DATABASES)
def test_a_file_that_is_no_database_stops_the_start_and_is_left_alone(own_server: LiveServer, database: str) -> None:
    own_server.stop()
    file = own_server.data_dir / database
    file.write_bytes(b"not a database, " * 1000)
    printed = serve(own_server.data_dir)
    assert printed.startswith(f"Error: {file} cannot be opened: ")
    assert len(printed.splitlines()) == 1
    assert file.read_bytes() == b"not a database, " * 1000


def test_a_tables_file_whose_descriptions_are_damaged_stops_the_start(server: LiveServer) -> None:
    server.stop()
    file = server.data_dir / "tables.db"
    damaged = bytearray(file.read_bytes())
    damaged[_PAGE_BYTES:] = b"\xff" * (len(damaged) - _PAGE_BYTES)
    file.write_bytes(damaged)
    printed = serve(server.data_dir)
    assert printed.splitlines()[-1].startswith("Error: ")
    assert "tables.db" in printed
    assert "malformed" in printed
    assert "Traceback" not in printed


def test_a_read_only_directory_stops_the_start(own_server: LiveServer) -> None:
    own_server.stop()
    bind = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'
    jail = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    directory = str(own_server.data_dir)
    if subprocess.run([*jail, bind, directory], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    printed = serve(own_server.data_dir, *jail, f'{bind} && exec "$@"', directory)
    assert printed == f"Error: Cannot write to the data directory {directory}: {os.strerror(30)}.\n"
