"""Corpora of speech emotion recognition for `datasets`.

Importing this package makes `load_dataset("serbench/<corpus>", "<config>")` build from raw files in this process, and
lets audio rows be read where torchcodec is missing. It writes nothing to disk, and leaves `datasets` for whoever needs
it to import.
"""

import ser_metrics  # noqa: F401  makes evaluate.load("ser_metrics") work in this process

from . import audio, hook

hook.install()

__all__ = ["audio"]
