"""Files that are wrong are refused before anything is sent, with what to do."""

from pathlib import Path

import pytest

from tests.cli.conftest import Userdir
from tests.cli.transfer import csv, events
from tests.gateway.standin import Core


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"userName,title\na@x,T\n", "no column user_name"),
        ("a.csv", b"", "no column user_name"),
        ("a.csv", b'user_name,"tit\nle"\n', "no column user_name"),
        ("a.csv", b"user_name,name.givenName\n", "Do you mean name.given_name"),
        ("a.csv", b"user_name,department\n", "Do you mean enterprise.department?"),
        ("a.csv", b"user_name,zzzz\n", "'zzzz' is no column."),
        ("a.csv", b"user_name,title,title\n", "Columns are there twice: title."),
        ("a.csv", b"user_name,,title\n", "Column 2 of a.csv has no name."),
        ("a.csv", b"user_name,manager,enterprise.manager.user_id\n", "say the same"),
        ("a.csv", b"user_name,title\na@x,T\nb@x,\xe4\n", "Line 3 of a.csv is not UTF-8."),
        ("a.csv", "user_name".encode("utf-16"), "a.csv is UTF-16."),
        ("a.xlsx", b"", "neither .csv nor .jsonl"),
    ],
)
async def test_a_file_is_refused_as_a_whole(
    core: Core, before_core: Userdir, tmp_path: Path, name: str, content: bytes, told: str
):
    """Unknown columns, among others; near ones are named."""
    (tmp_path / name).write_bytes(content)

    done = await before_core("import", str(tmp_path / name), COLUMNS="200")

    assert 2 == done.status
    assert told in done.err
    assert [] == core.asked


async def test_a_file_that_is_not_there(core: Core, before_core: Userdir, tmp_path: Path):
    """It is named, with the reason."""
    done = await before_core("import", str(tmp_path / "none.csv"), COLUMNS="200")

    assert 2 == done.status
    assert "none.csv: No such file or directory." in done.err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a@x", "It has 1 cells and the header 4."),
        ("a@x,T,,,,", "It has 6 cells and the header 4."),
        ('a@x,"T"x,,', "Not CSV"),
        ('a@x,"T,,', "Not CSV"),
        (" ,T,,", "user_name is empty. Say who is meant."),
        ("a@x,T,perhaps,", "active: 'perhaps' is neither true nor false."),
        (
            "a@x,T,,boss@x",
            "enterprise.manager.user_id takes ids. Call the column manager for user names.",
        ),
        ("B@X,T,,", "B@X is in line 2 too. Leave one of them."),
        ("a@x,T\0,,", "It holds the character U+0000. Take it out."),
        (f"a@x,{'T' * 131_073},,", "Not CSV"),
    ],
)
async def test_a_wrong_line_of_csv_is_named(
    core: Core, before_core: Userdir, tmp_path: Path, line: str, told: str
):
    """Its number counts the lines of cells with line ends in them; nothing is sent."""
    file = csv(
        tmp_path,
        "user_name,title,active,enterprise.manager.user_id",
        'b@x,"T\nU",,',
        "",
        line,
    )

    done = await before_core("import", str(file))

    assert 1 == done.status
    assert f"Line 5: {told}" in done.err
    assert "Nothing was sent." in done.err
    assert [] == core.asked


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "Not JSON at column 2"),
        ("[]", "Not a JSON object."),
        ("[" * 100_000, "nested too deeply"),
        ('{"userName": "a@x"}', "'userName' is no field. Do you mean user_name?"),
        ('{"user_name": "a@x", "name": {"given": "A"}}', "Do you mean name.given_name"),
        ('{"user_name": "a@x", "active": "yes"}', "active"),
        ('{"user_name": "a@x", "name": "A"}', "name"),
        ('{"user_name": "a@x", "emails": [{"valeu": "a@x"}]}', "valeu"),
        ('{"user_name": "a@x", "title": "\\ud800"}', "surrogate"),
        ('{"user_name": "a@x", "emails": [{"value": "\\u0000"}]}', "U+0000"),
        ('{"user_name": "a@x", "title": "' + "T" * 1_000_001 + '"}', "It has more than 1,000,000"),
        ('{"title": "T"}', "user_name is empty."),
        ('{"user_name": "B@X"}', "B@X is in line 1 too."),
    ],
)
async def test_a_wrong_line_of_jsonl_is_named(
    core: Core, before_core: Userdir, tmp_path: Path, line: str, told: str
):
    """With what is wrong in it."""
    file = csv(tmp_path, '{"user_name": "b@x", "title": "\u2028"}', "", line, name="a.jsonl")

    done = await before_core("import", str(file))

    assert 1 == done.status
    assert "Line 3: " in done.err
    assert told in done.err
    assert [] == core.asked


async def test_at_most_twenty_wrong_lines_are_shown(
    core: Core, before_core: Userdir, tmp_path: Path
):
    """And how many more there are; programs are told of all."""
    file = csv(tmp_path, "user_name,active", *(f"p{n}@x,?" for n in range(25)))

    done = await before_core("import", str(file))
    told = await before_core("import", str(file), "--json")

    assert 20 == done.err.count("neither true nor false")
    assert "And 5 more wrong lines." in done.err
    assert [*range(2, 27)] == [event["line"] for event in events(told.out)]
