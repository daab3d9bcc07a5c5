"""Watching the changes of a workspace, and the clients that do."""
