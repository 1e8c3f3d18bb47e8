"""Organizations that nobody wrote down: believable names, things, people and pasts, made up from a seed.

The same seed, number and start give the same organizations, whatever machine they are made on. What comes out has the
form of a scenario's parts, so it is checked and built as if somebody had written it.
"""

from __future__ import annotations

from faker import Faker
from msgspec import Struct

from mock_server.engine.ids import ulid
from mock_server.engine.instants import DAY, EARLIEST, Instant

from .model.resources import EntityType, ProviderType
from .model.state import Catalog, Tier
from .scenario_parts import (
    ApiKeyPart,
    CredentialPart,
    DevicePart,
    EntityPart,
    IntegrationPart,
    OrgPart,
    OverridePart,
    PortalPart,
    SubscriptionPart,
    UserPart,
    ZonePart,
)

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "pt_BR")
PLACES = ("Lobby", "Garage", "Roof", "Courtyard", "Warehouse", "Office", "Loading bay", "Stairwell", "Cellar", "Gym")
DOORS = ("front door", "back door", "gate", "side entrance", "elevator", "turnstile", "shutter", "barrier")
THINGS: tuple[tuple[EntityType, int], ...] = (("door", 6), ("light", 2), ("switch", 1), ("sensor", 1))
HARDWARE: tuple[ProviderType, ...] = ("shelly_cloud", "palgate_cloud", "homeassistant", "mqtt", "virtual_demo", "knx")
OLDEST_DAYS, MOST_DAYS_OVER = 720, 60


class Made(Struct, frozen=True):
    orgs: list[OrgPart]
    credentials: list[CredentialPart]
    overrides: list[OverridePart]


def made_up(catalog: Catalog, seed: int, count: int, start: Instant) -> Made:
    """`count` organizations on all published tiers, some of them over capacity, some behind in paying.

    The owner of the n-th has the secret `owner-<n>`.
    """
    made = Made([], [], [])
    for n in range(1, count + 1):
        # Each has a source of its own, so that asking for more does not change those that were there.
        maker = _Maker(catalog, seed, n, start)
        org = maker.org()
        made.orgs.append(org)
        made.credentials.append(
            CredentialPart(f"owner-{n}", "owner", org.id, ["admin", "billing:read", "billing:manage"])
        )
        made.overrides.extend(maker.overrides(org))
    return made


