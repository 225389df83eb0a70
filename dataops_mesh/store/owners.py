"""Who may publish a domain: one repository, on record beside the log.

    <store>/owners/<domain>/<n>.json     the newest is the owner; none is ever changed or removed

A record is created if it is absent, so that of two who claim a domain at once one is the owner.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from dataops_mesh.errors import OwnershipError, Problem
from dataops_mesh.store import files, record
from dataops_mesh.store.place import PLACE, digest_of, made
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
        token: the file of what only this folder has, if the store is inside (store/place.py).
    """

    repository: str
    places: tuple[str, ...] = ()
    claims: bool = False
    token: Path | None = None

    def __str__(self) -> str:
        """Return the name for people."""
        return self.repository or (self.places[0] if self.places else "a repository without name")

    @property
    def is_place(self) -> bool:
        """Tell whether it has no name but where it is."""
        return not self.repository


@dataclass(frozen=True, slots=True)
class Owner:
    """One entry of the record of a domain.

    Args:
        how: `assigned` by a person, or by the `first publication`.
        token: the digest of what only the owner's folder has; empty if nothing is on record.
    """

    domain: str
    number: int
    repository: str
    places: tuple[str, ...]
    person: str
    at: datetime
    how: str
    token: str = ""

    def __str__(self) -> str:
        """Return the owner's name for people."""
        return self.repository or (self.places[0] if self.places else "nobody")

    def is_(self, publisher: Publisher) -> bool:
        """Tell whether the publisher is the owner.

        A folder is known by what only it has, where that is on record; else by its whole path, if
        it has no name: one path can be several folders, of images and of namespaces.
        """
        if self.repository:
            return self.repository == publisher.repository
        common = set(self.places) & set(publisher.places)
        if self.token:
            found = digest_of(publisher.token) if publisher.token else ""
            return bool(common) and hmac.compare_digest(self.token, found)
        return publisher.is_place and any(map(_is_whole, common))


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
    now, name = datetime.now(UTC), publisher.repository
    if name:
        return Owner(domain, 1, name, (), person, now, how)
    token = made(publisher.token) if publisher.token else ""
    return Owner(domain, 1, "", publisher.places, person, now, how, token)


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


def _is_whole(place: str) -> bool:
    return place.startswith("/")


def _nobody(domain: str, publisher: Publisher) -> Problem:
    return Problem(
        f"nobody owns the domain {domain}, and this is {_said(publisher)}",
        next=_assign(domain, publisher),
    )


def _another(owner: Owner, publisher: Publisher) -> Problem:
    place = not owner.repository
    lost = place and owner.token and publisher.is_place and str(publisher) in owner.places
    kind = ", a folder" if place and owner.places else ""
    by = f"{owner.how} by {owner.person}, {owner.at:%Y-%m-%d}"
    but = f", and what that folder is known by ({PLACE}) {_lack(publisher)}" * bool(lost)
    return Problem(
        f"the domain {owner.domain} belongs to {owner}{kind} ({by}), "
        f"and this is {_said(publisher)}{but}",
        next=f"rename the domain's folder; or, if it lives here now, "
        f"{_assign(owner.domain, publisher)}",
    )


def _lack(publisher: Publisher) -> str:
    """Say why a folder is not known by its token."""
    if publisher.token is None or not os.path.lexists(publisher.token):
        return "is not there"
    return "is another" if os.access(publisher.token, os.R_OK) else "may not be read by you"


def _said(publisher: Publisher) -> str:
    """Say who asks: a name may be written as a folder is."""
    if publisher.is_place:
        return f"{publisher}, a folder" if publisher.places else str(publisher)
    return f"the repository {publisher}"


def _assign(domain: str, publisher: Publisher) -> str:
    """Return the command by which the publisher becomes the owner; `.` means itself."""
    named = not publisher.is_place and not _is_whole(publisher.repository)
    return f"mesh domain assign {domain} {publisher if named else '.'}"
