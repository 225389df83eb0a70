"""DataOps metrics on a scripted history: a month of one product, with answers worked out by hand."""

from __future__ import annotations

import os
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from helpers import a_contract, a_product, a_source, environment, mesh, write_workspace

from dataops_mesh.ledger import open_ledger
from dataops_mesh.ledger.database import transaction
from dataops_mesh.ledger.schema import candidates, incidents, publications, results
from dataops_mesh.watch.dataops.commits import commits_of
from dataops_mesh.watch.dataops.history import histories
from dataops_mesh.watch.dataops.measures import added, measured, measures
from dataops_mesh.watch.dataops.weeks import catch_up

ID = "{name: id, logicalType: integer, primaryKey: true}"
BEGIN, END = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)  # four weeks


def january(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, 1, hour, tzinfo=UTC) + timedelta(days=day - 1)


class Script:
    """Writes what is on record, and a repository whose commits have the dates of the story."""

    def __init__(self, root: Path) -> None:
        def product(name: str, sla: str = "") -> dict:
            return a_product(
                {name: a_contract(name, [ID], extra=sla)},
                inputs=[a_source("s", "s.csv")],
                files={f"{name}.sql": "select id from s", "s.csv": "id\n1\n"},
            )

        daily = "slaProperties:\n  - {property: frequency, value: 1, unit: d}\n"
        self.settings = write_workspace(
            root,
            {"shop": {"orders": product("orders", daily)}, "desk": {"totals": product("totals")}},
        )
        self.root, self.number = root, 0
        self.ledger = open_ledger(environment(self.settings).ledger_url)
        git(root, "init", "-q", "-b", "main")

    def commit(self, at: datetime, *files: str) -> str:
        for file in files:
            path = self.root / file
            path.write_text(path.read_text("utf-8") + "\n" if path.exists() else "\n", "utf-8")
        git(self.root, "add", "--", *files)
        when = at.isoformat()
        git(self.root, "commit", "-q", "-m", "x", GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
        return git(self.root, "rev-parse", "HEAD")

    def built(
        self, product: str, at: datetime, code: str = "", commit: str = "", *,
        verdict: str = "publish", failed: bool = False,
    ) -> None:  # fmt: skip
        self.number += 1
        ref, when = f"{product.replace('.', '/')}/{self.number}", at.isoformat()
        row = {
            "candidate": ref, "product": product, "product_version": "1", "verdict": verdict,
            "reasons": "[]", "rows": 1, "bytes": 1, "seconds": 1, "checks_declared": 4,
            "coverage": 0.5, "transform_fingerprint": code, "code_version": code,
            "git_commit": commit, "base": self.number - 1, "run_id": "r", "person": "ana",
            "started": when, "finished": when, "now": when,
        }  # fmt: skip
        outcome = "failed" if failed else "passed"
        check = {
            "candidate": ref, "port": product, "check": "c", "fingerprint": "f", "reason": "",
            "outcome": outcome, "severity": "error", "observed": 1, "rows": 1, "seconds": 0,
        }  # fmt: skip
        with transaction(self.ledger) as connection:
            connection.execute(candidates.insert(), [row])
            connection.execute(results.insert(), [check])
        if verdict == "publish":
            self.switched(product, at, ref, "publication")

    def switched(self, product: str, at: datetime, ref: str, kind: str) -> None:
        row = {
            "publication": self.number, "address": product, "product": product, "candidate": ref,
            "kind": kind, "rows": 1, "fingerprint": "f", "published": at.isoformat(),
            "run_id": "r", "person": "ana", "reason": "",
        }  # fmt: skip
        with transaction(self.ledger) as connection:
            connection.execute(publications.insert(), [row])

    def rolled_back(self, product: str, at: datetime) -> None:
        self.number += 1
        self.switched(product, at, f"{product.replace('.', '/')}/1", "rollback")

    def wrong(self, product: str, kind: str, opened: datetime, closed: datetime) -> None:
        row = {
            "incident": f"{product}{kind}{opened:%m%d}", "product": product, "kind": kind, "subject": "",
            "why": "", "run_id": "", "publication": 1, "opened": opened.isoformat(),
            "closed": closed.isoformat(),
        }  # fmt: skip
        with transaction(self.ledger) as connection:
            connection.execute(incidents.insert(), [row])

    def histories(self):
        products = mesh(self.settings).products
        found = histories(products, self.ledger, self.settings, BEGIN, END)
        return {one.product: one for one in found}


def git(root: Path, *arguments: str, **more: str) -> str:
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
           "GIT_COMMITTER_EMAIL": "a@b"}  # fmt: skip
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], env={**os.environ, **who, **more},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def told(tmp_path):
    """Orders, promised every day; a quarter of a day more is the grace of `frequency`."""
    script = Script(tmp_path)
    orders, desk = "domains/shop/orders/orders.sql", "domains/desk/totals/totals.sql"
    first = script.commit(january(1), orders)
    script.commit(january(6), orders)
    script.commit(january(6, 12), orders)
    other = script.commit(january(7), desk)
    third = script.commit(january(13, 12), orders)
    fourth = script.commit(january(20), orders)
    script.built("shop.orders", january(2), "A", first)
    days = [day for day in range(5, 33) if day not in {24, 25}]
    for day in days:
        code, commit = ("A", first) if day < 7 else ("B", other) if day < 14 else ("C", third)
        if day >= 21:
            code, commit = "D", f"{fourth}+"
        script.built("shop.orders", january(day), code, commit)
        if day == 8:
            script.built("desk.totals", january(8), "T", other)
        if day == 9:
            script.built("shop.orders", january(9, 1), "B", other, verdict="refuse", failed=True)
        if day == 10:
            script.built("shop.orders", january(10, 1), "B", other, verdict="refuse")  # it was held
        if day == 14:
            script.rolled_back("shop.orders", january(14, 6))
    script.wrong("shop.orders", "escaped", january(22), january(22, 10))
    script.wrong("shop.orders", "caught", january(9, 1), january(10))
    return script


