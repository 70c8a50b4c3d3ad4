"""The job that reads shelf photos: barcodes → products of the workspace, how often each is seen, what is unknown."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stock import Product
from tasks import uploads
from tasks.alerting.open_alerts import some_of
from tasks.context import Context
from tasks.errors import JobError
from tasks.inventory import barcodes
from tasks.job import Job, Params, Result, files_field, read_samples
from tasks.uploads import IncomingFile

if TYPE_CHECKING:
    from tasks.shelf.reading import Sighting

FILES = "photos"
MOST = 6
SECONDS = 45  # for each photo; the run's limit holds all of them and the drawing
ACCEPTS = uploads.Accepts(
    media_types=frozenset({uploads.PNG, uploads.JPEG}), words="up to six photos, as JPEG or PNG",
    max_bytes=60_000_000, max_files=MOST,
)  # fmt: skip
SUFFIXES = {uploads.PNG: ".png", uploads.JPEG: ".jpg"}


class ShelfParams(Params):
    """The photos, and whether they are kept."""

    photos: list[str] = files_field(
        "Photos", accept=".jpg,.jpeg,.png", at_most=MOST,
        description="Straight on and sharp; near enough that the bars of a label can be told apart. Where and when a "
        "photo was taken is removed from it.",
        crop="people and whatever else is nobody's business",
    )  # fmt: skip
    keep: bool = Field(False, title="Keep the photos", description="Otherwise they are deleted once they are read.")


class SeenProduct(Result):
    """A product that is on the photos."""

    product_id: str
    name: str
    sku: str
    code: str
    count: int = Field(title="How many of its labels were seen")
    on_hand: str = Field(title="On hand, by the books")


class UnknownCode(Result):
    """A code that no product has."""

    code: str
    kind: str
    count: int


class Photo(Result):
    """One photo."""

    picture: str = Field(title="Name of the artifact that shows it with its codes; empty: it could not be read")
    codes: int
    complete: bool = Field(title="Whether there was time to look everywhere")


class ShelfResult(Result):
    """What is on the shelf."""

    products: list[SeenProduct]
    unknown: list[UnknownCode]
    photos: list[Photo]


def check(params: ShelfParams, files: Sequence[IncomingFile]) -> None:
    """At the form: refuse what headers tell to be no photo, or too large a one."""
    uploads.inspect(files, ACCEPTS, FILES)


def clean(files: Sequence[IncomingFile], folder: Path) -> list[IncomingFile]:
    """Photos without where and when they were taken, under names of ours."""
    kept = []
    for number, file in enumerate(files, 1):
        bare = folder / f"photo-{number}"
        media_type = uploads.clean(file.path, bare, file.media_type or "", FILES)
        named = bare.rename(bare.with_suffix(SUFFIXES[media_type]))
        kept.append(uploads.receive(named, named.name))
    return kept


def run(params: ShelfParams, ctx: Context) -> ShelfResult:
    """Read each photo, look its codes up, leave each with its codes framed."""
    from tasks.shelf import reading  # OpenCV: only in the worker

    paths = ctx.paths(params.photos)
    photos: list[Photo] = []
    counts: Counter[str] = Counter()
    for number, path in enumerate(paths, 1):
        ctx.progress((number - 1) / len(paths), f"Photo {number} of {len(paths)}")
        image = reading.decode(path.read_bytes())
        if image is None:
            photos.append(Photo(picture="", codes=0, complete=False))
            continue
        found = reading.read(image, SECONDS)
        counts.update(sighting.code for sighting in found.sightings)
        known = _known(ctx, found.sightings)
        name = f"photo-{number}.png"
        ctx.artifact(name, f"Photo {number} with its codes", "image/png", reading.marked(image, known))
        photos.append(Photo(picture=name, codes=len(found.sightings), complete=found.complete))
    if not any(photo.picture for photo in photos):
        raise JobError("None of these photos could be read: they are damaged. Take or save them again.")
    with ctx.read() as session:
        products, unknown = _named(session, counts)
    return ShelfResult(products=products, unknown=unknown, photos=photos)


def _known(ctx: Context, sightings: "list[Sighting]") -> "list[tuple[Sighting, bool]]":
    with ctx.read() as session:
        codes = _products(session, {sighting.code for sighting in sightings})
    return [(sighting, sighting.code in codes) for sighting in sightings]


def _named(session: Session, counts: Counter[str]) -> tuple[list[SeenProduct], list[UnknownCode]]:
    known = _products(session, set(counts))
    products = [
        SeenProduct(
            product_id=known[code].id, name=known[code].name, sku=known[code].sku, code=code, count=count,
            on_hand=f"{known[code].on_hand.normalize():f}",
        )
        for code, count in counts.items() if code in known
    ]  # fmt: skip
    unknown = [
        UnknownCode(code=code, kind=barcodes.kind(code), count=count)
        for code, count in counts.items()
        if code not in known
    ]
    return sorted(products, key=lambda one: one.name), sorted(unknown, key=lambda one: one.code)


def _products(session: Session, codes: set[str]) -> dict[str, Product]:
    """By the code as it was read, however its zeros are written at the product."""
    forms = {form: code for code in codes for form in barcodes.same(code)}
    found: dict[str, Product] = {}
    for some in some_of(sorted(forms)):
        asked = select(Product).where(Product.barcode.in_(some)).order_by(Product.discontinued.desc(), Product.id)
        found |= {forms[product.barcode]: product for product in session.scalars(asked) if product.barcode}
    return found


def headline(result: ShelfResult) -> str:
    """For lists and mails."""
    codes = sum(photo.codes for photo in result.photos)
    if not codes:
        return "no code was found"
    unknown = f", {len(result.unknown)} unknown" if result.unknown else ""
    return f"{len(result.products)} product{'' if len(result.products) == 1 else 's'}{unknown}"


JOB = Job(
    kind="shelf",
    title="Read a shelf photo",
    summary="Finds the barcodes on photos of a shelf, and which of your products they are.",
    params=ShelfParams,
    result=ShelfResult,
    run=run,
    time_limit=MOST * SECONDS + 60,
    intake=check,
    clean=clean,
    headline=headline,
    forget_uploads=lambda params: not params.keep,
    samples=read_samples(Path(__file__).parent / "sample"),
)
