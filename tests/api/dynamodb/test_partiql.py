"""PartiQL through boto3: ExecuteStatement, BatchExecuteStatement, ExecuteTransaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def music(client: Any) -> Iterator[Any]:
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="Music",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "artist", "KeyType": "HASH"},
            {"AttributeName": "title", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in {"artist": "S", "title": "S", "year": "N"}.items()
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-year",
                "KeySchema": [{"AttributeName": "year", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    for artist, title, year in (("Acme", "Happy", 2020), ("Acme", "Sad", 2021), ("No One", "It''s me", 2020)):
        run(dynamodb, f"INSERT INTO \"Music\" VALUE {{'artist': '{artist}', 'title': '{title}', 'year': {year}}}")
    yield dynamodb
    dynamodb.delete_table(TableName="Music")


def run(dynamodb: Any, statement: str, *parameters: Any, **more: Any) -> list[Any]:
    if parameters:
        more["Parameters"] = list(parameters)
    return dynamodb.execute_statement(Statement=statement, **more)["Items"]  # type: ignore[no-any-return]


def titles(items: list[Any]) -> list[str]:
    return [item["title"]["S"] for item in items]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("", ["Happy", "It's me", "Sad"]),
        ("WHERE artist = 'Acme'", ["Happy", "Sad"]),
        ("WHERE artist = 'Acme' AND title = 'Sad'", ["Sad"]),
        ("WHERE artist = 'Acme' AND begins_with(title, 'Ha')", ["Happy"]),
        ("WHERE artist = 'Acme' AND \"year\" BETWEEN 2021 AND 2030", ["Sad"]),
        ("WHERE artist IN ['No One', 'Nobody']", ["It's me"]),
        ("WHERE artist = 'Acme' OR \"year\" = 2020", ["Happy", "It's me", "Sad"]),
        ("WHERE NOT (\"year\" = 2020 OR contains(title, 'zz'))", ["Sad"]),
        ('WHERE album IS MISSING AND "year" IS NOT NULL AND size(title) > 6', ["It's me"]),
        ("WHERE artist = 'Acme' AND artist <> title AND title <> 'Sad'", ["Happy"]),
    ],
)
def test_select_finds_what_its_where_says(music: Any, where: str, found: list[str]) -> None:
    assert sorted(titles(run(music, f'SELECT * FROM "Music" {where}'))) == found


def test_select_orders_projects_and_reads_an_index(music: Any) -> None:
    assert titles(run(music, "SELECT * FROM Music WHERE artist = ? ORDER BY title DESC", {"S": "Acme"})) == [
        "Sad",
        "Happy",
    ]
    assert run(music, 'SELECT title FROM "Music"."by-year" WHERE "year" = 2021') == [{"title": {"S": "Sad"}}]


def test_pages_follow_the_next_token(music: Any) -> None:
    found, token = [], {}
    while True:
        page = music.execute_statement(Statement="SELECT * FROM Music WHERE artist = 'Acme'", Limit=1, **token)
        found += titles(page["Items"])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert found == ["Happy", "Sad"]


def test_an_insert_over_an_item_is_refused(music: Any) -> None:
    with pytest.raises(music.exceptions.DuplicateItemException):
        run(music, "INSERT INTO Music VALUE {'artist': ?, 'title': ?}", {"S": "Acme"}, {"S": "Sad"})


def test_update_sets_adds_removes_and_returns(music: Any) -> None:
    key = "WHERE artist = 'Acme' AND title = 'Sad'"
    run(music, f"UPDATE Music SET awards = {{'gold': [1, -2.5]}} SET tags = <<'a', 'b'>> {key}")
    run(
        music,
        f"UPDATE Music SET awards.gold = list_append(awards.gold, [TRUE]), tags = set_delete(tags, <<'a'>>) {key}",
    )
    (item,) = run(music, f'UPDATE Music SET "year" = "year" + 1 REMOVE awards.gold[0] {key} RETURNING ALL NEW *')
    assert item["awards"] == {"M": {"gold": {"L": [{"N": "-2.5"}, {"BOOL": True}]}}}
    assert (item["tags"], item["year"]) == ({"SS": ["b"]}, {"N": "2022"})


def test_an_update_of_nothing_or_against_its_condition_changes_nothing(music: Any) -> None:
    for where in ("artist = 'Acme' AND title = 'None'", "artist = 'Acme' AND title = 'Sad' AND \"year\" = 1"):
        with pytest.raises(music.exceptions.ConditionalCheckFailedException):
            run(music, f"UPDATE Music SET x = 1 WHERE {where}")
    assert run(music, "SELECT * FROM Music WHERE x = 1") == []


def test_delete_returns_what_it_deleted(music: Any) -> None:
    delete = "DELETE FROM Music WHERE artist = 'No One' AND title = ? RETURNING ALL OLD *"
    assert titles(run(music, delete, {"S": "It's me"})) == ["It's me"]
    assert run(music, delete, {"S": "It's me"}) == []


def test_a_batch_tells_each_statement_its_own_error(music: Any) -> None:
    answer = music.batch_execute_statement(
        Statements=[
            {"Statement": "INSERT INTO Music VALUE {'artist': 'New', 'title': 'One'}"},
            {"Statement": "INSERT INTO Music VALUE {'artist': 'Acme', 'title': 'Sad'}"},
            {"Statement": "DELETE FROM Music WHERE artist = 'Acme'"},
        ]
    )
    codes = [response.get("Error", {}).get("Code") for response in answer["Responses"]]
    assert codes == [None, "DuplicateItem", "ValidationError"]
    read = {"Statement": "SELECT * FROM Music WHERE artist = 'New' AND title = 'One'"}
    (one,) = music.batch_execute_statement(Statements=[read])["Responses"]
    assert (one["TableName"], one["Item"]["title"]) == ("Music", {"S": "One"})


def test_a_transaction_is_all_or_nothing(music: Any) -> None:
    insert = {"Statement": "INSERT INTO Music VALUE {'artist': 'Tx', 'title': 'One'}"}
    check = "EXISTS(SELECT * FROM Music WHERE artist = 'Acme' AND title = 'Sad' AND \"year\" = {})"
    with pytest.raises(music.exceptions.TransactionCanceledException):
        music.execute_transaction(TransactStatements=[insert, {"Statement": check.format(1999)}])
    select = {"Statement": "SELECT * FROM Music WHERE artist = 'Tx' AND title = 'One'"}
    assert music.execute_transaction(TransactStatements=[select])["Responses"] == [{}]
    music.execute_transaction(TransactStatements=[insert, {"Statement": check.format(2021)}])
    assert music.execute_transaction(TransactStatements=[select])["Responses"][0]["Item"]["artist"] == {"S": "Tx"}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT",
        "SELECT * FROM Music WHERE",
        "DROP TABLE Music",
        "SELECT * FROM Music WHERE a = 'x",
        "SELECT * FROM Music;;",
    ],
)
def test_what_is_no_statement_is_refused(music: Any, statement: str) -> None:
    with pytest.raises(ClientError, match="Statement wasn't well formed"):
        run(music, statement)


def test_parameters_must_be_as_many_as_question_marks(music: Any) -> None:
    with pytest.raises(ClientError, match="Number of parameters"):
        run(music, "SELECT * FROM Music WHERE artist = ?", {"S": "a"}, {"S": "b"})
