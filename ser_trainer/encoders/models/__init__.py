"""Models: networks of encoders that no maintained library has, in plain torch; they read and write nothing."""
