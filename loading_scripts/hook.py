"""Once `datasets` is imported, by whomever and whenever, it knows our corpora and reads audio through us.

Until then nothing of it is imported, which takes a second: commands about records need none of it. The modules that are
installed here import `datasets` only inside their functions, so that none of them is met half-imported.
"""

from types import ModuleType

from ser_metrics.after_import import after_import

from . import audio, plugin


def install() -> None:
    """Put our doors in place as soon as `datasets` is imported, which may be now; it is not imported by this."""
    after_import("datasets", _open_doors)


def _open_doors(_: ModuleType) -> None:
    audio.install()
    plugin.install()
