"""Who may publish a domain: one repository, on record beside the log.

    <store>/owners/<domain>/<n>.json     the newest is the owner; none is ever changed or removed

A record is created if it is absent, so that of two who claim a domain at once one is the owner.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from dataops_mesh.errors import OwnershipError, Problem
from dataops_mesh.store import files, record
from dataops_mesh.store.store import Store

ASSIGNED, FIRST = "assigned", "first publication"
_SCHEME = re.compile(r"[A-Za-z][\w+.-]*://")
_SCP = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[\w.-]{2,}|\[[\da-fA-F:]+\]):(?P<path>[^:]+)")
_PORT = re.compile(r":\d*$")


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who asks for a commit.

    Args:
        repository: its name, as `repository_name` says it; empty for a folder outside git.
        places: of such a folder, its path, and its path from the store if the store is inside:
            so that both may be moved together.
        claims: it may take a domain that nobody owns, by publishing it.
    """

    repository: str
    places: tuple[str, ...] = ()
    claims: bool = False

    def __str__(self) -> str:
        """Return the name for people."""
        return self.repository or (self.places[0] if self.places else "a repository without name")


@dataclass(frozen=True, slots=True)
class Owner:
    """One entry of the record of a domain.

    Args:
        how: `assigned` by a person, or by the `first publication`.
    """

    domain: str
    number: int
    repository: str
    places: tuple[str, ...]
    person: str
    at: datetime
    how: str

    def __str__(self) -> str:
        """Return the owner's name for people."""
        return self.repository or (self.places[0] if self.places else "nobody")

    def is_(self, publisher: Publisher) -> bool:
        """Tell whether the publisher is the owner."""
        if self.repository:
            return self.repository == publisher.repository
        return not set(self.places).isdisjoint(publisher.places)


def repository_name(address: str) -> str:
    """Return a repository's name without scheme, user, port and `.git`.

    A server is known by its host: one that has the web at 8443 has ssh at 22.

    >>> repository_name("git@git.example:shop/orders.git")
    'git.example/shop/orders'
    >>> repository_name("ssh://ana@GIT.example:22/shop/orders/")
    'git.example/shop/orders'
    """
    text = address.strip()
    scheme = _SCHEME.match(text)
    if scheme is not None:
        if scheme.group().lower() == "file://":
            return _path(text[len("file://") :])
        host, _, path = text[scheme.end() :].partition("/")
    elif text.startswith(("/", ".", "~")):
        return _path(text)
    elif (scp := _SCP.fullmatch(text)) is not None:
        host, path = scp["host"], scp["path"]
    else:
        host, _, path = text.partition("/")
        if "." not in host.rpartition("@")[2]:  # a name of one's own, as the setting may have
            return _path(text)
    host = _PORT.sub("", host.rpartition("@")[2]).lower()
    parts = [part for part in path.split("/") if part]
    return _bare("/".join([host, *parts]))


def is_relative(address: str) -> bool:
    """Tell whether a repository's address is a path from somewhere: it names no one place.

    >>> is_relative("../origin"), is_relative("/srv/git/shop"), is_relative("git.example:shop")
    (True, False, False)
    """
    text = address.strip()
    bare = _SCHEME.match(text) is None and _SCP.fullmatch(text) is None
    return bool(text) and bare and not text.startswith(("/", "~"))


def owner_of(store: Store, domain: str) -> Owner | None:
    """Return the owner of a domain, if anybody owns it."""
    number = max(_numbers(store, domain), default=0)
    return _read(store, domain, number) if number else None


def all_owners(store: Store) -> Iterator[Owner]:
    """Iterate over the whole record: by domain, oldest first; the last of a domain counts."""
    root = _root(store)
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        for number in sorted(_numbers(store, folder.name)):
            yield _read(store, folder.name, number)


def assign(store: Store, domain: str, publisher: Publisher, person: str) -> Owner:
    """Make a repository the owner of a domain, whoever was before."""
    while True:
        before = owner_of(store, domain)
        owner = _owner(domain, publisher, person, ASSIGNED)
        owner = replace(owner, number=before.number + 1 if before else 1)
        if _create(store, owner):
            return owner


def require_owner(store: Store, domains: Iterable[str], publisher: Publisher) -> tuple[str, ...]:
    """Return the domains that the publisher may take because nobody owns them.

    Raises:
        OwnershipError: a domain has another owner, or none and the publisher may not take it.
    """
    free = []
    for domain in sorted(set(domains)):
        if not is_owner(store, domain, publisher):
            if not publisher.claims:
                raise OwnershipError(_nobody(domain, publisher))
            free.append(domain)
    return tuple(free)


def is_owner(store: Store, domain: str, publisher: Publisher) -> bool:
    """Tell whether a publisher owns a domain; not if nobody does.

    Raises:
        OwnershipError: it has another owner.
    """
    owner = owner_of(store, domain)
    if owner is not None and not owner.is_(publisher):
        raise OwnershipError(_another(owner, publisher))
    return owner is not None


def claim(store: Store, domains: Iterable[str], publisher: Publisher, person: str) -> None:
    """Take domains that nobody owns.

    Raises:
        OwnershipError: somebody else was faster.
    """
    for domain in domains:
        if not _create(store, _owner(domain, publisher, person, FIRST)):
            require_owner(store, (domain,), publisher)


def _owner(domain: str, publisher: Publisher, person: str, how: str) -> Owner:
    places = () if publisher.repository else publisher.places
    return Owner(domain, 1, publisher.repository, places, person, datetime.now(UTC), how)


def _create(store: Store, owner: Owner) -> bool:
    path = _file(store, owner.domain, owner.number)
    files.make_folder(path.parent)
    return files.create(path, record.encode(owner))


def _read(store: Store, domain: str, number: int) -> Owner:
    path = _file(store, domain, number)
    return record.decode(Owner, files.read(path), path)


def _root(store: Store) -> Path:
    return store.root / "owners"


def _file(store: Store, domain: str, number: int) -> Path:
    if domain in {"", ".", ".."} or not {"/", "\0"}.isdisjoint(domain):
        raise OwnershipError(Problem(f"{domain!r} is no name of a domain"))
    return _root(store) / domain / f"{number:08d}.json"


def _numbers(store: Store, domain: str) -> list[int]:
    return files.numbered(_file(store, domain, 1).parent)


def _path(text: str) -> str:
    return _bare(text) or "/"


def _bare(text: str) -> str:
    """Leave out what people write or not after a name."""
    while text != (text := text.rstrip("/").removesuffix(".git")):
        pass
    return text


def _nobody(domain: str, publisher: Publisher) -> Problem:
    return Problem(
        f"nobody owns the domain {domain}, and this is {publisher}",
        next=f"mesh domain assign {domain} {publisher}",
    )


def _another(owner: Owner, publisher: Publisher) -> Problem:
    return Problem(
        f"the domain {owner.domain} belongs to {owner} ({owner.how} by {owner.person}, "
        f"{owner.at:%Y-%m-%d}), and this is {publisher}",
        next=f"rename the domain's folder; or, if it lives here now, "
        f"mesh domain assign {owner.domain} {publisher}",
    )
