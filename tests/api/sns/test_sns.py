from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import ROLE, zipped
from tests.live import LiveServer

Client = Callable[..., Any]
_ACCOUNT = "us-east-1:000000000000"


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def queue(sqs: Any, name: str) -> tuple[str, str]:
    """URL and ARN."""
    attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], f"arn:aws:sqs:{_ACCOUNT}:{name}"


def received(sqs: Any, url: str, count: int = 1) -> list[Any]:
    """So many messages, waited for, and no more than there are."""
    found: list[Any] = []
    while len(found) < count:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20, MessageAttributeNames=["All"]
        ).get("Messages", [])
        assert answer, f"{len(found)} of {count} messages came"
        found += answer
    more = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    assert "Messages" not in more
    for one in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return found


def bodies(sqs: Any, url: str, count: int = 1) -> list[Any]:
    return [json.loads(one["Body"]) for one in received(sqs, url, count)]


def test_a_topic_is_made_once_read_changed_tagged_and_deleted(client: Client) -> None:
    sns = client("sns")
    arn = sns.create_topic(Name="life", Tags=[{"Key": "a", "Value": "1"}])["TopicArn"]
    assert arn == f"arn:aws:sns:{_ACCOUNT}:life"
    assert sns.create_topic(Name="life")["TopicArn"] == arn
    sns.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="Life")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (attributes["DisplayName"], attributes["Owner"]) == ("Life", "000000000000")
    assert attributes["SubscriptionsConfirmed"] == "0"
    assert refusal(sns.create_topic, Name="life", Attributes={"DisplayName": "Other"})[0] == "InvalidParameter"
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    sns.add_permission(TopicArn=arn, Label="them", AWSAccountId=["111111111111"], ActionName=["Publish"])
    policy = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    assert policy["Statement"][-1]["Action"] == ["SNS:Publish"]
    sns.remove_permission(TopicArn=arn, Label="them")
    assert {"TopicArn": arn} in sns.list_topics()["Topics"]
    sns.delete_topic(TopicArn=arn)
    sns.delete_topic(TopicArn=arn)
    assert refusal(sns.get_topic_attributes, TopicArn=arn) == ("NotFound", "Topic does not exist")
    assert refusal(sns.list_tags_for_resource, ResourceArn=arn)[0] == "ResourceNotFound"


def test_what_sns_refuses_is_refused_and_what_is_not_here_by_name(client: Client) -> None:
    sns = client("sns")
    arn = sns.create_topic(Name="strict")["TopicArn"]
    assert refusal(sns.create_topic, Name="a b")[1] == "Invalid parameter: Topic Name"
    assert refusal(sns.create_topic, Name="a.fifo")[0] == "InvalidParameter"
    assert refusal(sns.publish, TopicArn=arn, Message="")[1] == "Invalid parameter: Empty message"
    assert refusal(sns.publish, TopicArn=arn, Message="x" * 262_145)[1] == "Invalid parameter: Message too long"
    assert refusal(sns.publish, TopicArn=arn + "x", Message="x")[0] == "NotFound"
    no_default = {"Message": "{}", "MessageStructure": "json"}
    assert "No default entry" in refusal(sns.publish, TopicArn=arn, **no_default)[1]
    assert refusal(sns.publish, TopicArn=arn, Message="x", Subject="a\nb")[1] == "Invalid parameter: Subject"
    assert "text messages" in refusal(sns.publish, PhoneNumber="+15550100", Message="x")[1]
    web = {"TopicArn": arn, "Protocol": "https", "Endpoint": "https://example.com"}
    assert "does not support https subscriptions yet" in refusal(sns.subscribe, **web)[1]
    logging = {"TopicArn": arn, "AttributeName": "SQSSuccessFeedbackRoleArn", "AttributeValue": ROLE}
    assert "delivery status logging" in refusal(sns.set_topic_attributes, **logging)[1]
    end = {"TopicArn": arn, "Protocol": "sqs", "Endpoint": f"arn:aws:sqs:{_ACCOUNT}:q"}
    nested = {"FilterPolicy": '{"a": {"b": ["c"]}}'}
    assert "does not support nested" in refusal(sns.subscribe, **end, Attributes=nested)[1]
    assert "Unrecognized match" in refusal(sns.subscribe, **end, Attributes={"FilterPolicy": '{"a": [{"like": 1}]}'})[1]


