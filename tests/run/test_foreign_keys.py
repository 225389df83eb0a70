"""A foreign key is compared with the publication that the run pinned, and with nothing else."""

from __future__ import annotations

from pathlib import Path

from helpers import a_contract, a_product, a_source, an_input, read, run, write_workspace

from dataops_mesh.gate import Publish, Refuse


def airports(codes: str) -> dict[str, str | bytes]:
    return a_product(
        {"airports": ["{name: code, logicalType: string, primaryKey: true}"]},
        inputs=[a_source("codes_csv", "codes.csv")],
        files={"airports.sql": "select code from codes_csv", "codes.csv": f"code\n{codes}"},
    )


def flights(dest: str, more: str = "") -> dict[str, str | bytes]:
    columns = [
        "{name: id, logicalType: integer, primaryKey: true}",
        f"{{name: dest, logicalType: string, relationships: [{{to: airports.code{more}}}]}}",
    ]
    return a_product(
        {"flights": a_contract("flights", columns)},
        inputs=[a_source("flights_csv", "flights.csv"), an_input("network.airports")],
        files={
            "flights.sql": "select id, dest from flights_csv",
            "flights.csv": f"id,dest\n1,JFK\n2,{dest}\n",
        },
    )


TOLERANT = (
    ", customProperties: [{property: tolerance, vendor: dataops_mesh, "
    "value: {mustBeLessThan: 60, unit: percent}}]"
)


def test_a_lost_key_refuses_the_candidate_until_the_other_product_has_it(tmp_path: Path):
    domains = {"network": {"airports": airports("JFK\n")}, "ops": {"flights": flights("BQN")}}
    settings = write_workspace(tmp_path, domains)
    run(settings, "network.airports")
    refused = run(settings, "ops.flights")
    assert isinstance(refused.decision, Refuse)
    assert "dest_references_airports" in str(refused.decision.reasons)
    assert [(str(r.address), r.publication) for r in refused.reads if r.address] == [
        ("network.airports", 1)
    ]
    file = settings.domains_folder / "network" / "airports" / "codes.csv"
    file.write_text("code\nJFK\nBQN\n")
    run(settings, "network.airports")
    report = run(settings, "ops.flights")
    assert isinstance(report.decision, Publish)
    assert read(settings, "select count(*) from ops.flights") == [(2,)]


def test_a_tolerance_publishes_and_the_number_stays_visible(tmp_path: Path):
    domains = {
        "network": {"airports": airports("JFK\n")},
        "ops": {"flights": flights("BQN", TOLERANT)},
    }
    settings = write_workspace(tmp_path, domains)
    run(settings, "network.airports")
    report = run(settings, "ops.flights")
    assert isinstance(report.decision, Publish)
    (result,) = [r for r in report.results if r.check == "dest_references_airports"]
    assert (result.observed, result.rows) == (50, 2)


def test_a_python_transform_need_not_take_what_only_a_key_refers_to(tmp_path: Path):
    files = flights("JFK")
    del files["flights.sql"]
    files["transform.py"] = "def transform(flights_csv):\n    return flights_csv\n"
    domains = {"network": {"airports": airports("JFK\n")}, "ops": {"flights": files}}
    settings = write_workspace(tmp_path, domains)
    run(settings, "network.airports")
    assert isinstance(run(settings, "ops.flights").decision, Publish)
