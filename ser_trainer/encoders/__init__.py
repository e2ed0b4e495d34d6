"""Encoders: what turns an utterance into features, and what is known of each. Nothing heavy is imported by this."""
