"""Users who are away, the chart, and leaving another tool behind."""
