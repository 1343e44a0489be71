"""Amazon S3: buckets, versioned objects, multipart uploads, event notifications.

Owns:    the documents "s3.bucket", "s3.object", "s3.noncurrent", "s3.upload", "s3.part".
Not:     the objects' bytes (state/object_files.py), XML and virtual hosts (aws, http).
Imports: aws state
Start:   the table below, then versions.py and objects.py
Add:     an operation: a function in the file of its noun, a line in OPERATIONS; a bucket's setting: a line in SETTINGS.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.s3 import (
    acls,
    attributes,
    buckets,
    deletes,
    listing,
    multipart,
    notifications,
    objects,
    settings,
    tagging,
)
from freehold.services.s3.record import S3

__all__ = ["OPERATIONS", "S3"]

OPERATIONS: dict[str, Operation] = {
    "CreateBucket": buckets.create_bucket,
    "DeleteBucket": buckets.delete_bucket,
    "HeadBucket": buckets.head_bucket,
    "ListBuckets": buckets.list_buckets,
    "GetBucketLocation": buckets.get_bucket_location,
    "PutBucketVersioning": settings.put_bucket_versioning,
    "GetBucketVersioning": settings.get_bucket_versioning,
    "GetBucketPolicyStatus": settings.get_bucket_policy_status,
    "GetBucketRequestPayment": settings.get_bucket_request_payment,
    "GetBucketLogging": settings.get_nothing,
    "GetBucketAccelerateConfiguration": settings.get_nothing,
    **{name: made for setting in settings.SETTINGS for name, made in settings.operations(setting).items()},
    **settings.NEVER_SET,
    "PutBucketNotificationConfiguration": notifications.put_bucket_notification_configuration,
    "GetBucketNotificationConfiguration": notifications.get_bucket_notification_configuration,
    "GetBucketAcl": acls.get_bucket_acl,
    "PutBucketAcl": acls.put_bucket_acl,
    "GetObjectAcl": acls.get_object_acl,
    "PutObjectAcl": acls.put_object_acl,
    "PutObject": objects.put_object,
    "GetObject": objects.get_object,
    "HeadObject": objects.head_object,
    "CopyObject": objects.copy_object,
    "GetObjectAttributes": attributes.get_object_attributes,
    "DeleteObject": deletes.delete_object,
    "DeleteObjects": deletes.delete_objects,
    "ListObjects": listing.list_objects,
    "ListObjectsV2": listing.list_objects_v2,
    "ListObjectVersions": listing.list_object_versions,
    "PutObjectTagging": tagging.put_object_tagging,
    "GetObjectTagging": tagging.get_object_tagging,
    "DeleteObjectTagging": tagging.delete_object_tagging,
    "CreateMultipartUpload": multipart.create_multipart_upload,
    "UploadPart": multipart.upload_part,
    "UploadPartCopy": multipart.upload_part_copy,
    "CompleteMultipartUpload": multipart.complete_multipart_upload,
    "AbortMultipartUpload": multipart.abort_multipart_upload,
    "ListParts": multipart.list_parts,
    "ListMultipartUploads": multipart.list_multipart_uploads,
}
