"""The forms of words that may be told of an error: `{}` stands for a name, and so on."""

from __future__ import annotations

import re

TYPE = (
    r"(?:BIGINT|BLOB|BOOLEAN|DATE|DOUBLE|FLOAT|HUGEINT|INTEGER|INTEGER_LITERAL|INTERVAL|JSON|NULL|"
    r"SMALLINT|STRING_LITERAL|TIME|TIMESTAMP(?: WITH TIME ZONE)?|TINYINT|UUID|VARCHAR|"
    r"DECIMAL(?:\(\d\d?,\s?\d\d?\))?)(?:\[\])?"
)
# What stands before an error's kind.
HEADS = (
    "the transform raised ",
    "the resource raised ",
    "{} could not be built: ",
    "{} could not be computed: ",
    "the run failed: ",
    "dbt build: ",
    "dbt test: ",
)
DBT = ("dbt could not build {} (error): ", "dbt could not build {} (fail): ")
# First lines of DuckDB, Python and dbt.
FORMS = (
    'Referenced column "{}" not found in FROM clause!',
    'Referenced column "{}" was not found because the FROM clause is missing',
    'Referenced table "{}" not found!',
    'Table "{}" does not have a column named "{}"',
    'Values list "{}" does not have a column named "{}"',
    'Ambiguous reference to column name "{}" (use: "{}" or "{}")',
    'Column "{}" in EXCLUDE list not found in FROM clause',
    'Column "{}" in REPLACE list not found in FROM clause',
    'column "{}" must appear in the GROUP BY clause or must be part of an aggregate function.',
    (
        "No function matches the given name and argument types '{token}({types})'. You might need "
        "to add explicit type casts."
    ),
    "Cannot mix values of type {type} and {type} in CASE expression - an explicit cast is required",
    "Cannot compare values of type {type} and type {type} - an explicit cast is required",
    'Could not find key "{}" in struct',
    "UNNEST() can only be applied to lists, structs and NULL, not {type}",
    "WHERE clause cannot contain aggregates!",
    "WHERE clause cannot contain window functions!",
    "aggregate function calls cannot be nested",
    "Set operations can only apply to expressions with the same number of result columns",
    "ORDER term out of range - should be between 1 and {few}",
    "Subquery returns {few} columns - expected {few}",
    "Table with name {} does not exist!",
    'Table with name "{}" does not exist because schema "{}" does not exist.',
    "Table Function with name {} does not exist!",
    "Scalar Function with name {} does not exist!",
    "Aggregate Function with name {} does not exist!",
    "Type with name {} does not exist!",
    'syntax error at or near "{token}"',
    'unterminated quoted string at or near "{token}"',
    "syntax error at end of input",
    "SELECT clause without selection list",
    'Cannot open file "{}": No such file or directory',
    'Cannot open file "{}": Permission denied',
    'No files found that match the pattern "{}"',
    "[Errno 2] No such file or directory: '{}'",
    "[Errno 13] Permission denied: '{}'",
    "No module named '{}'",
    "name '{}' is not defined",
    "cannot import name '{}' from '{}'",
    "'{}' is undefined",
    (
        "'{}' is undefined. This can happen when calling a macro that does not exist. Check for "
        'typos and/or install package dependencies with "dbt deps".'
    ),
    "Model '{}' ({}) depends on a node named '{}' which was not found",
    "Model '{}' ({}) depends on a node named '{}' in package or project '{}' which was not found",
    'a value of "{}" cannot be cast, in line {line} of the query',
    'a value of "{}" cannot be cast',
    "a value cannot be cast, in line {line} of the query",
)
# What this library says itself, from a process in which domain code has run.
OURS = (
    'column "{}" is there twice: return one of each name',
    (
        'column "{}" holds numbers that mean something else ({}): return `.astype(str)` of it, or '
        "`.dt.to_timestamp()` of a period"
    ),
    (
        'column "{}" is of the type {}, which cannot be written: return a type of Arrow that '
        "DuckDB reads, as with `.astype(...)` of pandas"
    ),
    (
        'column "{}" has the dtype {} and values of no one type: return a type of Arrow that '
        "DuckDB reads, as with `.astype(...)` of pandas"
    ),
    (
        'column "{}" has values of several types, of which some would be cut: '
        "return values of one type, as with `pd.to_datetime(...)`, `.astype(...)` or `str`"
    ),
    (
        'column "{}" is of Python objects: '
        "return values of one type, as with `pd.to_datetime(...)`, `.astype(...)` or `str`"
    ),
    (
        'column "{}" has values that are no maps, or a key twice: '
        "return values of one type, as with `pd.to_datetime(...)`, `.astype(...)` or `str`"
    ),
    (
        'column "{}" has values of no one type: '
        "return a type of Arrow that DuckDB reads, as with `.astype(...)` of pandas"
    ),
    "the transform took longer than {seconds} seconds, the setting `transform_limit`",
    "a {} is not rows",
    "`transform` must return its output port, or a mapping with exactly its ports",
    "{} could not be built: its folder has no files",
    "{} could not be built: its folder has {few} entries that are no plain files of rows",
    "this process could not be confined, which is required",
    "dbt skipped {few} node that need what could not be built",
    "dbt skipped {few} nodes that need what could not be built",
    'the dbt project reads var("{}"), which has no value',
    "the columns of this incremental model are not those that it has",
    '"{}" is no resource of dlt, and does not return one',
    '"{}" is a source of {few} resources, and an input port reads one',
    "a resource needs dlt, which is not installed here",
    "a decimal number has more digits than its column, 38 of which 9 behind the point",
    "the resource makes {few} tables, and an input port is one",
    "the resource gave no rows, and does not say what columns they would have",
    '"{}" holds a whole number of more than 64 bits',
    '"{}" holds a number that is none, or infinite',
    "the resource needs {}, which nobody gives it",
    '"{}" holds {} and {}, which dlt makes two columns of',
    '"{}" was {}, and not all that comes now fits',
    '"{}" and "{}" are one column, "{}", as dlt names them',
)
# Types and classes of what a transform returns: names that are nobody's data.
SPOKEN = frozenset({
    "array", "arrow", "bigint", "binary", "bool", "boolean", "bytes", "complex128", "dataframe",
    "date", "datetime", "datetime64", "decimal", "dict", "dictionary", "double", "duration",
    "float", "float32", "float64", "generator", "int", "int32", "int64", "integer", "json",
    "lazyframe", "list", "mapping", "none", "nonetype", "numpy", "object", "pandas", "period",
    "polars", "sentinel", "series", "set", "str", "string", "struct", "table", "text", "time",
    "timestamp", "tuple", "uuid", "varchar",
})  # fmt: skip
KINDS = frozenset({
    "ArrowException", "ArrowInvalid", "ArrowNotImplementedError", "ArrowTypeError",
    "BinderException", "CatalogException", "ColumnNotFoundError", "ComputeError",
    "ConnectionException", "ConnectTimeout", "ConstraintException", "ConversionException",
    "DataError", "DateParseError", "EmptyDataError", "Exception", "FatalException", "HTTPError",
    "HTTPException", "IntCastingNaNError", "IntegrityError", "InternalException",
    "InterruptException", "InvalidInputException", "InvalidOperation", "InvalidOperationError",
    "IOException", "JSONDecodeError", "MergeError", "NotImplementedException",
    "NotSupportedError", "OutOfBoundsDatetime", "OutOfMemoryException", "OutOfRangeException",
    "ParserError", "ParserException", "PermissionException", "PipelineStepFailed",
    "ProgrammingError", "ReadTimeout", "ResourceExtractionError", "SchemaError",
    "SequenceException", "SerializationException", "ShapeError", "SyntaxException",
    "TransactionException", "TypeMismatchException", "UndefinedVariableError", "URLError",
})  # fmt: skip
DBT_KINDS = re.compile(
    r"(?:Binder|Catalog|Parser|IO|Permission|Out of Memory|Conversion|Compilation|Database|Runtime"
    r"|Parsing|Constraint|Out of Range|Invalid Input|Invalid|Not implemented|Validation|Dbt"
    r"|Dependency|Internal|Serialization|Transaction|Interrupt) Error|[A-Z][A-Za-z]+"
)


