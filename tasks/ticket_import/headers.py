"""Words over the columns of ticket exports, in the languages of those who export: what each of them means."""

import re
from collections.abc import Sequence
from functools import cache

SYSTEMS = {"servicenow": "ServiceNow", "zendesk": "Zendesk", "osticket": "osTicket", "other": "Another system"}
ROLES = {
    "": "Kept in a note", "number": "Number", "subject": "Subject", "text": "Description", "customer": "Customer",
    "email": "Customer’s address", "created": "Opened at", "updated": "Changed at", "state": "State",
    "priority": "Priority", "impact": "Impact", "urgency": "Urgency", "category": "Category",
    "subcategory": "Subcategory", "team": "Team", "assignee": "Answered by", "answered": "First answer at",
    "answered minutes": "First answer after minutes", "solved": "Solved at", "closed": "Closed at",
    "sla": "Whether it was in time", "reopens": "How often opened again", "tags": "Tags",
    "order": "Order of changes", "ignore": "Left out",
}  # fmt: skip
ONCE = frozenset(ROLES) - {"", "ignore"}
WORDS = {
    "number": "number|ticket number|ticket id|id|ticket|ticket no|incident|case number|nummer|ticketnummer|"
        "ticket nummer|ticket-id|numéro|numéro du ticket|numéro de ticket|número|número de ticket|número do ticket|"
        "numero|numero ticket|numero del ticket|ticketnr|external id",
    "subject": "subject|short description|title|summary|issue summary|betreff|kurzbeschreibung|sujet|objet|"
        "description courte|asunto|breve descripción|assunto|descrição resumida|oggetto|breve descrizione|onderwerp",
    "text": "description|issue details|message|details|beschreibung|nachricht|mensaje|descripción|descrição|mensagem|"
        "descrizione|messaggio|omschrijving|bericht|comment",
    "customer": "caller|caller id|requester|requester name|from|user|user name|contact|customer|opened for|anrufer|"
        "anforderer|anfragender|von|appelant|demandeur|de|llamante|solicitante|solicitado por|chiamante|richiedente|"
        "da|beller|aanvrager|van",
    "email": "requester email|from email|email|e mail|email address|caller email|caller id email|user email|"
        "e mail adresse|absender e mail|von e mail|e mail des anforderers|adresse e mail|e mail du demandeur|"
        "correo electrónico|correo del solicitante|e mail do solicitante|email richiedente|e mailadres",
    "created": "created at|created|opened at|opened|date created|create date|sys created on|ticket created date|"
        "erstellt|erstellt am|erstellungsdatum|geöffnet|geöffnet am|requested|créé le|date de création|ouvert|"
        "ouvert le|creado|creado el|fecha de creación|abierto el|criado em|data de criação|aberto em|creato il|"
        "data di creazione|aperto il|aangemaakt|aangemaakt op|datum aangemaakt",
    "updated": "updated at|updated|last updated|last update|sys updated at|sys updated on|aktualisiert|"
        "aktualisiert am|letzte aktualisierung|geändert am|mis à jour|mis à jour le|dernière mise à jour|actualizado|"
        "actualizado el|última actualización|atualizado em|última atualização|aggiornato il|ultimo aggiornamento|"
        "bijgewerkt|bijgewerkt op|laatst bijgewerkt",
    "state": "state|status|incident state|current status|ticket status|zustand|aktueller status|statut|état|"
        "statut actuel|estado|estado actual|stato|stato attuale|huidige status",
    "priority": "priority|priorität|priorité|prioridad|prioridade|priorità|prioriteit",
    "impact": "impact|auswirkung|impacto|impatto",
    "urgency": "urgency|dringlichkeit|urgence|urgencia|urgência|urgenza|urgentie",
    "category": "category|help topic|topic|ticket category|kategorie|hilfethema|thema|catégorie|rubrique d aide|"
        "categoría|tema de ayuda|categoria|tópico de ajuda|argomento|categorie|helponderwerp",
    "subcategory": "subcategory|ticket type|type|unterkategorie|sous catégorie|subcategoría|subcategoria|"
        "sottocategoria|subcategorie|ticket typ",
    "team": "assignment group|group|team assigned|department|team|gruppe|zuweisungsgruppe|abteilung|"
        "zugewiesenes team|groupe|groupe d affectation|service|département|grupo|grupo de asignación|departamento|"
        "grupo de atribuição|gruppo|gruppo di assegnazione|reparto|groep|toewijzingsgroep|afdeling",
    "assignee": "assigned to|assignee|agent assigned|agent|owner|zugewiesen an|mitarbeiter|zugewiesener agent|"
        "affecté à|assigné à|agent assigné|asignado a|agente asignado|atribuído a|agente|assegnato a|toegewezen aan",
    "answered": "first reply at|first response at|first answer at|erste antwort am",
    "answered minutes": "first reply time in minutes|first reply time min",
    "solved": "resolved at|resolved|solved at|solved|resolved on|gelöst am|gelöst|résolu le|resuelto el|"
        "resolvido em|risolto il|opgelost op",
    "closed": "closed at|closed|closed date|close date|closed on|geschlossen am|geschlossen|schließdatum|clos le|"
        "fermé le|date de fermeture|cerrado el|fecha de cierre|encerrado em|data de fechamento|chiuso il|"
        "data di chiusura|gesloten op|datum gesloten",
    "sla": "made sla|sla met|in time|sla eingehalten",
    "reopens": "reopen count|reopens|reopened|wiedereröffnungen|anzahl wiedereröffnungen|réouvertures|reaperturas",
    "tags": "tags|labels|schlagwörter|balises|etiquetas|étiquettes|tag",
    "ignore": "summation column|active|knowledge|u priority confirmation",
    "order": "sys mod count|sys_mod_count|updates",
}  # fmt: skip
MARKS = {
    "servicenow": "caller|caller id|incident state|assignment group|made sla|sys updated at|sys updated on|"
        "short description|opened at|opened|assigned to|sys mod count|cmdb ci|zuweisungsgruppe|anrufer",
    "zendesk": "requester|requester email|requester id|summation column|ticket type|via|satisfaction score|group|"
        "assignee stations|group stations|solved at|anforderer|gruppe|demandeur|groupe|first reply time in minutes",
    "osticket": "ticket number|help topic|from email|current status|date created|department|agent assigned|"
        "sla due date|team assigned|hilfethema|ticketnummer|aktueller status|von e mail|issue summary|overdue",
}  # fmt: skip


