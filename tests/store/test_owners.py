"""A domain has one owner, in whatever spelling its repository is named."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_helpers import OURS, WHO, A, B, built, publish

from dataops_mesh.errors import OwnershipError, StoreError
from dataops_mesh.store.log import latest_number
from dataops_mesh.store.owners import (
    Publisher,
    all_owners,
    assign,
    claim,
    owner_of,
    repository_name,
    require_owner,
)
from dataops_mesh.store.release import commit, entries_of, rollback
from dataops_mesh.store.store import open_store

THEIRS = Publisher("git.example/them/mesh", claims=True)
NAME = st.text("abXY09_", min_size=1, max_size=6).map("n{}".format)
HOST = st.builds("{}.{}".format, NAME, st.sampled_from(["example", "local", "co.example"]))
SPELLINGS = (
    "https://{host}/{path}",
    "https://{host}/{path}.git",
    "https://{host}/{path}/",
    "https://ana@{host}/{path}.git/",
    "https://ana:s3cret@{host}:8443/{path}",
    "http://{host}/{path}",
    "ssh://git@{host}/{path}.git",
    "ssh://git@{host}:22/{path}",
    "ssh://{host}//{path}",
    "git+ssh://git@{host}/{path}.git",
    "git://{host}/{path}",
    "git@{host}:{path}.git",
    "git@{host}:{path}",
    "git@{host}:/{path}/",
    "{host}:{path}",
    "{host}/{path}",
    " https://{host}/{path}\n",
)


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


@given(HOST, st.lists(NAME, min_size=1, max_size=4), st.data())
def test_one_repository_has_one_name_in_every_spelling(host, parts, data):
    path = "/".join(parts)
    expected = f"{host.lower()}/{path}"
    shown = data.draw(st.sampled_from([host, host.upper(), host.lower()]))
    for spelling in SPELLINGS:
        address = spelling.format(host=shown, path=path)
        assert repository_name(address) == expected, address
    assert repository_name(expected) == expected


@given(HOST, HOST, NAME, NAME)
def test_two_repositories_never_have_one_name(host, other, one, two):
    names = {repository_name(f"git@{h}:{p}.git") for h in (host, other) for p in (one, two)}
    assert len(names) == len({host.lower(), other.lower()}) * len({one, two})


@given(st.text(max_size=60))
def test_a_name_is_a_name_of_itself_and_holds_no_password(text):
    once = repository_name(f"https://ana:s3cret@git.example/{text.replace('@', '')}")
    assert "s3cret" not in once
    assert repository_name(once) == once


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/srv/git/shop.git", "/srv/git/shop"),
        ("file:///srv/git/shop/", "/srv/git/shop"),
        ("shop-team", "shop-team"),
        ("platform/shop", "platform/shop"),
        ("git@[::1]:shop", "[::1]/shop"),
    ],
)
def test_folders_and_names_of_ones_own_stay_as_they_are(address, name):
    assert repository_name(address) == name


def test_another_repository_neither_publishes_nor_rolls_back(store):
    publish(store, 1)
    publish(store, 2)
    theirs = WHO | {"publisher": THEIRS}
    with built(store, 3) as (base, manifest):
        with pytest.raises(OwnershipError, match=r"belongs to git\.example/us/mesh") as refused:
            commit(store, base, entries_of(manifest), **theirs)
        assert "mesh domain assign fleet git.example/them/mesh" in str(refused.value)
        for publisher in (Publisher(""), Publisher("", ("/srv/mesh",), claims=True)):
            with pytest.raises(OwnershipError):
                commit(store, base, entries_of(manifest), **WHO | {"publisher": publisher})
    with pytest.raises(OwnershipError):
        rollback(store, (A, B), **theirs)
    assert latest_number(store) == 2
    assign(store, "fleet", THEIRS, "lea")
    assert rollback(store, (A, B), **theirs).number == 3
    with pytest.raises(OwnershipError):
        publish(store, 4)
    assert [(one.repository, one.person) for one in all_owners(store)] == [
        ("git.example/us/mesh", "ana"),
        ("git.example/them/mesh", "lea"),
    ]


def test_where_owners_are_assigned_a_first_publication_claims_nothing(store):
    strict = replace(OURS, claims=False)
    with built(store, 1) as (base, manifest):
        with pytest.raises(OwnershipError, match="nobody owns the domain fleet"):
            commit(store, base, entries_of(manifest), **WHO | {"publisher": strict})
        assert owner_of(store, "fleet") is None
        assign(store, "fleet", strict, "lea")
        commit(store, base, entries_of(manifest), **WHO | {"publisher": strict})
    assert owner_of(store, "fleet").how == "assigned"


def test_what_is_refused_claims_nothing(store):
    refused = built(store, 1, verdict="refuse")
    with refused as (base, manifest), pytest.raises(StoreError, match="gate"):
        commit(store, base, entries_of(manifest), **WHO)
    assert owner_of(store, "fleet") is None


def test_a_folder_is_known_after_it_was_moved_with_its_store_and_by_its_new_name(store, tmp_path):
    token, inside = tmp_path / "mesh" / ".mesh" / "place", "../.."
    here = Publisher("", ("/srv/ana/mesh", inside), claims=True, token=token)
    claim(store, ("fleet",), here, "ana")
    moved = Publisher("", ("/srv/ana/work/mesh", inside), token=token)
    named = Publisher("git.example/ana/mesh", ("/srv/ana/mesh", inside), token=token)
    for ours in (here, moved, named):
        assert require_owner(store, ("fleet",), ours) == ()
    assert token.read_text() not in "".join(
        one.read_text() for one in (store.root / "owners").rglob("*.json")
    )
    theirs = tmp_path / "theirs"
    theirs.write_text("0" * 64)
    for stranger in (
        Publisher("", ("/srv/eve/mesh", inside)),
        Publisher("", ("/srv/eve/mesh", inside), token=theirs),
        Publisher("", ("/srv/eve/mesh", inside), token=tmp_path / "none"),
        Publisher("", ("/srv/ana/mesh", inside), token=theirs),
        Publisher("", ("/srv/ana/mesh",)),
        Publisher("", ("/srv/eve/mesh",), token=token),
        Publisher("git.example/eve/mesh", ("/srv/ana/mesh", inside)),
        Publisher("/srv/ana/mesh", ("/srv/eve/mesh", inside)),
    ):
        with pytest.raises(OwnershipError):
            require_owner(store, ("fleet",), stranger)


def test_a_folder_that_is_on_record_without_a_token_is_known_by_its_whole_path(store):
    """Of before tokens, of a store elsewhere; a name that is another one is another repository."""
    claim(store, ("fleet",), Publisher("", ("/srv/ana/mesh", "../.."), claims=True), "ana")
    assert require_owner(store, ("fleet",), Publisher("", ("/srv/ana/mesh",))) == ()
    for stranger in (
        Publisher("", ("/srv/eve/mesh", "../..")),
        Publisher("git.example/eve/mesh", ("/srv/ana/mesh", "../..")),
    ):
        with pytest.raises(OwnershipError):
            require_owner(store, ("fleet",), stranger)


def test_a_name_that_is_written_as_a_folder_is_told_from_the_folder(store):
    claim(store, ("fleet",), Publisher("", ("/srv/mesh",), claims=True), "ana")
    with pytest.raises(OwnershipError) as refused:
        require_owner(store, ("fleet",), Publisher("/srv/mesh", ("/srv/eve",)))
    said = str(refused.value)
    assert "belongs to /srv/mesh, a folder " in said
    assert "this is the repository /srv/mesh" in said
    assert "mesh domain assign fleet ." in said


def test_two_images_with_the_same_folder_are_two_repositories(store):
    one = Publisher("git.example/one", ("/app",), claims=True)
    two = Publisher("git.example/two", ("/app",), claims=True)
    claim(store, ("fleet",), one, "ana")
    with pytest.raises(OwnershipError):
        require_owner(store, ("fleet",), two)


def test_of_many_who_claim_a_domain_at_once_one_owns_it(store):
    won, lost = [], []

    def take(number) -> None:
        publisher = Publisher(f"git.example/{number}", claims=True)
        try:
            claim(store, require_owner(store, ("fleet",), publisher), publisher, "ana")
            won.append(publisher.repository)
        except OwnershipError:
            lost.append(publisher.repository)

    threads = [threading.Thread(target=take, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert len(lost) == 11
    assert owner_of(store, "fleet").repository == won[0]


@pytest.mark.parametrize("domain", ["../x", "", "a/b", "/etc", "."])
def test_a_domain_that_is_a_path_opens_nothing(store, domain):
    with pytest.raises(OwnershipError):
        assign(store, domain, OURS, "ana")
