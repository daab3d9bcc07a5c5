"""The command line `userdir`."""
