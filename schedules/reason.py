"""Why this date? One link of the proof: a code with its parameters, put into words at the edge."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """`code` is a message of locales/*/schedules.po; `params` fill it (ISO dates, period labels, names)."""

    code: str
    params: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, code: str, **params: object) -> "Reason":
        return cls(code, tuple((name, str(value)) for name, value in params.items()))

    def as_json(self) -> dict[str, object]:
        return {"code": self.code, "params": dict(self.params)}
