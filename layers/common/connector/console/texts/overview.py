"""Texts of the first page and of the review."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "health.good.title": ("Everything is in step", "Tout est synchronisé"),
    "health.good.text": (
        "The last run was complete, and no problem is open.",
        "La dernière synchronisation est complète, et aucun problème n'est ouvert.",
    ),
    "health.waiting.title": ("Synchronization works", "La synchronisation fonctionne"),
    "health.waiting.text": (
        "Some people wait for a decision; everybody else is in step.",
        "Quelques personnes attendent une décision ; toutes les autres sont synchronisées.",
    ),
    "health.stopped.title": ("Synchronization is stopped", "La synchronisation est arrêtée"),
    "health.stopped.text": (
        "The connector stopped itself, before it did harm. Nothing is lost:",
        "Le connecteur s'est arrêté lui-même, avant de causer un dommage. Rien n'est perdu :",
    ),
    "health.failed.title": ("The last run failed", "La dernière synchronisation a échoué"),
    "health.failed.text": (
        "The next run goes on where this one ended.",
        "La prochaine synchronisation reprend où celle-ci s'est arrêtée.",
    ),
    "health.drift.title": ("Some values differ", "Certaines valeurs diffèrent"),
    "health.drift.text": (
        "The last verification found differences without a known cause. Open it and repair them.",
        (
            "La dernière vérification a trouvé des différences sans cause connue. "
            "Ouvrez-la pour les "
            "réparer."
        ),
    ),
    "health.suspended.title": ("A field is suspended", "Un champ est suspendu"),
    "health.suspended.text": (
        "A field pair cannot be used at present. All other fields work.",
        (
            "Une correspondance n'est pas utilisable actuellement. Tous les autres champs "
            "fonctionnent."
        ),
    ),
    "health.alerts.title": ("An alert is open", "Une alerte est ouverte"),
    "health.alerts.text": (
        "Synchronization works; the alert below needs attention.",
        "La synchronisation fonctionne ; l'alerte ci-dessous demande votre attention.",
    ),
    "health.sync_due.title": ("The mapping is not applied yet", "Correspondances à appliquer"),
    "health.sync_due.text": (
        "Synchronization works; a saved change of the mapping waits for a full run.",
        "La synchronisation fonctionne ; une modification attend une synchronisation complète.",
    ),
    "health.paused.title": ("Synchronization is paused", "La synchronisation est en pause"),
    "health.paused.text": (
        "Changes are kept, and synchronized after the start.",
        "Les modifications sont conservées, et synchronisées après la reprise.",
    ),
    "health.no_run.title": ("Ready for the first run", "Prêt pour la première synchronisation"),
    "health.no_run.text": (
        "Synchronization is started. The first run begins by the schedule, or now.",
        "La synchronisation est démarrée. La première commence selon l'horaire, ou maintenant.",
    ),
    "health.never_started.title": ("Not started yet", "Pas encore démarrée"),
    "health.never_started.text": (
        "The set-up leads you to the first synchronization.",
        "La mise en route vous mène à la première synchronisation.",
    ),
    "overview.sync_due": (
        "A full run is due: it applies the saved mapping to all people.",
        "Une synchronisation complète est due : elle applique les correspondances à tous.",
    ),
    "overview.breaker_intended": ("It is intended: go on", "C'est voulu : continuer"),
    "overview.breaker_corrected": ("The cause is corrected", "La cause est corrigée"),
    "overview.to_setup": ("Go to the set-up", "Aller à la mise en route"),
    "overview.start": ("Start synchronization", "Démarrer la synchronisation"),
    "overview.pause": ("Pause", "Mettre en pause"),
    "overview.run_now": ("Synchronize now", "Synchroniser maintenant"),
    "overview.run_full": ("Apply the mapping to all", "Appliquer à tous"),
    "overview.waiting": ("Waiting for a decision", "En attente d'une décision"),
    "overview.nothing_waits": ("No person waits.", "Personne n'attend."),
    "waiting.hold.one": ("person with a conflict", "personne avec un conflit"),
    "waiting.hold.other": ("people with a conflict", "personnes avec un conflit"),
    "waiting.quarantine.one": ("person with a refused write", "personne avec une écriture refusée"),
    "waiting.quarantine.other": (
        "people with a refused write",
        "personnes avec une écriture refusée",
    ),
    "waiting.duplicate.one": ("person with several Leads", "personne avec plusieurs pistes"),
    "waiting.duplicate.other": ("people with several Leads", "personnes avec plusieurs pistes"),
    "waiting.shared.one": ("shared address", "adresse partagée"),
    "waiting.shared.other": ("shared addresses", "adresses partagées"),
    "waiting.no_email.one": ("Lead without an e-mail", "piste sans e-mail"),
    "waiting.no_email.other": ("Leads without an e-mail", "pistes sans e-mail"),
    "overview.runs": ("Runs", "Synchronisations"),
    "overview.last_run": ("Last", "Dernière"),
    "overview.next_run": ("Next", "Prochaine"),
    "overview.before": ("at the latest", "au plus tard"),
    "overview.none": ("none", "aucune"),
    "overview.no_run": ("no run yet", "aucune pour l'instant"),
    "overview.first_sync": ("First synchronization", "Première synchronisation"),
    "overview.stage": ("stage: {stage} people", "étape : {stage} personnes"),
    "overview.agreement": ("Do both systems agree?", "Les deux systèmes concordent-ils ?"),
    "overview.people_compared": ("People compared", "Personnes comparées"),
    "overview.unexplained": (
        "Fields that differ without a known cause",
        "Champs différents sans cause connue",
    ),
    "overview.compared_at": ("Compared", "Comparé le"),
    "overview.never_compared": (
        "Not compared completely yet.",
        "Pas encore comparés complètement.",
    ),
    "overview.verify": ("Compare everything now", "Tout comparer maintenant"),
    "overview.budget": (
        "API calls, 24 hours",
        "Appels API, 24 heures",
    ),
    "overview.meter.ours": ("Salesforce, of the connector", "Salesforce, du connecteur"),
    "overview.meter.plezi": (
        "Plezi, an average day, of what the pace allows",
        "Plezi, un jour moyen, sur ce que permet le débit",
    ),
    "overview.meter.org": ("Salesforce, of the whole org", "Salesforce, toute l'organisation"),
    "overview.no_budget": ("Known after the first run.", "Connu après la première exécution."),
    "overview.password.one": (
        "The Salesforce password expires in {n} day.",
        "Le mot de passe Salesforce expire dans {n} jour.",
    ),
    "overview.password.other": (
        "The Salesforce password expires in {n} days.",
        "Le mot de passe Salesforce expire dans {n} jours.",
    ),
    "overview.alerts": ("Open alerts", "Alertes ouvertes"),
    "overview.no_alert": ("No alert is open.", "Aucune alerte n'est ouverte."),
    "overview.suspended": ("Suspended fields", "Champs suspendus"),
    "overview.people.one": ("{n} person is synchronized.", "{n} personne est synchronisée."),
    "overview.people.other": (
        "{n} people are synchronized.",
        "{n} personnes sont synchronisées.",
    ),
    "overview.chart.written": (
        "Records written per day, 30 days",
        "Enregistrements écrits par jour, 30 jours",
    ),
    "overview.chart.written.empty": (
        "Nothing was written in the last 30 days.",
        "Rien n'a été écrit ces 30 derniers jours.",
    ),
    "overview.chart.waited": (
        "People who wait for a decision, 30 days",
        "Personnes en attente d'une décision, 30 jours",
    ),
    "overview.chart.waited.empty": (
        "Nobody waited when people were counted, once a day.",
        "Personne n'attendait au moment du comptage, une fois par jour.",
    ),
    "overview.highest": ("highest: {n}", "maximum : {n}"),
    "overview.as_table": ("Show as a table", "Afficher en tableau"),
    "overview.not_counted": ("not counted", "non compté"),
    "overview.day": ("Day", "Jour"),
    "overview.column.written": ("Records written", "Enregistrements écrits"),
    "overview.column.waited": ("People", "Personnes"),
    "alert.credentials_refused": ("A system refuses the credentials", "Identifiants refusés"),
    "alert.credentials_expiring": ("Credentials expire soon", "Identifiants bientôt expirés"),
    "alert.run_failed": ("A run failed", "Une synchronisation a échoué"),
    "alert.breaker": ("Synchronization is stopped", "Synchronisation arrêtée"),
    "alert.quarantine": ("Many writes are refused", "Beaucoup d'écritures refusées"),
    "alert.api_budget": ("API calls are used up", "Appels API épuisés"),
    "alert.mapping_changed": ("The mapping changed", "Correspondances modifiées"),
    "alert.drift": ("Values differ", "Des valeurs diffèrent"),
    "alert.suspended_field": ("A field is suspended", "Un champ est suspendu"),
    "alert.plezi_api_changed": ("Plezi's API changed", "L'API de Plezi a changé"),
}
