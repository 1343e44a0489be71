"""What CreateTable and UpdateTable may ask for: keys, attributes and indexes that fit together.

AWS: "CreateTable" in the API reference, "Quotas in Amazon DynamoDB". The order of the checks is DynamoDB's.
"""

from __future__ import annotations

from collections.abc import Sequence

from freehold.services.dynamodb.record import Json, bad_value, invalid

MAX_LOCAL_INDEXES = 5
MAX_GLOBAL_INDEXES = 20
MAX_UNITS = 1_000_000_000_000
MAX_KEY_ATTRIBUTES = 4  # Of each role in a global index's key; one in every other key.
# What a table or an index begins with on demand, a second. AWS: "Understanding DynamoDB warm throughput".
ON_DEMAND_UNITS = {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000}
MAX_PROJECTED = 100  # Attributes named in the projections of all indexes together.

# What a table may have on AWS and not here yet; asked for, it is refused rather than left out.
_NOT_HERE = {
    "ResourcePolicy": "resource policies of tables",
    "GlobalTableSourceArn": "global tables",
    "GlobalTableSettingsReplicationMode": "global tables",
    "GlobalTableWitnessUpdates": "global tables",
    "MultiRegionConsistency": "global tables",
    "DisassociationProtectionEnabled": "global tables",
    "ReplicaUpdates": "replicas of tables in other regions",
    "VectorIndexes": "vector indexes",
    "VectorIndexUpdates": "vector indexes",
}


def refuse_unsupported(request: Json) -> None:
    """Raises ValidationException, by name."""
    for member, what in _NOT_HERE.items():
        if request.get(member):
            raise invalid(f"Freehold does not support {what} yet ({member}).")


def check_new_table(request: Json) -> None:
    """Raises ValidationException."""
    for member in ("AttributeDefinitions", "KeySchema"):
        if not request.get(member):
            raise invalid(
                f"1 validation error detected: Value null at '{member[0].lower()}{member[1:]}' failed to satisfy "
                "constraint: Member must not be null"
            )
    is_on_demand = request.get("BillingMode") == "PAY_PER_REQUEST"
    check_billing(request.get("BillingMode"), request.get("ProvisionedThroughput"))
    definitions = [each["AttributeName"] for each in request["AttributeDefinitions"]]
    for position, name in enumerate(definitions):
        if name in definitions[:position]:
            raise bad_value(f"Duplicate AttributeName in AttributeDefinitions: {name}")
    _check_keys(request["KeySchema"], definitions)
    local, other = request.get("LocalSecondaryIndexes"), request.get("GlobalSecondaryIndexes")
    names: set[str] = set()
    if local is not None:
        _check_local(local, request["KeySchema"], definitions, names)
    if other is not None:
        if not other:
            raise bad_value("List of GlobalSecondaryIndexes is empty")
        for index in other:
            check_global(index, definitions, names, is_on_demand=is_on_demand)
        if len(other) > MAX_GLOBAL_INDEXES:
            raise bad_value(f"GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL_INDEXES}")
    for each, name in ((request, "table"), *((index, f"index {index['IndexName']}") for index in other or ())):
        check_warm(each.get("WarmThroughput"), name, is_on_demand=is_on_demand)
    check_definitions(request["AttributeDefinitions"], request["KeySchema"], [*(local or ()), *(other or ())])
    check_stream(request.get("StreamSpecification"))


def check_billing(mode: str | None, throughput: Json | None) -> None:
    if mode == "PAY_PER_REQUEST":
        if throughput is not None:
            raise bad_value(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
            )
    elif throughput is None:
        raise bad_value(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        )
    check_units(throughput)


def check_units(throughput: Json | None) -> None:
    for name in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if throughput is not None and throughput[name] > MAX_UNITS:
            raise invalid(f"Given value {throughput[name]} for {name} is out of bounds")


def check_definitions(definitions: list[Json], keys: list[Json], indexes: Sequence[Json]) -> None:
    """Every attribute that is defined is some key's."""
    defined = [each["AttributeName"] for each in definitions]
    used = {key["AttributeName"] for each in (keys, *(index["KeySchema"] for index in indexes)) for key in each}
    if set(defined) != used:
        if not indexes:
            raise bad_value(
                "Number of attributes in KeySchema does not exactly match number of attributes defined in "
                "AttributeDefinitions"
            )
        raise bad_value(
            f"Some AttributeDefinitions are not used. AttributeDefinitions: [{', '.join(defined)}], "
            f"keys used: [{', '.join(sorted(used))}]"
        )
    if sum(len(index["Projection"].get("NonKeyAttributes") or ()) for index in indexes) > MAX_PROJECTED:
        raise bad_value(f"Number of NonKeyAttributes in all indexes exceeds the per-table limit of {MAX_PROJECTED}")


