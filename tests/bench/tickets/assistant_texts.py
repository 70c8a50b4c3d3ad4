"""Made questions and answers of a shop's help desk: SYNTHETIC, for nobody's real tickets may stand here.

A trouble (what is wrong) with a thing (what it is about) has one right answer; people call both by several names, say
them in several ways, add what is beside the point and mistype; one in ten is too vague to say which trouble it is. Of
each trouble's ways of saying it one is never said in what is learned from: half of what is asked is said that way.
"""

import random
from dataclasses import dataclass

THINGS = {
    "printer": ("printer", "laser printer", "printing machine"),
    "laptop": ("laptop", "notebook", "portable computer"),
    "router": ("router", "wifi box", "modem"),
    "headphones": ("headphones", "headset", "earphones"),
    "scale": ("kitchen scale", "scale", "balance"),
    "kettle": ("kettle", "water boiler", "tea kettle"),
    "chair": ("office chair", "desk chair", "chair"),
    "lamp": ("lamp", "desk light", "reading lamp"),
    "phone": ("phone", "mobile", "smartphone"),
    "camera": ("camera", "webcam", "cam"),
    "bag": ("backpack", "bag", "rucksack"),
    "app": ("app", "application", "programme"),
}
# topic, usual priority, ways to say it; the last of them is only ever asked
TROUBLES = {
    "late": (
        "Delivery",
        3,
        (
            "the {} has not arrived yet",
            "still waiting for my {}",
            "where is the parcel with the {}",
            "tracking of the {} has not moved for days",
            "when will the {} be delivered",
        ),
    ),
    "wrong": (
        "Delivery",
        3,
        (
            "I got the wrong {}",
            "this is not the {} that I ordered",
            "you sent a different {}",
            "the {} in the box is another model",
            "received an incorrect {}",
        ),
    ),
    "address": (
        "Delivery",
        2,
        (
            "send the {} to another address",
            "I gave the old address for the {}",
            "change where the {} goes",
            "we moved, the {} must go to the new house",
            "wrong address on the order of the {}",
        ),
    ),
    "refund": (
        "Returns",
        3,
        (
            "I want my money back for the {}",
            "how do I return the {}",
            "send back the {} for a refund",
            "the {} is not what I hoped, can I give it back",
            "return label for the {}",
        ),
    ),
    "swap": (
        "Returns",
        3,
        (
            "can I exchange the {} for a larger one",
            "swap the {} for another colour",
            "I would rather have the {} in black",
            "change the {} to a different size",
            "replace the {} by another variant",
        ),
    ),
    "charged": (
        "Payment",
        2,
        (
            "I was charged twice for the {}",
            "the {} was billed two times",
            "double payment for one {}",
            "two withdrawals for the same {}",
            "my card shows the {} twice",
        ),
    ),
    "invoice": (
        "Payment",
        4,
        (
            "I need an invoice for the {}",
            "where is the bill of the {}",
            "receipt for the {} is missing",
            "our bookkeeper asks for the {} invoice with VAT",
            "please mail the {} bill as PDF",
        ),
    ),
    "declined": (
        "Payment",
        2,
        (
            "my card was declined for the {}",
            "payment of the {} fails at checkout",
            "I cannot pay for the {}",
            "the bank refuses the payment for the {}",
            "checkout error when buying the {}",
        ),
    ),
    "dead": (
        "Repair",
        2,
        (
            "the {} does not switch on",
            "the {} is dead",
            "no power in the {} any more",
            "pressing the button of the {} does nothing",
            "my {} will not start",
        ),
    ),
    "noise": (
        "Repair",
        3,
        (
            "the {} makes a strange noise",
            "loud humming from the {}",
            "the {} rattles and buzzes",
            "there is a grinding sound in the {}",
            "my {} squeaks",
        ),
    ),
    "broken": (
        "Repair",
        2,
        (
            "a part of the {} broke off",
            "the {} is cracked",
            "the {} came damaged",
            "there is a dent and a crack in the {}",
            "the {} arrived in pieces",
        ),
    ),
    "warranty": (
        "Repair",
        4,
        (
            "how long is the warranty of the {}",
            "is the {} still under guarantee",
            "register the {} for the guarantee",
            "does the guarantee cover my {}",
            "warranty terms for the {}",
        ),
    ),
    "password": (
        "Account",
        2,
        (
            "I forgot the password for the {}",
            "cannot sign in to set up the {}",
            "reset my login of the {}",
            "the {} says that my password is wrong",
            "locked out of the account of the {}",
        ),
    ),
    "setup": (
        "Account",
        3,
        (
            "how do I connect the {}",
            "setting up the {} does not work",
            "pair the {} with my account",
            "the {} is not found when I add it",
            "first steps with the {}",
        ),
    ),
    "update": (
        "Account",
        3,
        (
            "the update of the {} fails",
            "new version of the {} software will not install",
            "firmware of the {} stops at half",
            "since the upgrade the {} crashes",
            "the {} hangs while updating",
        ),
    ),
}
OPENINGS = ("Hello,", "Hi there,", "Good morning,", "Dear team,", "", "", "Hey,")
BESIDE = (
    "I bought it last month as a present.", "My order is {}.", "I am a customer of yours for years.", "",
    "I tried it twice already.", "My neighbour has the same and is happy.", "Please call me after five.",
    "This is the second time that I write.", "I am travelling until Friday.", "Order number {} from the web shop.", "",
)  # fmt: skip
URGENT = ("It is urgent, we cannot work without it.", "This must be solved today!", "Our whole office waits for it.")
CLOSINGS = ("Thanks", "Kind regards", "Best", "Thank you very much", "")
NAMES = ("A.", "B.", "C.", "D.", "E.")
VAGUE = (
    "it does not work, please help",
    "I have a problem with my {}",
    "question about the {}",
    "something with my {}",
)


