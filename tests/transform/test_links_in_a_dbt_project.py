"""A file of a dbt project may be a link, but not to what its domain could not read itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt_cases import mesh, write_project
from helpers import product, run
from markers import places

from dataops_mesh.errors import DeclarationError, MeshError
from dataops_mesh.transform.dbt.files import Bounds, project_files, project_rooms, stray_links

SECRET = "S7ac86aa35045f49"  # noqa: S105 - what must not be told
SHOWS = "{{ config(materialized='table') }} select content as id from read_text('models/k.txt')"
PLACES = {
    "models/k.md": "keys/people",
    "models/k.txt": "domains/shop/staff.csv",
    "models/k.parquet": ".mesh/restricted/clear.parquet",
    "models/private.parquet": ".mesh/store/candidates/private.parquet",
    "models/alerts.md": "alerts.toml",
    "models/keys": "keys",
    "macros/k.sql": "keys/people",
    "seeds/seeded.csv": "domains/shop/staff.csv",
    "seeds/capture.csv": ".mesh/store/captures/c.csv",
    "tests/host.sql": "/etc/hostname",
    "analyses/shadow.sql": "/proc/self/root/etc/shadow",
    "notes/x.yml": "domains/shop/staff.csv",
    "notes/deep/y.sql": "keys/people",
}


def linked(root: Path, name: str, to: str, *, relative: bool) -> None:
    link, target = root / "project" / name, root / to
    if not Path(to).is_absolute() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"id\n{SECRET}\n", "utf-8")
    link.parent.mkdir(parents=True, exist_ok=True)
    up = "../" * len(Path("project", name).parent.parts)
    link.symlink_to(f"{up}{to}" if relative else target)


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("name", PLACES)
def test_a_link_to_what_no_code_may_see_is_named_and_none_of_it_is_kept(tmp_path, name, relative):
    settings = mesh(tmp_path)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "people").write_text(SECRET, "utf-8")
    update = {"secrets": Path("keys"), "alerts_file": Path("alerts.toml")}
    settings = settings.model_copy(update=update)
    outside = PLACES[name].startswith("/")
    linked(tmp_path, name, PLACES[name], relative=relative and not outside)
    before = places(tmp_path, SECRET)
    with pytest.raises(DeclarationError, match="is a link out of the workspace") as caught:
        run(settings, "books.both")
    assert SECRET not in str(caught.value)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].where.file == f"project/{name}"
    assert places(tmp_path, SECRET) == before


@pytest.mark.parametrize("to", ["project/common/m.txt", "shared/m.txt", "domains/books/m.txt"])
def test_a_link_to_what_the_domain_may_read_is_read_and_counts(tmp_path, to):
    settings = mesh(tmp_path)
    linked(tmp_path, "models/k.txt", to, relative=True)
    write_project(tmp_path, {"models/shows.sql": SHOWS})
    assert run(settings, "books.both").published
    assert product(settings, "books.both")


def test_the_walls_stand_where_a_project_names_a_protected_file_itself(tmp_path):
    """No link at all: what is opened of a project is asked against what is protected."""
    settings = mesh(tmp_path)
    reads = SHOWS.replace("models/k.txt", "data/k.txt")
    write_project(tmp_path, {"data/k.txt": SECRET, "models/shows.sql": reads})
    assert run(settings, "books.both").published, "as long as nobody calls it a secret"
    hidden = settings.model_copy(update={"secrets": Path("project/data/k.txt")})
    with pytest.raises(MeshError, match="could not build shows") as caught:
        run(hidden, "books.both")
    assert SECRET not in str(caught.value)


def test_a_project_of_no_workspace_reads_only_what_lies_in_it(tmp_path):
    write_project(tmp_path, {"dbt_project.yml": "name: a\n", "models/a.sql": "select 1"})
    project = tmp_path / "project"
    linked(tmp_path, "models/in.md", "project/models/a.sql", relative=True)
    linked(tmp_path, "models/out.md", "beside.md", relative=True)
    (project / "models" / "loop.md").symlink_to("loop.md")
    assert [file.name for file in stray_links(project, None)] == ["out.md"]
    assert {"models/in.md", "models/a.sql"} < project_files(project).keys()
    assert "models/out.md" not in project_files(project)
    assert tmp_path / "beside.md" not in project_rooms(project)


def test_where_links_may_lead_is_not_what_is_hidden(tmp_path):
    bounds = Bounds(tmp_path, tmp_path / "d", tmp_path / "d" / "own", frozenset({tmp_path / "k"}))
    allowed = {"shared/x": True, "d/own/x": True, "d/x/y": False, "k": False, "k/x": False}
    assert {name: bounds.allow(tmp_path / name) for name in allowed} == allowed
