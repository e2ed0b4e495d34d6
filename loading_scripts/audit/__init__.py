"""The audit: what is wrong with raw trees and their splits, as data; `serbench audit` prints it.

A tree that loading refuses is audited all the same: its faults are findings.
"""

from .findings import Finding, Kind, Place, Severity
from .run import Audit, CorpusAudit, examine

__all__ = ["Audit", "CorpusAudit", "Finding", "Kind", "Place", "Severity", "examine"]
