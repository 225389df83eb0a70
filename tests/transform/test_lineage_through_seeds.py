"""A seed has values of its own: what a model takes of an input is still known beside it."""

from __future__ import annotations

from pathlib import Path

from dbt_cases import PORTS, PROJECT, mesh, write_project
from helpers import product

from dataops_mesh.run.lineage import product_lineage, upstream_ports
from dataops_mesh.settings import Settings
from dataops_mesh.transform.walls import walls_of

STAGED = (
    "select o.id, o.amount * r.rate as amount from {{ source('shop', 'orders') }} o\n"
    "join {{ ref('rates') }} r on r.note = o.note\n"
)
SEED = {"seeds/rates.csv": "note;rate\na;1\nb;2\n"}
PROJECT_FILE = PROJECT["dbt_project.yml"] + 'seeds: {books: {+delimiter: ";"}}\n'


def used(settings: Settings) -> dict[tuple[str, str], frozenset[str]]:
    both = product(settings, "books.both")
    found = upstream_ports(both, settings.domains_folder, settings.root)
    ports = {address: port for address, (_, port) in found.items()}
    return {
        key: frozenset(names)
        for key, names in product_lineage(both, ports, walls_of(settings)).used.items()
    }


def test_what_is_used_is_known_behind_a_seed(tmp_path: Path):
    settings = mesh(tmp_path)
    write_project(tmp_path, {**SEED, "models/staged.sql": STAGED, "dbt_project.yml": PROJECT_FILE})
    found = used(settings)
    assert found["totals", "shop.orders"] == {"amount", "note"}
    assert found["largest", "shop.orders"] == {"amount", "id", "note"}
    assert set(PORTS) == {"totals", "largest"}
