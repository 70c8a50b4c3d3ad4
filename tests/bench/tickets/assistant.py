"""The assistant on tickets that it has not seen, beside the simplest guess, and how long an answer takes.

Texts are SYNTHETIC (`assistant_texts`): the real log has none, and nobody's tickets may stand here; what it can tell is
in `assistant_log`.
"""

import io
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import insert

from models.base import Base, clock
from models.desk import Article, Desk
from models.session import EVERYONE, Database
from models.ticket import ANSWER, QUESTION, Customer, Ticket, TicketMessage
from models.workspace import Workspace
from tasks.care import answering
from tasks.care.suggestions import asking, checking, index
from tasks.care.suggestions.index import Index
from tasks.care.suggestions.said import LIKELY, PERHAPS, UNSURE
from tasks.care.suggestions.texts import Passage, Solved
from tests.bench.figures import quantile
from tests.bench.tickets import assistant_log
from tests.bench.tickets.assistant_texts import THINGS, TROUBLES, Made, tickets

COUNT, QUICK, HELD_OUT, CALIBRATED, TIMED = 50_000, 2_000, 500, 3_000, 200
AIM_MS = 100
PLACE = "w" * 28
Told = Callable[[str], Sequence[str]]


def measure(quick: bool) -> dict[str, Any]:
    """Figures as JSON keeps them."""
    count = QUICK if quick else COUNT
    learned, held = tickets(count, 1), tickets(HELD_OUT, 2, asked=True)
    began = time.perf_counter()
    made = index.build(_solved(learned), [])
    built = time.perf_counter() - began
    bounds = checking.check(made, [each.question for each in learned])
    made = index.rebound(made, bounds)
    return {
        "count": count, "held_out": HELD_OUT, "build_s": round(built, 1), "memory_mb": round(made.size / 1e6, 1),
        "answers": _answers(made, learned, held), "guesses": _guesses(made, learned, held),
        "said": _said(made, learned, tickets(CALIBRATED, 3, asked=True)), "customers": _customers(held),
        "log": assistant_log.measure(),
        "time": _times(learned, held),
    }  # fmt: skip


def _solved(made: Sequence[Made]) -> list[Solved]:
    return [Solved(f"{place:028x}", m.question, m.answer, m.topic, m.priority) for place, m in enumerate(made)]


def _answers(made: Index, learned: Sequence[Made], held: Sequence[Made]) -> dict[str, list[float]]:
    """Share of questions whose right answer is the first, and is among the first five, by several ways of looking."""
    usual = [right for right, _ in Counter(each.right for each in learned).most_common(5)]
    bm25 = replace(made, asked=index.Texts.of([each.question for each in learned], bm25=True))
    ways: dict[str, Told] = {
        "the most common answers": lambda question: usual,
        "BM25 of words": lambda question: _found(bm25, learned, question, 0.0),
        "TF-IDF of words": lambda question: _found(made, learned, question, 0.0),
        "TF-IDF of words and pieces (ours)": lambda question: _found(made, learned, question, asking.PIECES),
    }
    return {name: _shares(way, held) for name, way in ways.items()}


def _found(made: Index, learned: Sequence[Made], question: str, part: float) -> list[str]:
    kept, asking.PIECES = asking.PIECES, part
    try:
        return [learned[int(hit.id, 16)].right for hit in asking.suggest(made, question).hits]
    finally:
        asking.PIECES = kept


def _shares(way: Told, held: Sequence[Made]) -> list[float]:
    told = [(list(way(each.question)), each.right) for each in held]
    firsts = sum(found[:1] == [right] for found, right in told)
    return [round(firsts / len(held), 3), round(sum(right in found for found, right in told) / len(held), 3)]


def _guesses(made: Index, learned: Sequence[Made], held: Sequence[Made]) -> dict[str, list[float]]:
    """Accuracy of topic and priority, and of always telling the most common one."""
    topics = Counter(each.topic for each in learned).most_common(1)[0][0]
    priority = Counter(each.priority for each in learned).most_common(1)[0][0]
    found = [asking.suggest(made, each.question) for each in held]
    pairs = list(zip(found, held, strict=True))
    by_topic = [bool(one.topics) and one.topics[0].value == each.topic for one, each in pairs]
    by_priority = [bool(one.priorities) and one.priorities[0].value == str(each.priority) for one, each in pairs]
    usual = [[each.topic == topics for each in held], [each.priority == priority for each in held]]
    return {
        "topic": [round(float(np.mean(by_topic)), 3), round(float(np.mean(usual[0])), 3)],
        "priority": [round(float(np.mean(by_priority)), 3), round(float(np.mean(usual[1])), 3)],
    }


