"""A policy for what is about people: the contract says so, so that it is protected.

Names are judged here, of the declaration; values by the gate, of every candidate
(`run/guards/personal.py`), with the severity and the waivers of this policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dataops_mesh.policy.model import Finding, Options, Policy, Surroundings
from dataops_mesh.spec.classes import says_personal
from dataops_mesh.spec.model import Product

PERSONAL = "personal_data"
CURE = (
    "classify it confidential or restricted, tag it pii, mask it, or say why it is not: "
    "{property: pii, vendor: dataops_mesh, value: {none: ...}}"
)
_NAMES = re.compile(
    r"(.*_)?(e_?mail(_address)?|phone(_number)?|mobile(_number)?|first_?name|last_?name|surname"
    r"|given_?name|family_?name|maiden_?name|full_?name|birth_?(date|day)|date_of_birth|dob|ssn"
    r"|social_security(_number)?|iban|passport(_number)?|credit_?card(_number)?|tax_?id"
    r"|national_?id|ip_?address|street(_address)?|home_?address)"
)


def _named(product: Product, options: Options, _around: Surroundings) -> Iterator[Finding]:
    pattern: re.Pattern[str] = options["columns"]
    for port in product.outputs:
        for index, column in enumerate(port.contract.columns):
            if pattern.fullmatch(column.name.lower()) and not says_personal(column):
                what = (
                    f'the column "{column.name}" of {port.address} is called like personal data, '
                    "and its contract does not say whether it is"
                )
                key = f"schema[0].properties[{index}].classification"
                yield Finding(what, column.where, key, CURE)


PERSONAL_DATA = (
    Policy(
        PERSONAL,
        "what is about people says so, so that it is protected",
        _named,
        options={"columns": _NAMES},
        keeps_severity=True,
    ),
)
