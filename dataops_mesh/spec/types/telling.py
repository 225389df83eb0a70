"""What may be told of an error's words: a known form, in which every name is known.

Domain code can raise any class of error with any text, and lets an engine speak of any text: a
value becomes the name of a table, a module or a column. So no class is trusted. A message is told
if it is one of these forms and what it names stands in the product's own files; of any other only
the kind is. A name that stands there says no more than the line that failed does.
"""

from __future__ import annotations

import builtins
import errno
import os
import re
from collections.abc import Iterable
from functools import cached_property, lru_cache

from dataops_mesh.spec.types.wordings import (
    ADVICE,
    DBT,
    DBT_KINDS,
    FORMS,
    HEADS,
    KINDS,
    OURS,
    SPOKEN,
    TYPE,
)

WITHHELD = "the message is withheld: it may hold values"
_LONGEST = 200  # characters of a name
_MOST = 4  # names in a list
_SLOTS = {
    "{}": rf"([^\n\"']{{1,{_LONGEST}}})",
    "{token}": rf"([^\n]{{1,{_LONGEST}}}|[^\w\s]{{1,2}})",
    "{type}": TYPE,
    "{types}": rf"(?:{TYPE}(?:, {TYPE}){{0,2}})?",
    "{line}": r"(?P<line>\d{1,6})",
    "{few}": r"\d\d?",
    "{seconds}": r"\d[\d.e+-]{0,11}",
}
_SLOT = re.compile("|".join(map(re.escape, _SLOTS)))
_ENGINE = re.compile(r"(?:Binder|Catalog|Parser|IO|Out of Memory|Permission) Error: ")
_PLACE = re.compile(r" \([^()]*\)$")  # of a module that has no such name
_KIND = re.compile(r"(\w{1,80})(?:: (.*))?", re.DOTALL)
_STATUS = re.compile(r"(.*)(, the server answered \d{3})$", re.DOTALL)
_CONTRACT = "This model has an enforced contract that failed: "
_CONTRACT_ROW = re.compile(rf"([^|]*) \| *{TYPE}? *\| *{TYPE}? *\| *([a-z ]+)")
_CONTRACT_WORDS = ("missing in contract", "missing in definition", "data type mismatch")

_MAY_REPEAT = " (its words may repeat data)"
_SYSTEM = frozenset(map(os.strerror, errno.errorcode))


class Known:
    """The texts in which a name stands that may be told."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Keep the texts; nothing is looked at before a name is asked for."""
        self._texts = texts

    @cached_property
    def _read(self) -> tuple[str, int]:
        texts = [text.lower() for text in self._texts]
        return "\n".join(texts), max((text.count("\n") + 1 for text in texts), default=0)

    @property
    def lines(self) -> int:
        """Return how many lines the longest of the texts has."""
        return self._read[1]

    def has(self, name: str) -> bool:
        """Tell whether a name stands in the texts; of `a.b` both parts, of a path the whole.

        >>> known = Known(["select id from people.staff"])
        >>> [known.has(one) for one in ("ID", "people.id", "staf", "7", "id id")]
        [True, True, False, False, False]
        """
        if not re.search(r"[^\W\d_]", name):
            return False
        parts = name.split(".")
        return self._stands(name) or (len(parts) <= 3 and all(map(self._is_name, parts)))  # noqa: PLR2004

    def _is_name(self, part: str) -> bool:
        return part.isidentifier() and (part.lower() in SPOKEN or self._stands(part))

    def _stands(self, text: str) -> bool:
        whole = rf"(?<!\w){re.escape(text.lower())}(?!\w)"
        return re.search(whole, self._read[0]) is not None


def tellable(message: str, known: Known) -> str:
    r"""Return the first line of an engine's message if it may be told; else nothing.

    >>> tellable('Binder Error: Referenced column "idd" not found in FROM clause!', Known(["idd"]))
    'Binder Error: Referenced column "idd" not found in FROM clause!'
    >>> tellable("Table with name DE89 does not exist!\nDid you mean", Known(["select 1"]))
    ''
    """
    first = message.strip().partition("\n")[0].strip()
    found = _ENGINE.match(first)
    bare = first[found.end() :] if found else first
    if bare in _SYSTEM or _is_one(bare, FORMS, known) or _is_contract(bare, known):
        return first
    short = _PLACE.sub("", bare)
    return short if short != bare and _is_one(short, FORMS, known) else ""