def bare(header: str) -> str:
    """A header as it is compared: lower case, one space between words, without what Zendesk writes behind a field."""
    plain = re.sub(r"\[(list|txt|int|dec|flag|date|drop down|multi select)\]\s*$", "", header.strip().casefold())
    return " ".join(re.sub(r"[_\W]+", " ", plain).split())


def roles_of(headers: Sequence[str]) -> tuple[str, ...]:
    """What each column means; "" where nobody knows. Of two that mean the same the one with the plainer name counts."""
    best: dict[str, tuple[int, int]] = {}
    for at, header in enumerate(headers):
        role, rank = _known().get(bare(header), ("", 0))
        if role in ONCE and (role not in best or rank < best[role][0]):
            best[role] = (rank, at)
    known = {at: role for role, (_rank, at) in best.items()}
    ignored = {at for at, header in enumerate(headers) if _known().get(bare(header), ("", 0))[0] == "ignore"}
    return tuple("ignore" if at in ignored else known.get(at, "") for at in range(len(headers)))


def system_of(headers: Sequence[str]) -> str:
    """Where a file comes from, by what only that system writes."""
    there = {bare(header) for header in headers}
    counts = {system: len(there & set(words.split("|"))) for system, words in MARKS.items()}
    found = max(counts, key=lambda system: counts[system])
    return found if counts[found] >= 3 else "other"


@cache
def _known() -> dict[str, tuple[str, int]]:
    """Each word's meaning, and how far down its list it stands."""
    found: dict[str, tuple[str, int]] = {}
    for role, words in WORDS.items():
        for rank, word in enumerate(words.split("|")):
            found.setdefault(bare(word), (role, rank))
    return found
