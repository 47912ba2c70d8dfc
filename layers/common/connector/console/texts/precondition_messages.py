"""French for the findings about preconditions (`salesforce.precondition_check`)."""

from __future__ import annotations

from typing import Final

_IN_SETUP: Final = "dans Configuration > Ensembles d'autorisations > Paramètres d'objet"
_AGAIN: Final = "puis revérifiez avec plezi-sync connect check"

PRECONDITIONS: Final[tuple[tuple[str, str], ...]] = (
    (
        "The company of Contacts is not sent to Plezi",
        "La société des contacts n'est pas envoyée à Plezi",
    ),
    (
        "{what}. Correct this, then test again with plezi-sync connect check.",
        f"{{what}}. Corrigez cela, {_AGAIN}.",
    ),
    (
        (
            "the integration user lacks the permission 'Read' on Account: give the user 'Read' on "
            "Account, in Setup > Permission Sets > Object Settings or in its profile, or switch "
            "the pair off"
        ),
        (
            "l'utilisateur d'intégration n'a pas « Lire » sur les comptes : donnez-lui ce droit "
            f"{_IN_SETUP} ou dans son profil, ou désactivez la correspondance"
        ),
    ),
    (
        (
            "the integration user has no access to the object {object} ({code}): give the user "
            "{rights} on {same}, in Setup > Permission Sets > Object Settings or in its profile"
        ),
        (
            "l'utilisateur d'intégration n'a pas accès à l'objet {object} ({code}) : donnez-lui "
            f"{{rights}} sur {{same}}, {_IN_SETUP} ou dans son profil"
        ),
    ),
    (
        (
            "{field} cannot be filtered, because it is encrypted with the probabilistic scheme, "
            "and people are found by their {key}: choose deterministic encryption for it in Setup "
            "> Encryption Policy, and encrypt the existing data again"
        ),
        (
            "{field} ne peut pas être filtré, car il est chiffré avec le schéma probabiliste, et "
            "les personnes sont trouvées par ce champ : choisissez le chiffrement déterministe "
            "dans Configuration > Politique de chiffrement, puis chiffrez de nouveau les données"
        ),
    ),
    (
        (
            "{field} is invisible for the integration user: give the user 'Read Access' on it, in "
            "Setup > Permission Sets > Object Settings > Field Permissions"
        ),
        (
            "{field} est invisible pour l'utilisateur d'intégration : donnez-lui l'accès en "
            f"lecture {_IN_SETUP} > Autorisations de champ"
        ),
    ),
    (
        "The integration user lacks the permission {permission} on {object}",
        "L'utilisateur d'intégration n'a pas l'autorisation {permission} sur {object}",
    ),
    (
        "The integration user has no access to the object {object} ({code})",
        "L'utilisateur d'intégration n'a pas accès à l'objet {object} ({code})",
    ),
    (
        (
            "{field} cannot be filtered, because it is encrypted with the probabilistic scheme, "
            "and people are found by their {key}"
        ),
        (
            "{field} ne peut pas être filtré, car il est chiffré avec le schéma probabiliste, et "
            "les personnes sont trouvées par ce champ"
        ),
    ),
    (
        "{field} is invisible for the integration user",
        "{field} est invisible pour l'utilisateur d'intégration",
    ),
    (
        (
            "The sharing of {objects} is private, and the integration user lacks 'View All "
            "Records' on {hidden}: records that no role or sharing rule opens are invisible to the "
            "connector. A Lead that is hidden later is listed as not_visible."
        ),
        (
            "Le partage de {objects} est privé, et l'utilisateur d'intégration n'a pas « Afficher "
            "tous les enregistrements » sur {hidden} : ce que ni rôle ni règle de partage n'ouvre "
            "est invisible pour le connecteur. Une piste masquée plus tard est listée comme "
            "not_visible."
        ),
    ),
    (
        (
            "give the user 'View All Records' on {objects}, in Setup > Permission Sets > Object "
            "Settings, or share these records with the user, then test again with plezi-sync "
            "connect check"
        ),
        (
            f"donnez-lui « Afficher tous les enregistrements » sur {{objects}}, {_IN_SETUP}, ou "
            f"partagez ces enregistrements avec lui, {_AGAIN}"
        ),
    ),
    (
        (
            "The sharing of {objects} is private, and it cannot be verified whether the "
            "integration user sees all records of {unknown}: it may not read its own permissions."
        ),
        (
            "Le partage de {objects} est privé, et on ne peut pas vérifier si l'utilisateur "
            "d'intégration voit tous les enregistrements de {unknown} : il ne peut pas lire ses "
            "propres autorisations."
        ),
    ),
    (
        (
            "open the permission set of the integration user in Setup > Permission Sets > Object "
            "Settings, and look for 'View All Records' on {objects}; or give the user 'View Setup "
            "and Configuration' (System Permissions), then test again with plezi-sync connect check"
        ),
        (
            "ouvrez l'ensemble d'autorisations de l'utilisateur d'intégration "
            f"{_IN_SETUP}, et cherchez « Afficher tous les enregistrements » sur {{objects}} ; ou "
            "donnez-lui « Afficher la configuration » (Autorisations système), "
            f"{_AGAIN}"
        ),
    ),
    (
        (
            "Leads are created with the record type {name}, which lacks values of mapped "
            "picklists: {values}. A Lead is created without them."
        ),
        (
            "Les pistes sont créées avec le type d'enregistrement {name}, qui n'a pas toutes les "
            "valeurs des listes associées : {values}. Une piste est créée sans ces valeurs."
        ),
    ),
    (
        (
            "Lead.{field} lacks values in the record type {name}: add them in Setup > Object "
            "Manager > Lead > Record Types > {same} > Picklists Available for Editing, or give the "
            "integration user another default record type, then test again with plezi-sync connect "
            "check"
        ),
        (
            "il manque des valeurs à Lead.{field} dans le type d'enregistrement {name} : "
            "ajoutez-les dans Configuration > Gestionnaire d'objet > Piste > Types "
            "d'enregistrement > {same}, ou donnez à l'utilisateur d'intégration un autre type par "
            f"défaut, {_AGAIN}"
        ),
    ),
    ("{message} Remedy: {remedy}", "{message} Remède : {remedy}"),
)
"""Sentences with names in them, the more specific ones first."""
