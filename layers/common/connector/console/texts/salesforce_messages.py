"""French for the remedies and causes of Salesforce's errors (`salesforce.error_table`)."""

from __future__ import annotations

from typing import Final

_AGAIN: Final = "la prochaine synchronisation réessaie"
_LEAD_RIGHTS: Final = (
    "donnez-lui « Lire », « Créer » et « Modifier » sur les pistes, dans Configuration > Ensembles "
    "d'autorisations > Paramètres d'objet ou dans son profil"
)

REMEDIES: Final[dict[str, str]] = {
    "Salesforce does not respond: send the request again; parts that were created already are "
    "found": "Salesforce ne répond pas : renvoyez la demande ; ce qui existe déjà est reconnu",
    "Salesforce had an internal error: the next run tries again": (
        f"Salesforce a eu une erreur interne : {_AGAIN}"
    ),
    "Salesforce refuses this call to the integration user: check its permissions": (
        "Salesforce refuse cet appel à l'utilisateur d'intégration : vérifiez ses autorisations"
    ),
    "Salesforce stopped the request because it took too long: the next run tries again": (
        f"Salesforce a interrompu la demande, trop longue : {_AGAIN}"
    ),
    "a duplicate rule of the org blocks the record: merge the duplicates, or let the rule allow "
    "the integration user to save": (
        "une règle de duplication de l'organisation bloque l'enregistrement : fusionnez les "
        "doublons, ou autorisez l'utilisateur d'intégration dans la règle"
    ),
    "a field or permission set of this name exists already: use it, or rename it": (
        "un champ ou un ensemble d'autorisations de ce nom existe déjà : utilisez-le ou renommez-le"
    ),
    "a flow or process of the org failed: its administrator finds the reason in the e-mail that "
    "Salesforce sends about it": (
        "un flux ou processus de l'organisation a échoué : son administrateur trouve la raison "
        "dans l'e-mail que Salesforce envoie"
    ),
    "a related record does not exist any more: choose another one": (
        "un enregistrement lié n'existe plus : choisissez-en un autre"
    ),
    "a trigger or flow of the org failed: its administrator finds the reason in the debug log": (
        "un déclencheur ou flux de l'organisation a échoué : son administrateur trouve la raison "
        "dans le journal de débogage"
    ),
    "a validation rule of the org refuses the record: correct the value, or exempt the integration "
    "user from the rule": (
        "une règle de validation de l'organisation refuse l'enregistrement : corrigez la valeur, "
        "ou exemptez l'utilisateur d'intégration de la règle"
    ),
    "add the value to the picklist in Salesforce, or choose one of its values in Plezi": (
        "ajoutez la valeur à la liste dans Salesforce, ou choisissez dans Plezi une de ses valeurs"
    ),
    "an approval process locks the record: finish or recall it": (
        "un processus d'approbation verrouille l'enregistrement : terminez-le ou annulez-le"
    ),
    "another record, possibly a converted Lead, or one that the integration user may not see, has "
    "this unique value: share it with that user, clear the value there, or merge the records": (
        "un autre enregistrement, peut-être une piste convertie ou invisible pour l'utilisateur "
        "d'intégration, a cette valeur unique : partagez-le, videz-y la valeur, ou fusionnez-les"
    ),
    "another transaction of the org locks the record: the next run tries again": (
        f"une autre transaction verrouille l'enregistrement : {_AGAIN}"
    ),
    "correct the e-mail address in Plezi": "corrigez l'adresse e-mail dans Plezi",
    "give the integration user access to the related record (owner, account)": (
        "donnez à l'utilisateur d'intégration l'accès à l'enregistrement lié (propriétaire, compte)"
    ),
    "give the integration user edit access to the record": (
        "donnez à l'utilisateur d'intégration le droit de modifier l'enregistrement"
    ),
    "grant the integration user edit access to the field (field-level security), or make the field "
    "pair one-way towards Plezi": (
        "accordez à l'utilisateur d'intégration la modification du champ (sécurité au niveau du "
        "champ), ou limitez la correspondance au sens vers Plezi"
    ),
    "map the missing fields, or give their field pairs a placeholder": (
        "ajoutez les champs manquants aux correspondances, ou une valeur de remplacement"
    ),
    "shorten the value in Plezi, or make the Salesforce field longer": (
        "raccourcissez la valeur dans Plezi, ou allongez le champ Salesforce"
    ),
    "the field was deleted, renamed, or hidden by field-level security: grant it to the "
    "integration user or change the mapping": (
        "le champ a été supprimé, renommé ou masqué : accordez-le à l'utilisateur d'intégration "
        "ou modifiez les correspondances"
    ),
    "the lead was converted: its contact takes its place": (
        "la piste a été convertie : son contact la remplace"
    ),
    "the object does not exist for the integration user: give it access to the object": (
        "l'objet n'existe pas pour l'utilisateur d'intégration : donnez-lui accès à l'objet"
    ),
    "the org's data storage is full, and new leads wait: delete data or buy storage": (
        "le stockage de l'organisation est plein, et les nouvelles pistes attendent : supprimez "
        "des données ou achetez du stockage"
    ),
    "the org's transaction security policies take too long: the next run tries again": (
        f"les politiques de sécurité des transactions sont trop lentes : {_AGAIN}"
    ),
    "the owner of the record is inactive: give the record another owner": (
        "le propriétaire de l'enregistrement est inactif : attribuez-le à quelqu'un d'autre"
    ),
    "the page cursor has expired: the next run reads on from the last row": (
        "le curseur de page a expiré : la prochaine synchronisation reprend à la dernière ligne"
    ),
    "the query is too large for the org: it is sent again in smaller parts": (
        "la requête est trop grande pour l'organisation : elle est renvoyée en parties plus petites"
    ),
    "the query takes too long now: the next run tries again": (
        f"la requête est trop longue en ce moment : {_AGAIN}"
    ),
    "the record was deleted in Salesforce": "l'enregistrement a été supprimé dans Salesforce",
    "the record's id is not valid any more: run a full synchronization": (
        "l'identifiant de l'enregistrement n'est plus valable : lancez une synchronisation complète"
    ),
    "the response contains the address of a next page outside of Salesforce's API": (
        "la réponse contient l'adresse d'une page hors de l'API de Salesforce"
    ),
    "the value does not fit the field (state and country lists, lookups): correct it in Plezi": (
        "la valeur ne convient pas au champ (listes d'états et de pays, recherches) : "
        "corrigez-la dans Plezi"
    ),
    "the value does not have the field's type: correct it in Plezi": (
        "la valeur n'a pas le type du champ : corrigez-la dans Plezi"
    ),
    "Salesforce refused the record with this code: correct the record there or in Plezi": (
        "Salesforce a refusé l'enregistrement avec ce code : corrigez-le dans Salesforce ou dans "
        "Plezi"
    ),
}
"""The remedies of refused records."""

