"""Resource policies of secrets: stored and given back. Source: Secrets Manager API Reference, PutResourcePolicy."""

from __future__ import annotations

import orjson

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.secretsmanager.record import SecretsManager, change_secret, live_secret
from freehold.state.store import Document


async def put_resource_policy(service: SecretsManager, call: Call, request: Json) -> Json:
    text = request["ResourcePolicy"]
    statements = _statements(text)
    if request.get("BlockPublicPolicy") and any(_is_public(statement) for statement in statements):
        raise AwsError(
            "PublicPolicyException",
            "The resource policy grants public access to the secret: BlockPublicPolicy refuses it.",
            status=400,
        )

    def change(document: Document) -> None:
        document["ResourcePolicy"] = text

    return _named(await change_secret(service, call, request["SecretId"], change))


async def get_resource_policy(service: SecretsManager, call: Call, request: Json) -> Json:
    document = (await live_secret(service, call, request["SecretId"])).document
    policy = document.get("ResourcePolicy")
    return {**_named(document), "ResourcePolicy": policy} if policy else _named(document)


async def delete_resource_policy(service: SecretsManager, call: Call, request: Json) -> Json:
    return _named(
        await change_secret(service, call, request["SecretId"], lambda document: document.pop("ResourcePolicy", None))
    )


def _statements(text: str) -> list[Json]:
    try:
        policy = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _malformed() from error
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not all(isinstance(each, dict) for each in statements):
        raise _malformed()
    return statements


def _malformed() -> AwsError:
    return AwsError("MalformedPolicyDocumentException", "This resource policy contains an invalid JSON.", status=400)


def _is_public(statement: Json) -> bool:
    principal = statement.get("Principal")
    anyone = principal == "*" or (isinstance(principal, dict) and principal.get("AWS") in ("*", ["*"]))
    return statement.get("Effect") == "Allow" and anyone and not statement.get("Condition")


def _named(document: Document) -> Json:
    return {"ARN": document["ARN"], "Name": document["Name"]}
