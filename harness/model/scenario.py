"""A scenario: which traffic, against which service, how long, within which budgets.

The JSON Schema for editors comes from here: `Scenario.model_json_schema()`.
"""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from harness.model.quantity import Allowance, bytes_of, cut, duration_ns

__all__ = [
    "TAGS",
    "Budgets",
    "Driver",
    "ImageBuild",
    "LatencyBudgets",
    "Limits",
    "Load",
    "MemoryBudget",
    "Ramp",
    "Replay",
    "Rounds",
    "Scenario",
    "Service",
    "Shape",
    "Spike",
    "Step",
]

_TEXT = WithJsonSchema({"type": "string"})

_AS_WRITTEN = PlainSerializer(lambda allowance: allowance.text, when_used="json")


def _in_units(unit: str) -> PlainSerializer:
    return PlainSerializer(lambda amount: f"{amount}{unit}", when_used="json")


def _allowed(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda text: Allowance.parse(text, unit))


def _not_a_truth(given: object) -> object:
    if isinstance(given, bool):
        raise ValueError("a number is wanted, not true or false")  # noqa: TRY004 - pydantic collects no TypeError
    return given


def _moment_of(given: object) -> object:
    if isinstance(given, date) and not isinstance(given, datetime):
        return datetime.combine(given, time())
    if isinstance(given, datetime):
        return given
    try:
        return datetime.fromisoformat(str(given))
    except ValueError:
        said = cut(repr(given))
        raise ValueError(f"{said} is no moment, as 1998-06-30 20:00") from None


def _beside_the_scenario(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("directory", "")) / path


_Whole = Annotated[int, BeforeValidator(_not_a_truth)]
_Number = Annotated[float, BeforeValidator(_not_a_truth)]
_Variable = Annotated[str, Field(pattern=r"^[^=]+$")]
_Volume = Annotated[str, Field(pattern=r"^[^:]+:/[^:]*(:[^:]+)?$")]
_Route = Annotated[str, Field(pattern=r"^[A-Z-]+ [/*]")]
_Level = Annotated[_Number, Field(ge=0, le=1_000_000)]
_Moment = Annotated[datetime, BeforeValidator(_moment_of), _TEXT]
Duration = Annotated[int, BeforeValidator(duration_ns), _in_units("ns"), _TEXT]
Size = Annotated[int, BeforeValidator(bytes_of), _in_units("B"), _TEXT]
LatencyAllowance = Annotated[Allowance, _allowed("ns"), _AS_WRITTEN, _TEXT]
SizeAllowance = Annotated[Allowance, _allowed("bytes"), _AS_WRITTEN, _TEXT]
RatioAllowance = Annotated[Allowance, _allowed("ratio"), _AS_WRITTEN, _TEXT]
Driver = Literal["docker", "process", "url"]


class _Part(BaseModel):
    model_config = ConfigDict(
        allow_inf_nan=False, extra="forbid", frozen=True, validate_default=True
    )


class ImageBuild(_Part):
    """How the image is built from a source tree."""

    context: str = "."
    """Build context, relative to the root of the reference's tree."""
    dockerfile: str = "Dockerfile"
    """Relative to the context."""
    args: dict[str, str] = {}
    """Build arguments."""
    target: str | None = None
    """Stage to build."""


class Limits(_Part):
    """What one environment may use; equal for both arms."""

    cpus: _Number = Field(default=1.0, gt=0)
    """Processor cores."""
    memory: Size = Field(default="512MiB", gt=0)  # type: ignore[assignment] # parsed
    """Memory, after which the kernel kills."""


