"""Texts of the review queue."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "review.lead": (
        "What only a person can decide. Everybody else is synchronized in the meantime.",
        "Ce que seule une personne peut décider. Tous les autres sont synchronisés entre-temps.",
    ),
    "review.lists": ("Kinds of decision", "Types de décision"),
    "attention.hold": ("Conflicts", "Conflits"),
    "attention.hold.text": (
        "Two systems have two values. Choose the one to keep: it is written to the other records.",
        (
            "Deux systèmes ont deux valeurs. Choisissez celle à garder : elle est écrite dans les "
            "autres enregistrements."
        ),
    ),
    "attention.quarantine": ("Refused writes", "Écritures refusées"),
    "attention.quarantine.text": (
        "A system refused a value, in the words below. Correct the value or the rule, then retry.",
        (
            "Un système a refusé une valeur, dans les termes ci-dessous. Corrigez la valeur ou la "
            "règle, puis réessayez."
        ),
    ),
    "attention.duplicate": ("Several Leads", "Plusieurs pistes"),
    "attention.duplicate.text": (
        "Several Leads have one e-mail. Choose the one that is synchronized first.",
        "Plusieurs pistes ont le même e-mail. Choisissez celle à synchroniser en premier.",
    ),
    "attention.shared": ("Shared addresses", "Adresses partagées"),
    "attention.shared.text": (
        "Too many records have one address, such as noemail@…: none of them is written.",
        "Trop d'enregistrements ont la même adresse, comme noemail@… : aucun n'est écrit.",
    ),
    "attention.no_email": ("No e-mail", "Sans e-mail"),
    "attention.no_email.text": (
        "The e-mail of a Lead was cleared. It waits until the Lead has one again.",
        "L'e-mail d'une piste a été effacé. Elle attend d'en avoir un à nouveau.",
    ),
    "review.empty": ("Nothing waits here.", "Rien n'attend ici."),
    "review.bulk": ("Decide many at once", "Décider en masse"),
    "review.all_plezi": ("All as in Plezi…", "Tout comme Plezi…"),
    "review.all_salesforce": ("All as in Salesforce…", "Tout comme Salesforce…"),
    "review.always": ("Always so:", "Toujours ainsi :"),
    "review.policy_text": (
        "From now on {side} wins each conflict of {label}: a new version of the mapping.",
        "Désormais {side} l'emporte à chaque conflit de {label} : une nouvelle version.",
    ),
    "review.policy_confirm": ("Always: {side} wins for {label}", "Toujours : {side} pour {label}"),
    "review.changed": ("record changed", "modifié le"),
    "review.use": ("Keep this value", "Garder cette valeur"),
    "review.untyped": (
        "Nobody typed this value, so it cannot replace one.",
        "Personne n'a saisi cette valeur : elle ne peut pas en remplacer une autre.",
    ),
    "review.bulk_title": ("{label}: all as in {side}", "{label} : tout comme {side}"),
    "review.bulk_people.one": (
        "{n} person gets the value of this side.",
        "{n} personne reçoit la valeur de ce côté.",
    ),
    "review.bulk_people.other": (
        "{n} people get the value of this side.",
        "{n} personnes reçoivent la valeur de ce côté.",
    ),
    "review.bulk_overwritten.one": (
        "typed value is overwritten. The journal keeps it.",
        "valeur saisie est écrasée. Le journal la garde.",
    ),
    "review.bulk_overwritten.other": (
        "typed values are overwritten. The journal keeps them.",
        "valeurs saisies sont écrasées. Le journal les garde.",
    ),
    "review.bulk_left_out.one": (
        "{n} person is left out: nobody typed a value there, or several records differ.",
        "{n} personne est laissée de côté : aucune valeur saisie, ou plusieurs diffèrent.",
    ),
    "review.bulk_left_out.other": (
        "{n} people are left out: nobody typed a value there, or several records differ.",
        "{n} personnes sont laissées de côté : aucune valeur saisie, ou plusieurs diffèrent.",
    ),
    "review.bulk_confirm": (
        "Decide: {label} as in {side}",
        "Décider : {label} comme {side}",
    ),
    "review.retry": ("Retry", "Réessayer"),
    "review.retry_all": ("Retry all refused writes", "Réessayer toutes les écritures refusées"),
    "review.retry_group": ("Retry these people", "Réessayer ces personnes"),
    "review.fields": ("Fields: {fields}", "Champs : {fields}"),
    "review.people.one": ("{n} person", "{n} personne"),
    "review.people.other": ("{n} people", "{n} personnes"),
    "review.on_this_page": ("on this page", "sur cette page"),
    "review.since": ("since", "depuis le"),
    "review.tries.one": ("{n} try", "{n} essai"),
    "review.tries.other": ("{n} tries", "{n} essais"),
    "review.primary": ("primary", "principale"),
    "review.proposed": ("proposed", "proposée"),
    "review.pick": ("Make it the primary Lead", "En faire la piste principale"),
    "hold.conflict": (
        "Both sides changed the field. Since",
        "Les deux côtés ont modifié le champ. Depuis le",
    ),
    "hold.in_doubt": (
        "The answer to a write was lost. Since",
        "La réponse à une écriture a été perdue. Depuis le",
    ),
    "hold.email_taken": (
        "The new e-mail belongs to another person. Since",
        "Le nouvel e-mail appartient à une autre personne. Depuis le",
    ),
    "hold.email_in_use": (
        "Another person still has the new e-mail. Since",
        "Une autre personne a encore le nouvel e-mail. Depuis le",
    ),
    "hold.never_agreed": (
        "The pair is new, and both sides have a value. Since",
        "La correspondance est nouvelle, et les deux côtés ont une valeur. Depuis le",
    ),
    "hold.write_loop": (
        "Another automation replaces the value again and again. Since",
        "Une autre automatisation remplace sans cesse la valeur. Depuis le",
    ),
    "hold.unknown_value": (
        "The value table has no row for the value. Since",
        "La table de valeurs n'a pas de ligne pour la valeur. Depuis le",
    ),
    "problem.unknown_value": (
        "The value table has no row for a value",
        "La table de valeurs n'a pas de ligne pour une valeur",
    ),
    "problem.unreadable_record": ("The record cannot be read", "Enregistrement illisible"),
    "problem.not_visible": ("The record cannot be seen", "Enregistrement invisible"),
    "problem.unusable_value": (
        "A value cannot be read, or does not fit the field of the other side",
        "Une valeur est illisible, ou ne convient pas au champ de l'autre côté",
    ),
    "problem.unanswered": ("A write gets no answer", "Une écriture reste sans réponse"),
    "problem.not_storable": ("The data is too large", "Les données sont trop volumineuses"),
    "problem.defect": ("An error of the connector", "Une erreur du connecteur"),
    "problem.STRING_TOO_LONG": ("A value is too long", "Une valeur est trop longue"),
    "problem.DUPLICATES_DETECTED": (
        "A duplicate rule blocks the record",
        "Une règle de duplication bloque l'enregistrement",
    ),
    "problem.DUPLICATE_VALUE": ("A value must be unique", "Une valeur doit être unique"),
    "problem.FIELD_CUSTOM_VALIDATION_EXCEPTION": (
        "A validation rule refuses the record",
        "Une règle de validation refuse l'enregistrement",
    ),
    "problem.INVALID_EMAIL_ADDRESS": (
        "The e-mail address is not valid",
        "L'adresse e-mail n'est pas valable",
    ),
    "problem.INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": (
        "The list does not have the value",
        "La liste n'a pas cette valeur",
    ),
    "problem.REQUIRED_FIELD_MISSING": ("A required field is empty", "Un champ requis est vide"),
    "problem.CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": (
        "A trigger or flow failed",
        "Un déclencheur ou flux a échoué",
    ),
    "problem.CANNOT_EXECUTE_FLOW_TRIGGER": ("A flow failed", "Un flux a échoué"),
    "problem.ENTITY_IS_LOCKED": ("The record is locked", "L'enregistrement est verrouillé"),
    "problem.INSUFFICIENT_ACCESS_OR_READONLY": (
        "The integration user may not edit the record",
        "L'utilisateur d'intégration ne peut pas modifier l'enregistrement",
    ),
    "problem.INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": (
        "The integration user may not use a related record",
        "L'utilisateur d'intégration n'a pas accès à un enregistrement lié",
    ),
    "problem.INVALID_FIELD_FOR_INSERT_UPDATE": (
        "The integration user may not edit a field",
        "L'utilisateur d'intégration ne peut pas modifier un champ",
    ),
    "problem.FIELD_INTEGRITY_EXCEPTION": (
        "A value does not fit the field",
        "Une valeur ne convient pas au champ",
    ),
    "problem.INACTIVE_OWNER_OR_USER": (
        "The owner of the record is inactive",
        "Le propriétaire de l'enregistrement est inactif",
    ),
    "problem.INVALID_CROSS_REFERENCE_KEY": (
        "A related record does not exist",
        "Un enregistrement lié n'existe pas",
    ),
    "problem.refused_in_success": (
        "Plezi answers the write with an error",
        "Plezi répond à l'écriture par une erreur",
    ),
    "problem.contact_refused": (
        "Plezi refuses this contact to the API key",
        "Plezi refuse ce contact à la clé d'API",
    ),
}
