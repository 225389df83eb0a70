"""Whatever is done with a masked product, no file that anybody may open holds a clear value."""

from __future__ import annotations

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from helpers import a_contract, a_product, a_setting, a_source, environment, write_product
from helpers import mesh as declared
from markers import places

from dataops_mesh.watch.alerts import deliver

# A value of each row and column: published, refused, set aside, in an error, in a sandbox.
MAILS = ("mark-mail-000001", "mark-mail-000002", "mark-mail-refuse")
PHONES = ("mark-phone-00001", "mark-phone-00002", "mark-phone-refus")
ASIDE, FAILED, SANDBOX = "mark-aside-00009", "mark-failed-0001", "mark-sandbox-001"
ALL = (*MAILS, *PHONES, ASIDE, FAILED, SANDBOX)


HASH, PART = "{method: hash, secret: people}", "{method: partial, keepFirst: 1, keepLast: 0}"
SQL = "select id::int as id, mail, phone from s"


def a_rule(name: str, pattern: str, aside: str = "") -> str:
    more = f", customProperties: [{aside}]" if aside else ""
    arguments = f"arguments: {{pattern: '{pattern}'}}, mustBe: 0{more}"
    return f"{{id: {name}, metric: invalidValues, {arguments}}}"


def a_column(name: str, mask: str, more: str) -> str:
    said = a_setting("masking", mask).strip()[2:]
    head = f"name: {name}, logicalType: string, classification: restricted"
    return f"{{{head}, customProperties: [{said}], {more}}}"


def people(rows: list[tuple[int, str, str]], sql: str = SQL):
    aside = a_setting("onFailure", "{quarantine: 50%}").strip()[2:]
    rules = (a_rule("known", "phone", aside), a_rule("phones", "^mark-"))
    columns = [
        "{name: id, logicalType: integer, primaryKey: true, classification: internal}",
        a_column("mail", HASH, "required: true"),
        a_column("phone", PART, f"quality: [{', '.join(rules)}]"),
    ]
    text = "".join(f"{number},{mail},{phone}\n" for number, mail, phone in rows)
    return a_product(
        {"people": a_contract("people", columns)},
        inputs=[a_source("s", "s.csv")],
        files={"people.sql": sql, "s.csv": f"id,mail,phone\n{text}"},
    )


class Heard(BaseHTTPRequestHandler):
    said: list[str] = []  # noqa: RUF012 - of the one server of this module

    def do_POST(self) -> None:
        self.said.append(self.rfile.read(int(self.headers["content-length"])).decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def channel(workspace):
    server = HTTPServer(("127.0.0.1", 0), Heard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (workspace.root / "alerts.toml").write_text(
        f'[channels]\n"*" = "http://127.0.0.1:{server.server_port}/"\n', "utf-8"
    )
    yield Heard.said
    server.shutdown()
    server.server_close()


def test_no_file_and_no_message_has_a_clear_value(mesh, workspace, channel):
    root = workspace.root
    for path in ("shop/orders", "desk/totals"):
        shutil.rmtree(root / "domains" / path)
    (root / "secrets").mkdir()
    (root / "secrets" / "people").write_text("a text that nobody guesses", "utf-8")
    with (root / "pyproject.toml").open("a", encoding="utf-8") as opened:
        opened.write('secrets = "secrets"\n')
    said = []

    def type_(*words: str, code: int = 0) -> None:
        told = mesh(*words)
        assert told.code == code, told.err
        said.append(told.out + told.err)

    good = [(1, MAILS[0], PHONES[0]), (2, MAILS[1], PHONES[1])]
    write_product(root, "shop", "people", people(good))
    type_("run")
    write_product(root, "shop", "people", people([*good, (3, "mark-mail-000003", ASIDE)]))
    type_("run")  # with a row set aside
    write_product(root, "shop", "people", people([*good, (3, MAILS[2], "x" + PHONES[2])]))
    type_("run", code=1)
    failing = (
        f"select id::int as id, mail, cast('{FAILED[:4]}' || mail as int)::text as phone from s"
    )
    write_product(root, "shop", "people", people([(1, FAILED, FAILED)], failing))
    type_("run", code=1)
    write_product(root, "shop", "people", people([(1, SANDBOX, PHONES[0])]))
    type_("sandbox", "up", "try")
    type_("run", "--sandbox", "try")
    type_("query", "from shop.people", "--sandbox", "try")
    type_("sandbox", "up", "part", "--subset", "50%")
    type_("store", "backup", str(root / "copy"))
    type_("report", "docs", "--out", str(root / "pages"))
    type_("report", "pii")
    type_("report", "metrics")
    type_("monitor", "shop.people")
    type_("history", "shop.people")
    type_("status", "--wrong", code=1)
    settings = workspace.model_copy(update={"alerts_file": root / "alerts.toml"})
    told = deliver(declared(settings).products, environment(settings))
    assert told
    assert not [one.fault for one in told if one.fault]
    assert channel
    source = root / "domains" / "shop" / "people" / "s.csv"
    for marker in ALL:
        assert not [text for text in (*said, *channel) if marker in text], marker
        found = places(root, marker) - {source.relative_to(root).as_posix()}
        assert found == set(), marker
    assert json.loads(channel[0])
