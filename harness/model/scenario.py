"""A scenario: which traffic, against which service, how long, within which budgets.

The JSON Schema for editors and the reference in `scenarios/README.md` come from here:
what is said below a key is what they say (`harness.planning.schema`).
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads the annotation
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.model.behaviour import NO_RULES, BehaviourRules
from harness.model.budget import Budgets
from harness.model.check import Check  # noqa: TC001 - pydantic reads the annotation
from harness.model.flow import Beginning, Rule
from harness.model.part import (
    Duration,
    HostPath,
    Number,
    Part,
    Percentage,
    Size,
    Variable,
    Volume,
    Whole,
)
from harness.model.shape import Shape, ShapeOrName
from harness.model.symptom import Fix  # noqa: TC001 - pydantic reads the annotation

__all__ = [
    "Calibrate",
    "Change",
    "Driver",
    "ImageBuild",
    "Limits",
    "Load",
    "Replay",
    "Rounds",
    "Scenario",
    "Service",
]

Driver = Literal["docker", "process", "url"]

_MOST_HELD_OUT: Final = 0.9
_MOST_ROUNDS: Final = 10


class ImageBuild(Part):
    """How the image is built from a source tree."""

    context: str = "."
    """Build context, relative to the root of the reference's tree."""
    dockerfile: str = "Dockerfile"
    """Relative to the context."""
    args: dict[str, str] = Field(default_factory=dict)
    """Build arguments."""
    target: str | None = None
    """Stage to build."""


class Limits(Part):
    """What one environment may use; equal for both arms."""

    cpus: Number = Field(default=1.0, gt=0)
    """Processor cores."""
    memory: Size = Field(default="512MiB", gt=0)  # type: ignore[assignment] # parsed
    """Memory, after which the kernel kills."""


class Service(Part):
    """The service under test and how it is brought up."""

    driver: Driver = "docker"
    """`docker`, `process` or `url`; set by what is given where it is left out."""
    build: ImageBuild | None = None
    """Build the image from each reference's source tree."""
    image: str | None = None
    """Image of the baseline, where `--baseline` names no other."""
    command: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Replaces the image's command; with the process driver, the command itself.

    A process runs every round in the same source tree, which keeps what it writes
    there: state that must be fresh belongs in `TMPDIR`.
    """
    url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#:]")
    """Something already deployed, as the baseline, where that option names no other."""
    env: dict[Variable, str] = Field(default_factory=dict)
    """Environment variables; the process driver adds HOST, PORT and a TMPDIR."""
    setup: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Run once in each fresh environment, before traffic."""
    volumes: tuple[Volume, ...] = ()
    """As `host:container[:ro]`, host paths relative to the scenario file."""
    port: Whole = Field(default=8000, ge=1, le=65535)
    """The port that the service listens on, in its container."""
    ready: str = Field(default="/", pattern=r"^/")
    """Ready once this path answers with a status below 400."""
    ready_timeout: Duration = Field(default="60s", gt=0)  # type: ignore[assignment] # parsed
    """How long to wait for it, and before that for `setup` to end."""
    metrics: str | None = Field(default=None, pattern=r"^/")
    """Where it exposes metrics in the format of Prometheus, such as `/metrics`."""
    limits: Limits = Limits()
    """What one environment may use."""

    @model_validator(mode="before")
    @classmethod
    def _driver_of_what_is_given(cls, given: object) -> object:
        if not isinstance(given, dict) or "driver" in given:
            return given
        if "url" in given:
            return {**given, "driver": "url"}
        image = "build" in given or "image" in given
        if "command" in given and not image:
            return {**given, "driver": "process"}
        return given

    @model_validator(mode="after")
    def _has_what_its_driver_needs(self) -> Self:
        if self.driver == "process" and self.command is None:
            raise ValueError("the process driver needs a `command`")
        return self


class Replay(Part):
    """An open population: sessions start when they did, scaled."""

    speed: Number = Field(default=1.0, gt=0, le=1_000_000)
    """How much faster than recorded."""
    scale: Number = Field(default=1.0, gt=0, le=1_000_000)
    """How many times each whole session, jittered by the seed."""


