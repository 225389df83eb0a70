"""What a domain loads from the cache is what it would parse: the same product, or the same words."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from helpers import a_product, a_setting, a_source, write_workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataops_mesh.errors import DeclarationError
from dataops_mesh.spec.kept import codec
from dataops_mesh.spec.kept.kept import Kept
from dataops_mesh.spec.loader import load_product

EXAMPLES = Path(__file__).parents[2] / "domains"
FOLDERS = sorted(file.parent for file in EXAMPLES.glob("*/*/product.odps.yaml"))
COLUMN = "{name: id, logicalType: integer, primaryKey: true, classification: public}"


class Cache(dict):
    """Bytes by name; what was looked up is on record."""

    def kept(self, domain=Path("d")):
        return Kept(self.get, self.__setitem__, domain)


def root_of(folder: Path) -> Path:
    return folder.parents[2]


def outcome(load, folder, root):
    """Return a product or the words of its problems."""
    try:
        return load(folder, root)
    except DeclarationError as error:
        return str(error)


def require_same(one, other, where="product"):
    """Compare all the way down, with types, also what is no part of equality."""
    assert type(one) is type(other), where
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            name = field.name
            require_same(getattr(one, name), getattr(other, name), f"{where}.{name}")
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        assert list(map(type, one)) == list(map(type, other)), where
        for key in one:
            require_same(one[key], other[key], f"{where}[{key}]")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for n, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            require_same(mine, theirs, f"{where}[{n}]")
    else:
        assert one == other, where


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_example_comes_back_as_it_was_parsed(folder):
    cache = Cache()
    parsed = load_product(folder, root_of(folder))
    for _ in range(2):
        require_same(cache.kept().load(folder, root_of(folder)), parsed)
    require_same(codec.decode(codec.encode(parsed)), parsed)


def test_most_examples_are_kept():
    cache = Cache()
    for folder in FOLDERS:
        cache.kept().load(folder, root_of(folder))
    assert len(FOLDERS) > 5
    assert len(cache) > len(FOLDERS) / 2


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace whose product uses much of what can be declared."""
    root = tmp_path_factory.mktemp("w")
    made = a_product(
        {"orders": [COLUMN, "{name: amount, logicalType: number, logicalTypeOptions: {minimum: 0.1}}"]},
        inputs=[a_source("csv", "o.csv"), a_source("outside", "../../../data/x.csv")],
        files={
            "orders.sql": "select id::bigint as id, amount from csv, outside",
            "o.csv": "id,amount\n1,2\n",
            "inputs/csv.odcs.yaml": "apiVersion: v3.2.0\nkind: DataContract\nid: c\nversion: 1.0.0\nstatus: active\nschema: [{name: csv, properties: [{name: id, logicalType: integer}]}]\n",
        },
        settings=a_setting("automation", "manual"),
    )  # fmt: skip
    write_workspace(root, {"shop": {"orders": made}})
    (root / "data").mkdir()
    return root


def edited(place, target):
    shutil.copytree(place, target, symlinks=True)
    return target / "domains" / "shop" / "orders", target


EDITS = ("drop a byte", "add a byte", "remove", "rename", "add a file", "link", "folder", "shared")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(edit=st.sampled_from(EDITS), data=st.data())
def test_after_any_edit_it_says_what_parsing_says(place, tmp_path_factory, edit, data):
    folder, root = edited(place, tmp_path_factory.mktemp("e") / "w")
    cache = Cache()
    cache.kept().load(folder, root)
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f.suffix != ".csv")
    file = data.draw(st.sampled_from(files))
    match edit:
        case "drop a byte" | "add a byte":
            raw = file.read_bytes()
            at = data.draw(st.integers(0, len(raw) - 1))
            more = data.draw(st.sampled_from([b"x", b" ", b"\n", b":", b"#", b"9"]))
            kept = raw[at + 1 :] if edit == "drop a byte" else more + raw[at:]
            file.write_bytes(raw[:at] + kept)
        case "remove":
            file.unlink()
        case "rename":
            file.rename(file.with_name(f"x{file.name}"))
        case "add a file":
            name = data.draw(
                st.sampled_from(["transform.py", "b.sql", "b.odcs.yaml", "b.odps.yml"])
            )
            (folder / name).write_text("a: 1\n", "utf-8")
        case "link":
            (root / "data").rmdir()
            (root / "data").symlink_to("/")
        case "folder":
            (folder / "expectations").mkdir(exist_ok=True)
            (folder / "expectations" / "a.b.yaml").write_text("a: 1\n", "utf-8")
        case "shared":
            (folder.parent / "shared").mkdir()
    wanted = outcome(load_product, folder, root)
    require_same(outcome(cache.kept().load, folder, root), wanted)
    require_same(outcome(cache.kept().load, folder, root), wanted)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_damaged_cache_is_parsed_again(place, data):
    folder = place / "domains" / "shop" / "orders"
    cache = Cache()
    wanted = cache.kept().load(folder, place)
    for name, content in dict(cache).items():
        cut = data.draw(st.integers(0, len(content) - 1))
        put = data.draw(st.binary(max_size=4))
        cache[name] = (
            content[:cut] + put + content[cut + len(put) :][: data.draw(st.integers(0, 9999))]
        )
    require_same(cache.kept().load(folder, place), wanted)


