"""`self` is the last publication: not a refusal, not what was rolled back, nothing at first."""

from __future__ import annotations

import pytest
from own_cases import APPEND, ID, KEY, MERGE, PYTHON, SELF, WORD, csv, deliver, log, run_full, shop

from dataops_mesh.run.changed import why_changed
from dataops_mesh.run.look import candidate_facts
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.spec.names import is_own
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.transform.validate import transform_problems
from tests.helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    lift,
    mesh,
    product,
    read,
    roll_back,
    run,
    write_product,
    write_workspace,
)

ALL = "select id, word from shop.log order by all"
_TYPES = ", options: {types: {id: BIGINT}}"
ONE, TWO, THREE = (1, "one"), (2, "two"), (3, "three")


@pytest.mark.parametrize("how", [{"sql": APPEND}, {"python": PYTHON}])
def test_the_first_run_has_no_rows_of_its_own_and_the_next_run_has_them(tmp_path, how):
    settings = shop(tmp_path, **how)
    assert run(settings, "shop.log").published
    deliver(settings, TWO)
    assert run(settings, "shop.log").published
    assert read(settings, ALL) == [ONE, TWO]


@pytest.mark.parametrize("form", ["pandas.DataFrame", "pyarrow.Table", "duckdb.DuckDBPyRelation"])
def test_python_gets_the_columns_of_the_contract_where_nothing_was_published(tmp_path, form):
    names = {"pyarrow.Table": "self.column_names", "pandas.DataFrame": "list(self.columns)"}
    code = (
        f"import {form.split('.')[0]}\n\n\ndef transform(self: {form}, incoming):\n"
        f"    assert {names.get(form, 'self.columns')} == ['id', 'word']\n"
        "    assert len(self) == 0\n    return incoming\n"
    )
    assert run(shop(tmp_path, python=code), "shop.log").published


def test_what_was_refused_is_never_read(tmp_path):
    settings = shop(tmp_path, columns=(KEY, WORD))
    assert run(settings, "shop.log").published
    assert not run(settings, "shop.log").published  # the same row again: the key repeats
    deliver(settings, TWO)
    assert run(settings, "shop.log").published
    assert read(settings, ALL) == [ONE, TWO]


def test_after_a_rollback_the_next_run_reads_what_was_rolled_back_to(tmp_path):
    settings = shop(tmp_path)
    run(settings, "shop.log")
    deliver(settings, TWO)
    run(settings, "shop.log")
    roll_back(settings, "shop.log")
    lift(settings, "shop.log")
    deliver(settings, THREE)
    assert run(settings, "shop.log").published
    assert read(settings, ALL) == [ONE, THREE]


def test_after_a_withdrawal_there_is_nothing_to_read(tmp_path):
    settings = shop(tmp_path)
    run(settings, "shop.log")
    place = environment(settings)
    withdraw_product(taking("shop.log", place, ()), place, "wrong")
    lift(settings, "shop.log")
    deliver(settings, TWO)
    assert run(settings, "shop.log").published
    assert read(settings, ALL) == [TWO]


def test_full_leaves_it_out_and_is_on_record(tmp_path):
    settings = shop(tmp_path)
    assert not candidate_facts(environment(settings), run(settings, "shop.log").candidate)["full"]
    deliver(settings, TWO)
    report = run_full(settings)
    assert read(settings, ALL) == [TWO]
    assert candidate_facts(environment(settings), report.candidate)["full"] is True
    store = environment(settings).store
    (own,) = [one for one in read_manifest(store, report.candidate).inputs if is_own(one.name)]
    assert own.publication is None


def test_the_record_says_which_publication_was_read(tmp_path):
    settings = shop(tmp_path)
    first = run(settings, "shop.log")
    report = run(settings, "shop.log")
    (own,) = [one for one in report.reads if is_own(one.name)]
    assert (own.name, own.publication, own.candidate) == (
        "self",
        first.publication,
        first.candidate,
    )


