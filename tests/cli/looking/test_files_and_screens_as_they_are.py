"""An editor writes a mark at the start of a file, a terminal knows only ASCII: no bug in mesh."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_cases import FAMILY
from helpers import a_product, a_source, write_workspace

MARK = b"\xef\xbb\xbf"
COLUMNS = ("{name: id, logicalType: integer, primaryKey: true}",)
TEXTS = {
    "sql": ("things.sql", "-- comment\nselect id from things_csv\n"),
    "python": ("transform.py", "def transform(things_csv):\n    return things_csv\n"),
}


@pytest.mark.parametrize("kind", list(TEXTS))
def test_a_mark_at_the_start_of_a_file_is_nobodys_problem(mesh, workspace, kind):
    name, text = TEXTS[kind]
    files = {
        name: MARK + text.encode(),
        "things.csv": MARK + b"id\n1\n",
    }
    made = a_product(
        ports={"things": COLUMNS}, inputs=[a_source("things_csv", "things.csv")], files=files
    )
    made = {file: MARK + t.encode() if isinstance(t, str) else t for file, t in made.items()}
    folder = workspace.root / "domains" / "desk" / "things"
    folder.mkdir()
    for file, content in made.items():
        text_ = content.replace(b"@domain", b"desk").replace(b"@product", b"things")
        (folder / file).write_bytes(text_)
    said = mesh("check", "desk.things")
    assert said.code == 0, said
    assert mesh("run", "desk.things").code == 0
    assert mesh("query", "select id from desk.things", "--format", "json").json == [{"id": 1}]


@pytest.mark.parametrize("records", ['[{"id": 1}]', '{"id": 1}\n', ' \n [{"id": 1}]'])
def test_a_mark_at_the_start_of_json_and_of_the_settings(mesh, workspace, records):
    made = a_product(
        ports={"things": COLUMNS},
        inputs=[a_source("things_json", "things.json")],
        files={
            "things.sql": "select id from things_json",
            "things.json": MARK + records.encode(),
        },
    )
    write_workspace(workspace.root, {"desk": {"things": made}})
    settings = workspace.root / "pyproject.toml"
    settings.write_bytes(MARK + settings.read_bytes())
    assert mesh("run", "desk.things").code == 0
    assert mesh("query", "select id from desk.things", "--format", "json").json == [{"id": 1}]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("things.sql", "desk/things/things.sql:1: is not UTF-8 text"),
        ("transform.py", "desk/things/transform.py:1: is not UTF-8 text"),
        ("things.json", "things.json:1: is not UTF-8"),
        ("product.odps.yaml", "desk/things/product.odps.yaml:1: is not UTF-8 text"),
        ("../../../pyproject.toml", "pyproject.toml:1: is not UTF-8 text"),
        ("../../../policies.yaml", "policies.yaml:1: is not UTF-8 text"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_said_with_file_and_line(mesh, workspace, name, said, encoding):
    made = a_product(
        ports={"things": COLUMNS},
        inputs=[a_source("things_json", "things.json")],
        files={"things.json": '[{"id": 1}]'}
        | ({} if name == "transform.py" else {"things.sql": "select id from things_json"}),
    )
    write_workspace(workspace.root, {"desk": {"things": made}})
    file = workspace.root / "domains" / "desk" / "things" / name
    text = '[{"id": "ä"}]' if name == "things.json" else "select 1 as ä # ä\n"
    file.write_bytes(text.encode(encoding))
    found = mesh("run", "desk.things")
    assert found.code in {1, 2}
    assert said in found.err
    assert "a bug in mesh" not in found.err


def test_a_terminal_that_knows_only_ascii_is_shown_what_it_can_show(tmp_path):
    made = a_product(
        ports={"orders": ["{name: ort, logicalType: string}"]},
        files={"orders.sql": "select 'Å → 東京' as ort"},
    )
    write_workspace(tmp_path, {"shop": {"orders": made}})
    (tmp_path / "domains/shop/definitions.py").write_text(FAMILY, "utf-8")

    def type_(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dataops_mesh.cli.main", *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONIOENCODING": "ascii",
                "DAGSTER_HOME": str(Path(tmp_path, "d")),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    assert type_("run").returncode == 0
    said = type_("query", "select * from shop.orders")
    assert said.returncode == 0, said.stderr
    assert "\\u6771" in said.stdout
    assert "a bug in mesh" not in said.stderr
