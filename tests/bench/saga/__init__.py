"""The order saga of `flows/orders` over Kafka: ours against the same one written by hand."""
