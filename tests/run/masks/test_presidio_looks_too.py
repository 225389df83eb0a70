"""Kinds that an organisation describes for Presidio are found like ours, or nothing is published."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import spacy
import yaml
from helpers import run
from typer.testing import CliRunner

from dataops_mesh.cli.main import app
from dataops_mesh.errors import SettingsError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.quality.presidio import finder, presidio_problems
from dataops_mesh.settings import Settings
from tests.run.masks.test_personal_data_is_found import MAILS, port, workspace

DOCS = Path(__file__).parents[3] / "docs"
NUMBERS = [f"card MB-{n:06}" for n in range(4)]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A language model that knows words and no names: the large ones are not on every machine."""
    folder = tmp_path_factory.mktemp("models") / "blank"
    spacy.blank("en").to_disk(folder)
    return folder


@pytest.fixture
def settings(tmp_path: Path, model: Path):
    """Return a workspace whose column `contact` has the given values, with the file of the page."""

    def made(values: list[str], more: str = "") -> Settings:
        (block,) = re.findall(
            r"```yaml\n(# presidio.yaml.*?)```", (DOCS / "policies.md").read_text(), re.DOTALL
        )
        text = block.replace("en_core_web_lg", str(model))
        (tmp_path / "presidio.yaml").write_text(text, "utf-8")
        found = workspace(tmp_path, port(values, more))
        project = tmp_path / "pyproject.toml"
        said = project.read_text("utf-8") if project.exists() else "[tool.dataops_mesh]\n"
        project.write_text(f'{said}presidio = "presidio.yaml"\n', "utf-8")
        return found.model_copy(update={"presidio": Path("presidio.yaml")})

    return made


def test_what_the_page_describes_is_found_and_not_shown(settings):
    report = run(settings([*NUMBERS, *["open"] * 20]), "shop.desks")
    assert isinstance(report.decision, Refuse)
    (reason,) = report.decision.reasons
    assert "4 of 24 values of contact look like MEMBER (Presidio)" in reason
    assert "MB-" not in reason


def test_two_of_many_are_chance(settings):
    assert run(settings([*NUMBERS[:2], *["open"] * 20]), "shop.desks").decision == Publish(())


def test_a_column_that_says_why_is_not_asked_about(settings):
    more = ", customProperties: [{property: pii, vendor: dataops_mesh, value: {none: cards of machines}}]"
    assert run(settings(NUMBERS, more), "shop.desks").decision == Publish(())


def test_our_own_patterns_come_first(settings):
    report = run(settings([*MAILS[:5], *NUMBERS]), "shop.desks")
    assert isinstance(report.decision, Refuse)
    assert "5 of 9 values of contact look like an e-mail" in report.decision.reasons[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.unlink(), "cannot be read: No such file"),
        (lambda file: file.write_text("a: [\n"), "it is no YAML"),
        (lambda file: file.write_text("a: b\n"), 'the language model "en_core_web_lg" is not installed'),
        (lambda file: file.write_text(file.read_text().replace("blank", "gone")), 'gone" is not installed'),
        (lambda file: file.write_text(file.read_text().replace("SpacyRecognizer", "Nobody")), "cannot be made"),
        (lambda file: file.write_text(file.read_text().replace("regex:", "regx:")), "cannot be made"),
    ],
)  # fmt: skip
def test_what_cannot_look_publishes_nothing(settings, tmp_path, change, said):
    workspace = settings(["open"])
    change(tmp_path / "presidio.yaml")
    with pytest.raises(SettingsError, match=re.escape(said)) as raised:
        run(workspace, "shop.desks")
    problem = raised.value.problems[0]
    assert problem.where
    assert problem.next


def test_mesh_check_says_that_a_model_is_missing(settings, tmp_path, monkeypatch):
    settings(["open"])
    file = tmp_path / "presidio.yaml"
    file.write_text(file.read_text().replace("blank", "gone"))
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["check"])
    assert told.exit_code == 1
    assert "is not installed" in told.output
    assert "presidio" in told.output


def test_without_the_extra_it_is_named(settings, tmp_path, monkeypatch):
    settings(["open"])
    monkeypatch.setattr("dataops_mesh.quality.presidio.find_spec", lambda _: None)
    (problem,) = presidio_problems(tmp_path / "presidio.yaml")
    assert problem.next == "pip install 'dataops-mesh[presidio]'"


def test_each_text_counts_once_for_a_kind(settings, tmp_path):
    settings(["open"])
    found = finder(tmp_path / "presidio.yaml")(["MB-000001 and MB-000002", "MB-000003", "none", ""])
    assert found == {"MEMBER": 2}


def test_the_page_s_file_is_what_presidio_reads():
    (block,) = re.findall(
        r"```yaml\n(# presidio.yaml.*?)```", (DOCS / "policies.md").read_text(), re.DOTALL
    )
    assert {"nlp_configuration", "recognizer_registry"} <= set(yaml.safe_load(block))
