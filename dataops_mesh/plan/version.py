"""Semantic versions: which part went up, and whether that is enough."""

from __future__ import annotations

import re

from dataops_mesh.plan.change import Bump

_NUMBERS = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")


def bump_of(before: str, after: str) -> Bump:
    """Return the part of the version that went up; none if it stayed or went back.

    Below 1.0.0 the minor number is what the major is later (SemVer 2.0.0, section 4).

    >>> bump_of("1.4.0", "2.0.0"), bump_of("0.1.0", "0.2.0"), bump_of("2.0.0", "1.9.0")
    (<Bump.MAJOR: 'major'>, <Bump.MAJOR: 'major'>, <Bump.NONE: 'none'>)
    """
    old, new = _parts(before), _parts(after)
    if new <= old:
        return Bump.NONE
    if new[0] > old[0]:
        return Bump.MAJOR
    if new[1] > old[1]:
        return Bump.MINOR if new[0] else Bump.MAJOR
    return Bump.PATCH if new[0] else Bump.MINOR


def next_version(version: str, bump: Bump) -> str:
    """Return the version after a bump.

    >>> next_version("1.4.2", Bump.MAJOR), next_version("0.3.1", Bump.MAJOR)
    ('2.0.0', '0.4.0')
    """
    major, minor, patch = _parts(version)
    if bump is Bump.MAJOR:
        return f"{major + 1}.0.0" if major else f"0.{minor + 1}.0"
    if bump is Bump.MINOR and major:
        return f"{major}.{minor + 1}.0"
    return version if bump is Bump.NONE else f"{major}.{minor}.{patch + 1}"


def _parts(version: str) -> tuple[int, int, int]:
    found = _NUMBERS.match(version)
    if found is None:
        return (0, 0, 0)
    major, minor, patch = (int(part or 0) for part in found.groups())
    return (major, minor, patch)
