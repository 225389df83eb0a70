"""A dbt project as somebody has it: seeds, a file as a source, staging, marts, tests, an owner."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from helpers import PYPROJECT

PROJECT = {
    "dbt_project.yml": (
        "name: jaffle\nversion: 1.0.0\nprofile: jaffle\n"
        "flags: {send_anonymous_usage_stats: false}\n"
        "models: {jaffle: {+materialized: table, staging: {+materialized: view}}}\n"
    ),
    "profiles.yml": (
        "jaffle: {target: dev, outputs: {dev: {type: duckdb, path: jaffle.duckdb, threads: 1}}}\n"
    ),
    "seeds/raw_payments.csv": "id,order_id,cents\n1,1,1000\n2,1,250\n3,2,99\n",
    "data/raw_orders.csv": "id,customer,day,status\n1,7,2026-01-02,placed\n2,8,2026-01-03,returned\n3,7,2026-01-03,placed\n",
    "models/staging/sources.yml": (
        "sources:\n  - name: ecom\n    schema: raw\n"
        "    meta: {external_location: 'data/{name}.csv'}\n"
        "    tables: [{name: raw_orders, description: One row per order.}]\n"
    ),
    "models/staging/stg_orders.sql": (
        "select id as order_id, customer, day, status from {{ source('ecom', 'raw_orders') }}\n"
    ),
    "models/staging/stg_payments.sql": (
        "select order_id, cents / 100 as amount from {{ ref('raw_payments') }}\n"
    ),
    "models/marts/orders.sql": (
        "select order_id, customer, day, status, coalesce(sum(amount), 0) as amount,\n"
        "  sum(1) as payments, sum(amount)::decimal(18, 2) as exact, [status] as states\n"
        "from {{ ref('stg_orders') }} left join {{ ref('stg_payments') }} using (order_id)\n"
        "group by all\n"
    ),
    "models/marts/customers.sql": (
        "select customer, count(*) as orders, '{{ var(\"greeting\", \"?\") }}' as greeting,\n"
        "  '{{ target.name }}' as made_for, '{{ env_var(\"CURRENCY\") }}' as currency,\n"
        "  (select count(*) from glob('domains/*/*/*')) as seen, (select count(*) from glob('models/*/*')) > 0 as own,\n"
        "  {% if execute %}{{ graph.nodes | length }}{% else %}0{% endif %} > 0 as knows_the_graph\n"
        "from {{ ref('orders') }} group by all\n"
    ),
    "models/marts/marts.yml": """\
groups:
  - {name: sales, owner: {email: ana@example.com}}
models:
  - name: orders
    description: One row per order.
    config: {group: sales}
    columns:
      - {name: order_id, description: The key., data_tests: [unique, not_null]}
      - name: customer
        config: {meta: {contains_pii: true}}
        data_tests:
          - not_null
          - relationships: {arguments: {to: ref('customers'), field: customer}}
      - {name: status, data_tests: [{accepted_values: {arguments: {values: [placed, returned]}}}]}
      - {name: amount, data_tests: [{not_null: {config: {severity: warn}}}]}
  - name: customers
    columns: [{name: customer, data_tests: [unique, not_null]}]
""",
}  # fmt: skip


def write_project(root: Path, files: dict[str, str] = PROJECT) -> None:
    """Write a workspace that is nothing but a dbt project."""
    for name, text in {"pyproject.toml": PYPROJECT, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")


def digests(root: Path, files: dict[str, str] = PROJECT) -> dict[str, str]:
    """Return what the project's own files are."""
    return {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in files}


def plain_dbt(root: Path, environment: dict[str, str], *arguments: str) -> Path:
    """Build the project as its developers do; return the database."""
    code = (
        "import sys; from dbt.cli.main import dbtRunner; "
        "sys.exit(not dbtRunner().invoke(sys.argv[1:]).success)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "build", "--profiles-dir", ".", *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "jaffle.duckdb"
