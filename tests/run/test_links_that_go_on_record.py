"""What the gate reads for the record is the product's own, wherever a link leads."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from helpers import a_product, a_source, environment, mesh, product, run, write_workspace
from markers import places

from dataops_mesh.cli.examine import examine_all
from dataops_mesh.errors import DeclarationError, MeshError
from dataops_mesh.run.guards.links import require_own_code
from dataops_mesh.run.judged import judgement_texts
from dataops_mesh.run.registry.register import register

SECRET = "S7ac86aa35045f49"  # noqa: S105 - what must not be told
DIGEST = hashlib.sha256(SECRET.encode()).hexdigest()[:16]
PYTHON = "def transform(src):\n    return src\n"
VICTIMS = ("keys/people", "domains/hr/staff.csv", ".mesh/restricted/clear.csv", "@outside/x.csv")
LINKS = ("approvals/0123456789abcdef.yaml", "waivers.yaml", "rates.csv", "deep/v.bin")


def shop(root: Path):
    root.mkdir(exist_ok=True)
    files = {"transform.py": PYTHON, "src.csv": "k\n1\n"}
    columns = ["{name: k, logicalType: integer}"]
    made = a_product({"p": columns}, inputs=[a_source("src", "src.csv")], files=files)
    return write_workspace(root, {"d": {"p": made}}, settings='secrets = "keys"\n')


def linked(root: Path, name: str, to: str, text: str = SECRET) -> Path:
    target = root.parent / to[1:] if to.startswith("@") else root / to
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    link = root / "domains" / "d" / "p" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    return target


@pytest.mark.parametrize("to", VICTIMS)
@pytest.mark.parametrize("name", LINKS)
def test_a_link_to_what_is_not_the_products_is_refused_and_not_kept(tmp_path, name, to):
    settings = shop(tmp_path / "w")
    linked(settings.root, name, to)
    before = places(tmp_path, SECRET)
    found = mesh(settings)
    told = [str(one) for one in examine_all(found, found.products, settings)[0]]
    assert [one for one in told if f"domains/d/p/{name}" in one and "is a link out of" in one]
    with pytest.raises(DeclarationError) as caught:
        run(settings, "d.p")
    assert SECRET not in f"{told}{caught.value}"
    assert places(tmp_path, SECRET) == before
    assert not places(tmp_path, DIGEST)


def test_a_pact_a_contract_and_the_workspaces_waivers_are_asked_too(tmp_path):
    settings = shop(tmp_path / "w")
    own = product(settings, "d.p")
    linked(settings.root, "accepted/x.pact.yaml", "@outside/x.csv")
    linked(settings.root, "inputs/src.odcs.yaml", "@outside/x.csv")
    with pytest.raises(DeclarationError):
        register(mesh(settings).domains[0], environment(settings), {})
    (settings.root / "waivers.yaml").symlink_to(tmp_path / "outside" / "x.csv")
    with pytest.raises(DeclarationError, match=r"waivers.yaml"):
        judgement_texts(own, environment(settings))


@pytest.mark.parametrize("to", ["lib/rates.csv", "domains/d/shared/r.csv", "domains/d/p/r.csv"])
def test_a_link_to_a_file_of_the_product_or_the_workspace_is_a_part_of_it(tmp_path, to):
    settings = shop(tmp_path / "w")
    linked(settings.root, "rates.csv", to)
    assert run(settings, "d.p").published
    assert places(settings.store_folder, DIGEST)


def test_a_workspace_that_is_reached_by_a_link_is_no_link_out_of_it(tmp_path):
    shop(tmp_path / "w")
    (tmp_path / "here").symlink_to("w")
    assert run(shop(tmp_path / "here"), "d.p").published


def test_what_a_process_says_it_imported_is_a_module_or_refused(tmp_path):
    settings = shop(tmp_path / "w")
    key = linked(settings.root, "approvals/no.yaml", "keys/people")
    own, fake, real = product(settings, "d.p"), tmp_path / "fake.py", tmp_path / "real.py"
    fake.symlink_to(key)
    real.write_text("", "utf-8")
    require_own_code({"import:real.py": real}, own, settings)
    with pytest.raises(MeshError, match=r"fake.py"):
        require_own_code({"import:fake.py": fake}, own, settings)
