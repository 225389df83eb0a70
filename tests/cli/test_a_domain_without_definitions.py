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
    assert "mesh workspace" in mesh("run", "shop").err
    assert "shop/definitions.py: written" in mesh("workspace").err
    assert file.read_text("utf-8") == before
    assert mesh("run", "shop").code == 0
