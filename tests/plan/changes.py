"""Every change of the table: what is edited, and how it must be judged."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from change_texts import EXPORTED, FOLDER, ORDERS, PRODUCT, REFUNDS

from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.model import Product

PACT = """\
consumer: desk.totals
expectations:
  shop.orders:
    - {name: enough, metric: rowCount, mustBeGreaterOrEqualTo: 3}
"""


class Case(NamedTuple):
    """An edit of one file, and how each kind of change that it makes is judged."""

    name: str
    old: str
    new: str
    expected: dict[str, str]  # kind -> "breaking one-way", "additive two-way", ...
    file: str = "orders.odcs.yaml"


def aside(most: str, after: str) -> str:
    """Return the end of a line that says how many rows may be set aside."""
    setting = f"{{property: onFailure, vendor: dataops_mesh, value: {{quarantine: {most}}}}}"
    return f"{after}, customProperties: [{setting}]}}\n"


P, R, A = "product.odps.yaml", "refunds.odcs.yaml", "accepted/desk.totals.yaml"
SOLD = "{name: sold_at, id: c6, logicalType: timestamp, logicalTypeOptions: {timezone: true}}"
NOTE = "      - {name: note, id: c7, logicalType: string}\n"
BREAKS, BREAKS_FOR_EVER = "breaking two-way", "breaking one-way"
ADDS, ADDS_FOR_EVER, PATCHES = "additive two-way", "additive one-way", "patch two-way"

CASES = [
    # Columns
    Case("column added", NOTE, NOTE + "      - {name: more, logicalType: string}\n",
         {"column_added": ADDS}),
    Case("required column added", NOTE,
         NOTE + "      - {name: more, logicalType: string, required: true}\n",
         {"column_added": ADDS}),
    Case("column removed", NOTE, "", {"column_removed": BREAKS_FOR_EVER}),
    Case("column renamed, id unchanged", "{name: note, id: c7", "{name: remark, id: c7",
         {"column_renamed": BREAKS}),
    Case("column replaced by another", "{name: note, id: c7", "{name: remark, id: c8",
         {"column_removed": BREAKS_FOR_EVER, "column_added": ADDS}),
    Case("columns in another order", f"      - {SOLD}\n{NOTE}", f"{NOTE}      - {SOLD}\n",
         {"columns_reordered": PATCHES}),
    Case("type widened", "{name: line, id: c2, logicalType: integer, physicalType: INTEGER",
         "{name: line, id: c2, logicalType: integer, physicalType: BIGINT",
         {"type_wider": BREAKS}),
    Case("type narrowed", "{name: line, id: c2, logicalType: integer, physicalType: INTEGER",
         "{name: line, id: c2, logicalType: integer, physicalType: SMALLINT",
         {"type_narrower": BREAKS_FOR_EVER}),
    Case("type of another family", "{name: line, id: c2, logicalType: integer, physicalType: INTEGER",
         "{name: line, id: c2, logicalType: string, physicalType: VARCHAR",
         {"type_changed": BREAKS, "type_other": BREAKS}),
    Case("integer to number", "{name: line, id: c2, logicalType: integer, physicalType: INTEGER",
         "{name: line, id: c2, logicalType: number, physicalType: INTEGER",
         {"type_changed": BREAKS}),
    Case("number to integer", "logicalType: number\n        physicalType: DECIMAL(18,4)",
         "logicalType: integer\n        physicalType: BIGINT",
         {"type_special": ADDS, "type_other": BREAKS}),
    Case("precision reduced", "DECIMAL(18,4)", "DECIMAL(18,2)", {"type_narrower": BREAKS_FOR_EVER}),
    Case("precision raised", "DECIMAL(18,4)", "DECIMAL(20,6)", {"type_wider": BREAKS}),
    Case("more decimals, fewer digits before", "DECIMAL(18,4)", "DECIMAL(18,6)",
         {"type_narrower": BREAKS_FOR_EVER}),
    Case("physical type no longer declared", "        physicalType: DECIMAL(18,4)\n", "",
         {"type_undeclared": BREAKS}),
    Case("physical type declared", "{name: note, id: c7, logicalType: string}",
         "{name: note, id: c7, logicalType: string, physicalType: VARCHAR}",
         {"type_declared": ADDS}),
    Case("time zone dropped", "timezone: true", "timezone: false", {"zone_changed": BREAKS}),
    Case("nullable to required", "{name: note, id: c7, logicalType: string}",
         "{name: note, id: c7, logicalType: string, required: true}", {"required": ADDS}),
    Case("required to nullable", "physicalType: INTEGER, required: true", "physicalType: INTEGER",
         {"optional": BREAKS}),
    Case("unique to not unique", "        unique: true\n", "", {"not_unique": BREAKS}),
    Case("not unique to unique", "{name: note, id: c7, logicalType: string}",
         "{name: note, id: c7, logicalType: string, unique: true}", {"unique": ADDS}),
    Case("key extended: another grain", "physicalType: INTEGER, required: true",
         "physicalType: INTEGER, required: true, primaryKey: true",
         {"key_changed": BREAKS_FOR_EVER}),
    Case("key removed", "physicalType: INTEGER, primaryKey: true",
         "physicalType: INTEGER, required: true", {"key_changed": BREAKS_FOR_EVER}),
    Case("enum value added", "{value: paid}]", "{value: paid}, {value: lost}]",
         {"enum_wider": BREAKS}),
    Case("enum value removed", "[{value: new}, {value: paid}]", "[{value: new}]",
         {"enum_narrower": ADDS}),
    Case("enum value replaced", "{value: paid}]", "{value: lost}]",
         {"enum_wider": BREAKS, "enum_narrower": ADDS}),
    Case("enum removed", ", enum: [{value: new}, {value: paid}]", "", {"enum_wider": BREAKS}),
    Case("enum declared", "{name: note, id: c7, logicalType: string}",
         "{name: note, id: c7, logicalType: string, enum: [{value: a}]}", {"enum_narrower": ADDS}),
    Case("range widened", "maximum: 1000", "maximum: 2000", {"option_wider": BREAKS}),
    Case("range narrowed", "minimum: 0, maximum: 1000", "minimum: 1, maximum: 1000",
         {"option_narrower": ADDS}),
    Case("length widened", "maxLength: 80", "maxLength: 90", {"option_wider": BREAKS}),
    Case("pattern changed", 'pattern: "@"', 'pattern: "@."', {"option_wider": BREAKS}),
    Case("pattern removed", ', pattern: "@"', "", {"option_wider": BREAKS}),
    # Protection
    Case("classification downgraded", "classification: restricted", "classification: internal",
         {"classified_lower": ADDS_FOR_EVER}),
    Case("classification to a name of no known rank", "classification: restricted",
         "classification: greenish", {"classified_lower": ADDS_FOR_EVER}),
    Case("declared public where nothing was said", "{name: note, id: c7, logicalType: string}",
         "{name: note, id: c7, logicalType: string, classification: public}",
         {"classified_first": ADDS}),
    Case("classification taken away, so that the next one would be the first",
         "        classification: restricted\n", "", {"classified_lower": ADDS_FOR_EVER}),
    Case("classification raised", "{name: note, id: c7, logicalType: string}",
         "{name: note, id: c7, logicalType: string, classification: restricted}",
         {"classified_higher": ADDS}),
    Case("PII tag removed", "        tags: [pii]\n", "", {"pii_removed": ADDS_FOR_EVER}),
    Case("PII tag added", "{name: note, id: c7, logicalType: string}",
         "{name: note, id: c7, logicalType: string, tags: [PII]}", {"pii_added": ADDS}),
    Case("masking removed",
         "        customProperties:\n          - {property: masking, value: hash}\n", "",
         {"masking_removed": BREAKS_FOR_EVER}),
    Case("masking changed", "value: hash", "value: last4", {"masking_removed": BREAKS_FOR_EVER}),
    Case("masking added", "{name: note, id: c7, logicalType: string}",
         "{name: note, id: c7, logicalType: string, encryptedName: note_hash}",
         {"masking_added": BREAKS}),
    Case("copied elsewhere", "schema:\n", FOLDER + "schema:\n", {"export_added": ADDS}),
    Case("copied there no more", EXPORTED, "", {"export_removed": BREAKS}, R),
    Case("copied in another format", "path: old, format: csv", "path: old, format: parquet",
         {"export_added": ADDS, "export_removed": BREAKS}, R),
    Case("shown to fewer", "[audit, finance]", "[finance]", {"visibility_narrower": BREAKS}),
    Case("shown to more", "[audit, finance]", "[audit, finance, tax]",
         {"visibility_wider": ADDS_FOR_EVER}),
    Case("shown to everybody", "value: [audit, finance]", "value: organisation",
         {"visibility_wider": ADDS_FOR_EVER}),
    Case("shown to others", "[audit, finance]", "[audit, tax]",
         {"visibility_narrower": BREAKS, "visibility_wider": ADDS_FOR_EVER}),
    Case("unmasked for another", "audit.cases, ana", "audit.cases, ana, ben",
         {"unmasked_wider": ADDS_FOR_EVER}),
    Case("unmasked for fewer", "audit.cases, ana", "audit.cases", {"unmasked_narrower": PATCHES}),
    Case("unmasked for others", "audit.cases, ana", "audit.cases, ben",
         {"unmasked_narrower": PATCHES, "unmasked_wider": ADDS_FOR_EVER}),
    # Rules and service levels
    Case("threshold loosened", "mustBeLessThan: 5", "mustBeLessThan: 9", {"rule_looser": BREAKS}),
    Case("threshold tightened", "mustBeLessThan: 5", "mustBeLessThan: 1", {"rule_tighter": ADDS}),
    Case("threshold in another unit", "mustBeLessThan: 5, unit: percent", "mustBeLessThan: 5",
         {"rule_other": BREAKS}),
    Case("row count loosened", "mustBeGreaterThan: 10", "mustBeGreaterThan: 1",
         {"rule_looser": BREAKS}),
    Case("severity lowered", "{id: enough,", "{id: enough, severity: warning,",
         {"severity_lower": BREAKS}),
    Case("severity raised", "severity: warning", "severity: error", {"severity_higher": ADDS}),
    Case("warning tightened", "mustBe: 0, severity: warning", "mustBe: 3, severity: warning",
         {"rule_note": PATCHES}),
    Case("rule removed", "      - {id: enough, metric: rowCount, mustBeGreaterThan: 10}\n", "",
         {"rule_removed": BREAKS}),
    Case("rule added", "    quality:\n      - {id: enough",
         "    quality:\n      - {id: many, metric: rowCount, mustBeLessThan: 9}\n      - {id: enough",
         {"rule_added": ADDS}),
    Case("rows may be set aside by a rule", "mustBe: 0}\n", aside("1%", "mustBe: 0"),
         {"quarantine_more": BREAKS}),
    Case("rows may be set aside by a new rule", "    quality:\n      - {id: enough,",
         "    quality:\n      - {id: new, type: sql, query: 'select count(*) from {object} where "
         "line < 0', " + aside("9 rows", "mustBe: 0") + "      - {id: enough,",
         {"rule_added": ADDS, "quarantine_more": BREAKS}),
    Case("rows may be set aside by a column", "required: true}\n", aside("1%", "required: true"),
         {"quarantine_more": BREAKS}),
    Case("rule renamed", "{id: enough,", "{id: plenty,", {"rule_note": PATCHES}),
    Case("rule measures otherwise", "where amount < 0", "where amount < -5",
         {"rule_other": BREAKS}),
    Case("freshness loosened", "value: 24, unit: h", "value: 2, unit: d", {"sla_looser": BREAKS}),
    Case("freshness in other words", "value: 24, unit: h", "value: 1, unit: d", {}),
    Case("freshness tightened", "value: 24, unit: h", "value: 6, unit: h", {"sla_tighter": ADDS}),
    Case("availability lowered", "value: 99", "value: 90", {"sla_looser": BREAKS}),
    Case("retention cut", "value: 2, unit: y", "value: 6, unit: mo",
         {"retention_cut": BREAKS_FOR_EVER}),
    Case("retention no longer promised", "  - {property: retention, value: 2, unit: y}\n", "",
         {"retention_cut": BREAKS_FOR_EVER}),
    Case("retention lengthened", "value: 2, unit: y", "value: 3, unit: y",
         {"retention_longer": ADDS}),
    Case("end of life sooner", "2030-01-01", "2028-01-01", {"end_sooner": BREAKS}),
    Case("end of life later", "2030-01-01", "2031-01-01", {"end_later": ADDS}),
    # The port and the product
    Case("empty allowed", "[audit, finance]}\n",
         "[audit, finance]}\n  - {property: allowEmpty, vendor: dataops_mesh, value: true}\n",
         {"empty_allowed": BREAKS}),
    Case("contract deprecated", "status: active\n", "status: deprecated\n",
         {"port_deprecated": ADDS}),
    Case("contract retired", "status: active\n", "status: retired\n",
         {"port_retired": BREAKS_FOR_EVER}),
    Case("contract back to draft", "status: active\n", "status: draft\n",
         {"port_withdrawn": BREAKS}),
    Case("contract id changed", "id: shop.orders.contract", "id: shop.orders.other",
         {"contract_id": BREAKS}),
    Case("version raised", "version: 1.2.3", "version: 1.3.0", {"version": PATCHES}),
    Case("version went back", "version: 1.2.3", "version: 1.1.0", {"version_back": BREAKS}),
    Case("description", "{purpose: Orders.}", "{purpose: All orders.}", {"documentation": PATCHES}),
    Case("something nobody reads", "kind: DataContract\n", "kind: DataContract\ndataProduct: x\n",
         {"documentation": PATCHES}),
    Case("partitioned", "{name: day, logicalType: date, physicalType: DATE}",
         "{name: day, logicalType: date, physicalType: DATE, partitioned: true}\n"
         "customProperties: [{property: partitions, vendor: dataops_mesh, "
         "value: {cadence: daily, start: '2020-01-01'}}]",
         {"partitions_changed": BREAKS, "documentation": PATCHES}, R),
    Case("product deprecated", "status: active\n", "status: deprecated\n",
         {"port_deprecated": ADDS}, P),
    Case("product retired", "status: active\n", "status: retired\n",
         {"port_retired": BREAKS_FOR_EVER}, P),
    Case("port deprecated", "{name: refunds}", "{name: refunds, deprecated: true, version: 1.0.0}",
         {"port_deprecated": ADDS}, P),
    Case("product described otherwise", "{purpose: Sales.}", "{purpose: Sold.}",
         {"documentation": PATCHES}, P),
    Case("input port added", "outputPorts:", "  - {name: fleet.aircraft, version: 1.0.0}\noutputPorts:",
         {"input_added": PATCHES}, P),
    Case("source from elsewhere", "path: orders.csv", "path: others.csv",
         {"input_changed": PATCHES}, P),
    Case("pact with a consumer changed", "EqualTo: 3}", "EqualTo: 4}", {"pact": PATCHES}, A),
]  # fmt: skip


TEXTS = {"orders.odcs.yaml": ORDERS, P: PRODUCT, R: REFUNDS, A: PACT}


def write(root: Path, **files: str) -> Product:
    """Write the product, with other texts for some files, and load it."""
    folder = root / "domains" / "shop" / "sales"
    folder.mkdir(parents=True)
    texts = {**TEXTS, "transform.py": "def transform(): ...\n", **files}
    for name, text in texts.items():
        if text:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, "utf-8")
    return load_product(folder, root)


def edited(root: Path, case: Case) -> Product:
    """Load the product after the edit of a case."""
    text = TEXTS[case.file]
    assert text.count(case.old) == 1, case.name
    return write(root, **{case.file: text.replace(case.old, case.new)})