def _said(made: Index, learned: Sequence[Made], held: Sequence[Made]) -> dict[str, Any]:
    """Calibration: how often each word was said of answer, topic and priority, and how often that was right then.

    Of all held-out questions, and of those that are phrased as none before.
    """
    found = [(each, asking.suggest(made, each.question)) for each in held]
    told: dict[str, Any] = {"promised": [made.bounds.right, made.bounds.topic_right, made.bounds.priority_right]}
    for name, some in (("all", found), ("phrased anew", [pair for pair in found if pair[0].anew])):
        told[name] = {what: _words(pairs) for what, pairs in _judged(some, learned).items()}
    return told


def _judged(found: Sequence[tuple[Made, Any]], learned: Sequence[Made]) -> dict[str, list[tuple[str, bool]]]:
    """What was said of each, and whether it was right."""
    judged: dict[str, list[tuple[str, bool]]] = {"answer": [], "topic": [], "priority": []}
    for each, told in found:
        judged["answer"] += [(hit.sure, learned[int(hit.id, 16)].right == each.right) for hit in told.hits[:1]]
        judged["topic"] += [(guess.sure, guess.value == each.topic) for guess in told.topics[:1]]
        judged["priority"] += [(guess.sure, guess.value == str(each.priority)) for guess in told.priorities[:1]]
    return judged


def _words(pairs: Sequence[tuple[str, bool]]) -> dict[str, list[float]]:
    """By word: the share of questions of which it was said, and the share of these that was right."""
    told = {}
    for word in (LIKELY, PERHAPS, UNSURE):
        right = [fine for said, fine in pairs if said == word]
        told[word] = [round(len(right) / max(1, len(pairs)), 3), round(float(np.mean(right)), 3) if right else 0.0]
    return told


def _customers(held: Sequence[Made]) -> dict[str, dict[str, float]]:
    """Articles about half of the troubles, short questions: the first one shown is right, wrong, or there is none."""
    known = {f"{thing}/{trouble}" for n, (thing, trouble) in enumerate(_pairs()) if n % 2 == 0}
    told = [_article(*right.split("/")) for right in sorted(known)]
    made = index.build([], told)
    found: dict[str, Counter[str]] = {"with an article": Counter(), "without one": Counter()}
    for each in held:
        hits = [hit for hit in asking.articles(made, each.short) if hit.sure != UNSURE]
        sure = bool(hits) and hits[0].sure == LIKELY
        kind = "handed over" if not hits else "likely" if sure else "perhaps"
        rightly = bool(hits) and hits[0].id == _id(each.right)
        found["with an article" if each.right in known else "without one"][kind + _rightly(kind, rightly)] += 1
    return {
        name: {kind: round(n / count.total(), 3) for kind, n in sorted(count.items())} for name, count in found.items()
    }


def _rightly(kind: str, rightly: bool) -> str:
    return "" if kind == "handed over" else ", right" if rightly else ", wrong"


def _pairs() -> list[tuple[str, str]]:
    return [(thing, trouble) for thing in THINGS for trouble in TROUBLES]


def _article(thing: str, trouble: str) -> Passage:
    ways = TROUBLES[trouble][2]
    name = THINGS[thing][0]
    asked = "? ".join(way.format(THINGS[thing][n % 3]).capitalize() for n, way in enumerate(ways[1:4]))
    body = f"{asked}?\nFollow step {len(thing)} of our guide to this, then tell us the number."
    return Passage(_id(f"{thing}/{trouble}"), 0, ways[0].format(name).capitalize(), body)


def _id(right: str) -> str:
    return right.encode().hex().ljust(28, "0")[:28]


