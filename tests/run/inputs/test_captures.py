"""What a run keeps of what was delivered, and what it says of the rest."""

from __future__ import annotations

import errno
import os
from typing import Never

import pytest
from helpers import environment, product, run, write_workspace
from mask_cases import MARKER, people
from product_cases import GOOD, manifests, orders, shop

from dataops_mesh.errors import SourceError
from dataops_mesh.run.guards.capture import capture_problems
from dataops_mesh.run.process.wire import read_report, report_line
from dataops_mesh.store import files, record
from dataops_mesh.store.described import InputRead

HASH = "{method: hash, secret: people}"


def captures(settings) -> dict[str, bytes]:
    found = environment(settings).store.captures.glob("??/*")
    return {path.name: path.read_bytes() for path in found}


def deliver(settings, text: str) -> None:
    (settings.domains_folder / "shop/orders/orders.csv").write_text(text)


def test_what_was_delivered_is_kept_once_however_often_it_is_read(tmp_path):
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    run(settings, "shop.orders")
    deliver(settings, "id,amount\n3,30\n")
    report = run(settings, "shop.orders")
    assert sorted(captures(settings).values()) == sorted([GOOD.encode(), b"id,amount\n3,30\n"])
    first, again, last = (one.inputs[0] for one in manifests(settings))
    assert first.kept == again.kept == last.kept == "store"
    assert first.files == again.files
    (file,) = last.files
    assert (file.name, file.bytes) == ("orders.csv", 15)
    assert captures(settings)[file.capture] == b"id,amount\n3,30\n"
    assert report.reads == (last,)
    line = report_line(report)
    assert read_report(line, report.product, report.checks).reads == report.reads


def test_a_capture_may_not_be_written(tmp_path):
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    (path,) = environment(settings).store.captures.glob("??/*")
    assert path.stat().st_mode & 0o222 == 0


@pytest.mark.parametrize(
    ("more", "setting", "why"),
    [
        ("capture: fingerprint", "1GB", "it says `capture: fingerprint`"),
        ("", "10B", "it is larger than the setting `capture`, 10B"),
        ("", "0", "the setting `capture` is 0"),
    ],
)
def test_what_is_not_kept_is_on_record_with_its_size_and_why(tmp_path, more, setting, why):
    files_ = orders(more=more)
    settings = write_workspace(
        tmp_path, {"shop": {"orders": files_}}, settings=f'capture = "{setting}"\n'
    )
    run(settings, "shop.orders")
    assert captures(settings) == {}
    (manifest,) = manifests(settings)
    (read,) = manifest.inputs
    assert (read.kept, read.why) == ("", why)
    assert [(f.name, f.bytes, f.capture) for f in read.files] == [("orders.csv", len(GOOD), "")]


def test_a_source_that_says_keep_is_kept_whatever_its_size(tmp_path):
    files_ = orders(more="capture: keep")
    settings = write_workspace(tmp_path, {"shop": {"orders": files_}}, settings='capture = "0"\n')
    run(settings, "shop.orders")
    assert list(captures(settings).values()) == [GOOD.encode()]


def test_a_word_that_capture_does_not_know_is_refused_with_the_choices(tmp_path):
    settings = shop(tmp_path, more="capture: yes please")
    with pytest.raises(Exception, match="keep") as caught:
        product(settings, "shop.orders")
    assert "product.odps.yaml" in str(caught.value)


def test_a_full_disk_costs_the_capture_and_not_the_publication(tmp_path, monkeypatch):
    settings = shop(tmp_path)
    full(monkeypatch)
    assert run(settings, "shop.orders").published
    (manifest,) = manifests(settings)
    assert manifest.inputs[0].kept == ""
    assert "could not be kept" in manifest.inputs[0].why
    assert captures(settings) == {}


def test_a_full_disk_ends_a_run_whose_source_says_keep(tmp_path, monkeypatch):
    settings = shop(tmp_path, more="capture: keep")
    full(monkeypatch)
    with pytest.raises(SourceError, match="cannot be kept") as caught:
        run(settings, "shop.orders")
    assert caught.value.problems[0].next
    assert [one.verdict for one in manifests(settings)] == ["error"]


