"""What other systems call the states and priorities of a ticket, in the languages of those who export."""

import re

NEW, OPEN, WAITING, HOLD, SOLVED, CLOSED = "new", "open", "waiting", "hold", "solved", "closed"
AT_WORK, DONE = (NEW, OPEN), (SOLVED, CLOSED)
_STATES = {
    NEW: "new|neu|nouveau|nuevo|novo|nuovo|nieuw",
    OPEN: "open|active|in progress|work in progress|assigned|offen|aktiv|in bearbeitung|zugewiesen|ouvert|en cours|"
        "abierto|en curso|en progreso|aberto|em andamento|em atendimento|aperto|in corso|in behandeling|reopened|"
        "wiedereröffnet|answered|overdue",
    WAITING: "awaiting user info|awaiting caller|pending|waiting for customer|awaiting customer|wartend|"
        "wartet auf kunden|wartet auf antwort|ausstehend|en attente|pendiente|pendente|in attesa|wachtend|"
        "wacht op klant|awaiting user|user info required|waiting",
    HOLD: "on hold|hold|awaiting problem|awaiting vendor|awaiting evidence|awaiting change|awaiting third party|"
        "zurückgestellt|angehalten|suspendu|en pause|en espera|em espera|sospeso|in de wacht|pending vendor|onhold",
    SOLVED: "resolved|solved|gelöst|résolu|resuelto|resolvido|risolto|opgelost|completed|complete|done",
    CLOSED: "closed|cancelled|canceled|closed complete|closed incomplete|closed skipped|archived|geschlossen|"
        "abgebrochen|archiviert|fermé|clos|annulé|cerrado|cancelado|fechado|encerrado|chiuso|annullato|gesloten|"
        "geannuleerd",
}  # fmt: skip
STATES = {word: state for state, words in _STATES.items() for word in words.split("|")}
DELETED = frozenset(["deleted", "gelöscht", "supprimé", "eliminado", "excluído", "eliminato", "verwijderd", "spam"])
CODES = {"1": NEW, "2": OPEN, "3": HOLD, "4": WAITING, "5": HOLD, "6": SOLVED, "7": CLOSED, "8": CLOSED}  # ServiceNow
URGENT, HIGH, NORMAL, LOW = 1, 2, 3, 4
LEVELS = {URGENT: "urgent", HIGH: "high", NORMAL: "normal", LOW: "low"}
_PRIORITIES = {
    URGENT: "urgent|critical|emergency|highest|blocker|kritisch|dringend|notfall|critique|urgente|crítico|critico|"
        "crítica|critica|emergencia|emergência|emergenza|kritiek|sehr hoch|p1",
    HIGH: "high|hoch|haute|élevée|élevé|alta|alto|hoog|major|p2",
    NORMAL: "normal|medium|moderate|mittel|moderat|normale|moyenne|modérée|media|média|moderada|moderado|gemiddeld|"
        "normaal|p3",
    LOW: "low|lowest|planning|niedrig|gering|planung|basse|faible|baja|baixa|bajo|bassa|laag|minor|p4|p5",
}  # fmt: skip
PRIORITIES = {word: number for number, words in _PRIORITIES.items() for word in words.split("|")}
YES = frozenset(["true", "yes", "1", "ja", "oui", "sí", "si", "sim", "y", "wahr", "vrai", "met"])
NO = frozenset(["false", "no", "0", "nein", "non", "não", "nee", "n", "falsch", "faux", "missed", "breached"])


def state(text: str, system: str) -> str | None:
    """One of our states; None for a word that is none."""
    word = " ".join(text.casefold().replace("-", " ").replace("_", " ").split())
    return STATES.get(word) or (CODES.get(word) if system == "servicenow" else None)


def deleted(text: str) -> bool:
    return text.strip().casefold() in DELETED


def priority(text: str, impact: str = "", urgency: str = "") -> int | None:
    """1 (urgent) to 4 (low): by its word, else by its number, else of impact and urgency (1 to 3 each) by their sum."""
    if (found := _level(text)) is not None:
        return found
    one, other = _digit(impact), _digit(urgency)
    return None if one is None or other is None else min(max(one + other - 1, 1), 4)


def _level(text: str) -> int | None:
    word = re.sub(r"^[\W\d]+", "", text.casefold()).strip()
    if word in PRIORITIES:
        return PRIORITIES[word]
    digit = _digit(text)
    return min(digit, 4) if digit is not None and not word else None


def _digit(text: str) -> int | None:
    found = re.match(r"\s*p?([1-5])(?!\d)", text, re.I)
    if found:
        return int(found[1])
    level = PRIORITIES.get(text.strip().casefold())
    return None if level is None else max(1, level - 1)  # high, medium, low: 1, 2, 3


def truth(text: str) -> bool | None:
    word = text.strip().casefold()
    return True if word in YES else False if word in NO else None
