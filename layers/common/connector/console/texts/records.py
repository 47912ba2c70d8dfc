"""Texts of the audit log."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "audit.lead": (
        "Who changed what: every decision, run and setting. Entries are never changed.",
        "Qui a changé quoi : chaque décision, synchronisation et réglage. Rien n'est modifiable.",
    ),
    "audit.who": ("Who", "Qui"),
    "audit.action": ("Action", "Action"),
    "audit.subject": ("Subject", "Objet"),
    "audit.empty": ("No entry yet.", "Aucune entrée pour l'instant."),
}
