"""Ways to a masked value that were tried from outside: none of them shows or keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_product, a_source, run, write_workspace
from test_masks import KEY, MARKER, cells, column, people, workspace

from dataops_mesh.errors import MeshError, SourceError, TransformError
from dataops_mesh.gate import Publish, Refuse

HASH = "{method: hash, secret: people}"
ROWS = f"id,mail\n1,{MARKER}\n2,ann\n"


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


def python(body: str):
    files = people(ROWS, column("mail", "string", HASH))
    del files["people.sql"]
    return {**files, "transform.py": f"def transform(people_csv):\n    {body}\n"}


@pytest.mark.parametrize(
    "files",
    [
        people(
            ROWS, column("mail", "string", HASH), sql="select id, mail::int as mail from people_csv"
        ),
        python("raise ValueError(str(people_csv.fetchall()))"),
        python("raise NameError(str(people_csv.fetchall()))"),
    ],
    ids=["cast", "ValueError", "NameError"],
)
def test_a_transform_that_fails_leaves_no_value_in_its_error(tmp_path: Path, files):
    settings = workspace(tmp_path, files)
    with pytest.raises(TransformError) as caught:
        run(settings, "hr.people")
    assert MARKER not in str(caught.value)
    assert "is not kept" in str(caught.value)
    assert MARKER not in cells(settings.store_folder)


@pytest.mark.parametrize("made", ["[mail]", "{'a': mail}", "mail::blob", "map {mail: mail}"])
def test_a_masked_column_of_another_type_is_refused_for_its_type(tmp_path: Path, made):
    files = people(
        ROWS,
        column("mail", "string", HASH),
        sql=f"select id::int as id, {made} as mail from people_csv",
    )
    settings = workspace(tmp_path, files)
    decision = run(settings, "hr.people").decision
    assert isinstance(decision, Refuse)
    assert any("mail" in reason and "schema" in reason for reason in decision.reasons)
    assert MARKER not in cells(settings.store_folder)


@pytest.mark.parametrize(
    "more",
    [", mail as mail2", ", mail as MAIL2, {'x': mail} as who", ", [mail] as mails"],
)
def test_a_copy_that_the_contract_does_not_have_is_not_kept(tmp_path: Path, more):
    files = people(
        ROWS,
        column("mail", "string", HASH),
        sql=f"select id::int as id, mail {more} from people_csv",
    )
    settings = workspace(tmp_path, files)
    assert isinstance(run(settings, "hr.people").decision, Refuse)
    assert MARKER not in cells(settings.store_folder)


@pytest.mark.parametrize("path", ["../../../keys/people", "../../../keys/*", "linked"])
def test_the_secrets_are_no_source(tmp_path: Path, path):
    files = a_product(
        {"keys": [column("key", "string", more=", classification: public")]},
        inputs=[a_source("k", path, more="format: csv, options: {header: false}")],
        files={"keys.sql": "select column0 as key from k"},
    )
    settings = write_workspace(tmp_path, {"evil": {"keys": files}}, settings='secrets = "keys"\n')
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/people").write_text(KEY, "utf-8")
    (tmp_path / "domains/evil/keys/linked").symlink_to(tmp_path / "keys/people")
    with pytest.raises(SourceError, match="reads the secrets of this mesh"):
        run(settings, "evil.keys")
    assert KEY not in cells(settings.store_folder)


def test_a_secret_that_is_for_others_makes_no_hashes_of_guesses(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MESH_SECRET_PEOPLE_FOR", "hr, shop.orders")
    guesses = people(ROWS, column("mail", "string", HASH))
    settings = write_workspace(tmp_path, {"hr": {"people": guesses}, "evil": {"people": guesses}})
    assert isinstance(run(settings, "hr.people").decision, Publish)
    decision = run(settings, "evil.people").decision
    assert isinstance(decision, Refuse)
    assert "it is not for evil" in decision.reasons[0]


def test_a_secret_that_is_no_text_is_a_secret(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MESH_SECRET_PEOPLE", "\udcff\udcfe" * 12)
    settings = workspace(tmp_path, people(ROWS, column("mail", "string", HASH)))
    assert isinstance(run(settings, "hr.people").decision, Publish)


RULES = {
    "an answer": "select max(ascii(mail)) from {object}",
    "a cast": "select count(*) from {object} where mail::int > 0",
    "a number of rows": "select count(*) from {object} where mail > 'a'",
    "an error": "select count(*) from {object} where error(mail) is null",
    "a pattern": "select count(*) from {object} where regexp_matches('x', mail || '(')",
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_no_masked_value(tmp_path: Path, name):
    rule = f'{{id: r, type: sql, query: "{RULES[name]}", mustBe: -1}}'
    files = people(ROWS, column("mail", "string", HASH), rules=(rule,))
    settings = workspace(tmp_path, files)
    try:
        said = str(run(settings, "hr.people").decision)
    except MeshError as error:
        said = str(error)
    assert MARKER not in said
    assert str(ord("q")) not in said
    assert MARKER not in cells(settings.store_folder)