def test_a_queue_gets_messages_in_an_envelope_or_raw(client: Client) -> None:
    sns, sqs = client("sns"), client("sqs")
    arn = sns.create_topic(Name="forms")["TopicArn"]
    (plain, plain_arn), (raw, raw_arn) = queue(sqs, "forms-plain"), queue(sqs, "forms-raw")
    subscription = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=plain_arn)["SubscriptionArn"]
    assert sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=plain_arn)["SubscriptionArn"] == subscription
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=raw_arn, Attributes={"RawMessageDelivery": "true"})
    attributes = {
        "colour": {"DataType": "String", "StringValue": "red"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    texts = json.dumps({"default": "for all", "sqs": "for queues"})
    sent = sns.publish(
        TopicArn=arn, Message=texts, MessageStructure="json", Subject="News", MessageAttributes=attributes
    )
    (envelope,) = bodies(sqs, plain)
    assert envelope["Type"] == "Notification"
    assert envelope["MessageId"] == sent["MessageId"]
    assert (envelope["TopicArn"], envelope["Subject"], envelope["Message"]) == (arn, "News", "for queues")
    assert envelope["MessageAttributes"]["colour"] == {"Type": "String", "Value": "red"}
    assert envelope["MessageAttributes"]["raw"] == {"Type": "Binary", "Value": "AAE="}
    (message,) = received(sqs, raw)
    assert message["Body"] == "for queues"
    assert message["MessageAttributes"]["raw"]["BinaryValue"] == b"\x00\x01"
    sns.unsubscribe(SubscriptionArn=subscription)
    listed = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert [one["Endpoint"] for one in listed] == [raw_arn]
    assert arn in {one["TopicArn"] for one in sns.list_subscriptions()["Subscriptions"]}


def test_filter_policies_choose_by_attributes_or_by_the_body(client: Client) -> None:
    sns, sqs = client("sns"), client("sqs")
    arn = sns.create_topic(Name="chosen")["TopicArn"]
    (url, queue_arn), (all_url, all_arn) = queue(sqs, "chosen"), queue(sqs, "chosen-all")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=all_arn)
    policy = json.dumps({"kind": ["order", {"prefix": "re"}], "size": [{"numeric": [">", 5]}]})
    end = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn, Attributes={"FilterPolicy": policy})

    def publish(message: str, kind: str, size: str) -> None:
        values = {"kind": ("String.Array" if kind.startswith("[") else "String", kind), "size": ("Number", size)}
        sns.publish(TopicArn=arn, Message=message, MessageAttributes={
            name: {"DataType": data_type, "StringValue": value} for name, (data_type, value) in values.items()
        })  # fmt: skip

    publish("1", "order", "9")
    publish("2", "order", "5")
    publish("3", '["no", "return"]', "6.5")
    publish("4", "other", "9")
    sns.publish(TopicArn=arn, Message="5")
    assert sorted(body["Message"] for body in bodies(sqs, url, 2)) == ["1", "3"]
    assert len(received(sqs, all_url, 5)) == 5
    change = {"SubscriptionArn": end["SubscriptionArn"]}
    sns.set_subscription_attributes(**change, AttributeName="FilterPolicyScope", AttributeValue="MessageBody")
    policy = json.dumps({"detail": {"n": [1]}})
    sns.set_subscription_attributes(**change, AttributeName="FilterPolicy", AttributeValue=policy)
    for text in ("no JSON", '{"detail": {"n": 2}}', '{"detail": {"n": 1}}'):
        sns.publish(TopicArn=arn, Message=text)
    assert [body["Message"] for body in bodies(sqs, url)] == ['{"detail": {"n": 1}}']
    shown = sns.get_subscription_attributes(**change)["Attributes"]
    assert (shown["FilterPolicyScope"], shown["PendingConfirmation"]) == ("MessageBody", "false")


def test_a_batch_is_told_entry_by_entry(client: Client) -> None:
    sns, sqs = client("sns"), client("sqs")
    arn = sns.create_topic(Name="batch")["TopicArn"]
    url, queue_arn = queue(sqs, "batch")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    entries = [{"Id": "a", "Message": "1"}, {"Id": "b", "Message": "2", "Subject": "\t"}, {"Id": "c", "Message": "3"}]
    answer = sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)
    assert [one["Id"] for one in answer["Successful"]] == ["a", "c"]
    assert [(one["Id"], one["Code"]) for one in answer["Failed"]] == [("b", "InvalidParameter")]
    assert sorted(body["Message"] for body in bodies(sqs, url, 2)) == ["1", "3"]
    twice = refusal(sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=[entries[0]] * 2)
    assert twice[0] == "BatchEntryIdsNotDistinct"


def test_a_fifo_topic_keeps_order_and_drops_what_comes_twice(client: Client) -> None:
    sns, sqs = client("sns"), client("sqs")
    arn = sns.create_topic(Name="line.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"})
    url, queue_arn = queue(sqs, "line.fifo")
    topic = {"TopicArn": arn["TopicArn"]}
    sns.subscribe(**topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    assert "FIFO queues only" in refusal(sns.subscribe, **topic, Protocol="sqs", Endpoint=queue(sqs, "unlined")[1])[1]
    assert "MessageGroupId" in refusal(sns.publish, **topic, Message="x")[1]
    for text in ("1", "2", "1", "3"):
        assert sns.publish(**topic, Message=text, MessageGroupId="g")["SequenceNumber"]
    assert [one["Body"] for one in received(sqs, url, 3)] == ["1", "2", "3"]


def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(client: Client) -> None:
    sns, sqs = client("sns"), client("sqs")
    arn = sns.create_topic(Name="undelivered")["TopicArn"]
    dead, dead_arn = queue(sqs, "undelivered-dead")
    gone = f"arn:aws:lambda:{_ACCOUNT}:function:gone"
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})}
    sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=gone, Attributes=redrive)
    sns.publish(TopicArn=arn, Message="lost?")
    (message,) = received(sqs, dead)
    assert json.loads(message["Body"])["Message"] == "lost?"
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == "ResourceNotFoundException"


