"""Green Button's XML as a stream of events: expat, without document types, entities, deep nesting or long texts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from xml.parsers import expat

from tasks.metering.files.found import Unreadable

ESPI = "http://naesb.org/espi"
CHUNK = 1 << 16
DEEPEST, LONGEST, MOST_ATTRIBUTES = 40, 4_000, 40
NO_DTD = "This file declares a document type or entities, which no Green Button file needs; it is not read."
TOO_DEEP = "This XML is nested more than 40 deep, which no Green Button file is; it is not read."
TOO_LONG = "A piece of text in this XML is far too long for a Green Button file; it is not read."
BROKEN = "This XML is damaged in line {}: {}. Download it again."
Leaf = tuple[tuple[str, ...], str, dict[str, str]]


class _Parser:
    """Collects leaves (path, text, attributes) and the ends of elements between two pieces of a file."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.text: list[str] = []
        self.size = 0
        self.attributes: dict[str, str] = {}
        self.leaf = False
        self.told: list[tuple[str, Leaf]] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ExternalEntityRefHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _refuse(self, *_given: object) -> int:
        raise Unreadable(NO_DTD)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.path) >= DEEPEST:
            raise Unreadable(TOO_DEEP)
        if len(attributes) > MOST_ATTRIBUTES:
            raise Unreadable(TOO_LONG)
        self.path.append(name.rpartition(" ")[2])
        self.text, self.size, self.attributes, self.leaf = [], 0, attributes, True

    def _end(self, _name: str) -> None:
        text = "".join(self.text).strip() if self.leaf else ""
        self.told.append(
            ("leaf" if self.leaf else "end", (tuple(self.path), text, self.attributes if self.leaf else {}))
        )
        self.path.pop()
        self.leaf, self.text, self.size = False, [], 0

    def _characters(self, text: str) -> None:
        self.size += len(text)
        if self.size > LONGEST and not text.isspace():
            raise Unreadable(TOO_LONG)
        if self.leaf and self.size <= LONGEST:
            self.text.append(text)


def leaves(path: Path) -> Iterator[tuple[str, Leaf]]:
    """("leaf", (path, text, attributes)) of each element without children, and ("end", …) of each with some.

    Raises:
        Unreadable: it is damaged, or hostile.
    """
    parser = _Parser()
    with path.open("rb") as file:
        while True:
            data = file.read(CHUNK)
            _feed(parser.parser.Parse, data, parser)
            yield from parser.told
            parser.told = []
            if not data:
                return


def _feed(parse: Callable[[bytes, bool], object], data: bytes, parser: _Parser) -> None:
    try:
        parse(data, not data)
    except expat.ExpatError as error:
        raise Unreadable(BROKEN.format(parser.parser.CurrentLineNumber, expat.ErrorString(error.code))) from error
