"""Lambda's numbers. AWS: "Lambda quotas"; where it says nothing, what the runtime interface emulator does."""

REQUEST_BYTES = 6 * 1024 * 1024  # A synchronous invocation's event.
PAYLOAD_BYTES = 6_291_556  # Its answer.
STREAM_BYTES = 200 * 1024 * 1024  # An answer that is streamed to its caller.
ASYNC_PAYLOAD_BYTES = 1024 * 1024
INIT_S = 10.0
LOG_TAIL_BYTES = 4096
UNZIPPED_BYTES = 262_144_000
ZIP_DIRECT_BYTES = 52_428_800  # A zip within a request.
UNRESERVED_CONCURRENCY = 100  # What reservations must leave to the rest.
"""Of the account: reserving more is refused."""