class _Maker:
    def __init__(self, catalog: Catalog, seed: int, n: int, start: Instant) -> None:
        self.catalog, self.seed, self.n, self.start = catalog, seed, n, start
        self.faker = Faker(LOCALES[n % len(LOCALES)])
        self.faker.seed_instance(f"{seed}/{n}")
        self.random = self.faker.random
        self.tiers = catalog.published or list(catalog.tiers.values())
        self.ids = self.youngest = self.oldest = 0

    def org(self) -> OrgPart:
        tier = self._tier()
        is_over = tier is self.tiers[0] and self.random.random() < 0.3
        # Whoever holds too much has had it since before the downgrade, at most MOST_DAYS_OVER ago.
        youngest = MOST_DAYS_OVER if is_over else 0
        age = self.random.randrange(youngest + 30, OLDEST_DAYS)
        self.youngest, self.oldest = youngest, age
        integrations = [
            IntegrationPart(
                id=self._id(),
                name=self.faker.street_name(),
                provider_type=self.random.choice(HARDWARE),
                created=_ago(self._age()),
            )
            for _ in range(self._count(tier, "integrations", is_over, 4))
        ]
        zones = [
            ZonePart(id=self._id(), name=self.random.choice(PLACES), created=_ago(self._age()))
            for _ in range(self._count(tier, "zones", is_over, 8))
        ]
        devices = [
            DevicePart(
                id=self._id(),
                name=f"{self.faker.last_name()} {self.random.choice(DOORS)}",
                integration=self.random.choice(integrations).id,
                zone=self.random.choice(zones).id if zones else None,
                created=_ago(self._age()),
            )
            for _ in range(self._count(tier, "devices", is_over, 25) if integrations else 0)
        ]
        is_too_many = len(devices) > self._limit(tier, "devices")
        most = self._count(tier, "entities", is_over, 60) if devices else 0
        entities = [self._entity(devices) for _ in range(most)]
        return OrgPart(
            id=self._id(),
            name=self.faker.company(),
            tier=tier.slug,
            created=f"-P{age}D",
            description=self.faker.catch_phrase() if self.faker.locales[0].startswith("en") else None,
            subscription=self._subscription(tier),
            selection_policy=self.random.choice(["newest_first", "oldest_first", "least_recently_used", "manual"]),
            over_capacity_since=self._since(MOST_DAYS_OVER * 86_400) if is_too_many else None,
            users=self._users(tier),
            integrations=integrations,
            zones=zones,
            devices=devices,
            entities=entities,
            api_keys=self._api_keys(tier),
            portals=[PortalPart(id=f"portal-{self.n}", name=f"{self.faker.city()} entrance")],
            used={
                "door_opens": self._below(tier, "door_opens", 400),
                "scripting_executions": self._below(tier, "scripting_executions", 30),
                "portal_views": self._below(tier, "portal_views", 200),
            },
        )

    def overrides(self, org: OrgPart) -> list[OverridePart]:
        if self.random.random() > 0.15:
            return []
        reason = f"agreed with {self.faker.name()}"
        return [OverridePart(org.id, "door_opens", self.random.randrange(500, 5000), "day", None, reason)]

    def _tier(self) -> Tier:
        weights = [2 ** (len(self.tiers) - n) for n in range(len(self.tiers))]
        tier: Tier = self.random.choices(self.tiers, weights)[0]
        return tier

    def _subscription(self, tier: Tier) -> SubscriptionPart | None:
        if tier is self.catalog.default:
            return None
        status = "past_due" if self.random.random() < 0.1 else "active"
        external = f"sub_{self.random.getrandbits(72):018x}"
        return SubscriptionPart(external, self._id(), status)  # type: ignore[arg-type]

    def _entity(self, devices: list[DevicePart]) -> EntityPart:
        device, made = self.random.choice(devices), self._age()
        kinds, weights = zip(*THINGS, strict=True)
        kind = self.random.choices(kinds, weights)[0]
        return EntityPart(
            id=self._id(),
            device=device.id,
            type=kind,
            name=f"{self.random.choice(PLACES)} {kind}",
            zone=device.zone,
            created=_ago(made),
            last_used=self._since(made) if self.random.random() < 0.8 else None,
        )

    def _users(self, tier: Tier) -> list[UserPart]:
        users = []
        for n in range(max(1, self._count(tier, "org_users", False, 12))):
            first, last = self.faker.first_name(), self.faker.last_name()
            user_id = self._id()
            email = f"{user_id[-6:].lower()}@{self.faker.safe_domain_name()}"
            roles = ("owner",) if n == 0 else ("member",)
            users.append(
                UserPart(id=user_id, name=f"{first} {last}", email=email, roles=roles, created=_ago(self._age()))
            )
        return users

    def _api_keys(self, tier: Tier) -> list[ApiKeyPart]:
        return [
            ApiKeyPart(
                id=self._id(),
                name=f"{self.faker.first_name()}'s laptop",
                secret=f"key-{self.n}-{k}-{self.random.getrandbits(64):016x}",
                permissions=["entities:list", "entities:read", "entities:set_state"],
                created=_ago(made),
                last_used=self._since(made),
            )
            for k in range(self._count(tier, "api_keys", False, 3))
            for made in [self._age()]
        ]

    def _count(self, tier: Tier, key: str, is_over: bool, most: int) -> int:
        """How many of a thing: within the tier's limit, or a few above it."""
        limit = self._limit(tier, key)
        if is_over:
            return min(limit, most) + int(self.random.randrange(1, 4))
        return int(self.random.randrange(0, min(limit, most) + 1))

    def _below(self, tier: Tier, key: str, most: int) -> int:
        return int(self.random.randrange(0, min(self._limit(tier, key, "day"), most) + 1))

    def _limit(self, tier: Tier, key: str, period: str = "lifetime") -> int:
        limit = tier.quotas.get(key, {}).get(period)
        return 1_000_000 if limit is None else limit

    def _age(self) -> int:
        """How many seconds ago one of its things was made."""
        return int(self.random.randrange(self.youngest * 86_400, self.oldest * 86_400))

    def _since(self, age: int) -> str:
        """Some moment after that."""
        return _ago(int(self.random.randrange(age + 1)))

    def _id(self) -> str:
        self.ids += 1
        return ulid(max(self.start - OLDEST_DAYS * DAY, EARLIEST), self.seed, "scenario/made-up", self.n, self.ids)


def _ago(seconds: int) -> str:
    return f"-P{seconds // 86_400}DT{seconds % 86_400}S"