@dataclass(frozen=True)
class Made:
    """A ticket; `right` names its answer, `short` is how the same person would say it in a chat box.

    `anew`: it is said in a way that is said nowhere in what is learned from.
    """

    question: str
    short: str
    answer: str
    right: str
    topic: str
    priority: int
    anew: bool = False


def tickets(count: int, seed: int, asked: bool = False, most: int = 0) -> list[Made]:
    """So many; `asked`: half of them in the ways that are said nowhere else; `most`: of so many answers alone."""
    chance = random.Random(seed)
    # Some troubles come often and most seldom, as everywhere.
    pairs = [(thing, trouble) for thing in THINGS for trouble in TROUBLES]
    random.Random(7).shuffle(pairs)
    pairs = pairs[: most or len(pairs)]
    weights = [1 / (place + 3) ** 0.7 for place in range(len(pairs))]
    return [_made(chance, *pair, asked) for pair in chance.choices(pairs, weights, k=count)]


def _made(chance: random.Random, thing: str, trouble: str, asked: bool) -> Made:
    topic, priority, ways = TROUBLES[trouble]
    way = ways[-1] if asked and chance.random() < 0.5 else chance.choice(ways[:-1])
    if chance.random() < 0.1:
        way = chance.choice(VAGUE)
    name = chance.choice(THINGS[thing])
    said = [chance.choice(OPENINGS), way.format(name) + chance.choice(".?!")]
    said += [each.format(chance.randrange(10_000, 999_999)) for each in chance.sample(BESIDE, 2)]
    urgent = chance.random() < 0.15
    said += [chance.choice(URGENT)] if urgent else []
    said.append(f"{chance.choice(CLOSINGS)} {chance.choice(NAMES)}")
    subject = chance.choice((name, "Help", "Question", f"My {name}", "Order", way.format(name)[:60]))
    text = _mistyped(chance, " ".join(each for each in said if each))
    priority = chance.choice((1, 2, 3, 4)) if chance.random() < 0.1 else 1 if urgent else priority
    short = _mistyped(chance, way.format(name)) + "?"
    return Made(
        f"{subject}\n{text}",
        short,
        answer(chance, thing, trouble),
        f"{thing}/{trouble}",
        topic,
        priority,
        way == ways[-1],
    )


def answer(chance: random.Random, thing: str, trouble: str) -> str:
    """The same words for everybody, and a greeting and a number of one's own."""
    body = (
        f"About the {thing} ({trouble}): follow step {len(thing)} of our guide to {trouble}, then tell us the number."
    )
    return f"Dear {chance.choice(NAMES)},\n\n{body}\n\nKind regards\n{chance.choice(NAMES)}"


def _mistyped(chance: random.Random, text: str) -> str:
    """Two neighbours swapped in one of thirty words, a letter lost in another one."""
    words = text.split(" ")
    for place, word in enumerate(words):
        luck = chance.random()
        if len(word) > 4 and luck < 1 / 15:
            at = chance.randrange(1, len(word) - 2)
            swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            words[place] = swapped if luck < 1 / 30 else word[:at] + word[at + 1 :]
    return " ".join(words)