class Load(Part):
    """How the recording becomes load."""

    users: Whole | None = Field(default=None, gt=0)
    """A closed population of that many users with recorded think times."""
    replay: Replay | None = None
    """An open population."""
    locustfile: HostPath | None = None
    """Instead of a recording: an unchanged locustfile with so many `users`; relative to
    the scenario file."""
    shape: ShapeOrName = "constant"
    """The load over time; left out, `constant` for `users`, `recorded` for `replay`.

    `recorded`: sessions start when they did; with `users`, the population follows the
    recorded traffic relative to its peak, laid over the measured part of a round.
    `constant`: so many users; with `replay`, sessions start evenly.
    """
    deadline: Duration = Field(default="10s", gt=0)  # type: ignore[assignment] # parsed
    """A request unanswered by then counts as this long and as an error."""
    held_out: Percentage = "20%"  # type: ignore[assignment] # parsed
    """Share of the recording's sessions that is replayed and judged as the rest is, but
    left out of `agent.json`: a candidate cannot be made for them alone."""

    @field_validator("held_out")
    @classmethod
    def _something_is_shown(cls, share: float) -> float:
        if share > _MOST_HELD_OUT:
            raise ValueError("at most 90% can be held out")
        return share

    @model_validator(mode="before")
    @classmethod
    def _nothing_held_out_of_a_locustfile(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("locustfile") is not None:
            return {"held_out": "0%", **given}
        return given

    @model_validator(mode="before")
    @classmethod
    def _shape_of_what_is_given(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("replay") is not None:
            return {"shape": "recorded", **given}
        return given

    @property
    def shape_name(self) -> str:
        """The shape in a word."""
        return self.shape.kind if isinstance(self.shape, Shape) else self.shape

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        if (self.users is None) == (self.replay is None):
            raise ValueError("give either `users` or `replay`")
        if self.locustfile and (self.users is None or self.shape != "constant"):
            raise ValueError("a `locustfile` goes with `users` and no shape")
        if self.locustfile and self.held_out:
            raise ValueError(
                "a `locustfile` has no recorded sessions: leave `held_out` out"
            )
        return self


class Rounds(Part):
    """How much is measured."""

    min: Whole = Field(default=4, ge=2, le=50)
    """Sound rounds before the first look at whether they suffice."""
    max: Whole = Field(default=_MOST_ROUNDS, ge=2, le=50)
    """Sound rounds after which the trial ends, whatever they say; at least `min`."""
    slice: Duration = Field(default="4s", gt=0)  # type: ignore[assignment] # parsed
    """Length of one slice of one arm."""
    slices: Whole = Field(default=6, ge=1, le=1_000)
    """Slices an arm in each round."""
    warmup: Duration = "10s"  # type: ignore[assignment] # parsed
    """Unmeasured traffic on each fresh arm."""
    ramp: Duration = "5s"  # type: ignore[assignment] # parsed
    """Inside the warm-up: the time over which the users of `users` arrive."""
    soak: Duration | None = Field(default=None, gt=0)
    """Instead of all that: two rounds with one slice of this length, such as `10min`.

    Of the budgets only that on the growth of memory is judged, in the second half of
    the requests.
    """

    @model_validator(mode="before")
    @classmethod
    def _rounds_of_what_is_given(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        if given.get("soak") is not None:
            own = {"min": 2, "max": 2, "slice": given["soak"], "slices": 1}
            if twice := [
                name for name in own if given.get(name, own[name]) != own[name]
            ]:
                raise ValueError(f"`soak` goes without {', '.join(twice)}")
            return {**given, **own}
        if "max" in given:
            return given
        least = given.get("min")
        return (
            {**given, "max": max(_MOST_ROUNDS, least)}
            if isinstance(least, int)
            else given
        )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max < self.min:
            raise ValueError("`max` must be at least `min`")
        return self

    @model_validator(mode="after")
    def _ramp_fits(self) -> Self:
        if self.ramp > self.warmup:
            raise ValueError("`ramp` must fit into `warmup`")
        return self


class Change(Part):
    """A change made on purpose: the baseline, with a switch of its own turned on."""

    env: dict[Variable, str] = Field(min_length=1)
    """Environment variables of the candidate, over those of the service."""


class Calibrate(Part):
    """What `seatrial calibrate` tries besides the baseline against itself."""

    changes: dict[str, Change] = Field(default_factory=dict)
    """By name, such as `+10 ms`."""


class Scenario(Part):
    """One trial's terms, every default resolved."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    """Names the trial's directory."""
    why: str = ""
    """What the experienced engineer knows about this traffic, in prose."""
    recording: Path | None = None
    """The recording, relative to the scenario file."""
    openapi: HostPath | None = None
    """An OpenAPI document that names the routes; relative to the scenario file."""
    service: Service
    """The service under test."""
    load: Load
    """How the recording becomes load."""
    session: Beginning = Beginning()
    """How each session begins."""
    extract: tuple[Rule, ...] = ()
    """Values of answers that later requests need, where the recording does not tell."""
    rounds: Rounds = Rounds()
    """How much is measured."""
    budgets: Budgets = Budgets()
    """How much worse the candidate may be."""
    behaviour: BehaviourRules = BehaviourRules()
    """Differences between the arms' answers that do not count, or are meant."""
    checks: tuple[Check, ...] = ()
    """What the service must answer after slices and rounds, besides the load."""
    fix: Fix | None = None
    """What the candidate claims to fix. Then `rounds` are at least 6, at most 20."""
    calibrate: Calibrate = Calibrate()
    """What the machine is tried with before it is trusted."""
    seed: Whole = Field(default=1, ge=0, lt=2**64)
    """Draws sessions, jitter and the first arm of each round."""

    def soaked(self, length: str) -> Self:
        """The same terms with rounds that soak for that long, such as `10min`.

        Raises:
            ValueError: that is no length, or the terms do not go with a soak.
        """
        written = self.model_dump(mode="json")
        kept = {name: written["rounds"][name] for name in ("warmup", "ramp")}
        rounds = {**kept, "soak": length}
        return type(self).model_validate({**written, "rounds": rounds})

    @model_validator(mode="before")
    @classmethod
    def _rounds_of_a_fix(cls, given: object) -> object:
        if not isinstance(given, dict) or given.get("fix") is None:
            return given
        rounds = given.get("rounds") or {}
        if not isinstance(rounds, dict) or rounds.get("soak") is not None:
            return given
        return {**given, "rounds": {"min": 6, "max": 20, **rounds}}

    @model_validator(mode="after")
    def _traffic(self) -> Self:
        if (self.recording is None) == (self.load.locustfile is None):
            raise ValueError("give a `recording`, or `load.locustfile` instead of it")
        if self.recording is None and (self.extract or self.session.login):
            raise ValueError("`extract` and a login need a `recording`")
        if self.recording is None and self.behaviour != NO_RULES:
            raise ValueError("answers are compared by a `recording`: no `behaviour`")
        return self

    @model_validator(mode="after")
    def _checks_have_names(self) -> Self:
        names = [check.title for check in self.checks]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two `checks` are called {', '.join(sorted(twice))}")
        if self.fix and self.fix.symptom.check not in {None, *names}:
            raise ValueError(
                f"`fix.symptom.check` names none of the `checks`: {', '.join(names)}"
            )
        return self

    @model_validator(mode="after")
    def _soak_has_a_budget(self) -> Self:
        if self.rounds.soak and self.budgets.memory.growth is None:
            raise ValueError("a `soak` needs a budget, as memory: {growth: 64KiB}")
        if self.rounds.soak and self.fix is not None:
            raise ValueError("a `soak` has too few rounds to prove a `fix`")
        return self

    @model_validator(mode="after")
    def _changeable(self) -> Self:
        if self.service.driver == "url" and self.calibrate.changes:
            raise ValueError("a deployed `url` takes no environment: no `changes`")
        return self

    @model_validator(mode="after")
    def _measurable(self) -> Self:
        default = Budgets()
        asked = {
            name
            for name in ("memory", "cpu", "descriptors", "threads", "sockets")
            if getattr(self.budgets, name) != getattr(default, name)
        }
        if self.service.driver == "url" and asked:
            raise ValueError(
                f"a deployed `url` shows no {' and no '.join(sorted(asked))}: "
                "leave that budget out"
            )
        return self
