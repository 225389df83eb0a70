"""A product whose rows are everywhere: published, refused, printed, sampled, spilled, failed."""

from __future__ import annotations

from helpers import a_contract, a_product, a_source, an_input, write_product

from dataops_mesh.store.store import Store

SHORT = (
    "{id: short, metric: invalidValues, arguments: {pattern: '^.{1,3}$'}, mustBe: 0, "
    "severity: warning}"
)
NOTE = (
    "{name: note, logicalType: string, classification: public, "
    f"logicalTypeOptions: {{maxLength: 17}}, quality: [{SHORT}]}}"
)
NOTES = a_contract("notes", ("{name: id, logicalType: integer, primaryKey: true}", NOTE))
TRANSFORM = """\
import pyarrow as pa

def transform(rows):
    table = rows.to_arrow_table() if hasattr(rows, 'to_arrow_table') else rows
    notes = [str(note) for note in table.column('note').to_pylist()]
    print('built from', notes[0])
    if notes[0].startswith('fail'):
        raise ValueError(notes[0])
    return pa.table({'id': pa.array(range(len(notes)), pa.int64()), 'note': notes})
"""


def notes(*said: str) -> dict[str, str | bytes]:
    return a_product(
        {"notes": NOTES},
        inputs=[a_source("rows", "rows.csv")],
        files={
            "transform.py": TRANSFORM,
            "rows.csv": "note\n" + "".join(f"{one}\n" for one in said),
        },
    )


def readers() -> dict[str, str | bytes]:
    return a_product(
        {"count": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.notes")],
        files={"count.sql": "select count(*) as n from shop.notes"},
    )


def killed_build(store: Store, marker: str) -> None:
    """Leave what a killed run leaves: data without a manifest, and spilled rows."""
    import duckdb

    folder = store.candidates / "shop" / "notes" / "20200101T000000Z-dead0000"
    for path in (folder / "notes" / "part-0.parquet", store.scratch / "dead" / "spill.parquet"):
        path.parent.mkdir(parents=True)
        duckdb.sql(f"copy (select '{marker}' as note) to '{path}'")
    (store.scratch / "dead.lock").touch()


def deliver(mesh, workspace, *said: str) -> int:
    write_product(workspace.root, "shop", "notes", notes(*said))
    return mesh("run", "shop.notes").code
