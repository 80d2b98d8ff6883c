"""A small stack with one of everything that the local cloud adds to CloudFormation, and a function that sends."""

from __future__ import annotations

import json
import uuid
from typing import Any

from aws.local_cloud import PATIENCE, TICK, LocalCloud
from heliograph_cli.waiting import until_still

CODE = """
import boto3, json, os, time

def handler(event, context):
    metric = {"Namespace": "Trial", "Dimensions": [["service"]], "Metrics": [{"Name": "Sent", "Unit": "Count"}]}
    print(json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [metric]}, "service": "trial", "Sent": [1, 1]}))
    push = {"Addresses": {"t": {"ChannelType": "GCM"}}, "MessageConfiguration": {"GCMMessage": {"Title": "T"}}}
    mail = {"Simple": {"Subject": {"Data": "S"}, "Body": {"Text": {"Data": "T"}}}}
    tries = {
        "text": lambda: boto3.client("pinpoint-sms-voice-v2").send_text_message(
            DestinationPhoneNumber="+12065550100", MessageBody="T", OriginationIdentity=os.environ["POOL"]),
        "push": lambda: boto3.client("pinpoint").send_messages(ApplicationId=os.environ["APP"], MessageRequest=push),
        "mail": lambda: boto3.client("sesv2").send_email(
            FromEmailAddress="a@shop.example.com", Destination={"ToAddresses": ["b@example.net"]}, Content=mail),
    }
    return {"statusCode": 200, "body": json.dumps({name: attempt(call) for name, call in tries.items()})}

def attempt(call):
    try:
        call()
        return "done"
    except Exception as refused:
        return refused.response["Error"]["Code"]
"""
ALLOWED = [
    {"Action": "mobiletargeting:SendMessages", "Resource": {"Fn::Sub": "${Application.Arn}/messages"}},
    {"Action": "sms-voice:SendTextMessage", "Resource": {"Fn::GetAtt": "Pool.Arn"}},
    {"Action": "ses:SendEmail", "Resource": {"Fn::Sub": "arn:aws:ses:*:${AWS::AccountId}:identity/shop.example.com"}},
]


def template(*, allowed: list[dict[str, Any]], **more: Any) -> str:
    statements = [{"Effect": "Allow", **statement} for statement in allowed]
    function = {
        "InlineCode": CODE,
        "Handler": "index.handler",
        "Runtime": "python3.11",
        "Timeout": 60,
        "ReservedConcurrentExecutions": 3,
        "Environment": {"Variables": {"APP": {"Ref": "Application"}, "POOL": {"Ref": "Pool"}}},
        "Policies": [{"Version": "2012-10-17", "Statement": statements}] if statements else [],
        "Events": {"Hello": {"Type": "HttpApi", "Properties": {"Path": "/hello/{name}", "Method": "get"}}},
    }
    number = {"IsoCountryCode": "US", "MessageType": "TRANSACTIONAL", "NumberType": "SIMULATOR"}
    resources = {
        "Function": {"Type": "AWS::Serverless::Function", "Properties": function},
        "Number": {"Type": "AWS::SMSVOICE::PhoneNumber", "Properties": number},
        "Pool": {"Type": "AWS::SMSVOICE::Pool", "Properties": {"OriginationIdentities": [{"Ref": "Number"}]}},
        "Application": {"Type": "AWS::Pinpoint::App", "Properties": {"Name": "application"}},
        "Gcm": {"Type": "AWS::Pinpoint::GCMChannel", "Properties": {"ApplicationId": {"Ref": "Application"}}},
        "Identity": {"Type": "AWS::SES::EmailIdentity", "Properties": {"EmailIdentity": "shop.example.com"}},
    }
    outputs = {name: {"Value": {"Ref": name}} for name in ("Function", "Application", "Pool", "ServerlessHttpApi")}
    parts = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources | more, "Outputs": outputs}
    return json.dumps(parts)


class Stack:
    """A deployed template."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud, self.name = cloud, f"trial-{uuid.uuid4().hex[:8]}"
        self.client = cloud.client("cloudformation")

    def deploy(self, body: str) -> dict[str, str]:
        """Create or update; the outputs."""
        change = self.client.update_stack if self.exists() else self.client.create_stack
        change(StackName=self.name, TemplateBody=body, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
        until_still(
            lambda: ((status := self.status()), not status.endswith("IN_PROGRESS")), patience=PATIENCE, most=TICK
        )
        assert self.status() in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), self.found()
        return {output["OutputKey"]: output["OutputValue"] for output in self.found()["Outputs"]}

    def exists(self) -> bool:
        return any(stack["StackName"] == self.name for stack in self.client.describe_stacks()["Stacks"])

    def found(self) -> Any:
        return self.client.describe_stacks(StackName=self.name)["Stacks"][0]

    def status(self) -> str:
        return str(self.found()["StackStatus"])

    def call(self, function: str) -> dict[str, str]:
        answer = self.cloud.client("lambda").invoke(FunctionName=function)
        said: dict[str, str] = json.loads(json.loads(answer["Payload"].read())["body"])
        return said
