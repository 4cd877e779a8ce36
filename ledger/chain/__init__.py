"""The chain: local anvil, connection, keys, artefacts and bindings, deployments, sending, reading."""
