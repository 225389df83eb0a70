"""A dbt project of any size: models in three layers, two tests each, a tenth of them public."""

from __future__ import annotations

from pathlib import Path

NAME = "made"
_ROWS = 1_000
_LAYERS = 3


def make_project(folder: Path, models: int) -> Path:
    """Write a project of so many models, with twice as many tests; return its folder.

    Args:
        folder: receives a folder `made`.
        models: how many.
    """
    project, wide = folder / NAME, models // _LAYERS
    (project / "seeds").mkdir(parents=True)
    (project / "models").mkdir()
    said = f"name: {NAME}\nversion: 1.0.0\nprofile: {NAME}\n"
    said += f"models: {{{NAME}: {{+materialized: table}}}}\n"
    (project / "dbt_project.yml").write_text(said, "utf-8")
    rows = "".join(f"{n},{n * 7 % 100}\n" for n in range(_ROWS))
    (project / "seeds" / "numbers.csv").write_text(f"id,amount\n{rows}", "utf-8")
    told = ["version: 2", "models:"]
    for number in range(models):
        layer, place = divmod(number, wide)
        above = "numbers" if layer == 0 else f"model_{(layer - 1) * wide + place:03}"
        view = "{{ config(materialized='view') }}\n" if layer == 0 else ""
        text = f"{view}select id, amount + {place} as amount from {{{{ ref('{above}') }}}}\n"
        (project / "models" / f"model_{number:03}.sql").write_text(text, "utf-8")
        public = ", access: public" if layer == _LAYERS - 1 and place % 10 == 0 else ""
        tests = "columns: [{name: id, data_tests: [unique, not_null]}]"
        told.append(f"  - {{name: model_{number:03}{public}, {tests}}}")
    (project / "models" / "schema.yml").write_text("\n".join(told) + "\n", "utf-8")
    return project
