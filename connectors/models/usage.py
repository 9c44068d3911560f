"""Usage by person and day, and what models cost."""

from django.db import models

from connectors.models.connections import Connection
from connectors.models.people import Identity


class UsageDay(models.Model):
    """What one feed says of one identity's UTC day with one agent.

    A feed is a connection's endpoint, or telemetry (connection None). Activity stands in the row without a model,
    tokens and cost in one row a model, so that each column may be summed up within a feed. Over feeds nothing is ever
    summed up: for each user-day one feed is believed (connectors.usage.precedence).
    """

    day = models.DateField()
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, related_name="usage")
    endpoint = models.TextField(blank=True, help_text="Empty for telemetry.")
    source_id = models.BigIntegerField(null=True, help_text="The source of telemetry.")
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="usage")
    agent = models.TextField()
    model = models.TextField(blank=True)
    surface = models.TextField(blank=True, help_text="Terminal, editor or product, in the feed's own words.")
    customer_type = models.TextField(blank=True)
    remote = models.BooleanField(null=True)
    team = models.TextField(blank=True, help_text="As telemetry claims it.")
    cost_center = models.TextField(blank=True)
    sessions = models.BigIntegerField(default=0)
    prompts = models.BigIntegerField(default=0)
    lines_added = models.BigIntegerField(default=0)
    lines_removed = models.BigIntegerField(default=0)
    commits = models.BigIntegerField(default=0)
    pull_requests = models.BigIntegerField(default=0)
    tools = models.JSONField(default=dict, help_text='{"Edit": [accepted, rejected], …}')
    requests = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0, help_text="Without those read from or written to a cache.")
    output_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_creation_tokens = models.BigIntegerField(default=0)
    cost_reported = models.DecimalField(max_digits=20, decimal_places=9, null=True, help_text="US dollars.")
    cost_computed = models.DecimalField(
        max_digits=20, decimal_places=9, null=True, help_text="US dollars; None: no price."
    )

    class Meta:
        default_permissions = ("view",)
        verbose_name = "user-day"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "day", "connection", "endpoint", "source_id", "identity", "agent", "model", "surface",
                    "customer_type", "remote", "team", "cost_center",
                ],
                nulls_distinct=False,
                name="connectors_usageday_once",
            )
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["identity", "day"], name="connectors_usageday_identity"),
            models.Index(fields=["-day", "-id"], name="connectors_usageday_newest"),
            # Which feeds, models and teams there are is found in steps (connectors.usage.choices).
            models.Index(fields=["connection", "endpoint", "day"], name="connectors_usageday_feed"),
            models.Index(fields=["agent", "model", "day"], name="connectors_usageday_model"),
            models.Index(fields=["team", "day"], name="connectors_usageday_team"),
        ]

    def __str__(self) -> str:
        return f"{self.identity_id} {self.day} {self.agent} {self.model}"


class Price(models.Model):
    """US dollars for a million tokens of one model in one band of prompt length, from one day to another."""

    model = models.TextField(help_text="The model's name, or its beginning followed by *.")
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    above_tokens = models.BigIntegerField(default=0, help_text="The band: prompts longer than this many tokens.")
    fast = models.BooleanField(default=False, help_text="The price of fast mode.")
    input = models.DecimalField(max_digits=12, decimal_places=6)
    output = models.DecimalField(max_digits=12, decimal_places=6)
    cache_read = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    cache_write_5m = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    cache_write_1h = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    verified = models.BooleanField(default=False, help_text="Whether somebody read it on the vendor's own page.")
    origin = models.TextField(blank=True, help_text="Where it was read, and when.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "first_day", "above_tokens", "fast"],
                nulls_distinct=False,
                name="connectors_price_once",
            )
        ]

    def __str__(self) -> str:
        return self.model


class Tally(models.Model):
    """What telemetry said of one session's day, added up event by event and point by point: each counted once.

    Rows of events and of points stand apart (`basis`): a client that sends both says the same twice, and
    connectors.usage.cells decides which is used. A cumulative series is a Level instead.
    """

    EVENTS, POINTS = "events", "points"

    day = models.DateField()
    source_id = models.BigIntegerField()
    agent = models.TextField()
    subject_id = models.UUIDField(null=True)
    origin_id = models.BigIntegerField(null=True)
    session = models.UUIDField(null=True)
    basis = models.TextField(choices=[(EVENTS, EVENTS), (POINTS, POINTS)])
    model = models.TextField(blank=True)
    tool = models.TextField(blank=True)
    fast = models.BooleanField(default=False)
    above = models.BigIntegerField(default=0, help_text="The largest of the known bands that the prompts are above.")
    records = models.BigIntegerField(default=0, help_text="Events or points that were added up.")
    prompts = models.BigIntegerField(default=0)
    requests = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_creation_tokens = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=38, decimal_places=12, default=0)
    costs = models.BigIntegerField(default=0, help_text="How many of them stated a cost.")
    sessions = models.BigIntegerField(default=0, help_text="As points count them, without those of a user interface.")
    interfaces = models.BigIntegerField(default=0, help_text="Points that say that this session is only an interface.")
    lines_added = models.BigIntegerField(default=0)
    lines_removed = models.BigIntegerField(default=0)
    commits = models.BigIntegerField(default=0)
    pull_requests = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "day", "source_id", "agent", "subject_id", "origin_id", "session", "basis", "model", "tool",
                    "fast", "above",
                ],
                nulls_distinct=False,
                name="connectors_tally_once",
            )
        ]  # fmt: skip
        indexes = [models.Index(fields=["subject_id"], name="connectors_tally_subject")]

    def __str__(self) -> str:
        return f"{self.day} {self.session} {self.basis}"


class Level(models.Model):
    """The highest value that a cumulative series had on a day: the day's own share is what it rose by."""

    series = models.UUIDField(help_text="The same for the same metric, sender, attributes and start.")
    day = models.DateField()
    source_id = models.BigIntegerField()
    agent = models.TextField()
    subject_id = models.UUIDField(null=True)
    origin_id = models.BigIntegerField(null=True)
    session = models.UUIDField(null=True)
    measure = models.TextField(help_text="The column of Tally it counts.")
    model = models.TextField(blank=True)
    tool = models.TextField(blank=True)
    fast = models.BooleanField(default=False)
    value = models.DecimalField(max_digits=38, decimal_places=12)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["series", "day"], name="connectors_level_once")]
        indexes = [
            models.Index(fields=["day", "source_id"], name="connectors_level_day"),
            models.Index(fields=["subject_id"], name="connectors_level_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.day}"


class CountedPoint(models.Model):
    """A point that was counted lately. Points have no numbers of their own, and a late one has an early id."""

    id = models.UUIDField(primary_key=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class Counted(models.Model):
    """How far telemetry is counted. One row."""

    next_seq = models.BigIntegerField(default=0, help_text="The number of the first event not yet counted.")
    points_from = models.DateTimeField(help_text="All points received before are counted.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"to {self.next_seq}"


class KnownSubject(models.Model):
    """Which identity a subject of telemetry was. Once its names are erased, its usage still belongs to whom it did, and
    is not counted beside what a vendor says of them."""

    subject_id = models.UUIDField(primary_key=True)
    identity = models.ForeignKey(Identity, models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.subject_id} is {self.identity_id}"


class StaleDay(models.Model):
    """A day of a source whose user-days are put together anew; without a source: a day of vendors', priced anew."""

    day = models.DateField()
    source_id = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["day", "source_id"], nulls_distinct=False, name="connectors_staleday_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.source_id}"
