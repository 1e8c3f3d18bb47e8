"""Why a signature does not fit: from a request and a secret to findings. Bytes in, findings out; nothing is read or sent."""

from .diagnose import detected, diagnose
from .report import Change, Diagnosis, NearMiss

__all__ = ["Change", "Diagnosis", "NearMiss", "detected", "diagnose"]