def test_a_topic_invokes_a_function_whose_result_a_topic_gets(own_server: LiveServer) -> None:
    sns, sqs, lambda_ = (own_server.client(name) for name in ("sns", "sqs", "lambda"))
    lambda_.create_function(
        FunctionName="f", Runtime="python3.11", Handler="app.handler", Role=ROLE,
        Code={"ZipFile": zipped({"app.py": "def handler(event, context): return 'done'"})},
    )  # fmt: skip
    asks, done = (sns.create_topic(Name=name)["TopicArn"] for name in ("asks", "done"))
    url, queue_arn = queue(sqs, "done")
    sns.subscribe(TopicArn=done, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    sns.subscribe(TopicArn=asks, Protocol="lambda", Endpoint=f"arn:aws:lambda:{_ACCOUNT}:function:f")
    lambda_.put_function_event_invoke_config(FunctionName="f", DestinationConfig={"OnSuccess": {"Destination": done}})
    own_server.kill()
    own_server.start()
    sent = sns.publish(TopicArn=asks, Message="please")
    (record,) = bodies(sqs, url)
    assert record["responsePayload"] == "done"
    (event,) = record["requestPayload"]["Records"]
    assert (event["EventSource"], event["EventVersion"]) == ("aws:sns", "1.0")
    assert event["EventSubscriptionArn"].startswith(asks)
    assert event["Sns"]["MessageId"] == sent["MessageId"]
    assert (event["Sns"]["Message"], event["Sns"]["Subject"]) == ("please", None)
    assert {"SigningCertUrl", "UnsubscribeUrl", "Timestamp", "MessageAttributes"} <= event["Sns"].keys()


_TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: First, Subscription: [{Protocol: sqs, Endpoint: !GetAtt Queue.Arn}]}
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: '*', Action: 'sns:Publish', Resource: '*'}]
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: 'def handler(event, context): return event["Records"][0]["Sns"]["Message"]'
      EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: SQS, Destination: !GetAtt Queue.Arn}}}
      Events:
        Ask: {Type: SNS, Properties: {Topic: !Ref Topic, FilterPolicy: {for: [function]}}}
Outputs:
  Topic: {Value: !Ref Topic}
  Name: {Value: !GetAtt Topic.TopicName}
  Queue: {Value: !Ref Queue}
"""


def test_topics_subscriptions_and_sns_events_of_a_template(client: Client) -> None:
    cloudformation, sns, sqs = client("cloudformation"), client("sns"), client("sqs")
    place = {"StackName": "topics", "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]}
    cloudformation.create_stack(**place, TemplateBody=_TEMPLATE)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="topics", WaiterConfig={"Delay": 1})
    (stack,) = cloudformation.describe_stacks(StackName="topics")["Stacks"]
    output = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    topic = {"TopicArn": output["Topic"]}
    assert output["Topic"].endswith(f":{output['Name']}")
    wanted = {"for": {"DataType": "String", "StringValue": "function"}}
    sns.publish(**topic, Message="hello", MessageAttributes=wanted)
    got = bodies(sqs, output["Queue"], 2)
    assert {body.get("Message") or body["responsePayload"] for body in got} == {"hello"}
    assert "*" in sns.get_topic_attributes(**topic)["Attributes"]["Policy"]
    changed = _TEMPLATE.replace("First", "Second").replace("for: [function]", "for: [nobody]")
    changed = changed.replace(", Subscription: [{Protocol: sqs, Endpoint: !GetAtt Queue.Arn}]", "")
    cloudformation.update_stack(**place, TemplateBody=changed)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="topics", WaiterConfig={"Delay": 1})
    assert sns.get_topic_attributes(**topic)["Attributes"]["DisplayName"] == "Second"
    (only,) = sns.list_subscriptions_by_topic(**topic)["Subscriptions"]
    shown = sns.get_subscription_attributes(SubscriptionArn=only["SubscriptionArn"])["Attributes"]
    assert (only["Protocol"], json.loads(shown["FilterPolicy"])) == ("lambda", {"for": ["nobody"]})
    cloudformation.delete_stack(StackName="topics")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="topics", WaiterConfig={"Delay": 1})
    assert refusal(sns.get_topic_attributes, **topic)[0] == "NotFound"
