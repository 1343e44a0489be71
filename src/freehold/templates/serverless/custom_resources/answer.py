"""Tells CloudFormation how a custom resource went. CloudFormation User Guide, "Custom resource response objects"."""

# It runs alone in a function, beside answer.py at the top of the zip file.
# mypy: ignore-errors

import json
import traceback
import urllib.request


def answering(operation):
    """A Lambda handler around `operation(request type, properties, old properties)`, which returns a physical id."""

    def handler(event, context):
        answer = {
            "Status": "SUCCESS",
            "Reason": "",
            "PhysicalResourceId": event.get("PhysicalResourceId") or event["LogicalResourceId"],
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
        }
        try:
            answer["PhysicalResourceId"] = operation(
                event["RequestType"], event["ResourceProperties"], event.get("OldResourceProperties") or {}, context
            )
        except Exception as error:
            traceback.print_exc()
            answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"}
        body = json.dumps(answer).encode()
        request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})
        urllib.request.urlopen(request).read()
        return answer

    return handler
