"""The module that a function with its code in the template may import to answer a custom resource.

Source: "cfn-response module". CloudFormation adds it to code given as ZipFile; so do we, in our own words.
"""

from __future__ import annotations

_PYTHON = '''\
"""Sends the answer of a custom resource to the URL that asks for it."""

import json
import urllib.request

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(event, context, responseStatus, responseData, physicalResourceId=None, noEcho=False, reason=None):
    answer = {
        "Status": responseStatus,
        "Reason": reason or "See the details in CloudWatch Log Stream: " + context.log_stream_name,
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    with urllib.request.urlopen(request) as response:
        print("Status code:", response.status)
'''

_NODE = """\
// Sends the answer of a custom resource to the URL that asks for it.
exports.SUCCESS = "SUCCESS";
exports.FAILED = "FAILED";

exports.send = function (event, context, responseStatus, responseData, physicalResourceId, noEcho) {
  const body = JSON.stringify({
    Status: responseStatus,
    Reason: "See the details in CloudWatch Log Stream: " + context.logStreamName,
    PhysicalResourceId: physicalResourceId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: responseData,
  });
  const url = new URL(event.ResponseURL);
  const headers = { "content-type": "", "content-length": Buffer.byteLength(body) };
  const protocol = require(url.protocol.slice(0, -1));
  return new Promise((resolve) => {
    const request = protocol.request(url, { method: "PUT", headers }, (response) => {
      response.resume();
      response.on("end", () => { context.done(); resolve(); });
    });
    request.on("error", (error) => { console.log(error); context.done(); resolve(); });
    request.end(body);
  });
};
"""


def modules_for(text: str, runtime: str) -> dict[str, str]:
    """File name -> source of what `text` imports of ours."""
    if runtime.startswith("python") and "cfnresponse" in text:
        return {"cfnresponse.py": _PYTHON}
    if runtime.startswith("nodejs") and "cfn-response" in text:
        return {"node_modules/cfn-response/index.js": _NODE}
    return {}