class Service(_Part):
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
    """Something already deployed, as the baseline, likewise."""
    env: dict[_Variable, str] = {}
    """Environment variables; the process driver adds HOST, PORT and a TMPDIR."""
    setup: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Run once in each fresh environment, before traffic."""
    volumes: tuple[_Volume, ...] = ()
    """As `host:container[:ro]`, host paths relative to the scenario file."""
    port: _Whole = Field(default=8000, ge=1, le=65535)
    """The port that the service listens on, in its container."""
    ready: str = Field(default="/", pattern=r"^/")
    """Ready once this path answers with a status below 400."""
    ready_timeout: Duration = Field(default="60s", gt=0)  # type: ignore[assignment] # parsed
    """How long to wait for it, and before that for `setup` to end."""
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


class Replay(_Part):
    """An open population: sessions start when they did, scaled."""

    speed: _Number = Field(default=1.0, gt=0, le=1_000_000)
    """How much faster than recorded."""
    scale: _Number = Field(default=1.0, gt=0, le=1_000_000)
    """How many times each whole session, jittered by the seed."""


class _Curve(_Part):
    """Has keys that are words of Python's own; a stored trial names the fields."""

    model_config = ConfigDict(populate_by_name=True)


class Ramp(_Curve):
    """From one level to another, evenly over the measured part of a round."""

    start: _Level = Field(alias="from")
    """The level at its beginning, and in the warm-up."""
    to: _Level
    """The level at its end."""


class Step(_Curve):
    """A level that is reached evenly within 1 s and held."""

    length: Duration = Field(alias="for", gt=0)
    """How long, the second in which it is reached included; the last step holds."""
    level: _Level


class Spike(_Curve):
    """Level 1, but for a while another."""

    factor: _Level
    """The level of the spike."""
    at: Duration
    """When the level begins to rise, on the clock of the measured part."""
    length: Duration = Field(alias="for", gt=0)
    """How long the factor holds, from the end of the rise."""
    rise: Duration = Field(default="1s", gt=0)  # type: ignore[assignment] # parsed
    """How long the rise takes, and afterwards the fall: both even."""


_KINDS: Final = ("ramp", "steps", "spike", "csv")


class Shape(_Curve):
    """A level over the measured part of a round; during the warm-up its first holds.

    Level 1 is the load as `users` or `replay` gives it: that many users on stage, or
    sessions that start at the recording's mean rate x speed x scale.
    """

    ramp: Ramp | None = None
    steps: tuple[Step, ...] | None = Field(default=None, min_length=1)
    spike: Spike | None = None
    csv: Annotated[Path, AfterValidator(_beside_the_scenario)] | None = None
    """Requests per minute, in columns `period` and `count`; from the scenario file.

    With `replay` the counts themselves are the load: a minute takes 60 s / speed, and
    count / 60 x speed x scale requests a second begin in it, by sessions of the
    recording's mean length; a round longer than the minutes holds the last one. With
    `users` the curve relative to its own peak is laid over the measured part.
    """
    start: _Moment | None = Field(default=None, alias="from")
    """The first minute of the CSV that counts; left out, the first there is."""
    minutes: _Whole | None = Field(default=None, gt=0)
    """How many minutes from there; left out, all there are."""

    @property
    def kind(self) -> str:
        """Which of its keys is given: `ramp`, `steps`, `spike` or `csv`."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError("give one of `ramp`, `steps`, `spike` and `csv`")
        if self.csv is None and (self.start or self.minutes):
            raise ValueError("`from` and `minutes` choose a part of a `csv`")
        return self


_NAME, _CURVE = "[name]", "[curve]"
TAGS: Final = (_NAME, _CURVE)
"""What pydantic puts into the location of an error although no file has such a key."""

_Shape = Annotated[
    Annotated[Literal["recorded", "constant"], Tag(_NAME)]
    | Annotated[Shape, Tag(_CURVE)],
    Discriminator(lambda given: _CURVE if isinstance(given, dict | Shape) else _NAME),
]


class Load(_Part):
    """How the recording becomes load."""

    users: _Whole | None = Field(default=None, gt=0)
    """A closed population of that many users with recorded think times."""
    replay: Replay | None = None
    """An open population."""
    locustfile: Annotated[Path, AfterValidator(_beside_the_scenario)] | None = None
    """Instead of a recording: an unchanged locustfile with so many `users`; relative to
    the scenario file."""
    shape: _Shape = "constant"
    """The load over time; left out, `constant` for `users`, `recorded` for `replay`.

    `recorded`: sessions start when they did; with `users`, the population follows the
    recorded traffic relative to its peak, laid over the measured part of a round.
    `constant`: so many users; with `replay`, sessions start evenly.
    """
    deadline: Duration = Field(default="10s", gt=0)  # type: ignore[assignment] # parsed
    """A request unanswered by then counts as this long and as an error."""

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
        return self


class Rounds(_Part):
    """How much is measured."""

    min: _Whole = Field(default=4, ge=2, le=50)
    """Sound rounds that the verdict rests on."""
    slice: Duration = Field(default="4s", gt=0)  # type: ignore[assignment] # parsed
    """Length of one slice of one arm."""
    slices: _Whole = Field(default=6, ge=1, le=1_000)
    """Slices an arm in each round."""
    warmup: Duration = "10s"  # type: ignore[assignment] # parsed
    """Unmeasured traffic on each fresh arm."""
    ramp: Duration = "5s"  # type: ignore[assignment] # parsed
    """Inside the warm-up: the time over which the users of `users` arrive."""

    @model_validator(mode="after")
    def _ramp_fits(self) -> Self:
        if self.ramp > self.warmup:
            raise ValueError("`ramp` must fit into `warmup`")
        return self


class LatencyBudgets(_Part):
    """By quantile; one that is not given is shown but not gated."""

    p50: LatencyAllowance | None = None
    p95: LatencyAllowance | None = None
    p99: LatencyAllowance | None = None


class MemoryBudget(_Part):
    """Of the service's anonymous memory."""

    level: SizeAllowance = "10% or 16MiB"  # type: ignore[assignment] # parsed
    """Median of the last third of a round's readings."""