def _times(learned: Sequence[Made], held: Sequence[Made]) -> dict[str, float]:
    """Through a database (SQLite): the index made of its tickets, loaded, asked, and the texts of the answers read."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/desk.db")
        try:
            return _timed(database, learned, held)
        finally:
            database.close()


def _timed(database: Database, learned: Sequence[Made], held: Sequence[Made]) -> dict[str, float]:
    _fill(database, learned)
    began = time.perf_counter()
    with database.read(PLACE) as session:
        solved, told = list(answering.solved(session)), answering.published(session)
    read = time.perf_counter() - began
    data = index.dump(index.build(solved, told))
    made_in = time.perf_counter() - began
    began = time.perf_counter()
    made = index.load(io.BytesIO(data))
    loaded = time.perf_counter() - began
    agents, customers = [], []
    for each in held[:TIMED]:
        with database.read(PLACE) as session:
            began = time.perf_counter()
            answering.for_agents(session, asking.suggest(made, each.question).hits)
            agents.append(1000 * (time.perf_counter() - began))
            began = time.perf_counter()
            answering.for_customers(session, asking.articles(made, each.short))
            customers.append(1000 * (time.perf_counter() - began))
    return {
        "tickets": len(solved), "read_s": round(read, 1), "made_s": round(made_in, 1),
        "file_mb": round(len(data) / 1e6, 1), "load_ms": round(1000 * loaded, 1),
        "p50_ms": round(quantile(agents, 0.5), 1), "p95_ms": round(quantile(agents, 0.95), 1),
        "customers_p95_ms": round(quantile(customers, 0.95), 1),
    }  # fmt: skip


def _fill(database: Database, learned: Sequence[Made]) -> None:
    """A desk whose tickets were all solved by one answer, and 100 articles."""
    Base.metadata.create_all(database.engine)
    common = {"workspace_id": PLACE}
    with database.write(EVERYONE) as session:
        now = clock(session)
        session.add(Workspace(id=PLACE, name="Bench"))
        session.flush()
        session.add_all([Desk(name="Bench", **common), Customer(id="c" * 28, email="c@example.org", **common)])
        session.add_all(Article(title=p.title, body=p.text, published=True, **common) for p in
                        [_article(*pair) for pair in _pairs()[:100]])  # fmt: skip
        session.flush()
        rows, said = [], []
        for n, each in enumerate(learned):
            subject, _, question = each.question.partition("\n")
            number = f"{n:028x}"
            rows.append(common | {
                "id": number, "number": n + 1, "subject": subject[:200], "customer_id": "c" * 28, "status": "closed",
                "priority": each.priority, "source": "web", "answered_at": now, "created_at": now, "changed_at": now,
            })  # fmt: skip
            for kind, words in ((QUESTION, question), (ANSWER, each.answer)):
                said.append(common | {
                    "id": f"{kind[0]}{n:027x}", "ticket_id": number, "kind": kind, "text": words, "source": "web",
                    "at": now + (kind == ANSWER),
                })  # fmt: skip
        session.execute(insert(Ticket), rows)
        session.execute(insert(TicketMessage), said)


def lines(figures: dict[str, Any]) -> list[str]:
    """What the terminal is told."""
    asked = f"{figures['held_out']:,} and {CALIBRATED:,} questions"
    told = [f"Assistant: {figures['count']:,} SYNTHETIC solved tickets, {asked}"]
    told.append(f"  {'right answer':42} {'first':>7} {'in five':>8}")
    told += [f"  {name:42} {one:7.1%} {five:8.1%}" for name, (one, five) in figures["answers"].items()]
    told += _said_lines(figures["said"])
    for name, (ours, usual) in figures["guesses"].items():
        told.append(f"  {name}: {ours:.1%}, the most common one {usual:.1%}")
    for name, kinds in figures["customers"].items():
        told.append(f"  chat, {name}: " + ", ".join(f"{kind} {share:.1%}" for kind, share in kinds.items()))
    return told + assistant_log.lines(figures["log"]) + _time_lines(figures["time"])


def _said_lines(said: dict[str, Any]) -> list[str]:
    told = [f"  promised of likely, at least: {', '.join(f'{share:.1%}' for share in said['promised'])}"]
    for name in ("all", "phrased anew"):
        for what, words in said[name].items():
            each = ", ".join(f"{word} {share:.1%} (right {right:.1%})" for word, (share, right) in words.items())
            told.append(f"  {name}, {what}: {each}")
    return told


def _time_lines(at: dict[str, float]) -> list[str]:
    asked = f"p50 {at['p50_ms']} ms, p95 {at['p95_ms']} ms (aim {AIM_MS} ms)"
    made = f"made in {at['made_s']} s ({at['read_s']} s of it reading)"
    return [
        f"  an answer over {at['tickets']:,}: {asked}; of articles p95 {at['customers_p95_ms']} ms",
        f"  {made}, {at['file_mb']} MB, loaded in {at['load_ms']} ms",
    ]
