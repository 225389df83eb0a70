"""The constructs of the standards' own examples load, or are refused for a reason that names them.

Our own declarations: each shows what one or more of the published examples show.
"""

from __future__ import annotations

from textwrap import dedent

import pytest
from declared import PRODUCT, Workspace

HEAD = "apiVersion: v3.0.2\nkind: DataContract\nid: c\nversion: 1.0.0\nstatus: active\n"
ONE = "schema:\n  - name: aircraft\n    properties:\n      - {name: a, logicalType: string}\n"

LOADS = {
    "a table with described columns": """
        name: fleet
        dataProduct: fleet
        schema:
          - name: aircraft
            physicalType: table
            description: One row per aircraft.
            dataGranularityDescription: By tail number.
            authoritativeDefinitions: [{url: 'https://a.test', type: videoTutorial}]
            tags: [finance]
            properties:
              - name: tail
                businessName: tail number
                logicalType: string
                physicalType: varchar(18)
                primaryKey: true
                primaryKeyPosition: 1
                required: false
                description: As painted.
                partitioned: false
                partitionKeyPosition: -1
                criticalDataElement: false
                tags: []
                classification: restricted
                encryptedName: enc_tail
                examples: [N1, N2]
                transformSourceObjects: [planes]
                transformLogic: select tail from planes
                transformDescription: As it is.
              - name: seen
                logicalType: date
                physicalType: date
                partitioned: true
                partitionKeyPosition: 1
        """,
    "servers, roles, prices and people": """
        servers:
          - {server: lake, type: azure, location: 'abfss://x', format: parquet}
          - {server: bus, type: kafka, host: 'k.test:9092', format: json}
          - {server: db, type: postgresql, host: h, port: 5432, database: d, schema: s}
        roles:
          - {role: reader, access: read, firstLevelApprovers: Lead, secondLevelApprovers: na}
        team:
          - {username: a@b.test, role: Owner, dateIn: '2022-08-02', dateOut: '2022-10-01',
             replacedByUsername: c@b.test}
        price: {priceAmount: 9.95, priceCurrency: USD, priceUnit: megabyte}
        support: [{channel: help, tool: slack, url: 'https://a.test'}]
        contractCreatedTs: '2022-11-15T02:59:43+00:00'
        """,
    "a value that is missing is no invalid value": """
        schema:
          - name: aircraft
            properties:
              - name: a
                logicalType: string
                quality:
                  - {metric: invalidValues, mustBeLessOrEqualTo: 5, unit: percent,
                     arguments: {validValues: ['', null, n/a]}, dimension: conformity,
                     businessImpact: operational}
        """,
}


@pytest.mark.parametrize("name", LOADS)
@pytest.mark.parametrize("version", ["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"])
def test_what_we_read_is_read_in_every_version(workspace: Workspace, name: str, version: str):
    text = HEAD.replace("v3.0.2", version) + dedent(LOADS[name])
    if "\nschema:" not in text:
        text += ONE
    assert workspace.problems(contract=text) == ()