ADVICE = (
    "run the transform by itself to see the whole message",
    "return one of these from the transform",
    "return the rows from the transform; it writes no files of its own",
    "try the file by itself with dlt; what was published stays",
    "mesh run PRODUCT --full begins again, and forgets the old types",
    'pip install "dataops-mesh[dlt]"',
    'pip install "dataops-mesh[polars]"',
    "write @dlt.resource above a function that yields rows",
    "return {}().with_resources(...) from a function, and name that",
    'write it into the connection "{}", as in secrets.toml of dlt',
    "name a connection that does: `connection: shop_api` (docs/sources.md)",
    '@dlt.resource(columns={"price": {"data_type": "decimal", "precision": 38, "scale": 18}})',
    '@dlt.resource(columns={"id": {"data_type": "bigint"}})',
    "rename one of them before it is yielded",
    "yield it as a text: str(...)",
    "yield None in its place",
    (
        "a file that is delivered comes in as the source of an input port, a small table as a "
        "seed; a model that is kept in a file needs no `location`"
    ),
    (
        "if its columns are others than those that it has, say so with on_schema_change, or begin "
        "anew: mesh run {} --full"
    ),
    "add it to `transform` in product.odps.yaml: {dbt: {..., vars: {{}: ...}}}",
    "see docs/dbt.md on `select`",
)
