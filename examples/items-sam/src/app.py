"""app.py - the functions of template.yaml: items of a DynamoDB table."""

import base64
import json
import logging
import os
import time
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Dict

import boto3

logger = logging.getLogger()
logger.setLevel(os.environ.get("LOG_LEVEL", "INFO"))

# Initialize clients OUTSIDE the handler for reuse across invocations
dynamodb = boto3.resource("dynamodb")
table = dynamodb.Table(os.environ["TABLE_NAME"])


def get_items(event: Dict[str, Any], context) -> Dict[str, Any]:
    """GET /items and GET /items/{id}"""
    logger.info(f"Request ID: {context.aws_request_id}")
    path_params = event.get("pathParameters") or {}
    item_id = path_params.get("id")
    try:
        if item_id:
            item = table.get_item(Key={"id": item_id}).get("Item")
            if item is None:
                return respond(404, {"error": "Item not found"})
            return respond(200, item)
        return respond(200, {"items": table.scan(Limit=100)["Items"]})
    except Exception as e:
        logger.error(f"Error: {str(e)}")
        return respond(500, {"error": "Internal server error"})


def create_item(event: Dict[str, Any], context) -> Dict[str, Any]:
    """POST /items"""
    logger.info(f"Request ID: {context.aws_request_id}")
    try:
        data = read_body(event)
    except ValueError:
        return respond(400, {"error": "The body is not a JSON object"})
    try:
        item = {
            "id": str(int(time.time() * 1000)),
            **data,
            "createdAt": datetime.now(timezone.utc).isoformat(),
        }
        table.put_item(Item=item)
        return respond(201, item)
    except Exception as e:
        logger.error(f"Error: {str(e)}")
        return respond(500, {"error": "Internal server error"})


def read_body(event: Dict[str, Any]) -> Dict[str, Any]:
    body = event.get("body") or "{}"
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    # DynamoDB's numbers are decimals; binary floats are refused.
    data = json.loads(body, parse_float=Decimal)
    if not isinstance(data, dict):
        raise ValueError("not an object")
    return data


def respond(status_code: int, body: Any) -> Dict[str, Any]:
    return {
        "statusCode": status_code,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body, default=plain_number),
    }


def plain_number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
