"""Texts of every page: navigation, sign-in, errors, what was done."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "general.product": ("Plezi ↔ Salesforce", "Plezi ↔ Salesforce"),
    "general.skip": ("Skip to the content", "Aller au contenu"),
    "general.navigation": ("Main navigation", "Navigation principale"),
    "general.signed_in": ("Signed in as {name}", "Connecté : {name}"),
    "general.sign_out": ("Sign out", "Se déconnecter"),
    "general.sign_in": ("Sign in", "Se connecter"),
    "general.blank": ("(empty)", "(vide)"),
    "general.becomes": ("becomes", "devient"),
    "general.all": ("All", "Tous"),
    "general.both": ("Both", "Les deux"),
    "general.filter": ("Filter", "Filtrer"),
    "general.more": ("Next page", "Page suivante"),
    "general.cancel": ("Cancel", "Annuler"),
    "nav.overview": ("Overview", "Vue d'ensemble"),
    "nav.review": ("Review", "À traiter"),
    "nav.people": ("People", "Personnes"),
    "nav.mapping": ("Mapping", "Correspondances"),
    "nav.runs": ("Runs", "Synchronisations"),
    "nav.setup": ("Set-up", "Mise en route"),
    "nav.audit": ("Audit", "Audit"),
    "nav.settings": ("Settings", "Réglages"),
    "role.viewer": ("viewer", "lecture"),
    "role.operator": ("operator", "opérations"),
    "role.mapper": ("mapper", "correspondances"),
    "role.privacy": ("privacy", "données personnelles"),
    "signed_out.title": ("You are signed out", "Vous êtes déconnecté"),
    "signed_out.text": (
        "The session of this console has ended.",
        "La session de cette console est terminée.",
    ),
    "sign_in.expired": (
        "The sign-in took too long, or cookies are blocked. Sign in again.",
        "La connexion a pris trop de temps, ou les cookies sont bloqués. Reconnectez-vous.",
    ),
    "sign_in.other_attempt": (
        "This sign-in belongs to another attempt, for example in another tab. Sign in again.",
        (
            "Cette connexion appartient à une autre tentative, par exemple dans un autre onglet. "
            "Reconnectez-vous."
        ),
    ),
    "sign_in.refused": (
        "The sign-in was not accepted. Sign in again.",
        "La connexion n'a pas été acceptée. Reconnectez-vous.",
    ),
    "sign_in.unavailable": (
        "The sign-in service does not respond. Try again in a minute.",
        "Le service de connexion ne répond pas. Réessayez dans une minute.",
    ),
    "sign_in.no_role": (
        (
            "You are signed in, but you have no role in this console. Ask an "
            "administrator to add you "
            "to one of the groups viewer, operator, mapper or privacy."
        ),
        (
            "Vous êtes connecté, mais vous n'avez aucun rôle dans cette console. Demandez à un "
            "administrateur de vous ajouter à l'un des groupes viewer, operator, mapper ou privacy."
        ),
    ),
    "error.title": ("This did not work", "Cela n'a pas fonctionné"),
    "error.home": ("Back to the overview", "Retour à la vue d'ensemble"),
    "error.no_page": ("There is no such page.", "Cette page n'existe pas."),
    "error.role": (
        "Your role does not allow this. It needs the role “{role}”: ask an administrator.",
        "Votre rôle ne le permet pas. Il faut le rôle « {role} » : demandez à un administrateur.",
    ),
    "error.form": (
        (
            "The form is out of date, or was not sent from this console. Nothing was "
            "changed: open the "
            "page again."
        ),
        (
            "Le formulaire est périmé, ou n'a pas été envoyé depuis cette console. Rien n'a été "
            "modifié : rouvrez la page."
        ),
    ),
    "error.session": (
        "Your session has ended. Nothing was changed: sign in again, then repeat the action.",
        "Votre session est terminée. Rien n'a été modifié : reconnectez-vous, puis recommencez.",
    ),
    "error.404": (
        "It was not found. It may have been removed, or the address is not complete.",
        "Introuvable. L'élément a peut-être été supprimé, ou l'adresse est incomplète.",
    ),
    "error.422": (
        "The entry cannot be used. Nothing was changed.",
        "La saisie ne peut pas être utilisée. Rien n'a été modifié.",
    ),
    "error.409": (
        "Something changed in between. Nothing was changed: look again, then decide.",
        "Quelque chose a changé entre-temps. Rien n'a été modifié : vérifiez, puis décidez.",
    ),
    "error.503": (
        "A system is busy. Nothing was changed: try again in a minute.",
        "Un système est occupé. Rien n'a été modifié : réessayez dans une minute.",
    ),
    "error.502": (
        "Plezi or Salesforce refuses the connector. An administrator must correct the cause.",
        "Plezi ou Salesforce refuse le connecteur. Un administrateur doit corriger la cause.",
    ),
    "done.started": ("Synchronization is started.", "La synchronisation est démarrée."),
    "done.paused": (
        "Synchronization is paused. Nothing is lost.",
        "La synchronisation est en pause. Rien n'est perdu.",
    ),
    "done.breaker": ("The decision is stored.", "La décision est enregistrée."),
    "done.run_requested": ("The run is requested.", "La synchronisation est demandée."),
    "done.chosen": (
        "The value is chosen. A run applies it now.",
        "La valeur est choisie. Une synchronisation l'applique maintenant.",
    ),
    "done.chosen_all": (
        "The values are chosen. Runs apply them now.",
        "Les valeurs sont choisies. Des synchronisations les appliquent maintenant.",
    ),
    "done.chosen_none": (
        "Nothing was left to decide.",
        "Il n'y avait plus rien à décider.",
    ),
    "done.policy_saved": (
        "The policy is saved, and the waiting conflicts are decided by it.",
        "La règle est enregistrée, et les conflits en attente sont décidés par elle.",
    ),
    "done.retried": (
        "The refused writes are tried again now.",
        "Les écritures refusées sont retentées maintenant.",
    ),
    "done.primary": (
        "The primary Lead is chosen. A run applies it now.",
        "La piste principale est choisie. Une synchronisation l'applique maintenant.",
    ),
    "done.draft_saved": (
        "The change is in the draft. Nothing is applied yet: preview it first.",
        (
            "La modification est dans le brouillon. Rien n'est encore appliqué : "
            "prévisualisez d'abord."
        ),
    ),
    "done.discarded": ("The draft is discarded.", "Le brouillon est abandonné."),
    "done.applied": (
        "The mapping is saved. This run applies it to all people.",
        "Les correspondances sont enregistrées. Cette synchronisation les applique à tous.",
    ),
    "done.approved": (
        "The next run within four hours may do what this preview shows.",
        (
            "La prochaine synchronisation, dans les quatre heures, peut faire ce que montre "
            "cet aperçu."
        ),
    ),
    "done.restored": (
        "The old version is saved as the newest one. Apply it with a full run.",
        "L'ancienne version est la plus récente. Appliquez-la par une synchronisation complète.",
    ),
    "done.undo_previewed": (
        "This shows what the undo would put back. Nothing is written yet.",
        "Voici ce que l'annulation remettrait. Rien n'est encore écrit.",
    ),
    "done.undo_requested": (
        "The undo is requested. This page shows when it is complete.",
        "L'annulation est demandée. Cette page montre quand elle est terminée.",
    ),
}
