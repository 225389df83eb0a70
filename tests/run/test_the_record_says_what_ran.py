"""What built a product is what the record says: dbt's project and imported modules too (A15)."""

from __future__ import annotations

import os
import py_compile
import subprocess
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    read,
    run,
    write_workspace,
)

from dataops_mesh.errors import TransformError
from dataops_mesh.run.identity import code_version, git_commit
from dataops_mesh.run.product import run_product
from dataops_mesh.run.rebuild import rebuild_product
from dataops_mesh.store.declarations import read_declaration
from dataops_mesh.store.log import latest_number
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.transform.code import code_files

KEY = "{name: id, logicalType: integer, primaryKey: true}"
PYTHON = (
    "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parent))\n"
    "import helping\n\n\ndef transform(src):\n    return helping.double(src)\n"
)
HELPING = "def double(rel):\n    return rel.select('id * 2 as id')\n"


def committed(root) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    (root / ".gitignore").write_text(".mesh\n__pycache__\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)


def files_of(settings, report) -> dict[str, str]:
    store = environment(settings).store
    return read_declaration(store, read_manifest(store, report.candidate).code)


@pytest.fixture
def python(tmp_path):
    found = a_product(
        ports={"doubled": [KEY]},
        inputs=[a_source("src", "src.csv")],
        files={"transform.py": PYTHON, "helping.py": HELPING, "src.csv": "id\n1\n2\n"},
    )
    settings = write_workspace(tmp_path, {"shop": {"doubled": found}})
    committed(tmp_path)
    return settings


def test_a_module_that_the_transform_imports_is_part_of_the_code(python):
    first = run(python, "shop.doubled")
    folder = python.root / "domains" / "shop" / "doubled"
    before = code_version(product(python, "shop.doubled"))
    (folder / "helping.py").write_text(HELPING.replace("2", "3"))
    second = run(python, "shop.doubled")
    assert code_version(product(python, "shop.doubled")) != before
    assert first.code_version != second.code_version
    assert (first.git_commit[-1], second.git_commit[-1]) != ("+", second.git_commit[0])
    assert second.git_commit.endswith("+")
    name = "domains/shop/doubled/helping.py"
    assert files_of(python, first)[name] != files_of(python, second)[name]


def test_a_module_of_a_checkout_is_part_of_the_code(tmp_path, monkeypatch):
    joined = tmp_path / "checkout"
    (joined / "acme" / "deep").mkdir(parents=True)
    (joined / "acme" / "__init__.py").write_text("from .deep import tools\n")
    (joined / "acme" / "deep" / "__init__.py").write_text("")
    (joined / "acme" / "deep" / "tools.py").write_text("from .. import other\n")
    (joined / "acme" / "other.py").write_text("N = 1\n")
    (joined / "acme" / "unused.py").write_text("N = 1\n")
    (joined / "one.py").write_text("import acme.deep\n")
    monkeypatch.setattr("dataops_mesh.transform.code.joined_folders", lambda: (joined,))
    found = a_product(
        ports={"out": [KEY]},
        inputs=[a_source("src", "src.csv")],
        files={"transform.py": "import one\n\n\ndef transform(src):\n    return src\n"},
    )
    settings = write_workspace(tmp_path, {"shop": {"out": found}})
    assert set(code_files(product(settings, "shop.out"))) == {
        "transform.py",
        "import:one.py",
        "import:acme/__init__.py",
        "import:acme/deep/__init__.py",
        "import:acme/deep/tools.py",
        "import:acme/other.py",
    }


def test_what_is_edited_or_ignored_outside_the_products_folder_is_no_clean_commit(python):
    root = python.root
    folder = root / "domains" / "shop" / "doubled"
    shared = root / "dbt_projects" / "one" / "models"
    shared.mkdir(parents=True)
    model, ignored = shared / "a.sql", shared / "b.sql"
    model.write_text("select 1")
    committed(root)
    assert not git_commit(folder, root, [model]).endswith("+")
    ignored.write_text("select 2")
    (root / ".gitignore").write_text(".mesh\n__pycache__\nb.sql\n.gitignore\n")
    assert git_commit(folder, root, [model, ignored]).endswith("+")
    assert not git_commit(folder, root, [model]).endswith("+")
    model.write_text("select 3")
    assert git_commit(folder, root, [model]).endswith("+")
    assert not git_commit(folder, root).endswith("+")


def test_policies_waivers_and_settings_are_kept_as_they_judged(python):
    text = "default: warning\n"
    (python.root / "policies.yaml").write_text(text)
    report = run(python, "shop.doubled")
    (python.root / "policies.yaml").write_text("default: info\n")
    store = environment(python).store
    kept = read_declaration(store, read_manifest(store, report.candidate).judged)
    assert kept["policies.yaml"] == text
    assert '"person": "ana"' in kept["settings.json"]
    assert "ledger" not in kept["settings.json"]
    again = run_product(product(python, "shop.doubled"), environment(python), run_id="r")
    assert (
        read_manifest(store, again.candidate).judged
        != read_manifest(store, report.candidate).judged
    )


def test_a_file_that_the_transform_opens_is_part_of_the_code(tmp_path):
    body = (
        "import json, pathlib\n\n\ndef transform(src):\n"
        "    rate = json.loads((pathlib.Path(__file__).parent / 'rates.json').read_text())\n"
        "    return src.select(f'id * {rate} as id')\n"
    )
    found = a_product(
        ports={"out": [KEY]},
        inputs=[a_source("src", "in/*.csv")],
        files={"transform.py": body, "rates.json": "2", "in/a.csv": "id\n1\n", "README.md": "a"},
    )
    settings = write_workspace(tmp_path, {"shop": {"out": found}})
    folder = tmp_path / "domains" / "shop" / "out"
    first = run(settings, "shop.out")
    before = code_version(product(settings, "shop.out"))
    assert set(files_of(settings, first)) == {
        "domains/shop/out/rates.json",
        "domains/shop/out/transform.py",
    }
    (folder / "in" / "b.csv").write_text("id\n2\n")  # a delivery is no other code
    (folder / "README.md").write_text("b")
    assert code_version(product(settings, "shop.out")) == before
    (folder / "rates.json").write_text("3")
    assert code_version(product(settings, "shop.out")) != before


@pytest.mark.parametrize("name", [".rates", "inputs/rates.csv", "tests/rates.csv", "deep/NOTES.md"])
def test_what_is_not_in_the_version_of_the_code_builds_nothing(tmp_path, name):
    body = (
        "import pathlib\nHERE = pathlib.Path(__file__).parent\n\n\ndef transform(src):\n"
        "    own = sorted(path.name for path in HERE.iterdir())\n"
        "    assert 'transform.py' in own, own\n    (HERE / 'deep' / 'more.txt').read_text()\n"
        f"    return src.select((HERE / '{name}').read_text())\n"
    )
    found = a_product(
        ports={"out": [KEY]},
        inputs=[a_source("src", "in.csv")],
        files={"transform.py": body, "deep/more.txt": "", name: "id", "in.csv": "id\n1\n"},
    )
    settings = write_workspace(tmp_path, {"shop": {"out": found}})
    assert not {path for path in code_files(product(settings, "shop.out")) if path == name}
    with pytest.raises(TransformError, match="Permission"):
        run(settings, "shop.out")


@pytest.mark.parametrize("told", ["--assume-unchanged", "--skip-worktree"])
def test_what_git_was_told_not_to_look_at_is_no_clean_commit(python, told):
    folder = python.root / "domains" / "shop" / "doubled"
    git = ["git", "-C", str(python.root), "update-index", told, str(folder / "helping.py")]
    subprocess.run(git, check=True)
    (folder / "helping.py").write_text(HELPING.replace("2", "3"))
    assert run(python, "shop.doubled").git_commit.endswith("+")


def folder_of(settings):
    return settings.root / "domains" / "shop" / "doubled"


def linked_file(root, folder) -> None:
    """A module of the product lies elsewhere in the repository, and is edited there."""
    there = root / "lib" / "helping.py"
    there.parent.mkdir()
    (folder / "helping.py").rename(there)
    (folder / "helping.py").symlink_to("../../../lib/helping.py")
    committed(root)
    there.write_text(HELPING.replace("2", "3"))


def linked_folder(root, folder) -> None:
    there = root / "teams" / "doubled"
    there.parent.mkdir()
    folder.rename(there)
    folder.symlink_to("../../teams/doubled")
    committed(root)
    (there / "helping.py").write_text(HELPING.replace("2", "3"))


def ignored_contract(root, folder) -> None:
    (root / ".git" / "info" / "exclude").write_text("*.odcs.yaml\n")
    git = ["git", "-C", str(root)]
    subprocess.run([*git, "rm", "-q", "--cached", str(folder / "doubled.odcs.yaml")], check=True)
    committed(root)


def submodule(root, folder) -> None:
    """The domain is a repository of its own, of which ours names a commit."""
    apart = root.parent / f"{root.name}-apart"
    folder.parent.rename(apart)
    committed(apart)
    git = ["git", "-C", str(root), "-c", "protocol.file.allow=always"]
    subprocess.run([*git, "rm", "-rq", "--cached", "domains/shop"], check=True)
    subprocess.run([*git, "submodule", "-q", "add", str(apart), "domains/shop"], check=True)
    committed(root)
    (folder / "helping.py").write_text(HELPING.replace("2", "3"))


def no_answer(root, _folder) -> None:
    (root / ".git" / "index").write_bytes(b"damaged")


def no_text(_root, folder) -> None:
    (folder / "inputs").mkdir()
    (Path(os.fsdecode(bytes(folder / "inputs") + b"/\xff.csv"))).write_text("x")


@pytest.mark.parametrize(
    "differ", [linked_file, linked_folder, ignored_contract, submodule, no_answer, no_text]
)
def test_what_is_not_as_the_commit_has_it_is_no_clean_commit(python, differ):
    folder = folder_of(python)
    found = product(python, "shop.doubled")
    code = code_files(found).values()
    assert not git_commit(folder, python.root, code).endswith("+")
    differ(python.root, folder)
    assert git_commit(folder, python.root, code).endswith("+")


def test_what_is_linked_and_committed_is_a_clean_commit(python):
    folder = folder_of(python)
    linked_file(python.root, folder)
    committed(python.root)
    code = code_files(product(python, "shop.doubled")).values()
    assert not git_commit(folder, python.root, code).endswith("+")


@pytest.mark.parametrize("name", ["transform.py", "helping.py"])
def test_what_runs_is_the_source_and_nothing_that_was_compiled_of_it(python, name):
    file = folder_of(python) / name
    source, mode = file.read_text(), py_compile.PycInvalidationMode.UNCHECKED_HASH
    file.write_text(
        source.replace("helping.double(src)", "src.select('7 as id')").replace("2", "7")
    )
    py_compile.compile(str(file), invalidation_mode=mode)
    file.write_text(source)
    assert run(python, "shop.doubled").published
    assert read(python, "select id from shop.doubled order by id") == [(2,), (4,)]


@pytest.mark.parametrize("rebuilt", [False, True])
def test_code_that_is_edited_while_it_runs_publishes_nothing(tmp_path, rebuilt):
    """The record would name the files as they are by then, and not as they ran."""
    body = "def transform(src):\n    return src.select('id')\n"
    contract = a_contract("out", [KEY])
    if rebuilt:
        values = "customProperties:\n" + a_setting("partitions", "{values: ['1', '2']}")
        contract = a_contract("out", [KEY.replace("}", ", partitioned: true}")]) + values
        body = (
            "def transform(src, partition_key):\n    return src.filter(f'id = {partition_key}')\n"
        )
    found = a_product(
        ports={"out": contract},
        inputs=[a_source("src", "src.csv")],
        files={"transform.py": body, "src.csv": "id\n1\n2\n"},
    )
    settings = write_workspace(tmp_path, {"shop": {"out": found}})
    file = tmp_path / "domains" / "shop" / "out" / "transform.py"

    def edit(stage: str) -> None:
        if stage == "checking the candidate":
            file.write_text(body + "# edited meanwhile\n")

    way = rebuild_product if rebuilt else run_product
    with pytest.raises(TransformError, match="changed while it was built"):
        way(product(settings, "shop.out"), environment(settings), run_id="r", progress=edit)
    assert latest_number(environment(settings).store) == 0
