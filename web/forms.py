"""A job's form, made from the JSON schema of its Params: what to draw for each field, and how to read it back.

The API's description comes from the same schema, so that a title, a bound or a unit is written once.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from werkzeug.datastructures import FileStorage, MultiDict

from tasks.handover import Given
from tasks.job import Job, Params
from tasks.storage import TEMPORARY

Widget = Literal["text", "textarea", "number", "date", "checkbox", "select", "checkboxes", "files"]
Schema = dict[str, Any]
LONG_TEXT = 200
CROWDED = 4


@dataclass
class Field:
    """One field as the form's macro draws it.

    Attributes:
        attributes: bounds for the browser (min, max, step, maxlength, accept …); the server checks them again.
        options: (value, label) of what can be chosen.
        choices: what each option's text stands for, where that is no text.
        value: what stands in it, as text; a list of texts for `checkboxes`.
        advanced: it stands in a part of the form that is closed at first.
    """

    name: str
    title: str
    widget: Widget
    help: str = ""
    unit: str = ""
    required: bool = False
    advanced: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)
    options: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, Any] = field(default_factory=dict)
    value: Any = ""
    error: str = ""

    @property
    def may_be_empty(self) -> bool:
        """Whether to say "optional": not of what has a value already."""
        return not self.required and (self.widget != "select" or ("", "–") in self.options)

    @property
    def described_by(self) -> str:
        """The ids of the texts that belong to it, for aria-describedby."""
        named = {"error": self.error, "help": self.help, "unit": self.unit}
        return " ".join(f"{self.name}-{part}" for part, text in named.items() if text)


def fields(job: Job, given: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None) -> list[Field]:
    """The form's fields in the order of Params.

    Args:
        given: values to show instead of the defaults, as they came from `read` or from a run.
        errors: a message for each field at fault.
    """
    schema = _schema(job.params)
    shown = {name: part for name, part in schema.get("properties", {}).items() if not part.get("hidden")}
    made = [_field(name, part, schema) for name, part in shown.items()]
    _tidy(made)
    for each in made:
        if given is not None and each.widget != "files":
            each.value = _shown(given.get(each.name))
        each.error = (errors or {}).get(each.name, "")
    return made


def _tidy(made: list[Field]) -> None:
    """A long form shows what must be given; choices that have a default stand behind "More choices"."""
    spare = [each for each in made if not each.required and each.widget not in ("files", "checkbox")]
    if len(spare) >= CROWDED:
        for each in spare:
            each.advanced = True


def read(job: Job, posted: "MultiDict[str, str]") -> dict[str, Any]:
    """The posted values of Params' fields, as text; what a browser does not send (an empty checkbox) is put in."""
    values: dict[str, Any] = {}
    for each in fields(job):
        if each.widget == "checkbox":
            values[each.name] = "true" if each.name in posted else "false"
        elif each.widget != "files":
            values[each.name] = _posted(each, posted)
    return values


def read_all(job: Job, posted: "MultiDict[str, str]") -> dict[str, Any]:
    """What a program posted: only what it sent, and unknown fields too, so that they are told of."""
    known = {each.name: each for each in fields(job)}
    return {name: _posted(known[name], posted) if name in known else posted[name] for name in posted}


def _posted(each: Field, posted: "MultiDict[str, str]") -> Any:
    chosen = [each.choices.get(text, text) for text in posted.getlist(each.name)]
    if each.widget == "checkboxes":
        return chosen
    last = chosen[-1] if chosen else ""
    return last.strip() if isinstance(last, str) else last


@contextmanager
def received(job: Job, posted: "MultiDict[str, FileStorage]") -> Iterator[Given]:
    """The posted files on disk, under names of ours, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        kept: dict[str, list[tuple[str, Path]]] = {}
        for name in job.file_fields():
            chosen = [storage for storage in posted.getlist(name) if storage.filename]
            for number, storage in enumerate(chosen):
                path = Path(folder) / f"{name}-{number}"
                storage.save(path)
                known = [told for told, _ in kept.get(name, ())]
                kept.setdefault(name, []).append((_file_name(storage.filename or "", known), path))
        yield kept


def _file_name(told: str, known: list[str]) -> str:
    """A file's own name, fit for a page and for a folder: no path, nothing unprintable, and no two alike."""
    base = "".join(sign for sign in told.replace("\\", "/").rsplit("/", 1)[-1] if sign.isprintable()).strip()
    name = base[-100:] if base.strip(".") else "file"
    return f"{len(known) + 1}-{name}" if name in known else name


