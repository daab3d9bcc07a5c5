"""Programs that use the directory, to read and to run: `python -m clients.examples.NAME --help`."""
