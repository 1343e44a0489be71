"""AWS Certificate Manager, for what templates say of it: certificates that custom domain names of APIs refer to.

Owns:    acm.certificate documents.
Not:     TLS. No certificate is made, and nobody is asked whether a domain is theirs: a requested certificate is ISSUED
         at once, in name only. Whoever serves a domain over HTTPS puts a proxy with real certificates before Freehold.
Imports: aws state
Start:   certificates.py
Add:     an operation: a function in certificates.py, and its line in OPERATIONS.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.acm import certificates
from freehold.services.acm.certificates import Acm

__all__ = ["OPERATIONS", "Acm"]

OPERATIONS: dict[str, Operation] = {
    "RequestCertificate": certificates.request_certificate,
    "DescribeCertificate": certificates.describe_certificate,
    "ListCertificates": certificates.list_certificates,
    "DeleteCertificate": certificates.delete_certificate,
    "AddTagsToCertificate": certificates.add_tags_to_certificate,
    "ListTagsForCertificate": certificates.list_tags_for_certificate,
    "RemoveTagsFromCertificate": certificates.remove_tags_from_certificate,
}