def full(monkeypatch) -> None:
    def clone(source, target) -> Never:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr(files, "clone", clone)


def test_a_delivery_that_comes_while_it_is_taken_is_told(tmp_path, monkeypatch):
    settings = shop(tmp_path)
    clone = files.clone

    def overwritten(source, target) -> None:
        source.write_text("id,amount\n1,99\n")
        clone(source, target)

    monkeypatch.setattr(files, "clone", overwritten)
    with pytest.raises(SourceError, match="changed while it was read"):
        run(settings, "shop.orders")
    assert captures(settings) == {}


def test_files_of_one_name_in_several_folders_are_told_apart(tmp_path):
    files_ = orders()
    path = "in/*/orders.csv"
    text = str(files_["product.odps.yaml"]).replace("path: orders.csv", f"path: '{path}'")
    more = {"in/a/orders.csv": "id,amount\n1,1\n", "in/b/orders.csv": "id,amount\n2,2\n"}
    settings = write_workspace(
        tmp_path, {"shop": {"orders": {**files_, "product.odps.yaml": text, **more}}}
    )
    run(settings, "shop.orders")
    (manifest,) = manifests(settings)
    assert [one.name for one in manifest.inputs[0].files] == [
        "in/a/orders.csv",
        "in/b/orders.csv",
    ]
    assert len(captures(settings)) == 2


def test_a_manifest_of_an_older_version_still_reads():
    old = {"name": "feed", "address": None, "publication": None, "candidate": None,
           "fingerprint": "f", "role": ""}  # fmt: skip
    assert record.build(InputRead, old) == InputRead("feed", fingerprint="f")


def masked(tmp_path, more: str = "", settings: str = ""):
    said = f"[{{property: masking, vendor: dataops_mesh, value: {HASH}}}]"
    head = "name: mail, logicalType: string, classification: restricted"
    mail = f"{{{head}, customProperties: {said}}}"
    files_ = people(f"id,mail\n1,{MARKER}\n", mail)
    if more:
        text = str(files_["product.odps.yaml"]).replace("{path:", f"{{{more}, path:")
        files_["product.odps.yaml"] = text
    return write_workspace(tmp_path, {"hr": {"people": files_}}, settings=settings)


@pytest.fixture
def secret(monkeypatch):
    monkeypatch.setenv("MESH_SECRET_PEOPLE", "a long enough key of people")


def left(root, marker: str) -> list:
    return [p for p in root.rglob("*") if p.is_file() and marker.encode() in p.read_bytes()]


@pytest.mark.usefixtures("secret")
def test_what_is_masked_is_not_kept_clear(tmp_path):
    settings = masked(tmp_path)
    assert run(settings, "hr.people").published
    (manifest,) = manifests(settings)
    assert manifest.inputs[0].why == "the product masks columns, or reads them unmasked"
    assert left(settings.store_folder, MARKER) == []
    assert captures(settings) == {}


@pytest.mark.usefixtures("secret")
def test_keep_of_what_is_masked_needs_the_restricted_folder(tmp_path):
    settings = masked(tmp_path, "capture: keep")
    (problem,) = capture_problems(product(settings, "hr.people"), settings)
    assert "restricted" in problem.next
    assert problem.where.line > 1
    report = run(settings, "hr.people")
    assert not report.published
    assert "capture: keep" in report.decision.reasons[0]
    assert left(settings.store_folder, MARKER) == []


@pytest.mark.usefixtures("secret")
def test_keep_of_what_is_masked_is_kept_in_the_restricted_folder_alone(tmp_path):
    settings = masked(tmp_path, "capture: keep", 'restricted = "clear"\n')
    assert run(settings, "hr.people").published
    (manifest,) = manifests(settings)
    assert manifest.inputs[0].kept == "restricted"
    assert left(settings.store_folder, MARKER) == []
    (path,) = left(tmp_path / "clear", MARKER)
    assert path.parent.parent.stat().st_mode & 0o077 == 0
    assert path.name == manifest.inputs[0].files[0].capture
