"""What the code does with the fields of the standards, section by section.

    section -> (definitions of the JSON schema, state of the fields not named, named fields)

A state is `executed`, `recorded` or `refused`, with a note after a colon.
"""

from __future__ import annotations

Section = tuple[tuple[str, ...], str, dict[str, str]]

_CHECK = "executed: the check `{}`"
_THRESHOLD = "executed: what the measured number must be"
_BOUNDS = dict.fromkeys(
    ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "executed: the check `<column>_range`",
)
_NUMBER = {
    **_BOUNDS,
    "multipleOf": "executed: the check `<column>_multiple`; for floats to nine digits",
    "format": "executed: the column's type is no wider",
}
_TIME = {
    **_BOUNDS,
    "format": "executed: `<column>_format`, no value has more than it shows; a zone is a zone",
    "timezone": "executed: the column's type has a time zone, or has none",
    "defaultTimezone": "executed: must be UTC, which is what times without a zone are",
}
_COUNTS = "executed: held against `properties` at load; refused without them"
_OURS = "executed: those with `vendor: dataops_mesh` are settings; others are recorded"
_OPERATORS = (
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan",
    "mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween",
)  # fmt: skip
_APPROVERS = "executed: who may approve a change that shows more"
_ODCS_CONTEXT = "#$defs/Context/oneOf/1/properties/"
_ODPS_CONTEXT = "#$defs/Context/properties/"
_DOCUMENT = {
    "apiVersion": "executed: an unknown version is an error",
    "kind": "executed: must be what the file's name says",
    "id": "executed: unique in the mesh",
    "version": "executed: a semantic version",
    "status": "executed: what runs, and what may be read",
    "domain": "executed: must be the folder's name",
    "customProperties": _OURS,
}

_ODCS: dict[str, Section] = {
    "contract": (
        ("#",),
        "recorded",
        {
            **_DOCUMENT,
            "version": "executed: a semantic version; must fit the port's and its readers'",
            "schema": "executed: each object is a port",
            "slaDefaultElement": "executed: the element of the levels that are checks",
            "slaProperties": "executed: see service level",
        },
    ),
    "description": (("#properties/description",), "recorded", {}),
    "schema object": (
        ("SchemaElement", "SchemaObject"),
        "recorded",
        {
            "name": "executed: the port's name, or it is made of it",
            "physicalName": "recorded: a port is called by its name; SQL rules may call it so too",
            "properties": "executed: the check `schema`: no column missing, none undeclared",
            "relationships": "executed: see relationship",
            "quality": "executed: see quality rule",
        },
    ),
    "column": (
        ("SchemaElement", "SchemaBaseProperty", "SchemaItemProperty"),
        "recorded",
        {
            "name": "executed: the check `schema`",
            "logicalType": "executed: the check `schema`, all the way down",
            "physicalType": "executed: the checks `schema` and `<column>_length`; else recorded",
            "physicalName": "recorded: a column is called by its name; of a source, its name there",
            "logicalTypeOptions": "executed: see the options of each type",
            "required": "executed: the check `<column>_required`",
            "unique": "executed: the check `<column>_unique`",
            "primaryKey": "executed: the checks `primary_key` and `<column>_required`",
            "primaryKeyPosition": "executed: the order of the key",
            "partitioned": "executed: the column of the setting `partitions`; otherwise recorded",
            "partitionKeyPosition": "executed: must be a position, and of a partitioned column",
            "enum": "executed: the check `<column>_enum`",
            "relationships": "executed: see relationship",
            "quality": "executed: see quality rule",
            "semanticType": "executed: `measure` is refused",
            "classification": "executed: samples show only public and internal columns",
            "customProperties": _OURS,
            "properties": "executed: the type of an object, all the way down",
            "items": "executed: the type of an array",
            "map": "executed: the types of keys and values",
        },
    ),
    "map": (
        ("#$defs/SchemaBaseProperty/allOf/8/then/properties/map",),
        "executed: the type, all the way down",
        {},
    ),
    "options of a string": (
        (),
        "recorded",
        {
            "minLength": _CHECK.format("<column>_length"),
            "maxLength": _CHECK.format("<column>_length"),
            "pattern": "executed: the check `<column>_pattern`; RE2, found anywhere",
            "format": "executed: the check `<column>_format` for ten formats; others are refused",
        },
    ),
    "options of a integer": ((), "recorded", _NUMBER),
    "options of a number": ((), "recorded", _NUMBER),
    "options of a date": ((), "recorded", {**_BOUNDS, "format": "executed: must show a date"}),
    "options of a timestamp": ((), "recorded", _TIME),
    "options of a time": ((), "recorded", _TIME),
    "options of a object": (
        (),
        "recorded",
        {"maxProperties": _COUNTS, "minProperties": _COUNTS, "required": _COUNTS},
    ),
    "options of a array": (
        (),
        "recorded",
        {
            "maxItems": _CHECK.format("<column>_items"),
            "minItems": _CHECK.format("<column>_items"),
            "uniqueItems": _CHECK.format("<column>_unique_items"),
        },
    ),
    "options of a vector": (
        (),
        "recorded",
        {
            "dimensions": _CHECK.format("<column>_items"),
            "elementType": "executed: the type; float16, bfloat16 and binary are refused",
            "normalized": "refused: unless false",
        },
    ),
    "enum value": (("EnumValue",), "recorded", {"value": "executed: the check `<column>_enum`"}),
    "quality rule": (
        (
            "DataQuality",
            "DataQualityChecks",
            "DataQualityLibrary",
            "DataQualityOperators",
            "DataQualitySql",
            "DataQualityCustom",
        ),
        "recorded",
        {
            "id": "executed: the check's name",
            "name": "executed: the check's name, without `id`",
            "type": "executed: library, sql, custom; text is for people and reported as such",
            "metric": "executed: the five metrics",
            "arguments": "executed: missingValues, validValues, pattern, properties",
            "query": "executed: one SELECT that reads `{object}` and nothing else",
            "engine": "executed: greatExpectations, dataops_mesh; another is `not executed`",
            "implementation": "executed: `type` and `kwargs` of 51 expectations; `check: usual`",
            "unit": "executed: rows or percent",
            "severity": "executed: error refuses the candidate, warning and info do not",
            "rule": "refused: deprecated by the standard; write `metric`",
            "schedule": "recorded: told as `not executed`: rules run with every build",
            "scheduler": "recorded: told as `not executed`: rules run with every build",
            "customProperties": "executed: the setting `onFailure`; others are recorded",
            **dict.fromkeys(_OPERATORS, _THRESHOLD),
        },
    ),
    "relationship": (
        (
            "RelationshipBase",
            "RelationshipSchemaLevel",
            "RelationshipPropertyLevel",
            "Relationship",
        ),
        "recorded",
        {
            "id": "executed: the check's name",
            "type": "executed: must be foreignKey",
            "from": "executed: columns of the schema object",
            "to": "executed: every key is in the referenced port",
            "customProperties": "executed: the setting `tolerance`; others are recorded",
        },
    ),
    "service level": (
        ("ServiceLevelAgreementProperty",),
        "recorded",
        {
            "property": "executed: freshness, latency and retention with an element are checks",
            "value": "executed: the limit of those; of the others the form",
            "valueExt": "recorded: refused where the level is a check",
            "unit": "executed: a unit of the property",
            "element": "executed: a column; latency may have two",
            "scheduler": "executed: must be cron",
            "schedule": "executed: five fields of cron, in the contract's `timezone`",
        },
    ),
    "server": (("Server", "ServerSource"), "recorded", {"customProperties": _OURS}),
    "team": (("Team",), "recorded", {}),
    "team member": (("TeamMember",), "recorded", {}),
    "role": (
        ("Role",),
        "recorded",
        {
            "role": "executed: the name by which an input or a reader asks for it",
            "firstLevelApprovers": _APPROVERS,
            "secondLevelApprovers": _APPROVERS,
            "customProperties": "executed: the setting `unmasked`; others are recorded",
        },
    ),
    "support channel": (("SupportItem", "Support"), "recorded", {}),
    "price": (("Pricing",), "recorded", {}),
    "synonym": (("Synonym", "Synonyms"), "recorded", {}),
    "context": (("Context",), "recorded", {}),
    "verified statement": ((f"{_ODCS_CONTEXT}verifiedStatements/items",), "recorded", {}),
    "constraint of a context": ((f"{_ODCS_CONTEXT}constraints/items",), "recorded", {}),
    "link": (("AuthoritativeDefinitions",), "recorded", {}),
    "custom property": (
        ("CustomProperty", "CustomProperties"),
        "recorded",
        {
            "property": "executed: with our vendor, a setting that is known where it stands",
            "value": "executed: with our vendor, held against the schema of the setting",
            "vendor": "executed: `dataops_mesh` is ours",
        },
    ),
}