def kind_of(name: str, known: Known) -> str:
    """Return the name of a class of errors, if it is Python's, a library's or one of the texts.

    >>> kind_of("KeyError", Known([])), kind_of("DE89", Known([]))
    ('KeyError', 'Exception')
    """
    own = getattr(builtins, name, None)
    known_kind = isinstance(own, type) and issubclass(own, BaseException)
    return name if known_kind or name in KINDS or known.has(name) else "Exception"


def told(what: str, known: Known) -> str:
    """Return what is said of a failure as it may be told: its kind, and the message if that may be.

    >>> told("the transform raised NameError: DE89", Known([]))
    'the transform raised NameError: the message is withheld: it may hold values'
    >>> told("the transform raised ValueError", Known([])), told("DE89", Known([]))
    ('the transform raised ValueError', 'the message is withheld: it may hold values')
    """
    if what == WITHHELD or _is_one(what, (*OURS, *FORMS), known):
        return what
    for head in HEADS:
        if (rest := _behind(head, what, known)) is not None:
            return what[: len(what) - len(rest)] + _raised(rest, known)
    for head in DBT:
        if (rest := _behind(head, what, known)) is not None:
            return what[: len(what) - len(rest)] + said_by_dbt(rest, known)
    return what if _is_one(what, [head.removesuffix(": ") for head in DBT], known) else WITHHELD


def said_by_dbt(text: str, known: Known) -> str:
    """Return what is told of an error of dbt as it may be told: the words, the kind or nothing."""
    if text == WITHHELD or _is_one(text, OURS, known) or (tellable(text, known) == text):
        return text
    kind, _, rest = text.removesuffix(_MAY_REPEAT).partition(": ")
    if DBT_KINDS.fullmatch(kind) is None or (kind.isalpha() and kind_of(kind, known) != kind):
        return WITHHELD
    if not rest:
        return text
    return f"{kind}: {tellable(rest, known) or WITHHELD}"


def advice(text: str, known: Known) -> bool:
    """Tell whether a text of this library's own may stand beside a problem."""
    return not text or _is_one(text, ADVICE, known)


def _raised(text: str, known: Known) -> str:
    """Return the kind of an error, and its message if that may be told."""
    whole = _STATUS.fullmatch(text)
    text, status = (whole[1], whole[2]) if whole else (text, "")
    found = _KIND.fullmatch(text)
    if found is None:
        return WITHHELD
    said = found[2] or ""
    kept = "" if not said else f": {tellable(said, known) or WITHHELD}"
    return f"{kind_of(found[1], known)}{kept}{status}"


def _is_contract(text: str, known: Known) -> bool:
    """Tell whether a text is dbt's list of columns that are not as a model promises."""
    if not text.startswith(_CONTRACT):
        return False
    rows = [_CONTRACT_ROW.fullmatch(row) for row in text.removeprefix(_CONTRACT).split("; ")]
    return all(
        row is not None and known.has(row[1].strip()) and row[2].strip() in _CONTRACT_WORDS
        for row in rows
    )


def _is_one(text: str, forms: Iterable[str], known: Known) -> bool:
    return any(
        (found := _pattern(form).fullmatch(text)) is not None and _are_known(found, known)
        for form in forms
    )


def _behind(form: str, text: str, known: Known) -> str | None:
    found = _pattern(form).match(text)
    return text[found.end() :] if found is not None and _are_known(found, known) else None


def _are_known(found: re.Match[str], known: Known) -> bool:
    line = found.re.groupindex.get("line", 0)
    return all(
        int(slot) <= known.lines if at == line else _is_told(slot, known)
        for at, slot in enumerate(found.groups(), 1)
    )


def _is_told(slot: str, known: Known) -> bool:
    names = slot.split(", ")
    listed = len(names) <= _MOST and all(map(known.has, names))
    return listed or known.has(slot) or re.fullmatch(r"[^\w\s]{1,2}", slot) is not None


@lru_cache(maxsize=256)
def _pattern(form: str) -> re.Pattern[str]:
    """Return what matches a form; a slot that names something is a group."""
    parts, at = [], 0
    for slot in _SLOT.finditer(form):
        parts += [re.escape(form[at : slot.start()]), _SLOTS[slot[0]]]
        at = slot.end()
    return re.compile("".join([*parts, re.escape(form[at:])]))
