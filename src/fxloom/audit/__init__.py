"""The audit: what a store holds, judged by the statistics of its partitions' columns."""
