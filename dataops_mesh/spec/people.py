"""Whom a product belongs to, and where they are asked, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Support:
    """A channel where people ask about the product (ODPS `support`)."""

    channel: str
    url: str
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the owning team (ODPS `team.members`)."""

    username: str
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """The owning team (ODPS `team`)."""

    name: str
    members: tuple[Member, ...] = ()
