"""A domain that loads from the cache is the domain that was declared; the gate trusts no cache."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys

import dagster as dg
import pytest
from helpers import environment, read, run, write_product, write_workspace
from locations import BAD, GOOD, execute, location, orders, totals

from dataops_mesh.errors import DeclarationError
from dataops_mesh.spec.kept import codec
from dataops_mesh.spec.loader import load_product

RULE = """\
default: warning
organisation:
  - {{id: titled, expression: "{0}", message: has no title, severity: error}}
"""
TITLED = "has(product.name)"


def written(root, expression=TITLED):
    settings = write_workspace(root, {"shop": {"orders": orders(GOOD)}, "desk": {"totals": totals()}})  # fmt: skip
    (root / "policies.yaml").write_text(RULE.format(expression), "utf-8")
    environment(settings)  # loading makes no store
    return settings


def entries(settings):
    return sorted(settings.store_folder.glob("cache/declared-*"))


def snapshot(settings, domain="shop"):
    """Return everything that Dagster is told of a domain, as text."""
    repository = location(settings, domain).get_repository_def()
    graph = repository.asset_graph
    specs = [graph.get(key).to_asset_spec() for key in sorted(graph.get_all_asset_keys())]
    checks = [graph.get_check_spec(key) for key in sorted(graph.asset_check_keys, key=str)]
    return "\n".join(map(repr, (*specs, *checks)))


def refusal(settings):
    with pytest.raises(DeclarationError) as error:
        location(settings, "shop")
    return str(error.value)


def test_the_second_load_tells_dagster_the_same(tmp_path):
    settings = written(tmp_path)
    first = snapshot(settings)
    assert len(entries(settings)) == 2, "the product, and what its rules said"
    assert snapshot(settings) == first


def test_a_policy_refuses_in_the_same_words_from_the_cache(tmp_path):
    for expression in ("product.tags.exists(t, t == 'x')", "product.version", "has(product.title)"):
        settings = written(tmp_path, expression)
        said = refusal(settings)
        assert entries(settings)
        assert refusal(settings) == said
    (tmp_path / "policies.yaml").write_text(RULE.format(TITLED.replace("name", "id")), "utf-8")
    location(settings, "shop")


def test_a_warm_load_imports_neither_cel_nor_a_parser_of_sql(tmp_path):
    settings = written(tmp_path)
    location(settings, "shop")
    code = (
        "import sys; from dataops_mesh import load_domain; "
        f"load_domain({str(settings.domains_folder / 'shop')!r}); "
        "print([name for name in ('celpy', 'sqlglot', 'duckdb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_sql_that_does_not_fit_any_more_is_found(tmp_path):
    settings = written(tmp_path)
    location(settings, "shop")
    write_product(tmp_path, "shop", "orders", orders(GOOD, select="select 1 as id from nowhere"))
    assert "nowhere" in refusal(settings)
    assert "nowhere" in refusal(settings)


def test_the_gate_refuses_what_somebody_wrote_into_the_cache(tmp_path):
    """The entry is sealed and looks right, and its contract asks for nothing."""
    settings = written(tmp_path)
    write_product(tmp_path, "shop", "orders", orders(BAD))
    location(settings, "shop")
    folder = settings.domains_folder / "shop" / "orders"
    real = load_product(folder, settings.root)
    port = real.outputs[0]
    columns = tuple(
        dataclasses.replace(column, key_position=None, unique=False, required=False, rules=())
        for column in port.contract.columns
    )
    lax = dataclasses.replace(port.contract, columns=columns, rules=())
    forged = dataclasses.replace(real, outputs=(dataclasses.replace(port, contract=lax),))
    for entry in entries(settings):
        _, head, body = (entry.read_bytes() + b"\n").split(b"\n")[:3]
        if body and "made_of" in json.loads(head):
            text = head + b"\n" + codec.encode(forged).encode()
            entry.write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
    checks = location(settings, "shop").get_repository_def().asset_graph.asset_check_keys
    assert not [key for key in checks if "unique" in key.name or "primary" in key.name]
    with dg.DagsterInstance.ephemeral() as instance:
        assert not execute(settings, "shop", instance).success
    assert not run(settings, "shop.orders").published


def test_what_is_loaded_from_the_cache_is_published(tmp_path):
    settings = written(tmp_path)
    location(settings, "shop")
    with dg.DagsterInstance.ephemeral() as instance:
        assert execute(settings, "shop", instance).success
    assert read(settings, "select count(*) from shop.orders") == [(2,)]