_ODPS: dict[str, Section] = {
    "product": (
        ("#",),
        "recorded",
        {
            **_DOCUMENT,
            "deprecated": "executed: the status, where it has none",
            "inputPorts": "executed: see input port",
            "outputPorts": "executed: exactly the ports that have contracts",
        },
    ),
    "description": (("Description",), "recorded", {}),
    "input port": (
        ("InputPort",),
        "recorded",
        {
            "name": "executed: the address that is read, or the name of the source",
            "version": "executed: must fit the port that is read",
            "contractId": "executed: must be the contract of the port that is read",
            "customProperties": _OURS,
        },
    ),
    "output port": (
        ("OutputPort",),
        "recorded",
        {
            "name": "executed: must have a contract",
            "version": "executed: must fit the contract's",
            "contractId": "executed: must be the contract's id",
            "customProperties": _OURS,
        },
    ),
    "management port": (("ManagementPort",), "recorded", {}),
    "bill of materials": (("SBOM",), "recorded", {}),
    "input contract": (("InputContract",), "recorded", {}),
    "support channel": (("Support",), "recorded", {}),
    "team": (("Team",), "recorded", {}),
    "team member": (("TeamMember",), "recorded", {}),
    "synonym": (("Synonym", "Synonyms"), "recorded", {}),
    "context": (("Context",), "recorded", {}),
    "verified statement": ((f"{_ODPS_CONTEXT}verifiedStatements/items",), "recorded", {}),
    "constraint of a context": ((f"{_ODPS_CONTEXT}constraints/items",), "recorded", {}),
    "link": (("AuthoritativeDefinition",), "recorded", {}),
    "custom property": (
        ("CustomProperty",),
        "recorded",
        {
            "property": "executed: with our vendor, a setting that is known where it stands",
            "value": "executed: with our vendor, held against the schema of the setting",
            "vendor": "executed: `dataops_mesh` is ours",
        },
    ),
}
SECTIONS = {"ODCS": _ODCS, "ODPS": _ODPS}