CAUSES: Final[dict[str, str]] = {
    "the password was reset or has expired (every 90 days by default), which also makes the "
    "security token invalid: put the new password and the new token in the secret": (
        "le mot de passe a été réinitialisé ou a expiré (tous les 90 jours par défaut), ce qui "
        "annule aussi le jeton de sécurité : mettez les deux nouveaux dans le secret"
    ),
    "the security token is missing or old: reset it in the user's settings > Reset My Security "
    "Token, and put the token of the e-mail in the secret": (
        "le jeton de sécurité manque ou est ancien : réinitialisez-le dans les paramètres de "
        "l'utilisateur, et mettez dans le secret le jeton reçu par e-mail"
    ),
    "the org blocks the username-password flow (the default of orgs created since Summer '23): "
    "allow it in Setup > OAuth and OpenID Connect Settings, or better, use client_credentials or "
    "jwt_bearer": (
        "l'organisation bloque la connexion par mot de passe (par défaut depuis Summer '23) : "
        "autorisez-la dans Configuration > Paramètres OAuth et OpenID Connect, ou mieux, utilisez "
        "client_credentials ou jwt_bearer"
    ),
    "the user is locked out after too many failed logins: wait 15 minutes, or unlock the user in "
    "Setup > Users": (
        "l'utilisateur est verrouillé après trop d'échecs : attendez 15 minutes, ou déverrouillez-"
        "le dans Configuration > Utilisateurs"
    ),
    "the username is mistyped, or belongs to another org or sandbox: compare it with Setup > "
    "Users": (
        "le nom d'utilisateur est mal saisi, ou d'une autre organisation : comparez-le avec "
        "Configuration > Utilisateurs"
    ),
    "the org forbids logins at login.salesforce.com: set account_url to its My Domain": (
        "l'organisation interdit les connexions à login.salesforce.com : mettez son « My Domain » "
        "dans account_url"
    ),
    "access was revoked for this app: approve the app for the user again (Setup > Connected Apps "
    "OAuth Usage)": (
        "l'accès de cette application a été révoqué : approuvez-la de nouveau pour l'utilisateur "
        "(Configuration > Utilisation OAuth des applications connectées)"
    ),
    "the app's refresh token policy ended the access: use client_credentials or jwt_bearer, which "
    "need no refresh token": (
        "la politique de l'application a mis fin à l'accès : utilisez client_credentials ou "
        "jwt_bearer"
    ),
    "the profile of the integration user restricts the IP addresses of its logins: add the "
    "addresses of these functions under Login IP Ranges of the profile": (
        "le profil de l'utilisateur d'intégration limite les adresses IP : ajoutez celles de ces "
        "fonctions aux plages d'adresses IP de connexion du profil"
    ),
    "the app enforces IP restrictions: relax them in the app's OAuth policies": (
        "l'application impose des restrictions IP : assouplissez-les dans ses politiques OAuth"
    ),
    "the user is not pre-authorized for the app: set the app's policy to 'Admin approved users are "
    "pre-authorized' and give the user a permission set of the app": (
        "l'utilisateur n'est pas préautorisé : choisissez « Les utilisateurs approuvés par "
        "l'administrateur sont préautorisés » et donnez-lui un ensemble d'autorisations de "
        "l'application"
    ),
    "the username in the secret is mistyped, or the user is not in this org: correct it": (
        "le nom d'utilisateur du secret est mal saisi, ou inconnu de cette organisation : "
        "corrigez-le"
    ),
    "the app has no user to run as: choose one under Client Credentials Flow > Run As in the app's "
    "policies": (
        "l'application n'a pas d'utilisateur d'exécution : choisissez-en un dans ses politiques "
        "(flux des identifiants client)"
    ),
    "the Run As user was deactivated: activate this user or choose another one": (
        "l'utilisateur d'exécution est désactivé : activez-le ou choisissez-en un autre"
    ),
    "the account URL leads to another login host than the org's: set account_url to the org's My "
    "Domain": (
        "l'adresse du compte mène à un autre hôte : mettez le « My Domain » de l'organisation dans "
        "account_url"
    ),
    "a sandbox logs in at test.salesforce.com or at its own My Domain: set account_url to it": (
        "une sandbox se connecte à test.salesforce.com ou à son « My Domain » : mettez-le dans "
        "account_url"
    ),
    "the private key does not belong to the certificate of the app: upload the certificate again "
    "in the app, or put its key in the secret": (
        "la clé privée ne correspond pas au certificat de l'application : rechargez le certificat, "
        "ou mettez sa clé dans le secret"
    ),
    "the certificate has expired: create a new pair, upload the certificate in the app and put the "
    "key in the secret": (
        "le certificat a expiré : créez une nouvelle paire, chargez le certificat dans "
        "l'application et mettez la clé dans le secret"
    ),
    "the org refuses the grant: the user's Login History in Setup has the reason": (
        "l'organisation refuse l'accès : l'historique de connexion de l'utilisateur en donne la "
        "raison"
    ),
    "Salesforce accepts client credentials only at the org's My Domain: set account_url to "
    "https://<your domain>.my.salesforce.com": (
        "Salesforce n'accepte les identifiants client qu'au « My Domain » : mettez "
        "https://<votre domaine>.my.salesforce.com dans account_url"
    ),
    "the consumer key is mistyped: copy it again from the app's page in Setup > App Manager": (
        "la clé client est mal saisie : recopiez-la depuis Configuration > Gestionnaire "
        "d'applications"
    ),
    "the app was created minutes ago: wait ten minutes, which Salesforce may need, then put the "
    "secret again": (
        "l'application vient d'être créée : attendez dix minutes, puis enregistrez le secret de "
        "nouveau"
    ),
    "the app is in another org or sandbox: check account_url": (
        "l'application est dans une autre organisation ou sandbox : vérifiez account_url"
    ),
    "the consumer secret is wrong: copy it again from the app's page": (
        "le secret client est faux : recopiez-le depuis la page de l'application"
    ),
    "the consumer secret was rotated in the app: put the new one in the secret": (
        "le secret client a été renouvelé : mettez le nouveau dans le secret"
    ),
    "the app does not allow the username-password flow; an External Client App never allows it: "
    "use client_credentials or jwt_bearer": (
        "l'application n'autorise pas la connexion par mot de passe : utilisez client_credentials "
        "ou jwt_bearer"
    ),
    "Salesforce has ended the username-password flow (20 February 2027): use client_credentials or "
    "jwt_bearer": (
        "Salesforce a mis fin à la connexion par mot de passe (20 février 2027) : utilisez "
        "client_credentials ou jwt_bearer"
    ),
    "the app does not allow the JWT bearer flow: switch on 'Use digital signatures' in the app": (
        "l'application n'autorise pas le flux JWT : activez « Utiliser les signatures numériques »"
    ),
    "the app does not allow the client credentials flow: switch it on in the app": (
        "l'application n'autorise pas le flux des identifiants client : activez-le"
    ),
    "an administrator must approve the user for the app: give the user's profile or a permission "
    "set access to the app": (
        "un administrateur doit approuver l'utilisateur : donnez accès à l'application à son "
        "profil ou à un ensemble d'autorisations"
    ),
    "the app was blocked in Setup > Connected Apps OAuth Usage: unblock it": (
        "l'application est bloquée (Utilisation OAuth des applications connectées) : débloquez-la"
    ),
    "the app is not installed in this org: install it in Setup > Connected Apps OAuth Usage, or "
    "create an app in this org": (
        "l'application n'est pas installée dans cette organisation : installez-la, ou créez-en une"
    ),
    "account_url leads to another org than the app's: correct it": (
        "account_url mène à une autre organisation que celle de l'application : corrigez-le"
    ),
    "the integration user is deactivated or frozen: activate it in Setup > Users, or put another "
    "user in the secret": (
        "l'utilisateur d'intégration est désactivé ou gelé : activez-le dans Configuration > "
        "Utilisateurs, ou mettez-en un autre dans le secret"
    ),
    "the org is locked, closed or suspended: contact Salesforce or the owner of the contract": (
        "l'organisation est verrouillée, fermée ou suspendue : contactez Salesforce ou le "
        "titulaire du contrat"
    ),
    "the trial has ended, or the sandbox was deleted: set another account_url": (
        "l'essai est terminé, ou la sandbox supprimée : indiquez un autre account_url"
    ),
    "the app may not use this OAuth flow: allow the flow in the app, and the user in its "
    "policies": (
        "l'application ne peut pas utiliser ce flux OAuth : autorisez le flux, et l'utilisateur "
        "dans ses politiques"
    ),
    "the org or the app denies this user the access: see Login History in Setup, and the app's "
    "policies": (
        "l'organisation ou l'application refuse cet utilisateur : voyez l'historique de connexion "
        "et les politiques de l'application"
    ),
    "the consumer key and the consumer secret do not belong together: copy both from the app's "
    "page": (
        "la clé client et le secret client ne vont pas ensemble : recopiez les deux depuis la page "
        "de l'application"
    ),
    "Salesforce's login has an error of its own: nothing to do, the next run tries again": (
        f"la connexion de Salesforce est en erreur : rien à faire, {_AGAIN}"
    ),
    "Salesforce's login is overloaded or in maintenance: nothing to do, the next run tries again": (
        f"la connexion de Salesforce est surchargée ou en maintenance : rien à faire, {_AGAIN}"
    ),
    "Salesforce could not finish the login and does not say why: the next run tries again; if this "
    "continues, see Login History in Setup": (
        f"Salesforce n'a pas terminé la connexion, sans dire pourquoi : {_AGAIN} ; si cela dure, "
        "voyez l'historique de connexion"
    ),
    "the org had too many logins in the last minutes: nothing to do, the next run tries again": (
        f"trop de connexions ces dernières minutes : rien à faire, {_AGAIN}"
    ),
    "another program logs in with the same user in a loop: find it in Login History": (
        "un autre programme se connecte en boucle avec le même utilisateur : trouvez-le dans "
        "l'historique de connexion"
    ),
    "the user has logged in 3,600 times within an hour, and this connector does not log in so "
    "often: find the other program in Login History, and give this connector its own user": (
        "l'utilisateur s'est connecté 3 600 fois en une heure, ce que ce connecteur ne fait pas : "
        "trouvez l'autre programme, et donnez au connecteur son propre utilisateur"
    ),
    "the app lacks the scope 'api' (access and manage your data): add it to the app's scopes": (
        "l'application n'a pas l'étendue « api » (accès et gestion de vos données) : ajoutez-la"
    ),
    "the org requires a high-assurance session of this user: remove that policy for the user": (
        "l'organisation exige une session haute sécurité : retirez cette politique pour "
        "l'utilisateur"
    ),
    "the session ends immediately after the login: look for a session policy, or for another "
    "program that revokes the user's sessions": (
        "la session se termine aussitôt : cherchez une politique de session, ou un autre programme "
        "qui révoque les sessions"
    ),
    "the password has expired: reset it, then put password and token in the secret": (
        "le mot de passe a expiré : réinitialisez-le, puis mettez-le avec le jeton dans le secret"
    ),
    "a proxy between the connector and Salesforce removes the Authorization header: find it": (
        "un proxy entre le connecteur et Salesforce retire l'en-tête Authorization : trouvez-le"
    ),
    "this Salesforce edition has no API: Enterprise, Unlimited, Developer and Performance have it, "
    "Contact Manager, Group and Professional do not; change the edition": (
        "cette édition de Salesforce n'a pas d'API : Enterprise, Unlimited, Developer et "
        "Performance l'ont ; Contact Manager, Group et Professional non ; changez d'édition"
    ),
    "Professional Edition can buy the API: ask Salesforce to enable it": (
        "l'API peut s'acheter pour Professional Edition : demandez à Salesforce de l'activer"
    ),
    "the integration user lacks the permission 'API Enabled': tick it in the user's profile, or in "
    "a permission set": (
        "l'utilisateur d'intégration n'a pas l'autorisation « API activée » : cochez-la dans son "
        "profil ou un ensemble d'autorisations"
    ),
    "the integration user may not make this call: check its permissions": (
        "l'utilisateur d'intégration n'a pas droit à cet appel : vérifiez ses autorisations"
    ),
    "the org's API calls of the last 24 hours are used up: the next run continues where this one "
    "stopped": (
        "les appels API des dernières 24 heures sont épuisés : la prochaine synchronisation "
        "reprend où celle-ci s'est arrêtée"
    ),
    "another program uses them: see Setup > API Usage; or buy more calls": (
        "un autre programme les utilise : voyez l'utilisation de l'API ; ou achetez des appels"
    ),
    "too many calls of 20 seconds or more run in the org at the same time: the next run tries "
    "again": f"trop d'appels de 20 secondes ou plus en même temps : {_AGAIN}",
    "too many long transactions run in the org at the same time: the next run tries again; if this "
    "continues, look for slow triggers and flows": (
        f"trop de longues transactions en même temps : {_AGAIN} ; si cela dure, cherchez des "
        "déclencheurs et flux lents"
    ),
    "the org has reached one of its limits on API calls: see Setup > Company Information": (
        "l'organisation a atteint une limite d'appels API : voyez Configuration > Informations sur "
        "la société"
    ),
    "Salesforce is setting the org up: the next run tries again": (
        f"Salesforce prépare l'organisation : {_AGAIN}"
    ),
    "the org is in maintenance or Salesforce is moving it: the next run tries again": (
        f"l'organisation est en maintenance ou en cours de déplacement : {_AGAIN}"
    ),
    "the integration user lacks the permission 'Create' on Lead: give the user 'Read', 'Create' "
    "and 'Edit' on Lead, in Setup > Permission Sets > Object Settings or in its profile": (
        f"l'utilisateur d'intégration n'a pas « Créer » sur les pistes : {_LEAD_RIGHTS}"
    ),
    "the integration user lacks the permission 'Edit' on Lead: give the user 'Read', 'Create' and "
    "'Edit' on Lead, in Setup > Permission Sets > Object Settings or in its profile": (
        f"l'utilisateur d'intégration n'a pas « Modifier » sur les pistes : {_LEAD_RIGHTS}"
    ),
    "a trigger or flow of the org waits for a record that another transaction locks: the next run "
    "tries again": (
        "un déclencheur ou flux attend un enregistrement verrouillé par une autre transaction : "
        f"{_AGAIN}"
    ),
    "a trigger of the org exceeds a governor limit even with one record: its administrator finds "
    "the limit in the debug log": (
        "un déclencheur dépasse une limite même avec un seul enregistrement : son administrateur "
        "trouve la limite dans le journal de débogage"
    ),
    "a trigger or flow of the org takes too much CPU time even with one record: its administrator "
    "finds it in the debug log": (
        "un déclencheur ou flux prend trop de temps processeur même avec un seul enregistrement : "
        "son administrateur le trouve dans le journal de débogage"
    ),
    "a trigger or flow of the org makes too many queries or changes even with one record: its "
    "administrator finds the limit in the debug log": (
        "un déclencheur ou flux fait trop de requêtes ou de modifications même avec un seul "
        "enregistrement : son administrateur trouve la limite dans le journal de débogage"
    ),
    "Salesforce accepts no login at this moment: nothing to do, the next run tries again": (
        f"Salesforce n'accepte aucune connexion en ce moment : rien à faire, {_AGAIN}"
    ),
    "Salesforce gives a reason that this connector does not know: a later run tries again; if this "
    "continues, see Login History in Setup": (
        "Salesforce donne une raison inconnue de ce connecteur : une synchronisation ultérieure "
        "réessaie ; si cela dure, voyez l'historique de connexion"
    ),
}
"""The causes of refused calls and logins."""
