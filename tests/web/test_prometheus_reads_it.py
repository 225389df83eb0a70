"""What /metrics says is what the record says, and Prometheus and its rules can use it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from eventful import PERSON, orders
from helpers import environment, mesh, run, write_product
from hypothesis import given
from hypothesis import strategies as st
from ports import free_port
from prometheus_client.parser import text_string_to_metric_families as parse

from dataops_mesh.web.catalogue import catalogue_of
from dataops_mesh.web.metrics.dashboards import DASHBOARDS, grafana
from dataops_mesh.web.metrics.families import exposition
from dataops_mesh.web.metrics.rules import RECORDED
from dataops_mesh.web.metrics.totals import WINDOW, Totals, downtime
from dataops_mesh.web.metrics.write import texts
from dataops_mesh.web.view import view_of

REPOSITORY = Path(__file__).parents[2]
LABELS = {"domain", "product", "port", "severity", "outcome", "stage", "state", "kind", "slo", "how"}  # fmt: skip


@pytest.fixture(scope="module")
def said(pages):
    answer = pages.get("/metrics")
    assert answer.status == 200
    return answer.text


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in parse(text)
        for one in family.samples
    }


def rows(settings, query: str) -> list[tuple]:
    with sqlite3.connect(f"file:{environment(settings).store.ledger_file}?mode=ro", uri=True) as db:
        return db.execute(query).fetchall()


def of(product: str, **more: str) -> tuple[tuple[str, str], ...]:
    domain, _, name = product.partition(".")
    return tuple(sorted({"domain": domain, "product": name, **more}.items()))


def test_counters_count_what_is_on_record(settings, said):
    found = samples(said)
    words = {"publish": "published", "refuse": "refused"}
    for product, verdict, runs in rows(
        settings, "select product, verdict, count(*) from candidates group by 1, 2"
    ):
        key = of(product, outcome=words.get(verdict, "failed"))
        assert found["mesh_runs_total", key] == runs
    for product, built in rows(settings, "select product, sum(rows) from candidates group by 1"):
        assert found["mesh_rows_total", of(product)] == built
    assert found["mesh_product_state", of("desk.late", state="late")] == 1
    assert found["mesh_product_level", of("shop.orders")] == 2
    assert found["mesh_slo_kept", of("desk.late", slo="runs")] == 0
    assert found["mesh_holds", of("crew.held", how="held")] == 1
    assert found["mesh_waivers", of("shop.orders")] == 1
    # In Prometheus's base unit; within a day of the five that were given.
    assert 4 * 86400 <= found["mesh_waiver_left_seconds", of("shop.orders")] <= 5 * 86400
    assert found["mesh_port_rows", of("shop.orders", port="orders")] == 2


def test_labels_are_few_and_known_and_nothing_of_the_data_is_among_them(settings, said):
    known = {one.qualified_name for one in mesh(settings).products}
    for _, labels in samples(said):
        told = dict(labels)
        assert told.keys() <= LABELS
        if "product" in told:
            assert f"{told['domain']}.{told['product']}" in known
    assert PERSON not in said
    assert "repeats" not in said  # a reason is a sentence, and no label


def test_what_is_counted_bit_by_bit_is_what_is_counted_at_once(own):
    where, catalogue = environment(own), catalogue_of(mesh(own), own)
    growing = Totals()
    for number in range(3):
        write_product(own.root, "shop", "orders", orders(f"id\n1\n{number + 2}\n"))
        run(own, "shop.orders")
        with view_of(where, catalogue) as view:
            exposition(view, growing)
            exposition(view, growing)
    at_once = Totals()
    with view_of(where, catalogue) as view:
        at_once.catch_up(view.ledger, view.now)
    for name in ("runs", "rows", "written", "published"):
        assert getattr(growing, name) == getattr(at_once, name), name
    assert growing.runs["shop.orders", "published"] == 4


@given(
    ages=st.lists(st.integers(0, 80), min_size=1, max_size=12, unique=True),
    promise=st.integers(1, 20),
)
def test_downtime_is_the_days_on_which_data_was_older_than_promised(ages, promise):
    now = datetime(2026, 5, 1, tzinfo=UTC)
    times = sorted(now - timedelta(days=age) for age in ages)
    found = downtime(times, timedelta(days=promise), now)
    # Day by day: is the newest publication before it older than promised?
    late = 0
    for day in range(WINDOW.days):
        moment = now - timedelta(days=day, hours=12)
        before = [at for at in times if at <= moment]
        late += bool(before) and moment - before[-1] > timedelta(days=promise)
    assert found == timedelta(days=late)


def test_the_files_in_templates_are_what_the_command_writes():
    for name, text in texts().items():
        assert (REPOSITORY / "templates" / name).read_text("utf-8") == text, "make templates"


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.name)
def test_a_dashboard_fits_the_grid_and_asks_for_what_it_lets_choose(board):
    made = grafana(board)
    taken: set[tuple[int, int]] = set()
    for panel in made["panels"]:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        cells = {(a, b) for a in range(x, x + w) for b in range(y, y + h)}
        assert x + w <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        for name in ("domain", "product"):
            assert (f"${name}" in panel["targets"][0]["expr"]) <= (name in board.variables)


@pytest.mark.needs_prometheus
def test_rules_wake_whom_they_should_and_nobody_else(tmp_path):
    (tmp_path / "mesh.rules.yaml").write_text(texts()["prometheus/mesh.rules.yaml"], "utf-8")
    shutil.copy(Path(__file__).parent / "rules.test.yaml", tmp_path)
    done = subprocess.run(
        ["promtool", "test", "rules", "rules.test.yaml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.needs_prometheus
@pytest.mark.timeout(240)
def test_every_panel_and_rule_has_an_answer_in_a_real_prometheus(settings, tmp_path):
    with _serving(settings) as target, _prometheus(tmp_path, target) as prometheus:
        questions = {
            f"{board.name}: {panel.title}": panel.expression.replace("$domain", ".*").replace(
                "$product", ".*"
            )
            for board in DASHBOARDS
            for panel in board.panels
        } | {name: name for name in RECORDED}
        until, empty = time.monotonic() + 90, dict(questions)
        while empty and time.monotonic() < until:
            time.sleep(1)
            empty = {name: q for name, q in empty.items() if not _ask(prometheus, q)}
        assert not empty
        assert _ask(prometheus, 'ALERTS{alertname="MeshProductRefused",product="orders"}')


@contextmanager
def _serving(settings) -> Iterator[str]:
    port = free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DATAOPS_MESH_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "dataops_mesh.cli.main", "serve", "--port", str(port)],
        cwd=settings.root, env={**kept, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _prometheus(folder: Path, target: str) -> Iterator[int]:
    files = texts(target)
    config = yaml.safe_load(files["prometheus/prometheus.yaml"])
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), "utf-8")
    (folder / "mesh.rules.yaml").write_text(files["prometheus/mesh.rules.yaml"], "utf-8")
    port = free_port()
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/d",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
    )  # fmt: skip
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _ask(port: int, question: str) -> list:
    words = urllib.parse.urlencode({"query": question})
    try:
        url = f"http://127.0.0.1:{port}/api/v1/query?{words}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]["result"]
    except ConnectionError:
        return []
    except urllib.error.URLError as error:
        if isinstance(error.reason, OSError):
            return []  # it is starting
        raise
