"""What docs/exports.md shows is done: its contract, and what `mesh run` and `mesh export` say."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from helpers import a_product, a_source, write_workspace

sys.path.insert(0, str(Path(__file__).parents[1] / "production"))
pytestmark = pytest.mark.needs_postgres
PAGE = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
REST = """\
apiVersion: v3.2.0
kind: DataContract
id: urn:datacontract:shop:orders
version: 1.0.0
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true, description: Which order.}
"""


def test_the_contract_and_the_commands_of_the_page(tmp_path, monkeypatch, capsys):
    from postgres import postgres

    from dataops_mesh.cli.main import main
    from dataops_mesh.run.process.client import stop_gate

    shown = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    made = a_product(
        {"orders": REST + shown},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={
            "orders.sql": "select id from orders_csv",
            "orders.csv": "\n".join(["id", *map(str, range(21)), ""]),
        },
    )
    write_workspace(tmp_path, {"shop": {"sales": made}})
    monkeypatch.chdir(tmp_path)
    with postgres() as url:
        monkeypatch.setenv("MESH_CONNECTION_WAREHOUSE", url)
        stop_gate()  # one that another test left knows nothing of the variable
        for command, ended in ((["run", "shop.sales"], None), (["export"], 0)):
            monkeypatch.setattr(sys, "argv", ["mesh", *command])
            with pytest.raises(SystemExit) as raised:
                main()
            assert raised.value.code in {None, 0}, capsys.readouterr()
            assert ended in {None, raised.value.code or 0}
            said = capsys.readouterr()
            told = re.sub(r"\d+\.\d s", "0.1 s", said.err)
            if command[0] == "run":
                for line in re.findall(r"^shop\.sales exported: .*$", PAGE, re.MULTILINE):
                    assert line in told, said
            else:
                assert said.out.count("unchanged") == 2
    assert len(list(tmp_path.glob("exports/shop/sales/current/orders/*.parquet"))) == 1
