"""One line on how a product stands: what lists of products show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.spec.model import Product
from dataops_mesh.store.removing.withdrawal import withdrawn_words
from dataops_mesh.watch.states import State
from dataops_mesh.web.facts.held import holds_of
from dataops_mesh.web.facts.wrong import KINDS, Wrong, owner_of

WELL, WATCH, WRONG, OFF = "well", "watch", "wrong", "off"
_LEVELS = {
    "refused": WRONG, "failed": WRONG, "late": WRONG, "stale": WRONG, "withdrawn": WATCH,
    "held": WATCH, "due": WATCH, "never": OFF, "not watched": OFF, "well": WELL,
}  # fmt: skip
_NAMED = 3  # partitions
_SENTENCES = {
    "refused": "The gate refused the last candidate; consumers read the publication before.",
    "failed": "The last run failed; consumers read the last publication.",
    "late": "Consumers read what is older than promised.",
    "stale": "Consumers read data that is older than promised.",
    "withdrawn": "It was taken away from consumers.",
    "held": "Held: nothing new is published until somebody lifts the hold.",
    "due": "The next publication is due.",
    "never": "Nothing was published yet.",
    "not watched": "It runs only when somebody names it, and nobody is told of it.",
    "well": "It keeps what it promises.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a product stands.

    Args:
        level: `well`, `watch` (somebody should know), `wrong`, or `off` (nothing to say).
        word: one word more exactly.
        sentence: the same for people.
        built: when what consumers read was built.
    """

    product: str
    title: str
    domain: str
    level: str
    word: str
    sentence: str
    owner: str
    status: str
    built: datetime | None
    publication: int | None
    rows: int | None


def standing(product: Product, state: State, wrong: tuple[Wrong, ...] = ()) -> Standing:
    """Return how a product stands.

    Args:
        product: the product.
        state: its state.
        wrong: what is wrong with it, if anything is.
    """
    word, level = state.word, _LEVELS[state.word]
    sentence = _SENTENCES[word]
    if wrong and level != WRONG:
        grave = any(one.severity == "error" for one in wrong)
        level, sentence = WRONG if grave else WATCH, f"{wrong[0].title}."
        word = KINDS.get(wrong[0].kind, wrong[0].kind) if word in {"well", "held"} else word
    elif state.gone is not None:
        sentence = f"Nobody can read it: it {withdrawn_words(state.gone)}."
    elif pieces := _pieces(state):
        sentence = f"{pieces}; the rest goes on."
    elif state.word == "held" and not state.holds:
        sentence = "It waits for what it reads, which is held or withdrawn."
    return Standing(
        product.qualified_name,
        product.title or product.name,
        product.domain,
        level,
        word,
        sentence,
        owner_of(product),
        product.status,
        state.built,
        state.publication,
        state.rows,
    )


def _pieces(state: State) -> str:
    """Return which partitions are held, where that is all that keeps it from being well."""
    holds = holds_of(state) if state.word == "held" else ()
    if not holds or not all(hold.partition for hold in holds):
        return ""
    named = [f"{hold.partition} is {hold.how}" for hold in holds[:_NAMED]]
    more = len(holds) - _NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
