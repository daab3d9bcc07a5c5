"""The contract: generated messages and stubs, and what every room reads from them."""
