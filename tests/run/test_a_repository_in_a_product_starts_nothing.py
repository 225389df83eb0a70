"""A repository that lies in a product's folder is data: the gate starts none of its programs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import a_product, run, write_workspace

KEY = "{name: id, logicalType: integer, primaryKey: true}"
PROGRAMS = {
    "fsmonitor": '[core]\n\tfsmonitor = "sh {hook}; false"\n',
    "a filter": '[filter "x"]\n\tclean = "sh {hook}; cat"\n\tprocess = "sh {hook}"\n',
}


def planted(root: Path, folder: Path, program: str, into: str) -> Path:
    """Put the insides of a bare repository into a product's folder; return what it would leave."""
    made, witness = root / "made", root / "witness"
    made.mkdir()
    git = ["git", "-C", str(made), "-c", "user.email=a@b", "-c", "user.name=a"]
    subprocess.run([*git, "init", "-q"], check=True)
    (made / "f").write_text("f")
    (made / ".gitattributes").write_text("* filter=x\n")
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    inside = folder / into
    inside.mkdir(exist_ok=True)
    for name in ("HEAD", "objects", "refs", "index"):
        source = made / ".git" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, inside / name)
    (folder / "f").write_text("g")
    (folder / ".gitattributes").write_text("* filter=x\n")
    (folder / "hook.sh").write_text(f"touch {witness}\n")
    head = f'[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = "{folder}"\n'
    (inside / "config").write_text(head + program.format(hook=folder / "hook.sh"))
    return witness


@pytest.mark.parametrize("into", [".", ".git"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_files_of_a_repository_in_a_product_run_nothing(tmp_path: Path, name: str, into: str):
    made = a_product({"p": [KEY]}, files={"p.sql": "select 1 as id"})
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True)
    git = ["git", "-C", str(tmp_path), "-c", "user.email=a@b", "-c", "user.name=a"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    folder = tmp_path / "domains" / "d" / "p"
    witness = planted(tmp_path, folder, PROGRAMS[name], into)
    subprocess.run(["git", "-C", str(folder), "status"], check=False, capture_output=True)
    assert witness.exists(), "plain git runs it, so this test can fail"
    witness.unlink()
    report = run(settings, "d.p")
    assert report.published
    assert len(report.git_commit) == 41, "the workspace's commit, and that files differ"
    assert not witness.exists()
