"""Files that are hostile, damaged or huge end in a DeclarationError with a line, quickly."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from declared import CONTRACT, PRODUCT, Workspace

from dataops_mesh.errors import DeclarationError
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.read.yaml import MAX_BYTES, parse_document

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"

BROKEN = {
    "alias bomb": (BOMB, 2, "aliases"),
    "deep list": ("a: " + "[" * 500_000, 1, "nested deeper"),
    "deep mapping": ("{a: " * 100_000, 1, "nested deeper"),
    "deep block": ("- " * 300_000, 1, "nested deeper"),
    "deep keys": ("? " * 300_000, 1, "a key must be text"),
    "key given twice": ("a: 1\nb: 2\na: 3\n", 3, "on lines 1 and 3"),
    "key given twice, deeper": ("a:\n  - b: 1\n    b: 2\n", 3, "on lines 2 and 3"),
    "object tag": ("a: !!python/object/apply:os.system ['true']\n", 1, "tags"),
    "binary tag": ("x: 1\na: !!binary aGk=\n", 2, "tags"),
    "merge key": ("a: {<<: {b: 1}}\n", 1, "merge keys"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "more than one document"),
    "tab": ("a:\n\tb: 1\n", 2, "is not YAML"),
    "unclosed": ("a: 'b\nc: d\n", 1, "a quote (') opens on this line"),
    "unclosed until the next quote": (
        'a:\n  - {b: "c, d: 1}\n  - {b: "c"}\n',
        2,
        'a quote (") opens on this line',
    ),
    "braces without quotes": ("a: 1\nb: {partition}.csv\nc: 2\n", 2, "{partition} stands without"),
    "braces without quotes, inside": (
        "a: {b: x/{partition}.csv}\n",
        1,
        "{partition} stands without",
    ),
    "a format without quotes": ("a: 1\nb: %d/%m\n", 2, "may not begin with %"),
    "a quote that is closed further down": ('a: "b\n  c"\nd: 1\n\te: 1\n', 4, "a tab"),
    "control character": ("a: 1\nb: \x01\n", 2, "is not YAML"),
    "empty": ("", 1, "is empty"),
    "only a comment": ("# nothing\n", 1, "is empty"),
    "null": ("---\n", 1, "is empty"),
    "list": ("- a\n", 1, "must be a mapping"),
    "text": ("hello\n", 1, "must be a mapping"),
    "list as key": ("? [a]\n: b\n", 1, "a key must be text"),
    "endless number": ("a: 1" + "0" * 5000 + "\n", 1, "not a usable number"),
    "sexagesimal number": ("a: " + "1:" * 5000 + "1\n", 1, "not a usable number"),
    "not a number": ("a: .nan\n", 1, "not a usable number"),
    "infinity": ("a: -.inf\n", 1, "not a usable number"),
    "float too large": ("a: 1.0e+999\n", 1, "not a usable number"),
    "lone surrogate": ('a: "\\ud800"\n', 1, "is not YAML"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_text_is_a_problem_with_a_line(case: str):
    text, line, message = BROKEN[case]
    started = time.perf_counter()
    with pytest.raises(DeclarationError) as caught:
        parse_document(text, "x.yaml")
    assert time.perf_counter() - started < 2
    (problem,) = caught.value.problems
    assert str(problem.where) == f"x.yaml:{line}"
    assert message in problem.what


def test_how_to_quote_it_is_said():
    with pytest.raises(DeclarationError) as caught:
        parse_document("a: {path: data/{partition}.csv, x: 1}\n", "x.yaml")
    assert caught.value.problems[0].next == 'write it in quotes: "data/{partition}.csv"'


def test_braces_alone_are_valid_yaml_and_not_what_was_meant(workspace: Workspace):
    (problem,) = workspace.problems(PRODUCT.replace("data/planes.csv", "{partition}"))
    assert problem.next == 'write it in quotes: "{partition}"'


@pytest.mark.parametrize("name", ["product.odps.yaml", "aircraft.odcs.yaml"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_named(workspace: Workspace, name: str, case: str):
    problems = workspace.problems(files={name: BROKEN[case][0]})
    place = f"domains/fleet/aircraft/{name}:{BROKEN[case][1]}"
    assert place in [str(problem.where) for problem in problems]


def test_a_file_that_is_no_text_is_named(workspace: Workspace):
    folder = workspace.write()
    (folder / "aircraft.odcs.yaml").write_bytes(CONTRACT.encode() + b"# \xff\xfe\n")
    with pytest.raises(DeclarationError, match=r"aircraft.odcs.yaml:11: is not UTF-8"):
        load_product(folder, workspace.root)


def test_a_file_that_is_too_large_is_not_read(workspace: Workspace):
    folder = workspace.write(PRODUCT + "# " + "x" * MAX_BYTES)
    with pytest.raises(DeclarationError, match="is larger than 1024 KiB"):
        load_product(folder, workspace.root)


@pytest.mark.parametrize("name", ["product.odps.yaml", "aircraft.odcs.yaml"])
def test_what_is_no_file_does_not_block(workspace: Workspace, name: str):
    folder = workspace.write()
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(DeclarationError, match="is not a file"):
        load_product(folder, workspace.root)


def test_a_byte_order_mark_does_no_harm(workspace: Workspace):
    folder = workspace.write()
    file: Path = folder / "product.odps.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load_product(folder, workspace.root).id == "fleet.aircraft"


def test_dates_stay_text_and_keys_stay_text():
    document = parse_document("a: 2026-01-05\n1: 2022-05-12T09:30:10-08:00\nno: yes\n", "x")
    assert document.data == {"a": "2026-01-05", "1": "2022-05-12T09:30:10-08:00", "no": True}
