"""What people are told of an incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from dataops_mesh.ledger.trouble.incidents import DAMAGED, Incident
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.watch.channels import Message
from dataops_mesh.watch.conditions import CONDITION
from dataops_mesh.watch.copies import EXPORT
from dataops_mesh.watch.deliveries import DELIVERY
from dataops_mesh.watch.schedule import AFFECTS, CLEARED, ESCALATED, OPENED, REMIND
from dataops_mesh.watch.slo import span

TITLES = {
    "caught": "refused: {}",
    "failed": "run failed: {}",
    "escaped": "published data breaks its contract: {}",
    DAMAGED: "a published file is damaged: {}",
    "late": "late: {}",
    "withdrawn": "reads what was withdrawn: {}",
    "ended": "past its end and still read: {}",
    CONDITION: "its own condition: {}",
    DELIVERY: "not delivered: {}",
    EXPORT: "not copied: {}",
}
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Affected:
    """A product that is late because of an incident, and who answers for it."""

    product: str
    owners: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return what people read."""
        return f"{self.product} ({', '.join(self.owners)})" if self.owners else self.product


def message_of(  # noqa: PLR0913, PLR0917 - what is told, of what, to whom it matters
    product: Product | None,
    incident: Incident,
    what: str,
    settings: Settings,
    lasted: timedelta,
    affected: Sequence[Affected] = (),
) -> Message:
    """Return what people are told of an incident.

    Args:
        product: as it is declared, if anybody knows.
        incident: what is or was wrong.
        what: the word of the schedule.
        settings: of the workspace.
        lasted: for how long it is or was wrong.
        affected: what is late because of it.
    """
    trouble = incident.trouble
    subject = f"{trouble.product} ({trouble.subject})" if trouble.subject else trouble.product
    title = _title(what, TITLES[trouble.kind].format(subject), lasted, len(affected))
    lines = [trouble.why]
    if trouble.kind in {"caught", "failed"} and what != CLEARED:
        lines.append("Nothing was published: consumers still read the last good publication.")
    if what == CLEARED:
        lines = [f"Over since {incident.closed:%Y-%m-%d %H:%M} UTC."]
    if affected:
        lines.append(f"{'Still late' if what == CLEARED else 'Late because of it'}: "
                     f"{_listed(affected)}.")  # fmt: skip
    link = ""
    if settings.ui_url and trouble.run_id:
        link = f"{settings.ui_url.rstrip('/')}/runs/{trouble.run_id}"
    acknowledge = f'mesh incident ack {incident.incident} --until 4h --reason "..."'
    return Message(
        title=title,
        body="\n".join(line for line in lines if line),
        link=link,
        good=what == CLEARED,
        mild=is_mild(product, incident),
        data={
            "product": trouble.product,
            "kind": trouble.kind,
            "incident": incident.incident,
            "opened": f"{incident.opened:%Y-%m-%d %H:%M} UTC",
            "team": product.team.name if product and product.team else "",
            "owners": ", ".join(owners_of(product)),
            "affected": ", ".join(one.product for one in affected),
            "command": f"mesh show {trouble.product} --history",
            "acknowledge": "" if what == CLEARED else acknowledge,
        },
    )


def is_mild(product: Product | None, incident: Incident) -> bool:
    """Tell whether an incident is of a condition that its product calls a warning."""
    said = product.conditions if product and incident.trouble.kind == CONDITION else ()
    return any(one.name == incident.trouble.subject and one.is_mild for one in said)


def owners_of(product: Product | None) -> tuple[str, ...]:
    """Return who answers for a product."""
    members = product.team.members if product and product.team else ()
    return tuple(one.username for one in members if (one.role or "").lower() == "owner")


def _title(what: str, title: str, lasted: timedelta, affected: int) -> str:
    if what == OPENED:
        return title
    if what == CLEARED:
        return f"all clear: {title}"
    if what == ESCALATED:
        return f"escalated after {span(lasted)}: {title}"
    if what.startswith(AFFECTS):
        late = "1 product is late" if affected == 1 else f"{affected} products are late"
        return f"{late} because of it: {title}"
    if not what.startswith(REMIND):
        raise AssertionError(what)
    return f"still, after {span(lasted)}: {title}"


def _listed(affected: Sequence[Affected]) -> str:
    named = ", ".join(map(str, affected[:_NAMED]))
    more = len(affected) - _NAMED
    return f"{named} and {more} more" if more > 0 else named