def test_each_of_several_ports_is_an_input_of_its_own(tmp_path):
    files = {
        "ins.sql": "select id from self.ins union all select id from incoming",
        "outs.sql": "from self.ins union all from self.outs union all select id from incoming",
        "incoming.csv": "id\n1\n",
    }
    two = a_product(
        {"ins": [ID], "outs": [ID]},
        inputs=[a_source("incoming", "incoming.csv"), "- name: self.ins\n", "- name: self.outs\n"],
        files=files,
    )
    settings = write_workspace(tmp_path, {"shop": {"both": two}})
    for _ in range(3):
        assert run(settings, "shop.both").published
    assert read(settings, "select count(*) from shop.ins") == [(3,)]
    assert read(settings, "select count(*) from shop.outs") == [(6,)]  # 1, 1 + 1 + 1, 2 + 3 + 1


def test_it_is_no_edge_of_any_graph(tmp_path):
    settings = shop(tmp_path)
    found = product(settings, "shop.log")
    assert [port.name for port in found.inputs] == ["incoming"]
    assert check_mesh(mesh(settings)) == ()
    run(settings, "shop.log")
    assert why_changed([found], environment(settings)) == {}
    entry = latest(environment(settings).store).ports[found.outputs[0].address]
    assert entry.inputs == ()


def test_rows_that_were_set_aside_are_not_read(tmp_path):
    setting = "{property: onFailure, vendor: dataops_mesh, value: {quarantine: 5 rows}}"
    amount = f"{{name: word, logicalType: string, required: true, customProperties: [{setting}]}}"
    settings = shop(tmp_path, columns=(ID, amount), rows="id,word\n1,one\n2,\n")
    assert run(settings, "shop.log").set_aside == 1
    deliver(settings, THREE)
    assert run(settings, "shop.log").set_aside == 0
    assert read(settings, ALL) == [ONE, THREE]


def test_a_merge_takes_the_newer_row_of_a_key(tmp_path):
    settings = shop(tmp_path, sql=MERGE, columns=(KEY, WORD), rows=csv(ONE, TWO))
    run(settings, "shop.log")
    deliver(settings, (2, "deux"), THREE)
    assert run(settings, "shop.log").published
    assert read(settings, ALL) == [ONE, (2, "deux"), THREE]


def test_a_merge_by_keys_that_are_null_doubles_nothing(tmp_path):
    sql = "with news as (select * from incoming) select * from merge(self, news, id, word)"
    settings = shop(tmp_path, sql=sql, columns=(ID, WORD), rows="id,word\n,x\n1,y\n")
    run(settings, "shop.log")
    assert run(settings, "shop.log").published
    assert read(settings, ALL) == [(1, "y"), (None, "x")]


def test_a_new_column_is_null_in_what_was_published(tmp_path):
    settings = shop(tmp_path)
    run(settings, "shop.log")
    more = "{name: size, logicalType: integer}"
    sql = "select id, word, size from self union all select id, word, 7 from incoming"
    write_product(tmp_path, "shop", "log", log(sql=sql, columns=(ID, WORD, more), rows=csv(TWO)))
    assert run(settings, "shop.log").published
    assert read(settings, "from shop.log order by id") == [(1, "one", None), (2, "two", 7)]


@pytest.mark.parametrize(
    ("columns", "sql", "said"),
    [
        (
            (ID,),
            "select id from self union all select id from incoming",
            "column word, which is gone",
        ),
        (
            ("{name: id, logicalType: string}", WORD),
            "select id, word from self union all select id::varchar, word from incoming",
            "column id of shop.log was published as BIGINT, not VARCHAR",
        ),
    ],
)
def test_any_other_change_of_columns_asks_for_full(tmp_path, columns, sql, said):
    settings = shop(tmp_path)
    run(settings, "shop.log")
    files = log(sql=sql, columns=columns)
    files["log.odcs.yaml"] = str(files["log.odcs.yaml"]).replace("version: 1.0.0", "version: 2.0.0")
    write_product(tmp_path, "shop", "log", files)
    report = run(settings, "shop.log")
    assert not report.published
    reason = next(one for one in report.decision.reasons if "--full" in one)
    assert said in reason
    assert "log.odcs.yaml:" in reason
    assert "mesh run shop.log --full" in reason
    again = getattr(run_full(settings).decision, "reasons", ())
    assert not [one for one in again if "--full" in one]


