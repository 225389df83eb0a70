"""The pages say what the commands say, and what is wrong before anything else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from eventful import browser, orders
from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    lift,
    mesh,
    run,
    slos,
    write_product,
    write_workspace,
)
from helpers import product as load

from dataops_mesh.errors import NotPublishedError
from dataops_mesh.ledger.trends import Point
from dataops_mesh.run.record import open_record
from dataops_mesh.settings import load_settings
from dataops_mesh.store.log import latest
from dataops_mesh.watch.acknowledged import acknowledge
from dataops_mesh.watch.monitor import audit_published
from dataops_mesh.watch.slo import Slo
from dataops_mesh.watch.states import State, states
from dataops_mesh.watch.trouble import look, suspects, troubles_of
from dataops_mesh.web.catalogue import catalogue_of
from dataops_mesh.web.facts.checks import check_lines
from dataops_mesh.web.facts.mesh import mesh_page
from dataops_mesh.web.facts.product import product_page
from dataops_mesh.web.facts.promises import promise_lines
from dataops_mesh.web.facts.standing import standing
from dataops_mesh.web.facts.wrong import does
from dataops_mesh.web.kept import mark
from dataops_mesh.web.view import view_of

PRODUCTS = {
    "shop.orders": "refused", "shop.customers": "well", "desk.totals": "well",
    "desk.late": "late", "crew.held": "held", "crew.gone": "withdrawn", "crew.fresh": "never",
}  # fmt: skip


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_promises_are_judged_as_the_commands_judge_them(settings):
    where, products = environment(settings), mesh(settings).products
    with open_record(where) as ledger:
        by_name = {one.qualified_name: one for one in products}
        found = states(by_name, ledger, latest(where.store), datetime.now(UTC))
        one = states(by_name, ledger, latest(where.store), datetime.now(UTC), ["desk.late"])
    told = slos(products, where)
    assert {name: (s.slo.runs, s.slo.data) for name, s in found.items()} == {
        name: (slo.runs, slo.data) for name, slo in told.items()
    }
    assert {name: found[name].word for name in PRODUCTS} == PRODUCTS
    assert one["desk.late"].word == "late"
    assert one["desk.late"].publication == found["desk.late"].publication


def test_whoever_is_not_suspected_has_no_trouble(settings):
    """All are asked about at once, and only those looked at closely that may have any."""
    where, now = environment(settings), datetime.now(UTC)
    release = latest(where.store)
    products = [one for one in mesh(settings).products if one.status != "retired"]
    with open_record(where) as ledger:
        asked = {one.qualified_name for one in suspects(products, ledger, now, release)}
        wrong = {
            one.qualified_name for one in products if troubles_of(one, where, ledger, now, release)
        }
    assert wrong <= asked
    assert {"shop.orders", "desk.late"} <= wrong
    assert "shop.customers" not in asked


def test_what_waits_is_told_with_its_cause_and_not_by_itself(settings, pages):
    with view_of(environment(settings), catalogue_of(mesh(settings), settings)) as view:
        every = {(one.product, one.kind): one for one in view.wrong()}
        one = {(o.product, o.kind): o for o in view.wrong(["desk.late"])}
        told = mesh_page(view)
        remembered = view.wrong(["shop.orders"])
    with view_of(environment(settings), catalogue_of(mesh(settings), settings)) as view:
        assert view.wrong(["shop.orders"]) == remembered, "whether all were looked at or not"
    cause = every["shop.orders", "caught"]
    assert every["desk.late", "late"].because == ("shop.orders",)
    assert one["desk.late", "late"].because == ("shop.orders",)
    assert (cause.waiting, cause.because) == (("desk.late",), ())
    assert [w.product for w in told.wrong].count("desk.late") == 0
    assert told.waiting == 1
    text = words(pages.get("/").text)
    assert "1 product waits for them and is told with its cause" in text
    assert "Late with it desk.late" in text
    assert "Waits for shop.orders" in words(pages.get("/products/desk.late").text)


def test_a_product_that_waits_for_a_held_one_is_called_late_by_neither_or_both(own):
    lift(own, "crew.held")
    where, products = environment(own), mesh(own).products
    from dataops_mesh.run.word.hold import hold_product

    hold_product(load(own, "shop.orders"), where, "all wait", None)
    with open_record(where) as ledger:
        by_name = {one.qualified_name: one for one in products}
        found = states(by_name, ledger, latest(where.store), datetime.now(UTC))
    assert found["desk.late"].slo.runs == slos(products, where)["desk.late"].runs == "held"


def test_what_is_wrong_comes_first_with_who_reads_it_and_what_to_type(pages):
    text = words(pages.get("/").text)
    heading = text.index("things are wrong now")
    summary = re.search(r"\d+ products \d+ ✕ wrong", text)
    assert summary is not None
    end = summary.start()
    for name, sentence in (
        ("desk.late", "Late with it desk.late"),
        ("shop.orders", "The gate refused the last candidate."),
        ("crew.lost", "What it reads was withdrawn."),
    ):
        assert heading < text.index(name) < end, name
        assert sentence in text
    assert "desk.totals" in text[:end]  # who reads the refused one
    assert "mesh run desk.late" in words(pages.get("/wrong").text)
    assert 'mesh hold lift crew.held --reason "..."' in text
    assert "the auditor reads it" in text
    wrong = {one["product"] for one in json.loads(pages.get("/api/wrong").text)["wrong"]}
    assert "crew.held" not in wrong  # a decision is no fault


def test_every_incident_that_the_command_tells_is_told(settings, pages):
    """But the ones that are one thing in the page: a hold, and a run that a withdrawal stopped."""
    found = look(mesh(settings).products, environment(settings))
    told = {one["product"] for one in json.loads(pages.get("/api/wrong").text)["wrong"]}
    assert {one.trouble.product for one in found} <= told
    for one in found:
        page = pages.get(f"/incidents/{one.incident}")
        assert page.status == 200
        assert one.trouble.product in page.text


def test_a_refusal_leads_to_its_rows(pages):
    """The first command and a link, on the card, the incident and the candidate."""
    told = json.loads(pages.get("/api/wrong").text)["wrong"]
    (refused,) = [one for one in told if one["kind"] == "caught"]
    ref = refused["candidate"]
    command = f'mesh query "from shop.orders" --candidate {ref.rpartition("/")[2]}'
    assert refused["next"] == command
    incident = pages.get(f"/incidents/{refused['incident']}")
    assert json.loads(pages.get(f"/api/incidents/{refused['incident']}").text)["next"][0] == command
    for answer in (pages.get("/"), incident):
        assert f"/candidates/{ref}" in answer.links
        assert command in unescape(answer.text)
    assert command in unescape(pages.get(f"/candidates/{ref}").text)


def test_who_looks_at_an_incident_stands_beside_it(own):
    place = environment(own)
    (incident,) = [one for one in look(mesh(own).products, place) if one.trouble.kind == "caught"]
    acknowledge([incident], place, "the supplier mends it", datetime.now(UTC) + timedelta(hours=4))
    pages = browser(own)
    for path in ("/", f"/incidents/{incident.incident}"):
        text = words(pages.get(path).text)
        assert "ana, until " in text
        assert "the supplier mends it" in text
    told = json.loads(pages.get("/api/wrong").text)["wrong"]
    seen = {one["incident"]: one["seen"] for one in told if one["seen"]}
    assert seen[incident.incident]["person"] == "ana"
    typed = json.loads(pages.get(f"/api/incidents/{incident.incident}").text)["next"]
    assert not [one for one in typed if "incident ack" in one], "somebody does"
    assert f'mesh incident unack {incident.incident} --reason "..."' in typed
    assert len(seen) == 1


def test_a_mended_product_is_no_longer_wrong_though_nobody_looked(own):
    write_product(own.root, "shop", "orders", orders("id\n1\n2\n3\n"))
    assert run(own, "shop.orders").publication is not None
    wrong = json.loads(browser(own).get("/api/wrong").text)["wrong"]
    assert "shop.orders" not in {one["product"] for one in wrong}


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_page_of_a_product_has_all_of_it(pages, name):
    text = words(pages.get(f"/products/{name}").text)
    assert PRODUCTS[name] in text
    for part in ("Promise and reality", "How to read it", "Columns", "Checks", "Who reads it"):
        assert part in text
    assert f"from {name.partition('.')[0]}.{name.partition('.')[2]} limit 10" in text
    assert "primary_key" in text


def test_lines_to_read_a_port_can_be_copied_and_run(settings, pages, monkeypatch):
    facts = json.loads(pages.get("/api/products/desk.totals").text)
    (reading,) = facts["reading"]
    monkeypatch.chdir(settings.root)
    for recipe in reading["recipes"]:
        if recipe["how"] in {"Python", "pandas", "polars"}:
            left: dict[str, object] = {}
            exec(recipe["text"], left)  # noqa: S102 - what a person would paste
            assert len(left[{"Python": "rows"}.get(recipe["how"], "frame")]) == 2


def test_sandboxes_say_whose_they_are_and_when_they_end(pages):
    assert "trial" in words(pages.get("/sandboxes").text)
    text = words(pages.get("/sandboxes/trial").text)
    assert "ends within a day" in text
    assert "mesh sandbox promote trial" in text
    assert "bold" in text
    assert pages.get("/sandboxes/none").status == 404


def test_a_sandbox_that_production_left_behind_is_refreshed(own):
    assert run(own.model_copy(update={"sandbox": "trial"}), "desk.totals").publication is not None
    assert "mesh sandbox promote trial" in words(browser(own).get("/sandboxes/trial").text)
    assert run(own, "desk.totals").publication is not None
    text = words(browser(own).get("/sandboxes/trial").text)
    assert "mesh sandbox refresh trial" in text
    assert "mesh sandbox promote trial" not in text


def test_the_plan_says_what_publishing_would_change(pages):
    text = words(pages.get("/plan").text)
    assert "2 products would change" in text
    assert "crew.fresh" in text
    facts = json.loads(pages.get("/api/plan").text)
    added = {(one["product"], one["state"]) for one in facts["products"]}
    assert added == {("crew.fresh", "added"), ("crew.gone", "added")}  # the latter is withdrawn


def test_how_a_check_ended_stands_before_its_name(pages):
    """A phone shows the beginning of each row."""
    assert "Last Check Before Of" in words(pages.get("/products/shop.orders").text)
    assert "Outcome Check Observed Must be" in words(pages.get("/publications/1").text)


def test_the_record_of_a_refusal_says_why(pages):
    facts = json.loads(pages.get("/api/products/shop.orders").text)
    refused = next(one for one in facts["events"] if one["what"] == "refused")
    page = pages.get(f"/candidates/{refused['candidate']}")
    assert "1 value of id repeats" in words(page.text)
    assert "Why nothing was published" in page.text
    assert "Verdict refused" in words(page.text)


def test_what_was_taken_away_is_said_by_whose_word(pages):
    text = words(pages.get("/products/crew.gone").text)
    assert "Nobody can read it: it was withdrawn by ana on" in text
    assert "it was wrong" in text


def test_where_nothing_was_ever_published_nobody_goes_on_with_it(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders("id\n1\n1\n")}})
    assert run(settings, "shop.orders").publication is None
    (refused,) = json.loads(browser(settings).get("/api/wrong").text)["wrong"]
    assert refused["readers_do"] == "have nothing of it to read"


def test_what_failed_because_of_a_withdrawal_is_not_over(own):
    """The incident is told with what was withdrawn, and `mesh status --wrong` lists it."""
    with pytest.raises(NotPublishedError):
        run(own, "crew.lost")
    look(mesh(own).products, environment(own))
    pages = browser(own)
    found = json.loads(pages.get("/api/products/crew.lost").text)
    assert {(one["kind"], one["over"]) for one in found["incidents"]} == {
        ("withdrawn", False), ("failed", False),
    }  # fmt: skip
    assert [one["kind"] for one in found["wrong"]] == ["withdrawn"]
    (failed,) = (one["incident"] for one in found["incidents"] if one["kind"] == "failed")
    assert "What to type" in pages.get(f"/incidents/{failed}").text


def test_one_reader_does_what_onedoes(pages):
    wrong = json.loads(pages.get("/api/wrong").text)["wrong"]
    found = {(one["product"], len(one["readers"])): one["readers_do"] for one in wrong}
    assert found["shop.orders", 6] == "go on with the last publication"
    assert found["crew.lost", 0] == "go on with the last publication"
    assert does("go on with it", 1) == "goes on with it"
    assert does("cannot read it", 1) == "cannot read it"


def test_the_foot_of_a_page_names_a_release_or_none(pages, crawled):
    feet = {words(answer.text.partition("<footer>")[2]) for answer in crawled.values()}
    feet.add(words(pages.get("/nothing-here").text.partition("<footer>")[2]))
    assert {foot.partition(" looked")[0].rstrip("0123456789,") for foot in feet} >= {"Release "}
    assert not [foot for foot in feet if foot.startswith("Release ,")]


def test_a_page_speaks_of_a_broken_rule_as_people_do(crawled):
    said = [path for path, answer in crawled.items() if "mustBe" in words(answer.text)]
    assert said == []
    assert "the contract says it must be 0" in words(crawled["/"].text)


@pytest.fixture
def promising(tmp_path):
    """A product that promises how old its data is, and whose rule looks at the clock."""
    sla = "slaProperties:\n  - {property: freshness, value: 10, unit: d, element: orders.day}\n"
    day = "{name: day, logicalType: date, classification: public}"
    young = "select count(*) from {object} where day < (mesh_now()::date - interval 20 days)"
    rule = f'{{name: young, type: sql, mustBe: 0, query: "{young}"}}'
    content = a_product(
        ports={"orders": a_contract("orders", [day], rule, extra=sla)},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select day::date as day from csv", "o.csv": "day\n2026-03-01\n"},
    )
    return write_workspace(tmp_path, {"shop": {"orders": content}})


def test_what_a_later_look_found_is_what_the_page_says(promising):
    """When the gate passed it, its data was as young as promised."""
    then, later = (
        load_settings(promising.root, now=f"2026-0{month}-02T00:00:00+00:00") for month in (3, 4)
    )
    assert run(then, "shop.orders").publication is not None
    assert said_of(then) == ("kept", "passed")
    audit_published(load(later, "shop.orders"), environment(later))
    assert said_of(later) == ("broken", "failed")
    assert commands(later)["escaped"] == "mesh run shop.orders"
    assert run(later, "shop.orders").publication is None
    assert commands(later)["escaped"].startswith("mesh show ")  # a run is refused again


def commands(settings):
    """Return what to type about each kind of trouble."""
    look([load(settings, "shop.orders")], environment(settings))
    found = json.loads(browser(settings).get("/api/wrong").text)["wrong"]
    return {one["kind"]: one["next"] for one in found}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("fresh", ("kept", "as promised")),  # what was refused since is another matter
        ("stale", ("broken", "old")),
        ("held", ("held", "old")),
        ("", ("not measured", "nobody waits for more")),  # past the end of its partitions
    ],
)
def test_a_promise_about_data_is_judged_by_the_state(promising, data, said):
    found, now = load(promising, "shop.orders"), datetime.now(UTC)
    refused = Point(now, "shop/orders/x", "failed", 300.0, "300 hours")
    checks = check_lines(found, {("shop.orders", "freshness"): (refused,)})
    state = State("shop.orders", "well", Slo("", data, ("old",)), built=now)
    (promise,) = promise_lines(found, state, (), checks, now)
    assert (promise.state, promise.now) == said


def said_of(settings):
    """Return what the page says of a promise, and of the check that measures it."""
    facts = json.loads(browser(settings).get("/api/products/shop.orders").text)
    check = next(one for one in facts["checks"] if one["name"] == "freshness")
    return facts["promises"][0]["state"], check["outcome"]


def test_search_finds_names_columns_meanings_and_tags(pages):
    def found(query: str) -> list[str]:
        hits = json.loads(pages.get(f"/api/search?q={query}").text)["hits"]
        return [hit["standing"]["product"] for hit in hits]

    assert found("totals") == ["desk.totals"]
    assert found("person") == ["shop.customers"]
    assert found("who+it+is") == ["shop.customers"]
    assert found("daily") == ["shop.orders"]
    assert found("nothing-has-this") == []
    assert len(found("")) == 8


def test_an_edit_of_a_declaration_is_seen(own):
    before = mark(own)
    assert mark(own) == before
    file = own.root / "domains" / "desk" / "late" / "product.odps.yaml"
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")
    assert mark(own) != before


def test_a_masked_column_says_how_consumers_see_it(pages):
    assert "masked: partial" in words(pages.get("/products/shop.customers").text)
    assert "masked" not in words(pages.get("/products/shop.orders").text)


def test_a_condition_that_is_a_warning_is_to_watch_and_not_wrong(settings):
    with view_of(environment(settings), catalogue_of(mesh(settings), settings)) as view:
        first = view.wrong(["shop.orders"])[0]
        state = view.states(["shop.customers"])["shop.customers"]
        product = view.catalogue.products["shop.customers"]
    mild, grave = (replace(first, kind="condition", severity=s) for s in ("warning", "error"))
    assert standing(product, state, (mild,)).level == "watch"
    assert standing(product, state, (mild, grave)).level == "wrong"


def test_a_rule_that_only_people_check_is_on_the_page_of_its_product(tmp_path):
    rule = "{name: kind, type: text, description: Be kind.}"
    contract = a_contract("p", ["{name: id, logicalType: integer}"], rule)
    content = a_product({"p": contract}, files={"p.sql": "select 1 as id"})
    settings = write_workspace(tmp_path, {"shop": {"p": content}})
    with view_of(environment(settings), catalogue_of(mesh(settings), settings)) as view:
        told = product_page(view, "shop.p").not_executed
    assert any("kind" in one and "people" in one for one in told)
