"""Texts of the set-up and of the settings."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "setup.lead": (
        "From the connection to the first synchronization, step by step.",
        "De la connexion à la première synchronisation, étape par étape.",
    ),
    "step_state.done": ("done", "fait"),
    "step_state.to_do": ("to do", "à faire"),
    "step_state.blocked": ("waits", "en attente"),
    "step.connect": ("Connect", "Connecter"),
    "step.connect.text": (
        "An administrator stores the credentials of both systems with plezi-sync connect.",
        "Un administrateur enregistre les identifiants des deux systèmes avec plezi-sync connect.",
    ),
    "step.check": ("Check", "Vérifier"),
    "step.check.text": (
        "Both systems accept the credentials, and a run can work with them.",
        "Les deux systèmes acceptent les identifiants, et une synchronisation peut travailler.",
    ),
    "step.fields": ("Fields in Salesforce", "Champs dans Salesforce"),
    "step.fields.text": (
        "Salesforce has the fields that the connector needs.",
        "Salesforce a les champs dont le connecteur a besoin.",
    ),
    "step.mapping": ("Mapping", "Correspondances"),
    "step.mapping.text": (
        "Check which field belongs to which; the shipped mapping has the usual ones.",
        "Vérifiez les correspondances ; celles d'origine couvrent les champs habituels.",
    ),
    "step.preview": ("Preview", "Aperçu"),
    "step.preview.text": (
        "See what the first run would do, by field and by person. Nothing is written.",
        "Voyez ce que ferait la première synchronisation, par champ et par personne.",
    ),
    "step.start": ("Start", "Démarrer"),
    "step.start.text": (
        "Synchronization begins by the schedule, in stages of 10, 100 and 1,000 people.",
        "La synchronisation commence selon l'horaire, par étapes de 10, 100 et 1 000 personnes.",
    ),
    "setup.check": ("Check the connection", "Vérifier la connexion"),
    "setup.remedy": ("Remedy", "Remède"),
    "setup.create": ("Create the missing fields", "Créer les champs manquants"),
    "grade.ok": ("good", "bon"),
    "grade.warning": ("warning", "attention"),
    "grade.failed": ("failed", "échec"),
    "grade.unknown": ("unknown", "inconnu"),
    "finding.flow": ("Sign-in flow", "Mode de connexion"),
    "finding.login": ("Login to Salesforce", "Connexion à Salesforce"),
    "finding.api": ("API access", "Accès à l'API"),
    "finding.edition": ("Edition", "Édition"),
    "finding.scopes": ("OAuth rights", "Droits OAuth"),
    "finding.password": ("Password", "Mot de passe"),
    "finding.leads": ("Access to Leads", "Accès aux pistes"),
    "finding.contacts": ("Access to Contacts", "Accès aux contacts"),
    "finding.accounts": ("Access to accounts", "Accès aux comptes"),
    "finding.sharing": ("Sharing of records", "Partage des enregistrements"),
    "finding.record_type": ("Record type of new Leads", "Type d'enregistrement des pistes"),
    "finding.fields": ("Fields", "Champs"),
    "finding.quota": ("API calls", "Appels API"),
    "finding.plezi": ("Plezi", "Plezi"),
    "field_state.present": ("present", "présent"),
    "field_state.missing": ("missing", "absent"),
    "field_state.invisible": ("not visible", "invisible"),
    "field_state.read_only": ("read-only", "lecture seule"),
    "field_state.wrong_type": ("wrong type", "mauvais type"),
    "field_state.unclear": ("unclear", "incertain"),
    "setup_kind.field": ("Field", "Champ"),
    "setup_kind.permission_set": ("Permission set", "Ensemble d'autorisations"),
    "setup_kind.visibility": ("Access to", "Accès à"),
    "setup_kind.assignment": ("Assignment of", "Attribution de"),
    "outcome.done": ("created", "créé"),
    "outcome.already": ("was there already", "existait déjà"),
    "outcome.refused": ("refused", "refusé"),
    "settings.lead": (
        "Recipients and what a run may change are chosen here; a deployment sets the rest.",
        (
            "Destinataires et limites des modifications se choisissent ici ; le déploiement fixe "
            "le reste."
        ),
    ),
    "settings.recipients": ("Who gets the alerts", "Destinataires des alertes"),
    "settings.confirmed": ("confirmed", "confirmé"),
    "settings.unconfirmed": ("not confirmed", "non confirmé"),
    "settings.no_recipient": (
        "Nobody gets the alerts. Add a recipient.",
        "Personne ne reçoit les alertes. Ajoutez un destinataire.",
    ),
    "settings.add_label": ("E-mail of a recipient", "E-mail d'un destinataire"),
    "settings.add": ("Add", "Ajouter"),
    "settings.add_hint": (
        "AWS sends an e-mail with a link; alerts are sent after its confirmation.",
        "AWS envoie un e-mail avec un lien ; les alertes suivent sa confirmation.",
    ),
    "settings.remove": ("Remove {email}", "Retirer {email}"),
    "done.recipient_added": (
        "The recipient got an e-mail to confirm.",
        "Le destinataire a reçu un e-mail à confirmer.",
    ),
    "done.recipient_removed": (
        "The recipient gets no more alerts.",
        "Le destinataire ne reçoit plus d'alertes.",
    ),
    "settings.changes": ("What a run may change unasked", "Ce qui change sans demander"),
    "settings.changes_text": (
        (
            "A run that would change more stops first, and an admin decides. An approved preview "
            "may change what it shows. New limits count within a minute."
        ),
        (
            "Une synchronisation qui changerait plus s'arrête d'abord, et un administrateur "
            "décide. Un aperçu approuvé peut changer ce qu'il montre. Les limites comptent en une "
            "minute."
        ),
    ),
    "settings.save": ("Save the limits", "Enregistrer les limites"),
    "settings.reset": ("Use the limits of the deployment", "Reprendre celles du déploiement"),
    "settings.deployed": (
        "The deployment has {cleared}, {overwritten} and {share} %.",
        "Le déploiement a {cleared}, {overwritten} et {share} %.",
    ),
    "done.limits_changed": (
        "Runs use the new limits within a minute.",
        "Les nouvelles limites comptent en une minute.",
    ),
    "done.limits_reset": (
        "Runs use the limits of the deployment.",
        "Les limites du déploiement comptent de nouveau.",
    ),
    "settings.limits": ("Schedule and alerts", "Horaire et alertes"),
    "settings.retention": ("How long things are kept", "Durées de conservation"),
    "settings.consent": ("Consent", "Consentement"),
    "settings.no_consent": (
        "No field pair is a consent. Choose the policy “an opt-out counts on both sides” for one.",
        (
            "Aucune correspondance n'est un consentement. Choisissez la règle « un refus "
            "vaut des deux "
            "côtés »."
        ),
    ),
    "settings.version": ("Version", "Version"),
    "settings.tenant": ("Plezi tenant, probed:", "Compte Plezi, examiné :"),
    "schedule.minute.one": ("every minute", "toutes les minutes"),
    "schedule.minute.other": ("every {n} minutes", "toutes les {n} minutes"),
    "schedule.hour.one": ("every hour", "toutes les heures"),
    "schedule.hour.other": ("every {n} hours", "toutes les {n} heures"),
    "schedule.day.one": ("every day", "tous les jours"),
    "schedule.day.other": ("every {n} days", "tous les {n} jours"),
    "setting.schedule_expression": ("Schedule", "Horaire"),
    "setting.max_cleared": (
        "Records in which a run may clear a field",
        "Enregistrements où un champ peut être effacé",
    ),
    "setting.max_overwritten": (
        "Records in which a run may overwrite a field",
        "Enregistrements où un champ peut être écrasé",
    ),
    "setting.max_changed_share": (
        "… or this part of all people",
        "… ou cette part de toutes les personnes",
    ),
    "setting.max_records_per_email": ("Records of one e-mail", "Enregistrements par e-mail"),
    "setting.quarantine_alert_links": (
        "Refused people that cause an alert",
        "Personnes refusées qui déclenchent une alerte",
    ),
    "setting.api_share": (
        "Part of Salesforce's API calls",
        "Part des appels API de Salesforce",
    ),
    "setting.drift_alert_rate": (
        "Fields that may differ before an alert",
        "Champs différents avant une alerte",
    ),
    "setting.journal_days": ("Journal", "Journal"),
    "setting.log_retention_days": ("Logs", "Journaux techniques"),
    "setting.password_expires_days": (
        "Salesforce password policy",
        "Politique de mot de passe Salesforce",
    ),
}
