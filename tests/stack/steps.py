"""The steps of the test, in their order."""

import json
import time
from functools import cached_property
from pathlib import Path

from tests.stack import AIM_MB, AIM_READY_S, KEPT, content, moving, restoring, shots, upgrading
from tests.stack import kills as killing
from tests.stack import rolling as changing
from tests.stack import tour as touring
from tests.stack.compose import Stack, docker
from tests.stack.report import Report
from tests.stack.visitor import Catcher, Front, Person, Program

DEMO = "demo@example.org"
CERTIFICATE = "/etc/nginx/certificates/fullchain.pem"
OPEN = ("nginx", "mailpit")  # all that this machine may reach, with the profiles left out


class Course:
    """What the steps share: the stack, and who visits it."""

    def __init__(self, stack: Stack, report: Report, quick: bool, before: str = "") -> None:
        self.stack, self.report, self.quick, self.before = stack, report, quick, before
        self.began = time.monotonic()
        self.built = self.from_nothing = False

    @cached_property
    def front(self) -> Front:
        """Through nginx, trusting the certificate that the stack made for itself and no other."""
        place = KEPT / "certificate.pem"
        self.stack.compose("cp", f"nginx:{CERTIFICATE}", str(place))
        http, https = (self.stack.port("nginx", inside) for inside in ("8080", "8443"))
        return Front(f"https://localhost:{https}", place, f"http://localhost:{http}")

    @cached_property
    def person(self) -> Person:
        """The demo account."""
        person = Person(self.front)
        person.sign_in(DEMO, self.password)
        return person

    @cached_property
    def password(self) -> str:
        """Made by the stack; also after a restore it is the one that was saved."""
        return self.stack.inside("web", "cat", "/data/secrets/demo_password").strip()

    @cached_property
    def token(self) -> str:
        return self.person.token("the test of the stack")

    @cached_property
    def program(self) -> Program:
        return Program(self.front, self.token)

    @cached_property
    def catcher(self) -> Catcher:
        return Catcher(f"http://localhost:{self.stack.port('mailpit', '8025')}")

    @property
    def hands(self) -> killing.Hands:
        return killing.Hands(self.front, self.person, self.token, self.catcher)

    def begin_anew(self) -> None:
        """After a restore: the certificate and the ports may be others, the people are the same."""
        for name in ("front", "person", "program", "catcher"):
            self.__dict__.pop(name, None)


def build(course: Course) -> None:
    """The images, from what lies here."""
    services = course.stack.config()["services"]
    course.report.add("docker compose config", f"{len(services)} services", "", "ok")
    began = time.monotonic()
    course.stack.loudly("build", timeout=1200)
    course.built = True
    course.report.add("docker compose build", f"{time.monotonic() - began:.1f} s")
    for image in sorted({told["image"] for told in services.values() if "build" in told}):
        size, name = json.loads(docker("image", "inspect", image))[0]["Size"] / 1e6, image.partition(":")[0]
        if name in AIM_MB:
            course.report.within(f"image {name}", size, AIM_MB[name], "MB")
        else:
            course.report.add(f"image {name}", f"{size:.1f} MB")


def up(course: Course) -> None:
    """From nothing until all is well."""
    began = time.monotonic()
    course.from_nothing = True
    course.stack.up()
    course.stack.wait()
    course.report.add(
        "from nothing to healthy", f"{time.monotonic() - began:.1f} s, {len(course.stack.containers())} containers"
    )


def upgrade(course: Course) -> None:
    """From the revision that was named to what lies here."""
    upgrading.start_from(course.before, course.stack, course.report)
    upgrading.upgrade(course.stack, course.hands, course.report)


def tour(course: Course) -> None:
    """What a person sees and a program gets, through nginx."""
    whole = touring.Tour(course.front, course.person, course.program, course.catcher, course.report)
    whole.walk(touring.PARTS)
    if course.from_nothing:
        what = "from nothing to the tour's end" + ("" if course.built else ", images there before")
        course.report.within(what, time.monotonic() - course.began, AIM_READY_S, "s")
    open_ = {each.service for each in course.stack.containers() if _published(each.told)}
    course.report.holds(
        "ports of this machine lead to nginx and the mail catcher alone", open_ <= set(OPEN), sorted(open_)
    )
    course.report.add("pictures through nginx", len(shots.take(course.front, course.person)))


def _published(told: dict[str, object]) -> bool:
    host = told["HostConfig"]
    return isinstance(host, dict) and any((host.get("PortBindings") or {}).values())


def kills(course: Course) -> None:
    killing.run(course.stack, course.hands, course.report, course.quick)


def rolling(course: Course) -> None:
    changing.roll(course.stack, course.hands, course.report, course.quick)


def backup(course: Course) -> None:
    """All is saved, all goes, an empty stack gets it back: what it holds is the same."""
    archive = KEPT / "backup.tar"
    before = content.read(course.stack, course.program)
    restoring.save(course.stack, archive, course.report)
    restoring.restore_into_nothing(course.stack, archive, course.report)
    course.begin_anew()
    _compare(course, before, archive)


def _compare(course: Course, before: content.Content, archive: Path) -> None:
    after = content.read(course.stack, course.program)
    lost = before.missing_in(after)
    course.report.none_of("rows and files not as before", len(lost), before.count + len(before.files))
    for each in lost[:10]:
        course.report.say(f"  {each}")
    course.report.holds("files downloaded, their sums the same", bool(before.files), len(before.files))
    run_id = course.program.start("budget", "after-the-restore")
    course.program.succeeded(run_id)
    course.report.holds("the same sign-in and token; new work is done", True)
    archive.unlink()


def move(course: Course) -> None:
    """What `make run` held comes into an empty stack: the same sign-in, and new work is done."""
    password = moving.move(course.stack, course.report)
    course.begin_anew()
    vars(course).pop("token", None)  # that was of other people
    course.password = password
    run_id = course.program.start("budget", "after-the-move")
    course.program.succeeded(run_id)
    course.report.holds("the same sign-in; new work is done", True)


def down(course: Course) -> None:
    """All of it goes."""
    course.stack.down()
    left = course.stack.left()
    course.report.none_of("containers, volumes and networks left", sum(map(len, left.values())))
