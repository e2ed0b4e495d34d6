"""The feature cache: every utterance is encoded once per encoder and version of its corpus."""
