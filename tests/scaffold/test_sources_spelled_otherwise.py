"""A CSV source of a dbt project whose values dbt's adapter guesses: the very values are published."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from helpers import read, run, write_workspace

from dataops_mesh.scaffold.dbt.delivered import delivered_files
from dataops_mesh.scaffold.dbt.sources import Delivered
from dataops_mesh.spec.terms import Address

DELIVERED = {
    "blanks before numbers": "k,v\n1, 2025\n2, 2026\n",
    "times of one digit": "k,v\n1,3:15\n2,10:05\n",
    "American days": "k,v\n1,10/22/2024\n2,12/31/2024\n",
    "German days": "k,v\n1,22.10.2024\n2,31.12.2024\n",
    "moments of one's own": "k,v\n1,10/22/2024 03:15:00\n2,12/31/2024 23:59:59\n",
    "truth in capitals": "k,v\n1,True\n2,FALSE\n",
    "nothing odd": "k,v\n1,2024-10-22\n2,2024-12-31\n",
    "nulls beside it": "k,v\n1, 2025\n2,\n3, 7\n",
    "columns with odd names": "k,a b-c\n1, 2025\n2, 2026\n",
    "a decimal with blanks": "k,v\n1, 1.50\n2, 2.25\n",
}


@pytest.mark.parametrize("case", DELIVERED)
def test_what_dbt_would_have_read_is_published(tmp_path: Path, case: str):
    settings = write_workspace(tmp_path, {})
    file = tmp_path / "data" / "rows.csv"
    file.parent.mkdir()
    file.write_text(DELIVERED[case], "utf-8")
    one = Delivered(Address("shop", "rows"), file)
    for path, text in delivered_files(one, settings, {}).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    report = run(settings, "shop.rows")
    assert report.published, [result.reason for result in report.results]
    guessed = duckdb.sql(f"from read_csv('{file}')").fetchall()
    assert sorted(read(settings, "from shop.rows"), key=repr) == sorted(guessed, key=repr)