def used_definitions(definitions: Sequence[Json], keys: list[Json], indexes: Sequence[Json]) -> list[Json]:
    """Those whose attribute is some key's."""
    schemas = (keys, *(index["KeySchema"] for index in indexes))
    used = {key["AttributeName"] for schema in schemas for key in schema}
    return [each for each in definitions if each["AttributeName"] in used]


def check_global(index: Json, definitions: list[str], names: set[str], *, is_on_demand: bool) -> None:
    _check_index(index, definitions, names, most=MAX_KEY_ATTRIBUTES)
    if is_on_demand and index.get("ProvisionedThroughput") is not None:
        raise bad_value(
            f"ProvisionedThroughput should not be specified for index: {index['IndexName']} when BillingMode is "
            "PAY_PER_REQUEST"
        )
    if not is_on_demand:
        if index.get("ProvisionedThroughput") is None:
            raise bad_value(f"ProvisionedThroughput must be specified for index: {index['IndexName']}")
        check_units(index["ProvisionedThroughput"])


def check_warm(warm: Json | None, whose: str, *, is_on_demand: bool) -> None:
    if warm is None or not is_on_demand:
        return
    for name, least in ON_DEMAND_UNITS.items():
        if warm.get(name, least) < least:
            raise bad_value(
                f"Requested {name} for WarmThroughput for {whose} is lower than initial throughput for OnDemand"
            )


def check_stream(specification: Json | None) -> None:
    if specification is None:
        return
    if specification["StreamEnabled"] and specification.get("StreamViewType") is None:
        raise bad_value("StreamSpecification.StreamViewType must be specified when StreamEnabled is true")
    if not specification["StreamEnabled"] and specification.get("StreamViewType") is not None:
        raise bad_value("StreamSpecification.StreamViewType should not be specified when StreamEnabled is false")


def _check_local(indexes: list[Json], table_keys: list[Json], definitions: list[str], names: set[str]) -> None:
    if not indexes:
        raise bad_value("List of LocalSecondaryIndexes is empty")
    if len(table_keys) != 2:
        raise bad_value(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
        )
    hash_name = table_keys[0]["AttributeName"]
    for index in indexes:
        _check_index(index, definitions, names)
        keys = index["KeySchema"]
        if len(keys) != 2:
            raise bad_value(f"Index KeySchema does not have a range key for index: {index['IndexName']}")
        if keys[0]["AttributeName"] != hash_name:
            raise bad_value(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: "
                f"{index['IndexName']}. index hash key: {keys[0]['AttributeName']}, table hash key: {hash_name}"
            )
    if len(indexes) > MAX_LOCAL_INDEXES:
        raise bad_value(f"Number of LocalSecondaryIndexes exceeds per-table limit of {MAX_LOCAL_INDEXES}")


def _check_index(index: Json, definitions: list[str], names: set[str], *, most: int = 1) -> None:
    name = index["IndexName"]
    if not all(letter.isascii() and (letter.isalnum() or letter in "_.-") for letter in name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'indexName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
        )
    _check_keys(index["KeySchema"], definitions, most=most)
    projection = index["Projection"]
    kind = projection.get("ProjectionType")
    if kind is None:
        raise bad_value("Unknown ProjectionType: null")
    extra = projection.get("NonKeyAttributes")
    if kind != "INCLUDE" and extra is not None:
        raise bad_value(f"ProjectionType is {kind}, but NonKeyAttributes is specified")
    if kind == "INCLUDE" and not extra:
        raise bad_value(f"ProjectionType is {kind}, but NonKeyAttributes is not specified")
    if extra is not None and len(set(extra)) != len(extra):
        raise bad_value(f"Duplicate attribute in NonKeyAttributes of index: {name}")
    if name in names:
        raise bad_value(f"Duplicate index name: {name}")
    names.add(name)


def _check_keys(keys: list[Json], definitions: list[str], *, most: int = 1) -> None:
    """`most`: attributes of each role."""
    names = [each["AttributeName"] for each in keys]
    roles = [each["KeyType"] for each in keys]
    if any(name not in definitions for name in names):
        raise bad_value(
            "Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(definitions)}]"
        )
    if most == 1 and len(keys) > 2:
        raise invalid("Invalid KeySchema: a key has at most two attributes")
    if len(set(names)) != len(names):
        raise invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
    if roles[0] != "HASH":
        raise invalid(
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
            if "HASH" not in roles or most == 1
            else "Invalid KeySchema: HASH elements must precede RANGE elements"
        )
    if most == 1 and len(keys) == 2 and roles[1] != "RANGE":
        raise invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    if roles != sorted(roles):
        raise invalid("Invalid KeySchema: HASH elements must precede RANGE elements")
    for role in ("HASH", "RANGE"):
        if roles.count(role) > most:
            raise invalid(f"Invalid KeySchema: an index has at most {most} {role} elements")