def words(job: Job, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Stored params for people: (title, value with its unit), files and empty fields left out."""
    shown = [each for each in fields(job, values) if each.widget != "files" and each.value not in ("", [])]
    return [(each.title, _in_words(each)) for each in shown]


def _in_words(each: Field) -> str:
    if each.widget == "checkbox":
        return "yes" if each.value == "true" else "no"
    labels = dict(each.options)
    values = each.value if isinstance(each.value, list) else [each.value]
    text = ", ".join(str(labels.get(value, value)) for value in values)
    return f"{text} {each.unit}".strip()


@cache
def _schema(params: type[Params]) -> Schema:
    return params.model_json_schema()


def _field(name: str, part: Schema, schema: Schema) -> Field:
    plain, optional = _resolve(part, schema)
    widget = _widget(name, plain, schema)
    required = name in schema.get("required", ()) and not optional and widget not in ("checkbox", "checkboxes")
    choices = _choices(widget, plain, schema)
    return Field(
        name=name,
        title=part.get("title") or plain.get("title") or name,
        widget=widget,
        help=part.get("description", ""),
        unit=part.get("unit", "") if widget == "number" else "",  # options carry theirs
        required=required,
        advanced=bool(part.get("advanced")),
        attributes=_attributes(widget, plain, part),
        options=_options(choices, part, may_be_empty=widget == "select" and (optional or required)),
        choices=choices,
        value=_shown(part.get("default")),
    )


def _resolve(part: Schema, schema: Schema) -> tuple[Schema, bool]:
    """Follow references, and tell whether the field may be left empty (`X | None`)."""
    if "$ref" in part:
        target = schema["$defs"][part["$ref"].rsplit("/", 1)[-1]]
        return _resolve({**target, **{key: value for key, value in part.items() if key != "$ref"}}, schema)
    if "anyOf" in part:
        some = [each for each in part["anyOf"] if each.get("type") != "null"]
        if len(some) == 1:
            return _resolve(some[0], schema)[0], len(some) < len(part["anyOf"])
    return part, False


def _widget(name: str, plain: Schema, schema: Schema) -> Widget:
    """Which widget a schema gets.

    Raises:
        TypeError: there is none; the contract test tells whoever wrote the job.
    """
    if plain.get("files"):
        return "files"
    if "enum" in plain or "const" in plain:
        return "select"
    kind = plain.get("type")
    if kind == "array" and "enum" in _resolve(plain.get("items", {}), schema)[0]:
        return "checkboxes"
    if kind == "string":
        return "date" if plain.get("format") == "date" else _text(plain)
    if kind in ("integer", "number"):
        return "number"
    if kind == "boolean":
        return "checkbox"
    raise TypeError(f"no form can be made of the field {name!r}: {plain}")


def _text(plain: Schema) -> Widget:
    return "textarea" if plain.get("maxLength", 0) > LONG_TEXT else "text"


def _attributes(widget: Widget, plain: Schema, part: Schema) -> dict[str, Any]:
    if widget == "files":
        multiple = plain.get("maxItems", 1) > 1
        return {"accept": part.get("accept", ""), "multiple": multiple, "crop": part.get("crop", "")}
    if widget == "number":
        whole = plain["type"] == "integer"
        step = plain.get("multipleOf", 1 if whole else "any")
        bounds = {"min": plain.get("minimum"), "max": plain.get("maximum"), "step": step}
        # An open bound has no attribute of its own; of whole numbers the next one does.
        if whole and "exclusiveMinimum" in plain:
            bounds["min"] = plain["exclusiveMinimum"] + 1
        if whole and "exclusiveMaximum" in plain:
            bounds["max"] = plain["exclusiveMaximum"] - 1
        return {name: value for name, value in bounds.items() if value is not None}
    names = {"maxLength": "maxlength", "minLength": "minlength", "pattern": "pattern"}
    return {names[key]: plain[key] for key in names if key in plain and widget in ("text", "textarea")}


def _choices(widget: Widget, plain: Schema, schema: Schema) -> dict[str, Any]:
    if widget not in ("select", "checkboxes"):
        return {}
    source = plain if widget == "select" else _resolve(plain["items"], schema)[0]
    return {_shown(value): value for value in source.get("enum", [source.get("const")]) if value is not None}


def _options(choices: Mapping[str, Any], part: Schema, *, may_be_empty: bool) -> list[tuple[str, str]]:
    labels: Mapping[str, str] = part.get("labels", {})
    unit = part.get("unit", "")
    named = [(text, f"{labels.get(text) or _label(text)} {unit}".strip()) for text in choices]
    return [("", "–"), *named] if may_be_empty and part.get("default") is None else named


def _label(value: str) -> str:
    """`per_hour` reads "Per hour"; what has capitals or digits already is left as it is."""
    return value.replace("_", " ").capitalize() if value.isidentifier() and value.islower() else value


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return [_shown(each) for each in value]
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)
