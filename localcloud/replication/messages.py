"""What S3 answers to a replication configuration that it refuses.

Seen in users' logs of AWS: SCHEMA_VERSION, DESTINATION_UNVERSIONED, ONE_DESTINATION, REPLICA_KMS_KEY and
VERSIONING_IN_USE. Known from the tests of other S3 servers: RULE_ID_UNIQUE, DUPLICATE_TAGS, BUCKET_ARN,
SAME_BUCKET, DESTINATION_MISSING, DELETE_MARKERS_WITH_TAGS, KMS_CRITERIA. The rest is assumed: that AWS
refuses is documented, its words are not published.
"""

SCHEMA_VERSION = "{member} {verb} for this version of Cross Region Replication configuration schema"
DESTINATION_UNVERSIONED = "Destination bucket must have versioning enabled."
DESTINATION_MISSING = "Destination bucket must exist."
SAME_BUCKET = "Destination bucket cannot be the same as the source bucket."
ONE_DESTINATION = "Number of distinct destination bucket ARNs cannot exceed 1"
BUCKET_ARN = "Invalid bucket ARN."
RULE_ID_UNIQUE = "Rule Id must be unique"
RULE_ID_LENGTH = "ID length should not exceed allowed limit of 255"
DUPLICATE_TAGS = "Duplicate Tag Keys are not allowed."
DELETE_MARKERS_WITH_TAGS = "Delete marker replication is not supported if any Tag filter is specified."
REPLICA_KMS_KEY = "ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present."
KMS_CRITERIA = "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present."
VERSIONING_IN_USE = (
    "A replication configuration is present on this bucket, so you cannot change the versioning state. "
    "To change the versioning state, first delete the replication configuration."
)
TOO_LARGE = "Your request was too big."
ROLE_ARN = "Invalid role ARN."
EXISTING_OBJECTS = "ExistingObjectReplication is not supported."
TIME_NEEDS_METRICS = "Metrics must be specified if ReplicationTime is present."
MINUTES = "Time and EventThreshold must be 15 minutes."
PRIORITY = "Priority must be unique."

PRIORITIES_UNIQUE = True
"""Whether two rules of one configuration must differ in priority; users report that AWS insists on it."""
