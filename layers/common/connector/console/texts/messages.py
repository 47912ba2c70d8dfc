"""French for the sentences of the connector that come with a refusal, a problem or a step.

The use cases write English: the admin API, the logs and the alerts have it too. A sentence is found
by its English text. What stands for `{name}` is a name, a number or another sentence. A sentence
that is not found is shown as it is: the words of another system, or a name.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from connector.console.texts.precondition_messages import PRECONDITIONS
from connector.console.texts.salesforce_messages import CAUSES, REMEDIES

WORDS: Final = ". Salesforce's message: "
"""What stands before the words of the org, which stay as they are."""
MAX_CHARACTERS: Final = 2_000
"""A longer text is none of ours, and is not searched for patterns."""
MAX_DEPTH: Final = 3
"""Sentences within sentences."""

SENTENCES: Final[dict[str, str]] = {
    # Refused people (sync.isolation, planning.write_outcome, aws.dynamodb.links).
    "the system describes this record in an unexpected form: save the record again there, or "
    "correct the named member": (
        "le système décrit cet enregistrement sous une forme inattendue : enregistrez-le de "
        "nouveau là-bas, ou corrigez l'élément nommé"
    ),
    "share the record with the integration user, or give that user 'View All' on the object (Setup "
    "> Permission Sets > Object Settings); what is typed until then waits. If the record was "
    "removed permanently, nothing can be written to it any more": (
        "partagez l'enregistrement avec l'utilisateur d'intégration, ou donnez-lui « Afficher "
        "tout » sur l'objet ; ce qui est saisi d'ici là attend. Si l'enregistrement a été supprimé "
        "définitivement, rien ne peut plus y être écrit"
    ),
    "correct the value in the system where it was typed": (
        "corrigez la valeur dans le système où elle a été saisie"
    ),
    "the values of this person are too large for the ledger: shorten the longest ones, or map "
    "fewer fields": (
        "les valeurs de cette personne sont trop volumineuses : raccourcissez les plus longues, ou "
        "réduisez les correspondances"
    ),
    "the connector has a defect that this person's data shows: the log line of the event "
    "link_failed names the place; report it, then retry the person": (
        "les données de cette personne révèlent un défaut du connecteur : la ligne link_failed du "
        "journal nomme l'endroit ; signalez-le, puis réessayez"
    ),
    "open the record there and save a change by hand: if that fails too, the other system has a "
    "problem with this record; otherwise nothing is to do, the write is tried again by each run": (
        "ouvrez l'enregistrement et modifiez-le à la main : si cela échoue aussi, l'autre système "
        "a un problème avec lui ; sinon rien à faire, chaque synchronisation réessaie"
    ),
    "shorten its longest values in Plezi": "raccourcissez ses plus longues valeurs dans Plezi",
    "save this contact again in Plezi, or report it to Plezi": (
        "enregistrez de nouveau ce contact dans Plezi, ou signalez-le à Plezi"
    ),
    # Problems of a mapping (mapping.validation).
    "set the direction to to_salesforce or off": "choisissez Plezi vers Salesforce, ou aucune",
    "accept it, or choose a writable field of the same type as the other field": (
        "acceptez-le, ou choisissez un champ modifiable du même type que l'autre"
    ),
    "reverse the direction of the pair, choose another field, or switch the pair off": (
        "inversez le sens, choisissez un autre champ, ou désactivez la correspondance"
    ),
    "most_restrictive requires checkboxes, such as an opt-out, on both sides": (
        "cette règle demande des cases à cocher, comme un refus, des deux côtés"
    ),
    "choose another policy, or two checkboxes": (
        "choisissez une autre règle, ou deux cases à cocher"
    ),
    "an enforced pair always writes Plezi's value to Salesforce, so it must be one-way": (
        "une correspondance imposée écrit toujours la valeur de Plezi : elle est à sens unique"
    ),
    "set the direction to to_salesforce, or enforced to false": (
        "choisissez Plezi vers Salesforce"
    ),
    "set the direction to to_salesforce, or change the Salesforce field to a picklist": (
        "choisissez Plezi vers Salesforce, ou faites du champ Salesforce une liste"
    ),
    "widen the field, or expect links with such values in quarantine": (
        "élargissez le champ, ou attendez-vous à des écritures refusées pour ces valeurs"
    ),
    "add rows to the value table; until then, fields with such values are held": (
        "complétez la table de valeurs ; d'ici là, ces valeurs attendent une décision"
    ),
    "choose another Contact field, or none": "choisissez un autre champ du contact, ou aucun",
    "without a filter, every Contact of the org is imported into Plezi": (
        "sans filtre, tous les contacts de l'organisation entrent dans Plezi"
    ),
    "set a filter on the field that allows the import, such as sync_to_plezi__c": (
        "filtrez sur le champ qui autorise l'import, comme sync_to_plezi__c"
    ),
    "filter by another field": "filtrez sur un autre champ",
    "choose one of these values": "choisissez une de ces valeurs",
    "choose a placeholder that the field accepts": (
        "choisissez une valeur de remplacement que le champ accepte"
    ),
    "keep one of them": "n'en gardez qu'une",
    "keep one of them, and set the direction of the others to to_salesforce": (
        "n'en gardez qu'une, et limitez les autres au sens vers Salesforce"
    ),
    "set locked to false, or restore the locked pair": "rétablissez la correspondance verrouillée",
    "map it with the direction both or to_plezi": ("ajoutez-le dans les deux sens, ou vers Plezi"),
    "choose another field": "choisissez un autre champ",
    "its type": "son type",
    "a system field, or no edit access": "champ système, ou pas d'accès en modification",
    "the time of day would be lost": "l'heure serait perdue",
    "all choices but one would be lost": "tous les choix sauf un seraient perdus",
    "leading zeros and the prefix + would be lost": "les zéros initiaux et le + seraient perdus",
    # The steps of the set-up (admin.setup_guide).
    "No check was made: nothing shows yet that they work.": (
        "Aucune vérification faite : rien ne montre encore qu'ils fonctionnent."
    ),
    "The credentials are new: nothing shows yet that they work.": (
        "Les identifiants sont nouveaux : rien ne montre encore qu'ils fonctionnent."
    ),
    "No probe has shown what the API of this Plezi tenant is like: plezi-sync probe --contact "
    "THROWAWAY_EMAIL": (
        "Aucun examen n'a montré comment est l'API de ce compte Plezi : plezi-sync probe --contact "
        "E-MAIL_JETABLE"
    ),
    "let the set-up create them, or create and grant them by hand in Setup": (
        "laissez la mise en route les créer, ou créez-les et accordez-les dans Configuration"
    ),
    "Sales sees a new field only with access to it, and on the page layout "
    "(docs/salesforce-setup.md)": (
        "Les commerciaux ne voient un nouveau champ que s'ils y ont accès, et sur la présentation "
        "de page (docs/salesforce-setup.md)"
    ),
    "Synchronization is not enabled.": "La synchronisation n'est pas démarrée.",
    "switch Plezi's built-in connector off first (two connectors would write the same Leads), then "
    "enable synchronization": (
        "désactivez d'abord le connecteur intégré de Plezi (deux connecteurs écriraient les mêmes "
        "pistes), puis démarrez la synchronisation"
    ),
    "No run is complete yet: plezi-sync sync --wait": (
        "Aucune synchronisation n'est encore complète : plezi-sync sync --wait"
    ),
    # The check of the connection.
    "Salesforce accepts the credentials.": "Salesforce accepte les identifiants.",
    "The user may use the API.": "L'utilisateur a accès à l'API.",
    "The login names no scopes; a call works, so the session has 'api'.": (
        "La connexion ne nomme pas d'étendue ; un appel réussit : la session a « api »."
    ),
    "The login lacks the scope 'api', which every call needs.": (
        "La connexion n'a pas l'étendue « api », nécessaire à chaque appel."
    ),
    "Salesforce does not show when the password was last changed.": (
        "Salesforce ne montre pas la date du dernier changement de mot de passe."
    ),
    **REMEDIES,
    **CAUSES,
}

PATTERNS: Final[tuple[tuple[str, str], ...]] = (
    (
        (
            "Plezi answered {status} for this contact, and accepts the key for others: "
            "{detail}. Allow "
            "the API key to use this contact in Plezi, then retry the person"
        ),
        (
            "Plezi a répondu {status} pour ce contact, et accepte la clé pour d'autres : {detail}. "
            "Autorisez la clé d'API pour ce contact dans Plezi, puis réessayez"
        ),
    ),
    (
        (
            "{field} cannot hold the value, {detail}: correct {source} in {system}, or map it to a "
            "field that can hold the value"
        ),
        (
            "{field} n'accepte pas la valeur, {detail} : corrigez {source} dans {system}, ou "
            "choisissez un champ qui l'accepte"
        ),
    ),
    ("the direction becomes {direction}: {reason}", "le sens devient {direction} : {reason}"),
    (
        "the {place} field {field} is read-only (a system field, or no edit access)",
        "le champ {field} ({place}) est en lecture seule (champ système, ou pas d'accès)",
    ),
    (
        "the {place} field {field} is read-only: {reason}",
        "le champ {field} ({place}) est en lecture seule : {reason}",
    ),
    (
        "{source} cannot be written to the {place} field {field}: {loss}",
        "{source} ne peut pas être écrit dans le champ {field} ({place}) : {loss}",
    ),
    (
        "Contact.{field} cannot be written to Plezi's {name}: {loss}",
        "Contact.{field} ne peut pas être écrit dans {name} de Plezi : {loss}",
    ),
    ("{name} is never written to Plezi", "{name} n'est jamais écrit dans Plezi"),
    (
        "{field} is free text: every spelling in use would be written to Plezi's function",
        "{field} est un texte libre : chaque graphie entrerait dans la fonction de Plezi",
    ),
    (
        "{field} accepts only the values of its list, and {source} any text",
        "{field} n'accepte que les valeurs de sa liste, et {source} tout texte",
    ),
    (
        "{field} does not accept all values of {source}: {loss}",
        "{field} n'accepte pas toutes les valeurs de {source} : {loss}",
    ),
    (
        "it holds {length} characters, and the other side {more}",
        "il contient {length} caractères, et l'autre côté {more}",
    ),
    (
        "it stores {scale} decimals, and the other side may have more",
        "il garde {scale} décimales, et l'autre côté peut en avoir plus",
    ),
    ("its list lacks {names} and {n} more", "sa liste n'a pas {names} ni {n} autres"),
    ("its list lacks {names}", "sa liste n'a pas {names}"),
    (
        (
            "widen the field, or expect links with such values in quarantine, or name equal "
            "values in "
            "a value table (GET /admin/mapping/values)"
        ),
        (
            "élargissez le champ, attendez-vous à des écritures refusées, ou complétez la table de "
            "valeurs"
        ),
    ),
    ("Plezi has no attribute {name}", "Plezi n'a pas d'attribut {name}"),
    (
        "{object} has no visible field {name}",
        "{object} n'a pas de champ visible {name}",
    ),
    (
        "did you mean {names}? If not, create it or switch the pair off",
        "vouliez-vous dire {names} ? Sinon, créez-le ou désactivez la correspondance",
    ),
    (
        "create it, or grant the integration user access to it, or switch the pair off",
        "créez-le, accordez-le à l'utilisateur d'intégration, ou désactivez la correspondance",
    ),
    (
        (
            "give the integration user 'Read' on Account, in Setup > Permission Sets > Object "
            "Settings or in its profile, or switch the pair off"
        ),
        (
            "donnez à l'utilisateur d'intégration « Lire » sur les comptes, dans Configuration > "
            "Ensembles d'autorisations > Paramètres d'objet ou dans son profil, ou désactivez la "
            "correspondance"
        ),
    ),
    ("create it, or switch the pair off", "créez-le, ou désactivez la correspondance"),
    (
        "several pairs use the Salesforce field {field}",
        "plusieurs correspondances utilisent le champ Salesforce {field}",
    ),
    (
        "several pairs write to the Plezi attribute {name}: {keys}",
        "plusieurs correspondances écrivent dans l'attribut Plezi {name} : {keys}",
    ),
    (
        "Plezi requires {field} for each contact",
        "Plezi exige {field} pour chaque contact",
    ),
    (
        "Salesforce requires {field} for each Lead, and Plezi may have none",
        "Salesforce exige {field} pour chaque piste, et Plezi peut ne pas l'avoir",
    ),
    ("The step {step} is not done.", "L'étape {step} n'est pas terminée."),
    (
        "put the credentials of {system} in its secret",
        "mettez les identifiants de {system} dans son secret",
    ),
    (
        "No dry run of version {version} was made.",
        "Aucun aperçu de la version {version} n'a été fait.",
    ),
    ("The dry run {run} is in progress.", "L'aperçu {run} est en cours."),
    ("The dry run {run} did not end: {reason}", "L'aperçu {run} n'a pas abouti : {reason}"),
    ("No run starts: {reason}", "Aucune synchronisation ne démarre : {reason}"),
    (
        "{pair}: {message}. Remedy: {remedy}",
        "{pair} : {message}. Remède : {remedy}",
    ),
    (
        "The password expires in {days} days, by a policy of {policy} days.",
        "Le mot de passe expire dans {days} jours, selon une politique de {policy} jours.",
    ),
    (
        "{used} of the org's {total} API calls in 24 hours are used.",
        "{used} des {total} appels API de l'organisation en 24 heures sont utilisés.",
    ),
    (
        "The login has the scopes that are needed: {names}.",
        "La connexion a les étendues nécessaires : {names}.",
    ),
    ("The org is a sandbox of {edition}.", "L'organisation est une sandbox de {edition}."),
    ("The org is {edition}.", "L'organisation est {edition}."),
    *PRECONDITIONS,
    ("{first}; {second}", "{first} ; {second}"),
)
"""Sentences with names in them, the more specific ones first."""
NUMBERED: Final = re.compile(r"(?:; |\s|^)([1-9])\. (?=[A-Za-z])")
"""Between the causes of a refusal: `1. the first; 2. the second`."""
HOLE: Final = re.compile(r"\\\{(\w+)\\\}")


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(HOLE.sub(r"(?P<\1>.+?)", re.escape(english)), re.DOTALL), french)
        for english, french in PATTERNS
    )


def in_french(text: str, depth: int = 0) -> str:
    """Return a sentence of the connector in French; any other text as it is."""
    if text in SENTENCES:
        return SENTENCES[text]
    if len(text) > MAX_CHARACTERS or depth == MAX_DEPTH:
        return text
    ours, mark, words = text.partition(WORDS)
    if mark:
        return f"{in_french(ours, depth + 1)}. Message de Salesforce : {words}"
    head, *causes = NUMBERED.split(text)
    if causes:
        listed = zip(causes[::2], causes[1::2], strict=True)
        parts = [f"{number}. {in_french(cause, depth + 1)}" for number, cause in listed]
        return " ".join(filter(None, (in_french(head, depth + 1), " ; ".join(parts))))
    for pattern, french in _compiled():
        found = pattern.fullmatch(text)
        if found is not None:
            names = {name: in_french(it, depth + 1) for name, it in found.groupdict().items()}
            return french.format(**names)
    return text
