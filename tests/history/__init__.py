"""The provisioning log: what is written, what is listed, what is told."""