STRANGE = [
    "null",
    "[]",
    '["o","Popen"]',
    '["o","Product"]',
    '["o","Domain","a",["p","/"],["t"],null,null]',
    '["e","Severity","nothing"]',
    '["a","x"]',
    '["p",1]',
    '["k",[[1,2]]]',
    "[" * 100_000,
    '["t",' * 5000 + "1" + "]" * 5000,
    '{"__class__": "os.system"}',
]


@pytest.mark.parametrize("body", STRANGE, ids=range(len(STRANGE)))
def test_what_somebody_wrote_into_the_cache_runs_nothing_and_is_parsed_again(place, body):
    folder = place / "domains" / "shop" / "orders"
    cache = Cache()
    wanted = cache.kept().load(folder, place)
    for name, content in dict(cache).items():
        head = content.split(b"\n")[1]
        text = head + b"\n" + body.encode()
        cache[name] = hashlib.sha256(text).hexdigest().encode() + b"\n" + text
    require_same(cache.kept().load(folder, place), wanted)


def test_two_working_folders_do_not_take_each_others_place(place, monkeypatch, tmp_path):
    """A code server and a person's shell: what one keeps is not what the other throws away."""
    folder = place / "domains" / "shop" / "orders"
    cache = Cache()
    cache.kept().load(folder, place)
    one = dict(cache)
    monkeypatch.chdir(tmp_path)
    cache.kept().load(folder, place)
    assert one.items() < cache.items()


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 10**30])
def test_a_large_number_comes_back_exact_or_is_not_kept(place, number):
    """A fast reader of JSON makes a double of what has more than 64 bits."""
    product = load_product(place / "domains" / "shop" / "orders", place)
    document = dataclasses.replace(product.outputs[0].contract.document, data={"n": [number]})
    contract = dataclasses.replace(product.outputs[0].contract, document=document)
    product = dataclasses.replace(
        product, outputs=(dataclasses.replace(product.outputs[0], contract=contract),)
    )
    try:
        text = codec.encode(product)
    except codec.UnfitError:
        assert abs(number) >= 2**63
    else:
        require_same(codec.decode(text), product)


def test_another_version_of_the_library_parses_again(place, monkeypatch):
    folder = place / "domains" / "shop" / "orders"
    cache = Cache()
    cache.kept().load(folder, place)
    before = dict(cache)
    monkeypatch.setattr("dataops_mesh.spec.kept.kept.library", lambda: "another")
    cache.kept().load(folder, place)
    assert cache.keys() == before.keys()
    assert cache != before


def test_a_link_that_leads_elsewhere_now_is_noticed(place, tmp_path):
    """The product's files are the same; where its source lies is not."""
    folder, root = edited(place, tmp_path / "w")
    (root / "data").rmdir()
    (root / "real").mkdir()
    (root / "data").symlink_to(root / "real")
    cache = Cache()
    assert not isinstance(outcome(cache.kept().load, folder, root), str)
    (root / "data").unlink()
    (root / "data").symlink_to(tmp_path)
    assert "leaves the workspace" in outcome(cache.kept().load, folder, root)


def test_answers_are_found_once_for_the_same_content(place):
    folder = place / "domains" / "shop" / "orders"
    cache, asked = Cache(), []

    def ask(word) -> str:
        asked.append(word)
        return word

    for turn in range(2):
        kept = cache.kept()
        product = kept.load(folder, place)
        for text in ("product.id != ''", "true"):
            assert kept.answer(text, product, partial(ask, text)) == text
        assert kept.answer("true", None, partial(ask, "valid")) == "valid"
        kept.close()
        assert len(asked) == 3, turn
    answers = [json.loads(one.partition(b"\n")[2]) for one in cache.values() if b"answers" in one]
    assert len(answers[0]["answers"]) == 3


def test_answers_of_a_product_that_was_edited_are_asked_again(place, tmp_path):
    folder, root = edited(place, tmp_path / "w")
    cache = Cache()
    kept = cache.kept()
    assert kept.answer("x", kept.load(folder, root), lambda: "before") == "before"
    kept.close()
    with (folder / "product.odps.yaml").open("a") as file:
        file.write("tags: [new]\n")
    kept = cache.kept()
    assert kept.answer("x", kept.load(folder, root), lambda: "after") == "after"


def test_what_can_only_be_read_keeps_nothing_and_loads(place, tmp_path):
    from dataops_mesh.run.kept import kept_in
    from dataops_mesh.settings import load_settings

    folder, root = edited(place, tmp_path / "w")
    store = root / ".mesh" / "store"
    store.parent.mkdir(exist_ok=True)
    shutil.rmtree(store, ignore_errors=True)
    store.write_text("a file where the store would be", "utf-8")
    kept = kept_in(load_settings(root), folder.parent)
    require_same(kept.load(folder, root), load_product(folder, root))
    kept.close()
    assert list(store.parent.iterdir()) == [store]