def test_the_numbers_of_a_month_are_those_that_a_person_works_out(told):
    found = measures([told.histories()["shop.orders"]], BEGIN, END)
    assert found.publications == 26
    assert found.deployments == 3  # B on the 7th, C on the 14th, D on the 21st
    assert found.deployments_per_week == 0.75
    assert found.lead_time_hours == 12  # 24 and 12 of B, 12 of C; nobody knows of D, which differs
    assert found.change_failure == pytest.approx(2 / 3)  # C was rolled back, D broke its contract
    assert found.restore_hours == 8  # 6 of the rollback, 10 of the incident
    assert (found.caught, found.escaped) == (1, 2)
    assert found.caught_share == pytest.approx(1 / 3)
    assert found.downtime_hours == 42  # three days without one, of which 30 hours are promised
    assert found.downtime_share == 42 / (28 * 24)
    assert (found.coverage, found.checks) == (0.5, 4)


def test_the_numbers_of_a_week_are_of_that_week(told):
    history = told.histories()["shop.orders"]
    second = measures([history], january(12), january(19))
    assert (second.publications, second.deployments, second.change_failure) == (7, 1, 1)
    assert (second.restore_hours, second.lead_time_hours) == (6, 12)
    third = measures([history], january(19), january(26))
    assert third.downtime_hours == 42
    assert (third.caught, third.escaped) == (0, 1)
    first = measures([history], january(5), january(12))
    assert (first.caught, first.escaped, first.restore_hours) == (1, 0, None)


def test_a_first_publication_is_a_deployment_and_counts_its_own_commit(told):
    found = measures([told.histories()["desk.totals"]], BEGIN, END)
    assert (found.deployments, found.lead_time_hours) == (1, 24)
    assert (found.downtime_share, found.change_failure) == (None, 0)  # it promises nothing


def test_numbers_of_the_mesh_are_of_all_its_products(told):
    whole = measures(told.histories().values(), BEGIN, END)
    assert (whole.products, whole.publications, whole.deployments) == (2, 27, 4)
    assert whole.lead_time_hours == 18  # 24, 12, 12, 24


def test_what_a_deployment_brought_is_what_git_says(tmp_path):
    script = Script(tmp_path)
    inside, outside = "domains/shop/orders/orders.sql", "domains/desk/totals/totals.sql"
    for number in range(3):
        script.commit(january(1 + number), inside if number % 2 else outside)
    git(tmp_path, "checkout", "-q", "-b", "side")
    for number in range(3):
        script.commit(january(4, number), "domains/shop/orders/new.txt")
    git(tmp_path, "checkout", "-q", "main")
    script.commit(january(5), outside)
    script.commit(january(5, 1), inside)
    git(tmp_path, "merge", "-q", "--no-edit", "side")
    script.commit(january(6), inside)
    commits = commits_of(tmp_path, january(10))
    names = git(tmp_path, "rev-list", "--all").split()
    single = set(git(tmp_path, "rev-list", "--all", "--no-merges").split())
    folder = "domains/shop/orders"
    for after in names:
        for before in names:
            said = git(tmp_path, "rev-list", "--full-history", "--no-merges", f"{before}..{after}",
                       "--", folder).split()  # fmt: skip
            brought = {one.name for one in commits.brought(after, before, (folder,))}
            assert brought & single == set(said), (before, after)
    assert commits.brought("0" * 40, names[0], (folder,)) == ()


def test_weeks_that_are_caught_up_bit_by_bit_are_those_that_are_read_at_once(tmp_path):
    script, chance = Script(tmp_path), Random(7)
    products = {one.qualified_name: one for one in mesh(script.settings).products}
    first = script.commit(january(1), "domains/shop/orders/orders.sql")
    known, deployed = None, set[bool]()
    for day in range(2, 60):
        for name in products:
            match chance.randrange(6):
                case 0 | 1 | 2:
                    code = chance.choice("AB")
                    script.built(name, january(day, chance.randrange(20)), code, first)
                case 3:
                    at = january(day, 3)
                    script.built(name, at, "A", first, verdict="refuse", failed=True)
                case 4 if script.number:
                    script.rolled_back(name, january(day, 21))
                case _:
                    script.wrong(name, "escaped", january(day), january(day, 2))
        now = january(day, 23)
        known = catch_up(known, products, script.ledger, script.settings, (now, script.number))
        begin = known.spans[0][0]
        every = histories(products.values(), script.ledger, script.settings, begin, now)
        for name in products:
            told = measured([known.histories[name]], added(known.by_week([name])), now - begin)
            mine = [one for one in every if one.product == name]
            assert asdict(told) == pytest.approx(asdict(measures(mine, begin, now)))
            deployed.add(told.deployments > 0)
    assert deployed == {True, False}
