"""A class is not lowered on the way: from a restricted column to a public one by another name."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from policy_cases import CONTRACT, FILES, TICKETS, replaced, write

from dataops_mesh.errors import DeclarationError
from dataops_mesh.factory.domain import load_domain
from dataops_mesh.plan.lineage.breakers import clear_columns
from dataops_mesh.policy.judge import judge
from dataops_mesh.run.guards.flow import flows_in
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.spec.model import Severity

SSN = "      - {name: ssn, logicalType: string, classification: restricted, description: Number.}\n"
TICKET = TICKETS["tickets.odcs.yaml"]
KEY = TICKET.partition("    properties:\n")[2].partition("    quality")[0]
COLUMN = "      - {name: code, logicalType: string, classification: CLASS, description: Of it.}\n"


def violations(tmp_path, expression, declared="public", *, group="", more=None, python=""):
    """Judge a product that makes the column `code` of the restricted `ssn` of a ticket."""
    contract = replaced(
        CONTRACT, "    quality:\n", COLUMN.replace("CLASS", declared) + "    quality:\n"
    )
    if not declared:
        contract = contract.replace(" classification: ,", "")
    files = {
        FILES["contract"]: contract,
        "domains/desk/tickets/tickets.odcs.yaml": replaced(TICKET, KEY, KEY + SSN)
        + "roles: [{role: r, access: read}]\n",
        "domains/desk/tickets/tickets.sql": "select id, ssn from tickets_csv\n",
        "domains/shop/orders/orders.sql": (
            f"select o.id, o.email, {expression} as code from orders_csv o "
            f"join desk.tickets t on o.id = t.id {group}\n"
        ),
        **(more or {}),
    }
    tmp_path.mkdir(exist_ok=True)
    root = write(tmp_path, files)
    if python:
        (root / "domains/shop/orders/orders.sql").unlink()
        (root / "domains/shop/orders/transform.py").write_text(python, "utf-8")
    settings = load_settings(root)
    mesh = load_mesh(root)
    found = judge(mesh, settings, flows=flows_in(mesh, settings)).violations
    return tuple(one for one in found if one.rule.startswith("classification_"))


LOWERED = [
    "t.ssn", "upper(t.ssn)", "md5(t.ssn)", "hash(t.ssn)", "(select max(ssn) from desk.tickets)",
    "coalesce(o.email, t.ssn)", "max(t.ssn) over ()", "sum(t.ssn::int) over (partition by o.id)",
    "case when t.ssn > '3' then t.ssn end", "date_trunc('day', t.ssn::date)",
    "round(t.ssn::int, 2)", "floor(t.ssn::int / 1)", "left(sha256('x') || t.ssn, 900)",
    "round(t.ssn::int * 1000, -1)", "year('0001-01-01'::date + t.ssn::int)",
    "extract(year from '0001-01-01'::date + t.ssn::int)", "chr(floor(ascii(t.ssn) / 1)::int)",
    "floor(t.ssn::int * 100 / 2)", "date_trunc('month', '0001-01-01'::date + 31 * t.ssn::int)",
    "case when substr(t.ssn, 1, 1) = '1' then '1' else '2' end",
    "case substr(t.ssn, 1, 1) when '1' then '1' else '2' end",
    "t.ssn.trim()", "t.ssn.lower().upper()", "(t.ssn).trim()", "[t.ssn].list_first()", "concat(t.ssn.trim(), '')",
    "lower(t.ssn).upper()", "t.ssn.max() filter (where true) over ()", "t.ssn.md5()", "main.trim(t.ssn)",
    "case when t.ssn like '1%' then '1' else '2' end", "width_bucket(t.ssn::int * 9, 0, 9, 9)",
    "nullif(t.ssn, 'X') is null", "try_cast(t.ssn[15] as integer) is null", "t.ssn = 'X'",
    "exists (select 1 from desk.tickets d where d.id = o.id and d.ssn = 'X')",
    "sha256(t.ssn) = sha256('X')", "case sha256(t.ssn) when sha256('X') then 1 end",
    "sha256(t.ssn) in ('X')", "nullif(sha256(t.ssn), 'X')", "try_cast(t.ssn as integer) is null",
]  # fmt: skip
BROKEN = [
    "sha256(t.ssn)", "sha256('salt' || t.ssn)", "case when t.ssn > '3' then 'old' else 'young' end",
    "date_trunc('month', t.ssn::date)", "round(t.ssn::int, -2)", "floor(t.ssn::int / 10)",
    "t.ssn.sha256()", "main.sha256(t.ssn)", "o.email.trim()",
    "t.ssn is null", "(t.ssn) is not null", "'x'", "o.email", "year(t.ssn::date)", "extract(year from t.ssn::date)",
    "case when t.ssn in ('3', '4') or t.ssn is null then 1 end",
]  # fmt: skip
GROUPED = {"t.ssn.count()": True, "t.ssn.max()": False, "count(t.ssn)": True, "count(distinct t.ssn)": True, "avg(t.ssn::int)": True,
           "sum(t.ssn::int)": True, "min(t.ssn)": False, "any_value(t.ssn)": False,
           "first(t.ssn)": False, "list(t.ssn)": False, "string_agg(t.ssn, ',')": False,
           "median(t.ssn::int)": False,
           "count(*) filter (where starts_with(t.ssn, '1'))": True,
           "sum(o.id) filter (where t.ssn > '3')": True,
           "max(o.id) filter (where t.ssn > '3')": False,
           "min(t.ssn) filter (where o.id = 1)": False}  # fmt: skip


@pytest.mark.parametrize("expression", LOWERED)
def test_a_value_that_is_still_there_is_as_secret_as_before(tmp_path, expression):
    (found,) = violations(tmp_path, expression)
    assert (found.rule, found.severity) == ("classification_lineage", Severity.ERROR)
    assert str(found.finding.where) == f"{FILES['contract']}:11"
    assert "desk.tickets.ssn is restricted" in found.finding.what


@pytest.mark.parametrize("expression", BROKEN)
def test_a_breaker_sets_a_value_free(tmp_path, expression):
    assert violations(tmp_path, expression) == ()


@pytest.mark.parametrize("expression", GROUPED)
def test_only_aggregates_that_return_no_cell_are_breakers(tmp_path, expression):
    found = violations(tmp_path, expression, group="group by o.id, o.email")
    assert bool(found) is not GROUPED[expression]


@pytest.mark.parametrize(
    ("declared", "refused"),
    [("public", True), ("internal", True), ("confidential", True), ("Restricted", False),
     ("pii", False), ("", True)],
)  # fmt: skip
def test_the_order_of_classes_decides_and_an_unknown_word_is_the_highest(
    tmp_path, declared, refused
):
    found = [v for v in violations(tmp_path, "t.ssn", declared) if "lineage" in v.rule]
    assert bool(found) is refused


@pytest.mark.parametrize("expression", ["to_json(t)", "t", "(select x from (select t.ssn x) x(x))"])
def test_what_cannot_be_followed_is_told_with_its_columns(tmp_path, expression):
    found = violations(tmp_path, expression)
    assert {v.rule for v in found} <= {"classification_known", "classification_lineage"}
    assert "code" in found[0].finding.what
    assert "desk.tickets.ssn is restricted" in found[0].finding.what


@pytest.mark.parametrize(
    "rows",
    [
        "(select range::varchar as code, range as pin from range(100)) g on g.pin = t.ssn::int",
        "(values (1, 'a'), (2, 'b')) g(pin, code) on g.pin = t.ssn::int",
        "unnest(['1', '2']) as g(code) on g.code = t.ssn",
        "(select '1' as code union all select '2') g on g.code = t.ssn",
    ],
)
def test_rows_out_of_nothing_that_are_joined_hold_the_value_that_they_are_joined_to(tmp_path, rows):
    found = violations(tmp_path, "g.code", group=f"join {rows}")
    assert {v.rule for v in found} == {"classification_lineage"}
    assert "code" in found[0].finding.what


MASKED = "public, customProperties: [{property: masking, vendor: dataops_mesh, value: {method: bucket, VALUE}}]"


@pytest.mark.parametrize(
    ("expression", "kind", "value", "refused"),
    [
        ("t.ssn::int", "integer", "width: 10", False),
        ("t.ssn::int", "integer", "width: 9", True),
        ("t.ssn::double", "number", "width: 0.001", True),
        ("t.ssn::int * 10", "integer", "width: 10", True),
        ("t.ssn::date", "date", "unit: month", False),
        ("t.ssn::date", "date", "unit: day", True),
        ("'1970-01-01'::date + t.ssn::int", "date", "unit: month", True),
    ],
)
def test_a_bucket_of_the_readers_own_contract_ends_a_class_as_one_of_its_query_would(
    tmp_path, expression, kind, value, refused
):
    masked = MASKED.replace("VALUE", value)
    contract = replaced(
        CONTRACT, "    quality:\n", COLUMN.replace("CLASS", masked) + "    quality:\n"
    ).replace("name: code, logicalType: string", f"name: code, logicalType: {kind}")
    found = violations(tmp_path, expression, more={FILES["contract"]: contract})
    assert {one.rule for one in found} == ({"classification_lineage"} if refused else set())


@pytest.mark.parametrize("window", ["row_number()", "ntile(4)"])
def test_what_is_known_to_be_in_it_is_an_error_though_more_may_be(tmp_path, window):
    (found,) = violations(tmp_path, f"({window} over (order by t.ssn))::varchar")
    assert (found.rule, found.severity) == ("classification_lineage", Severity.ERROR)
    assert violations(tmp_path / "as high", f"{window} over (order by t.ssn)", "restricted") == ()


def test_a_transform_in_python_is_a_warning_until_the_contract_says_what_columns_are_made_of(
    tmp_path,
):
    code = "def transform(orders_csv, desk_tickets):\n    return orders_csv\n"
    (found,) = violations(tmp_path, "", python=code)
    assert (found.rule, found.severity) == ("classification_known", Severity.WARNING)
    assert "id, code of shop.orders" in found.finding.what  # the e-mail is pii: above all


def test_a_waiver_lets_it_pass_and_the_default_of_the_file_does_not(tmp_path):
    waiver = (
        "waivers: [{rule: classification_lineage, product: shop.orders, who: ana@mesh.example, "
        f"why: tokens, until: {date.today() + timedelta(days=80)}}}]\n"  # noqa: DTZ011
    )
    more = {"waivers.yaml": waiver, "policies.yaml": "default: warning\n"}
    assert violations(tmp_path / "a", "t.ssn", more=more) == ()
    del more["waivers.yaml"]
    (found,) = violations(tmp_path / "b", "t.ssn", more=more)
    assert found.severity is Severity.ERROR


def test_a_code_location_that_lowers_a_class_does_not_load(tmp_path):
    assert violations(tmp_path, "t.ssn")
    with pytest.raises(DeclarationError, match="classification_lineage"):
        load_domain(tmp_path / "domains" / "shop")


def test_the_query_of_the_page_is_judged_as_it_says():
    page = (Path(__file__).parents[2] / "docs" / "policies.md").read_text("utf-8")
    (query,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    found = clear_columns(query, {"people.people": ["id", "ssn", "born"]})
    assert found is not None
    names = {column: {name for _, name in origins} for column, origins in found.items()}
    assert names == {"id": {"id"}, "code": {"ssn"}, "person": set(), "month": set()}
