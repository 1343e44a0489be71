"""acm as boto3 speaks it: certificates in name only, and who uses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_a_certificate_is_issued_at_once_and_kept_while_it_is_used(client: Callable[..., Any]) -> None:
    acm, v2 = client("acm"), client("apigatewayv2")
    wanted = {"DomainName": "api.one.example", "SubjectAlternativeNames": ["*.one.example"], "IdempotencyToken": "once"}
    arn = acm.request_certificate(**wanted, ValidationMethod="DNS", Tags=[{"Key": "a", "Value": "1"}])["CertificateArn"]
    assert acm.request_certificate(**wanted)["CertificateArn"] == arn
    acm.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    told = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (told["Status"], told["SubjectAlternativeNames"]) == ("ISSUED", ["api.one.example", "*.one.example"])
    assert [each["ValidationStatus"] for each in told["DomainValidationOptions"]] == ["SUCCESS", "SUCCESS"]
    assert arn in [each["CertificateArn"] for each in acm.list_certificates()["CertificateSummaryList"]]
    assert acm.list_certificates(CertificateStatuses=["EXPIRED"])["CertificateSummaryList"] == []
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": "a"}, {"Key": "b", "Value": "other"}])
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    name = v2.create_domain_name(
        DomainName="api.one.example", DomainNameConfigurations=[{"CertificateArn": arn, "EndpointType": "REGIONAL"}]
    )
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"] == [name["DomainNameArn"]]
    with pytest.raises(acm.exceptions.ResourceInUseException):
        acm.delete_certificate(CertificateArn=arn)
    v2.delete_domain_name(DomainName="api.one.example")
    acm.delete_certificate(CertificateArn=arn)
    with pytest.raises(acm.exceptions.ResourceNotFoundException):
        acm.describe_certificate(CertificateArn=arn)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"KeyAlgorithm": "RSA_4096"}, "cannot be requested"),
        ({"CertificateAuthorityArn": "arn:aws:acm-pca:us-east-1:000000000000:authority/x"}, "private authority"),
    ],
)
def test_what_cannot_be_honoured_is_refused(client: Callable[..., Any], more: dict[str, str], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        client("acm").request_certificate(**{"DomainName": "x.example", **more})
