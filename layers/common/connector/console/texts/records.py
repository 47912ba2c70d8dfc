"""Texts of the audit log."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "audit.lead": (
        "Who changed what: every decision, run and setting. Entries are never changed.",
        "Qui a changé quoi : chaque décision, synchronisation et réglage. Rien n'est modifiable.",
    ),
    "audit.when": ("When", "Quand"),
    "audit.who": ("Who", "Qui"),
    "audit.action": ("Action", "Action"),
    "audit.subject": ("Subject", "Objet"),
    "action.start": ("started synchronization", "a démarré la synchronisation"),
    "action.pause": ("paused synchronization", "a mis la synchronisation en pause"),
    "action.mapping": ("saved the mapping", "a enregistré les correspondances"),
    "action.change draft": ("changed the draft", "a modifié le brouillon"),
    "action.discard draft": ("discarded the draft", "a abandonné le brouillon"),
    "action.preview draft": ("previewed the draft", "a demandé l'aperçu du brouillon"),
    "action.approve preview": ("approved a preview", "a approuvé un aperçu"),
    "action.check connection": ("checked the connection", "a vérifié la connexion"),
    "action.setup": ("set up fields", "a préparé les champs"),
    "action.undo run": ("undid a run", "a annulé une synchronisation"),
    "action.repair run": ("repaired differences", "a réparé des différences"),
    "action.request run: changes": ("started a run", "a lancé une synchronisation"),
    "action.request run: full": ("started a full run", "a lancé une synchronisation complète"),
    "action.request run: dry_run": ("requested a preview", "a demandé un aperçu"),
    "action.request run: verify": ("started a verification", "a lancé une vérification"),
    "action.request run: selected": (
        "synchronized selected people",
        "a synchronisé des personnes choisies",
    ),
    "action.export person": ("exported a person", "a exporté une personne"),
    "action.erase person": ("erased a person", "a effacé une personne"),
    "action.lift tombstone": ("let a person come back", "a permis le retour d'une personne"),
    "action.add recipient": ("added a recipient", "a ajouté un destinataire"),
    "action.remove recipient": ("removed a recipient", "a retiré un destinataire"),
    "action.change limits": ("changed the limits", "a modifié les limites"),
    "action.reset breaker": ("let runs go on", "a relancé les synchronisations"),
    "audit.empty": ("No entry yet.", "Aucune entrée pour l'instant."),
}