def test_the_sql_is_bound_to_the_columns_of_the_contract(tmp_path):
    from dataops_mesh.transform.dry.session import known_types
    from dataops_mesh.transform.dry.transforms import bound

    settings = shop(tmp_path, sql="select id, wrod as word from self join incoming using (id)")
    found = product(settings, "shop.log")
    (problem,) = bound(found, known_types(found, mesh(settings))).problems
    assert "wrod" in problem.what


def test_a_value_that_came_from_self_keeps_its_class(tmp_path):
    from dataops_mesh.plan.lineage.product import clear_lineage, lineage_of

    files = log(sql=MERGE, columns=(KEY, WORD))
    files["inputs/incoming.odcs.yaml"] = a_contract("incoming", [ID, WORD])
    files["product.odps.yaml"] = str(files["product.odps.yaml"]).replace(_TYPES, "")
    found = product(write_workspace(tmp_path, {"shop": {"log": files}}), "shop.log")
    assert ("self", "word") in clear_lineage(found, {}).columns["log", "word"]
    assert lineage_of(found, {}).columns["log", "word"] == {("incoming", "word")}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("- name: self.other\n", '"self.other" names none of the product\'s own ports'),
        (SELF + SELF, '"self" is read twice'),
        (a_source("self", "x.csv"), "takes no setting"),
        ("- name: self\n  version: 2.0.0\n", "asks for version 2.0.0"),
        ("- name: self\n  contractId: urn:x\n", 'contractId "urn:x" is not the contract'),
    ],
)
def test_what_names_nothing_is_said(tmp_path, entry, said):
    from dataops_mesh.errors import DeclarationError

    files = a_product({"log": [ID]}, inputs=[entry], files={"log.sql": "select id from self"})
    settings = write_workspace(tmp_path, {"shop": {"log": files}})
    with pytest.raises(DeclarationError, match=said.split('"')[0] or said[1:10]) as told:
        product(settings, "shop.log")
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select * from merge(self, incoming)", "no primaryKey, and merge names no key"),
        ("select * from merge(self, incoming, nmae)", "nmae for a key, which is no column"),
        ("select * from merge(incoming, self, id)", "and not incoming"),
        ("select * from merge(self)", "merge takes `self`, a relation of new rows"),
    ],
)
def test_a_wrong_merge_is_told_before_a_run(tmp_path, sql, said):
    from dataops_mesh.transform.sql import sql_problems

    (problem,) = sql_problems(product(shop(tmp_path, sql=sql), "shop.log"))
    assert said in problem.what
    assert problem.where.line == 1


def test_a_product_that_names_its_own_address_is_told_of_self(tmp_path):
    files = a_product(
        {"log": [ID]}, inputs=["- name: shop.log\n"], files={"log.sql": "select id from shop.log"}
    )
    (problem,) = check_mesh(mesh(write_workspace(tmp_path, {"shop": {"log": files}})))
    assert "reads its own port" in problem.what
    assert "name the input port `self`" in problem.next


def test_what_is_masked_is_not_masked_once_more(tmp_path):
    mask = "{property: masking, vendor: dataops_mesh, value: {method: hash, secret: words}}"
    word = f"{{name: word, logicalType: string, customProperties: [{mask}]}}"
    (problem,) = transform_problems(product(shop(tmp_path, columns=(ID, word)), "shop.log"))
    assert "masked once more" in problem.what