class Budgets(_Part):
    """How much worse the candidate may be. The defaults gate what verdicts need."""

    latency: LatencyBudgets = LatencyBudgets.model_validate(
        {"p95": "10% or 5ms", "p99": "20% or 25ms"}
    )
    """The service as a whole."""
    routes: LatencyBudgets = LatencyBudgets.model_validate({"p95": "20% or 10ms"})
    """Each route with enough requests."""
    errors: RatioAllowance = "0.1%"  # type: ignore[assignment] # parsed
    """Percentage points over the baseline's error rate."""
    goodput: RatioAllowance = "1%"  # type: ignore[assignment] # parsed
    """Percentage points under the baseline's goodput."""
    memory: MemoryBudget = MemoryBudget()
    """Memory."""
    cpu: RatioAllowance = "15%"  # type: ignore[assignment] # parsed
    """CPU seconds per request."""
    by_route: dict[_Route, LatencyBudgets] = {}
    """Routes by name, such as `POST /checkout`, instead of `routes`."""


class Scenario(_Part):
    """One trial's terms, every default resolved."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    """Names the trial's directory."""
    why: str = ""
    """What the experienced engineer knows about this traffic, in prose."""
    recording: Path | None = None
    """The recording, relative to the scenario file."""
    service: Service
    """The service under test."""
    load: Load
    """How the recording becomes load."""
    rounds: Rounds = Rounds()
    """How much is measured."""
    budgets: Budgets = Budgets()
    """How much worse the candidate may be."""
    seed: _Whole = Field(default=1, ge=0, lt=2**64)
    """Draws sessions, jitter and the first arm of each round."""

    @model_validator(mode="after")
    def _traffic(self) -> Self:
        if (self.recording is None) == (self.load.locustfile is None):
            raise ValueError("give a `recording`, or `load.locustfile` instead of it")
        return self

    @model_validator(mode="after")
    def _measurable(self) -> Self:
        default = Budgets()
        asked = {
            name
            for name in ("memory", "cpu")
            if getattr(self.budgets, name) != getattr(default, name)
        }
        if self.service.driver == "url" and asked:
            raise ValueError(
                f"a deployed `url` shows no {' and no '.join(sorted(asked))}: "
                "leave that budget out"
            )
        return self
