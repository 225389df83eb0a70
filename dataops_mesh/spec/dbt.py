"""How a product has dbt build its project: what is said beside the project's folder."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.spec.terms import Address


@dataclass(frozen=True, slots=True)
class DbtOptions:
    """What dbt is told beside the project.

    Args:
        target: the name of the target, as models ask for it; empty for ours.
        vars: dbt's `--vars`, as JSON; empty for none.
        env: the variables of the environment that the project may read; it sees no other.
        sources: which input port stands for a source of the project, by `<source>.<table>`.
    """

    target: str = ""
    vars: str = ""
    env: tuple[str, ...] = ()
    sources: tuple[tuple[str, Address], ...] = ()
