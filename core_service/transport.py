"""The limits of a call, the same over a socket and within the process."""

RECEIVE_LIMIT = 4 * 1024 * 1024
"""The largest request a server takes, in bytes; answers have no limit."""

METADATA_LIMIT = 16 * 1024
"""The most metadata a server takes with a request, in bytes."""

SERVER_OPTIONS = (
    ("grpc.max_receive_message_length", RECEIVE_LIMIT),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", METADATA_LIMIT),
    ("grpc.absolute_max_metadata_size", METADATA_LIMIT),
    # Two processes at one port would share its connections out at random.
    ("grpc.so_reuseport", 0),
    # A client that is gone without a word is noticed within 30 seconds; clients may ask as often
    # as every 5 seconds, also while no call runs.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
)
"""How a server is set up."""