REFUSED = {
    "no schema at all": ("servers: [{server: s, type: custom}]", {"": "exactly one schema object"}),
    "an object without columns": (
        "schema:\n  - {name: aircraft, physicalName: topic.v1, logicalType: object}",
        {"schema[0]": "at least one column"},
    ),
    "a status of one's own": (
        ONE + "status: in development",
        {"status": "not one of the valid values"},
    ),
    "arrays and objects of other databases": (
        """
        schema:
          - name: aircraft
            properties:
              - {name: a, logicalType: array, physicalType: list}
              - {name: b, logicalType: array, physicalType: array, items: {logicalType: string}}
              - {name: c, logicalType: object, physicalType: object, properties: [
                   {name: zip, logicalType: string, physicalType: VARCHARR}]}
              - {name: d, logicalType: object, physicalType: json,
                 logicalTypeOptions: {required: [x], maxProperties: 5}}
        """,
        {
            "properties[2].properties[0].physicalType": '"VARCHARR" is not a type of DuckDB',
            "properties[3].logicalTypeOptions.required": "needs `properties`",
        },
    ),
    "types of other databases": (
        """
        apiVersion: v3.2.0
        schema:
          - name: aircraft
            properties:
              - {name: a, logicalType: integer, physicalType: serial}
              - {name: b, logicalType: number, physicalType: 'float(3,2)'}
              - {name: c, logicalType: date, physicalType: timestamp}
              - {name: d, logicalType: number, physicalType: double, logicalTypeOptions: {format: f32}}
              - {name: e, logicalType: timestamp, physicalType: timestamp,
                 logicalTypeOptions: {timezone: true, defaultTimezone: Australia/Sydney}}
        """,
        {
            "properties[3].physicalType": "with format: f32",
            "properties[4].physicalType": "with timezone: true",
            "properties[4].logicalTypeOptions.defaultTimezone": "Australia/Sydney",
        },
    ),
    "rules of other tools": (
        """
        schema:
          - name: aircraft
            properties:
              - name: a
                logicalType: string
                quality:
                  - {type: custom, engine: GreatExpectation, implementation: {type: x}}
                  - {type: sql, query: select avg(x) from planes, mustBe: 1}
        """,
        {
            "quality[0].engine": 'there is no engine "GreatExpectation" (did you mean',
            "quality[1].query": "may read only {object}, and reads planes",
        },
    ),
    "references to what is not there": (
        """
        schema:
          - name: aircraft
            relationships: [{from: aircraft.a, to: owners.id, type: foreignKey}]
            properties:
              - {name: a, logicalType: string, relationships: [{to: owners.id}]}
        """,
        {
            "schema[0].relationships[0].to": '"owners" is not exactly one port',
            "properties[0].relationships[0].to": '"owners" is not exactly one port',
        },
    ),
    "service levels of columns that are not there": (
        ONE
        + "slaProperties:\n"
        + "  - {property: latency, value: 4, unit: d, element: aircraft.seen}\n"
        + "  - {property: generalAvailability, value: '2022-05-12T09:30:10-08:00'}\n"
        + "  - {property: retention, value: 3, unit: y, element: aircraft.seen}\n"
        + "  - {property: frequency, value: 1, valueExt: 1, unit: d}\n"
        + "  - {property: timeOfAvailability, value: '09:00-08:00', driver: regulatory}\n"
        + "  - {property: timeOfAvailability, value: '08:00-08:00', driver: analytics}",
        {
            "slaProperties[0].element": 'no column "aircraft.seen"',
            "slaProperties[2].element": 'no column "aircraft.seen"',
        },
    ),
    "an older major version": (
        ONE + "apiVersion: v2.2.2",
        {"apiVersion": "not one of the valid values"},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_we_do_not_read_is_named(workspace: Workspace, name: str):
    text, expected = REFUSED[name]
    body = dedent(text).lstrip()
    own = {line.partition(":")[0] for line in body.splitlines()}
    head = [line for line in HEAD.splitlines() if line.partition(":")[0] not in own]
    found = workspace.problems(contract="\n".join([*head, body]) + "\n")
    for key, what in expected.items():
        assert [p for p in found if p.key.endswith(key) and what in str(p)], found
    assert len(found) == len(expected)


def test_an_older_product_with_all_its_ports_is_read(workspace: Workspace):
    text = PRODUCT.replace("v1.1.0", "v0.9.0") + dedent(
        """
        name: Aircraft
        status: draft
        tenant: acme
        tags: [customer]
        description: {purpose: p, limitations: none, usage: u}
        outputPorts:
          - name: aircraft
            type: tables
            version: 1.0.0
            tags: [t]
            sbom: [{type: external, url: 'https://a.test/sbom'}]
            inputContracts: [{id: i, version: 2.0.0}]
            authoritativeDefinitions: [{type: dictionary, url: 'https://a.test'}]
        managementPorts: [{content: dictionary, type: topic, name: tpc}]
        support: [{channel: c, url: 'https://a.test'}]
        team: {members: [{username: u, role: owner}]}
        """
    )
    assert workspace.problems(text) == ()
    twice = text.replace("managementPorts", "  - {name: aircraft, version: 2.0.0}\nmanagementPorts")
    (problem,) = workspace.problems(twice)
    assert "a port in two versions is not supported yet" in str(problem)
