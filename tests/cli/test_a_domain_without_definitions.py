"""A new domain's `definitions.py` is not a riddle."""

from __future__ import annotations


def test_check_warns_and_workspace_writes_it(mesh, workspace):
    file = workspace.root / "domains" / "shop" / "definitions.py"
    before = file.read_text("utf-8")
    file.unlink()
    said = mesh("check", "shop")
    assert said.code == 0
    assert "shop has no definitions.py" in said.err + said.out
    assert "shop has no definitions.py" not in mesh("check", "desk").err
    assert mesh("run", "shop").code == 0  # it is for Dagster's own processes
    assert "shop/definitions.py: written" in mesh("workspace").err
    assert file.read_text("utf-8") == before
    assert mesh("run", "shop").code == 0


def test_a_run_never_executes_the_domains_definitions(mesh, workspace, tmp_path):
    file = workspace.root / "domains" / "shop" / "definitions.py"
    witness = tmp_path / "witness"
    file.write_text(f"open({str(witness)!r}, 'w')\n" + file.read_text("utf-8"), "utf-8")
    assert mesh("run", "shop").code == 0
    assert mesh("check").code == 0
    assert not witness.exists()
