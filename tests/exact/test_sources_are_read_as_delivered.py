"""What is delivered is what is read: no guess, no pattern in a name, no column from a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers import a_product, a_source, environment, product, read, run, write_workspace

from dataops_mesh.engine.source import content
from dataops_mesh.errors import SourceError
from dataops_mesh.gate import Publish
from dataops_mesh.run.inputs.bind import pin_inputs, require_unchanged
from dataops_mesh.store.pins import pinned


def published(
    tmp_path: Path,
    text: str | bytes,
    logical: str = "string",
    path: str = "src.csv",
    more: str = "",
) -> list[object]:
    columns = ["{name: k, logicalType: integer}", f"{{name: v, logicalType: {logical}}}"]
    made = a_product(
        {"p": columns},
        inputs=[a_source("src", f"'{path}'", more=more)],
        files={"p.sql": "select * from src order by k", path: text},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    report = run(settings, "d.p")
    assert isinstance(report.decision, Publish), report.decision
    return [value for (value,) in read(settings, "select v from d.p order by k")]


TEXTS = [
    ["NO", "NO"], ["1.10", "2.50"], ["007", "008"], ["1001", "1002"], ["+1", "2"], ["-0", "1"],
    ["03/04/2026", "05/04/2026"], ["2026-1-2", "2026-1-3"], ["2026-01-02", "2026-01-03"],
    ["true", "NO"], ["1e3", "2"], ["12345678901234567890", "1"], ["0.1", "0.10"], ["٣", "1"],
    ["yes", "no"], ["T", "F"], [" 1", "2"], ["1_000", "2"], ["é", "日本"],
]  # fmt: skip


@pytest.mark.parametrize("values", TEXTS, ids=str)
def test_text_is_the_text_as_delivered(tmp_path: Path, values: list[str]):
    rows = "".join(f"{k},{value}\n" for k, value in enumerate(values))
    assert published(tmp_path, f"k,v\n{rows}") == values


def test_a_value_far_behind_the_sample_is_kept(tmp_path: Path):
    rows = "".join(f"{k},{k}\n" for k in range(30_000))
    found = published(tmp_path, f"k,v\n{rows}30000,007\n")
    assert found[-1] == "007"
    assert found[:2] == ["0", "1"]


def test_a_day_without_a_value_does_not_make_text_of_the_others(tmp_path: Path):
    found = published(tmp_path, "k,v\n1,\n2,10.357019999999999\n3,-80\n4,1.0\n5,1e-07\n", "number")
    assert found == [None, 10.357019999999999, -80.0, 1.0, 1e-07]


VALUES = {
    "number": ("1.5", "1.5"), "integer": ("42", "42"), "date": ("2026-02-28", "2026-02-28"),
    "timestamp": ("2026-02-28T10:00:00", "2026-02-28 10:00:00"), "boolean": ("true", "True"),
    "time": ("10:00:00", "10:00:00"),
}  # fmt: skip


@pytest.mark.parametrize("logical", VALUES)
def test_what_is_spelled_as_its_value_is_read_as_one(tmp_path: Path, logical: str):
    said, value = VALUES[logical]
    assert str(published(tmp_path, f"k,v\n1,{said}\n", logical)[0]) == value


def test_other_dates_are_read_by_the_format_that_is_declared(tmp_path: Path):
    text = "k,v\n1,03/04/2026\n"
    found = published(tmp_path, text, "date", more="options: {dateformat: '%d/%m/%Y'}")
    assert str(found[0]) == "2026-04-03"


NAMES = ["stock[1].csv", "a*b.csv", "what?.csv", "it's [0-9].csv", "[[]].csv"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["sql", "python"])
def test_a_name_is_a_name(tmp_path: Path, name: str, kind: str):
    decoys = {"stock1.csv": "k,v\n1,decoy\n", "axb.csv": "k,v\n1,decoy\n", "it's 5.csv": "k,v\n1,decoy\n",
              "whatx.csv": "k,v\n1,decoy\n", "[.csv": "k,v\n1,decoy\n"}  # fmt: skip
    code = {"sql": {"p.sql": "select * from src"},
            "python": {"transform.py": "def transform(src):\n    return src\n"}}[kind]  # fmt: skip
    columns = ["{name: k, logicalType: integer}", "{name: v, logicalType: string}"]
    spelled = name.replace("'", "''")
    made = a_product(
        {"p": columns},
        inputs=[a_source("src", f"'{spelled}'")],
        files={**code, **decoys, name: "k,v\n1,right\n"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert isinstance(run(settings, "d.p").decision, Publish)
    assert read(settings, "select v from d.p") == [("right",)]


@pytest.mark.parametrize("folder", ["v=eu", "k=7", "a [1]", "v=eu/k=9"])
def test_a_folder_is_never_a_column(tmp_path: Path, folder: str):
    root = tmp_path / folder
    root.mkdir(parents=True)
    assert published(root, "k,v\n1,us\n") == ["us"]


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_a_mark_and_line_ends_are_nobodys_problem(tmp_path: Path, ends: str):
    text = "\ufeff" + ends.join(["k,v", "1,NO", "2,x", ""])
    assert published(tmp_path, text.encode()) == ["NO", "x"]


def test_mixed_line_ends_are_said_with_file_and_line(tmp_path: Path):
    with pytest.raises(SourceError, match=r"src.csv:2: mixes line ends") as error:
        published(tmp_path, b"k,v\r\n1,secret\n2,b\r\n3,c\n")
    assert "secret" not in str(error.value)


def swapped(file: Path, how: str) -> None:
    state = file.stat()
    if how in {"link", "folder"}:
        place = file if how == "link" else file.parent
        kept = place.rename(place.with_suffix(".kept"))
        if how == "folder":
            place.mkdir()
        file.write_text("k,v\n1,other\n")
        place.rename(place.with_suffix(".other"))
        kept.rename(place)
    elif how == "put back":
        kept = file.rename(file.with_suffix(".kept"))
        file.write_text("k,v\n1,other\n")
        kept.replace(file)
    else:
        file.write_text(file.read_text().replace("right", "wrong"))
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("how", ["put back", "same size and time", "link", "folder"])
def test_a_file_that_was_swapped_while_it_was_read_does_not_pass(tmp_path: Path, how: str):
    columns = ["{name: k, logicalType: integer}", "{name: v, logicalType: string}"]
    made = a_product(
        {"p": columns},
        inputs=[a_source("src", "in/src.csv")],
        files={"p.sql": "select * from src", "in/src.csv": "k,v\n1,right\n"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    found, store = product(settings, "d.p"), environment(settings).store
    file = found.folder / "in/src.csv"
    if how == "link":
        file.rename(file.with_name("today.csv"))
        file.symlink_to("today.csv")
    os.utime(file, (1, 1))  # settled long ago, so that its content is remembered
    with pinned(store) as release:
        inputs = pin_inputs(store, found, release)
        require_unchanged(store, found, inputs)
        swapped(file, how)
        with pytest.raises(SourceError, match="changed while it was read"):
            require_unchanged(store, found, inputs)
        if how == "same size and time":
            assert pin_inputs(store, found, release).sources != inputs.sources


def beside_others(tmp_path: Path):
    """Return a product that reads one file of a folder, and its store."""
    made = a_product(
        {"p": ["{name: k, logicalType: integer}"]},
        inputs=[a_source("src", "in/src.csv")],
        files={"p.sql": "select k from src", "in/src.csv": "k\n1\n"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    return product(settings, "d.p"), environment(settings).store


def test_another_file_that_comes_into_the_folder_meanwhile_changes_nothing(tmp_path: Path):
    found, store = beside_others(tmp_path)
    (found.folder / "in").chmod(0o755)  # its status is younger than its names
    with pinned(store) as release:
        inputs = pin_inputs(store, found, release)
        (found.folder / "in/other.csv").write_text("k\n2\n")
        (found.folder / "other").mkdir()
        require_unchanged(store, found, inputs)


def test_rights_and_times_that_somebody_sets_meanwhile_change_nothing(tmp_path: Path):
    """As `rsync -a` does once it has delivered other files beside."""
    found, store = beside_others(tmp_path)
    with pinned(store) as release:
        inputs = pin_inputs(store, found, release)
        (found.folder / "in/other.csv").write_text("k\n2\n")
        for folder in (found.folder / "in", found.folder, found.folder.parent):
            folder.chmod(0o750)
            os.utime(folder, (5, 5))
            require_unchanged(store, found, inputs)


def test_what_was_written_this_moment_is_not_remembered_by_its_old_time(tmp_path: Path):
    """A clock of the disk that ticks a hundred times a second tells two writes of a tick apart by
    nothing but the time of modification, which `cp -p` and `rsync -t` set.
    """
    store, file = environment(write_workspace(tmp_path, {})).store, tmp_path / "src.csv"
    file.write_text("k,v\n1,right\n")
    os.utime(file, (1, 1))
    content(store, file)
    assert not [note for note in store.cache.iterdir() if note.is_file()]


def test_apostrophes_are_part_of_the_text(tmp_path: Path):
    assert published(tmp_path, "k,v\n1,'a'\n2,'b'\n") == ["'a'", "'b'"]


def test_a_header_is_a_header_on_a_day_of_text(tmp_path: Path):
    made = a_product(
        {"p": ["{name: v, logicalType: string}"]},
        inputs=[a_source("src", "src.csv")],
        files={"p.sql": "select * from src", "src.csv": "v\na\n# b\n"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert isinstance(run(settings, "d.p").decision, Publish)
    assert read(settings, "select v from d.p order by v") == [("# b",), ("a",)]


ROWS = "".join(f"{k},a\n" for k in range(2, 30_000))
WRONG = {
    "an open quote": (b'k,v\n1,"secret\n2,b\n', "src.csv:2: a quote is opened and never closed"),
    "behind the sample": (
        ("k,v\n1,a\n" + ROWS + '30000,"secret\n30001,b\n').encode(),
        "src.csv:30001: a quote is opened and never closed",
    ),
    "a long line": (
        b"k,v\n1," + b"x" * 2_500_000 + b"\n",
        "src.csv:2: is longer than 2000000 bytes; say `options: {max_line_size: ...}`",
    ),
    "after a quote": (b'k,v\n1,"sec"ret\n', "src.csv:2: has text after a closing quote"),
    "fields": (b"k,v\n1,a\n2,secret,x\n", "src.csv:3: has 3 fields, and the first line has 2"),
    "encoding": (b"k,v\n1,a\n2,\xe9\n", "src.csv:3: is not utf-8"),
    "delimiter": (b"k;v\n1;secret\n", "may be split by ';'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_read_is_said_with_file_and_line(tmp_path: Path, case: str):
    text, said = WRONG[case]
    with pytest.raises(SourceError) as error:
        published(tmp_path, text)
    assert said in str(error.value)
    assert "secret" not in str(error.value)


WRONG_JSON = {
    "no JSON": ('{"k": 1, "v": "secret"}\n{"k": 1\n{"k": 2}\n', "is no JSON"),
    "a key without a name": ('[{"k": 1, "": "secret"}]', "a key without a name"),
    "no JSON on a line": (
        '{"k": 1, "v": "secret"}\n{"k": 2,,}\n{"k": 3}\n',
        "src.json:2: is no JSON",
    ),
    "no JSON on the first": ('secret\n{"k": 1}\n', "src.json:1: is no JSON"),
    "no JSON after an empty one": ('{"k": 1, "v": "secret"}\n\n{"k": \n', "src.json:3: is no JSON"),
    "no JSON in a list": ('[{"k": 1, "v": "secret"},\n{"k": 2,,}]\n', "src.json: record 2: is no"),
    "a key twice": ('{"k": 1, "v": "secret", "k": 2}', "src.json:1: an object has the same key"),
}


@pytest.mark.parametrize("case", WRONG_JSON)
def test_what_is_no_json_is_said_with_file_and_line(tmp_path: Path, case: str):
    text, said = WRONG_JSON[case]
    with pytest.raises(SourceError) as error:
        published(tmp_path, text, path="src.json")
    assert said in str(error.value)
    assert "secret" not in str(error.value)


NAMED = {
    "by position": ("100,60\n", "{header: false, columns: {v: BIGINT, k: BIGINT}}"),
    "under a header": ("v,k\n100,60\n", "{columns: {v: BIGINT, k: BIGINT}}"),
}


@pytest.mark.parametrize("case", NAMED)
def test_columns_are_those_of_the_order_they_are_named_in(tmp_path: Path, case: str):
    text, options = NAMED[case]
    assert published(tmp_path, text, "integer", more=f"options: {options}") == [100]


def test_a_header_in_another_order_than_is_said_is_told(tmp_path: Path):
    said = "options: {columns: {v: BIGINT, k: BIGINT}}"
    with pytest.raises(SourceError, match="another order than the options name them"):
        published(tmp_path, "k,v\n1,100\n", "integer", more=said)
