"""The benchmark engine: every utterance is encoded once, all heads are trained together, every number is a line."""
