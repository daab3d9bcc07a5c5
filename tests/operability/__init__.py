"""How the programs are watched: log lines, metrics, traces, probes."""
