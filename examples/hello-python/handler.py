"""Says hello: by query parameter, by JSON body, or by path."""

import json
import logging
import os
from typing import Any, Dict

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event: Dict[str, Any], context) -> Dict[str, Any]:
    logger.info(f"Request ID: {context.aws_request_id}")
    logger.info(f"Event: {json.dumps(event)}")

    try:
        body = {}
        if event.get("body"):
            body = json.loads(event["body"])

        query_params = event.get("queryStringParameters") or {}
        name = query_params.get("name", body.get("name", "Guest"))

        path_params = event.get("pathParameters") or {}
        user_id = path_params.get("userId")

        stage = os.environ.get("STAGE", "dev")

        response_body = {
            "message": f"Hello, {name}!",
            "stage": stage,
            "requestId": context.aws_request_id,
        }
        if user_id:
            response_body["userId"] = user_id

        return {
            "statusCode": 200,
            "headers": {
                "Content-Type": "application/json",
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Headers": "Content-Type,Authorization",
            },
            "body": json.dumps(response_body),
        }
    except Exception as e:
        logger.error(f"Error: {str(e)}")
        return {
            "statusCode": 500,
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps({"error": "Internal server error"}),
        }
