"""ListExports and ListImports."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.stacks.documents import STACK
from freehold.stacks.errors import validation_error
from freehold.stacks.exports import exported, importers
from freehold.stacks.paging import page
from freehold.stacks.record import Stacks


async def list_exports(stacks: Stacks, call: Call, request: Json) -> Json:
    found = []
    for stored in await stacks.store.list_documents(STACK, f"{call.region}/"):
        for name, value in exported(stored.document.get("Outputs", [])).items():
            found.append({"ExportingStackId": stored.document["StackId"], "Name": name, "Value": value})
    items, token = page(sorted(found, key=lambda item: str(item["Name"])), request, 100)
    return {"Exports": items, **token}


async def list_imports(stacks: Stacks, call: Call, request: Json) -> Json:
    name = request["ExportName"]
    users = await importers(stacks, call.region, name)
    if not users:
        raise validation_error(f"Export '{name}' is not imported by any stack.")
    items, token = page(users, request, 100)
    return {"Imports": items, **token}
