"""What came of each export: the last word on a target says whether it is behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from dataops_mesh.ledger.database import Ledger, lacks, transaction
from dataops_mesh.ledger.query import portions
from dataops_mesh.ledger.write import add

EXPORTED, FAILED, WITHDRAWN = "exported", "failed", "withdrawn"


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """One try to bring a target to what the log says of a product.

    Args:
        target: `connection <name>` or `folder <path>`.
        outcome: `exported`, `failed`, or `withdrawn`: nothing of the product is left there.
        release: the release that it follows; of a failure, the newest then.
        state: a digest of what the target has by now; of a failure, of what it should have had.
        why: of a failure; no value of the data, and no URL.
        failures: how many tries in a row have failed by now.
    """

    product: str
    target: str
    at: datetime
    outcome: str
    release: int
    state: str
    rows: int = 0
    seconds: float = 0.0
    why: str = ""
    failures: int = 0


def record_export(ledger: Ledger, export: ExportRecord) -> None:
    """Put a try on record."""
    from dataops_mesh.ledger.schema import exports

    row = asdict(export) | {"at": export.at.isoformat()}
    with transaction(ledger) as connection:
        add(connection, exports, [row])


def last_exports(ledger: Ledger, products: Iterable[str]) -> dict[tuple[str, str], ExportRecord]:
    """Return the last try of each product and target; all that there ever was a try of."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import exports as table

    last = func.max(table.c.at).label("at")
    newest = select(table.c.product, table.c.target, last)
    newest = newest.group_by(table.c.product, table.c.target)
    found: dict[tuple[str, str], ExportRecord] = {}
    with transaction(ledger) as connection:
        if lacks(ledger, connection, table.name):
            return {}
        for some in portions(set(products)):
            of_some = newest.where(table.c.product.in_(some)).subquery()
            query = select(table).join(
                of_some,
                (table.c.product == of_some.c.product)
                & (table.c.target == of_some.c.target)
                & (table.c.at == of_some.c.at),
            )
            for row in connection.execute(query).mappings():
                one = ExportRecord(**{**row, "at": datetime.fromisoformat(row["at"])})
                found[one.product, one.target] = one
    return found
