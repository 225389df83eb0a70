"""The pages of a sandbox say on each of them that nobody else reads what they show."""

from __future__ import annotations

from dataops_mesh.run.environment import open_environment
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.web.catalogue import catalogue_of
from dataops_mesh.web.links import served
from dataops_mesh.web.pages import PAGES, html_of
from dataops_mesh.web.view import view_of


def test_a_page_says_that_it_is_of_a_sandbox(mesh, workspace):
    assert mesh("run").code == 0
    assert mesh("sandbox", "up", "late", "--reason", "to look").code == 0
    first, banner = PAGES[0], "This is the sandbox late"
    for sandbox in ("", "late"):
        settings = load_settings(workspace.root, sandbox=sandbox)
        catalogue = catalogue_of(load_mesh(workspace.root), settings)
        with view_of(open_environment(settings), catalogue) as view:
            text = html_of(first, first.facts(view, {}), view, served)
        assert (banner in text) == bool(sandbox)
        assert "shop" in text
