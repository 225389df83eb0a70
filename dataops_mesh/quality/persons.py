"""Numbers that states give to persons, told by their check digits; python-stdnum knows them.

One number proves little, for many have a single check digit; a column of them does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from importlib import import_module

LEAST = 5  # values
SHARE = 0.8  # of all values
_TRIED = 20  # values, before the rest is looked at
_LABEL = "a number of a person ({})"
_SHAPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./+-]{6,20}")
_NINO = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")
# Modules of `stdnum`: country, kind.
_KNOWN = (
    *("at.vnr", "au.tfn", "be.nn", "bg.egn", "br.cpf", "ca.sin", "ch.ssn", "cn.ric", "cz.rc"),
    *("de.idnr", "dk.cpr", "ee.ik", "es.dni", "es.nie", "fi.hetu", "fr.nir", "gr.amka"),
    *("hr.oib", "ie.pps", "il.idnr", "in_.aadhaar", "it.codicefiscale", "kr.rrn", "lt.asmens"),
    *("mx.curp", "nl.bsn", "no.fodselsnummer", "pl.pesel", "pt.nif", "ro.cnp", "se.personnummer"),
    *("th.pin", "tr.tckimlik", "za.idnr"),
)


def person_number(values: Sequence[str]) -> tuple[str, int]:
    """Return which country's number of a person the values are, and how many of them.

    >>> dni = ["12345678Z", "00000000T", "11111111-H", "22222222J", "33333333P"]
    >>> person_number(dni), person_number(["EWR", "JFK", "LGA", "EWR", "JFK"])
    (('a number of a person (ES)', 5), ('', 0))
    """
    shaped = [one for value in values if _SHAPE.fullmatch(one := value.strip())]
    needed = max(LEAST, SHARE * len(values))
    if len(shaped) < needed:
        return "", 0
    tried = shaped[:_TRIED]
    for kind, is_one in _kinds():
        if sum(map(is_one, tried)) < SHARE * len(tried):
            continue
        matched = sum(map(is_one, shaped))
        if matched >= needed:
            return kind, matched
    return "", 0


@cache
def _kinds() -> tuple[tuple[str, Callable[[str], bool]], ...]:
    found: dict[str, list[Callable[[str], str]]] = {}
    for name in _KNOWN:
        country = name.partition(".")[0].strip("_").upper()
        found.setdefault(country, []).append(import_module(f"stdnum.{name}").validate)
    known = [(_LABEL.format(name), partial(_is_valid, every)) for name, every in found.items()]
    return (*known, (_LABEL.format("GB"), _is_nino))


def _is_valid(validators: Sequence[Callable[[str], str]], text: str) -> bool:
    for validate in validators:
        with suppress(Exception):  # it also fails on what it does not foresee
            return bool(validate(text))
    return False


def _is_nino(text: str) -> bool:
    return _NINO.fullmatch(text.replace(" ", "").upper()) is not None
