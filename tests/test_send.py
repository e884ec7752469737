"""Is each wave right at the moment at which it goes out, and does no channel wait for another that fails?"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from dondoc.database import Database
from dondoc.settings import Settings
from engine.round import run
from models.message import Attempt, Message, MessageState, Outcome
from models.notice import Notice
from notifications.channels import carriers_for
from notifications.channels.carrier import Gate, Letter, Result
from notifications.channels.eml import EmlCarrier
from notifications.deliver import Delivered, queue
from notifications.pace import Pace
from notifications.record import FIRST_WAIT
from notifications.send import LEASE, Tries, recover, send
from samples.fake_zalo.state import Fault
from tests.builders import ZONE, at, province, step_round
from tests.sinks import free_port, running
from tests.test_deliver import KEY, OPENED, STC, URL, carrier, claimed, hand_in, many, office_at, opened, queued, rows
from tests.workers import FIRST_DAY
from tests.zalo import CHAT, Clock
from tests.zalo_place import Place, placed

__all__ = ["opened"]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    with placed(database, tmp_path, mail_record=False) as place:
        yield place


def to_stc_last(database: Database) -> None:
    with database.writing() as session:
        session.execute(update(Message).where(col(Message.address) != STC).values(try_after=OPENED - MINUTE))


def make_urgent(database: Database, count: int) -> set[str]:
    """The last so many messages; whom they are for."""
    with database.writing() as session:
        last = session.exec(select(Message).order_by(col(Message.id).desc()).limit(count)).all()
        for message in last:
            message.is_urgent = True
            session.add(message)
    return {message.address for message in last}


def test_a_report_that_comes_in_while_a_wave_goes_out_is_not_asked_for_by_the_next(opened: Database) -> None:
    queued(opened)
    to_stc_last(opened)
    with running() as sink:
        sink.meanwhile.append(lambda: hand_in(opened, "stc", OPENED))
        counts = send(opened, carrier(sink.url), office_at(), KEY, wave=1)
        assert +counts == Counter(sent=4, dropped=1)
        assert (len(sink.mails), sink.to(STC)) == (4, [])
    assert [each.dropped for each in rows(opened, Notice) if each.dropped] == ["moot.submitted"]


def test_what_is_urgent_goes_first_and_the_evening_ends_the_pass_for_the_rest(database: Database) -> None:
    province(database, on="2025-08-01")
    clock = Clock(at("2025-09-04", "17:59"))
    step_round(database, clock())
    queued(database, clock())
    urgent = make_urgent(database, 2)
    with running() as sink:
        sink.meanwhile.append(lambda: setattr(clock, "at", at("2025-09-04", "18:00")))
        counts = send(database, carrier(sink.url), office_at(clock(), Pace()), KEY, clock, wave=1)
    assert +counts == Counter(sent=2)
    assert {mail["To"].addresses[0].addr_spec for mail in sink.mails} == urgent
    assert [each.at for each in rows(database, Attempt)] == [at("2025-09-04", "18:00")] * 2
    waiting = {each.try_after for each in rows(database, Message) if each.state == MessageState.QUEUED}
    assert waiting == {at("2025-09-05", "07:30")}


def test_a_round_that_has_taken_until_the_evening_leaves_what_is_not_urgent(database: Database) -> None:
    province(database, on="2025-08-01")
    now, evening = at("2025-09-04", "17:59"), at("2025-09-04", "18:00")
    with running() as sink:
        done = run(database, carrier(sink.url), now, zone=ZONE, url=URL, key=KEY, pace=Pace(), clock=lambda: evening)
        assert (done.messages, sink.mails) == (5, [])
        run(database, carrier(sink.url), at("2025-09-05"), zone=ZONE, url=URL, key=KEY, pace=Pace())
        assert len(sink.mails) == 5


def test_a_late_wave_is_leased_from_its_own_moment(opened: Database) -> None:
    queued(opened)
    clock, lost = Clock(OPENED), list[int]()

    def another_looks() -> None:
        """A worker that finds a lease run out takes what was going out for lost."""
        lost.append(recover(opened, office_at(clock())))
        clock.at += LEASE

    with running() as sink:
        sink.meanwhile += [another_looks] * 5
        assert send(opened, carrier(sink.url), office_at(), KEY, clock, wave=1)["sent"] == 5
    assert lost == [0] * 5


def test_a_clock_that_is_behind_the_moment_of_the_pass_is_not_believed(opened: Database) -> None:
    queued(opened)
    with running() as sink:
        counts = send(opened, carrier(sink.url), office_at(), KEY, lambda: OPENED - MINUTE)
    assert counts["sent"] == 5


def test_no_content_goes_out_after_the_lease(opened: Database) -> None:
    queued(opened)
    letters, clock = claimed(opened), Clock(OPENED)
    tries = Tries(opened, office_at(), clock)
    assert len(tries.before_content(letters[:1])) == 1
    clock.at += LEASE
    assert tries.before_content(letters[1:]) == set()


class Tarpit:
    """A server that puts off every letter, each of them slowly, so that none ever asks for leave."""

    channel, reply_address = "email", "dondoc@example.org"

    def __init__(self, clock: Clock, then: Callable[[], None]) -> None:
        self.clock, self.then = clock, then

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        for letter in letters:
            self.clock.at += timedelta(seconds=30)
            yield letter, Result(Outcome.RETRY, "451", "4.7.1 later")
        self.then()


def test_what_a_slow_sender_says_after_its_lease_takes_no_letter_back(opened: Database) -> None:
    queued(opened)
    letters = claimed(opened)
    slow = Tries(opened, office_at())
    for letter in letters:
        slow.keep(letter, Result(Outcome.RETRY, "451", "4.7.1 later"))
    with running() as sink:
        assert send(opened, carrier(sink.url), office_at(OPENED + LEASE), KEY)["sent"] == 5
        slow.write()
        send(opened, carrier(sink.url), office_at(OPENED + 4 * LEASE), KEY)
        assert len(sink.mails) == 5
    assert slow.counts == Counter()
    assert {each.state for each in rows(opened, Message)} == {MessageState.SENT}
    said = Counter(each.outcome for each in rows(opened, Attempt))
    assert said == {Outcome.SENT: 5, Outcome.RETRY: 5}


def test_what_somebody_else_has_claimed_is_theirs(opened: Database) -> None:
    queued(opened)
    (letter, *_), slow = claimed(opened), Tries(opened, office_at())
    claimed(opened, OPENED + LEASE)
    slow.keep(letter, Result(Outcome.PAYLOAD, "554", "5.6.0 refused"))
    slow.write()
    claim_of = {each.lease_until for each in rows(opened, Message)}
    assert claim_of == {OPENED + 2 * LEASE}


def test_that_a_letter_is_gone_is_so_whoever_says_it_late(opened: Database) -> None:
    queued(opened)
    (letter, *_), slow = claimed(opened), Tries(opened, office_at())
    slow.before_content([letter])
    assert recover(opened, office_at(OPENED + LEASE)) == 1
    slow.keep(letter, Result(Outcome.SENT, "250"))
    slow.write()
    assert slow.counts == Counter(sent=1)


def test_results_are_written_within_a_minute_though_no_letter_asks_to_go(opened: Database) -> None:
    queued(opened)
    clock, seen = Clock(OPENED), list[int]()
    tarpit = Tarpit(clock, lambda: seen.append(len(rows(opened, Attempt))))
    assert +send(opened, tarpit, office_at(), KEY, clock) == Counter(retried=5)
    assert seen == [4]
    waits = [each.try_after - OPENED for each in rows(opened, Message)]
    assert waits == [each + FIRST_WAIT for each in (MINUTE, MINUTE, 2 * MINUTE, 2 * MINUTE, 2.5 * MINUTE)]


def test_a_channel_too_slow_for_its_lease_goes_on_with_the_next_pass(database: Database, tmp_path: Path) -> None:
    many(database, FIRST_DAY.isoformat())
    now = at(FIRST_DAY.isoformat())
    queued(database, now)
    clock = Clock(now)

    def slow() -> datetime:
        """Each look costs a minute."""
        clock.at += MINUTE
        return clock.at

    files = EmlCarrier(tmp_path, "dondoc@example.org", "Đảng ủy Khối")
    assert 0 < send(database, files, office_at(now), KEY, slow)["sent"] < 60
    later = office_at(clock() + LEASE)
    send(database, files, later, KEY)
    assert Counter(each.state for each in rows(database, Message)) == {MessageState.SENT: 60}
    assert len(rows(database, Attempt)) == len(list(tmp_path.glob("*.eml"))) == 60


def test_a_chat_and_a_mail_go_out_at_the_same_time(place: Place) -> None:
    """Either server answers only once the other has been asked."""
    both = Barrier(2, timeout=30)
    place.link("zalobot", CHAT)
    place.sink.meanwhile.append(both.wait)
    place.zalo.state.faults["/bot/sendMessage"] = [Fault(is_accepted=True, then=both.wait)]
    assert place.deliver() == Delivered(messages=5, sent=5)


@pytest.mark.parametrize(
    ("dead", "counts"), [("email", {"sent": 1, "retried": 1}), ("zalobot", {"sent": 4, "retried": 1})]
)
def test_a_dead_server_has_one_wave_and_holds_up_no_other_channel(
    place: Place, dead: str, counts: dict[str, int]
) -> None:
    """Its messages would be the first; the three mails that it was not asked to take have lost no try."""
    place.link("zalobot", CHAT)
    nobody = f"127.0.0.1:{free_port()}"
    given = Settings.model_validate({"smtp_url": f"smtp://{nobody}", "zalo_url": f"http://{nobody}"})
    name = {"email": "smtp_url", "zalobot": "zalo_url"}[dead]
    here = place.with_settings(**{name: getattr(given, name)})
    carriers = carriers_for(here.settings, place.database, KEY)
    office = replace(office_at(), channels=frozenset(carriers.others))
    queue(place.database, office)
    with place.database.writing() as session:
        session.execute(update(Message).where(col(Message.channel) == dead).values(try_after=OPENED - MINUTE))
    assert +send(place.database, carriers, office, KEY, wave=1) == Counter(counts)
    assert sum(message.tries for message in place.all_of(Message)) == sum(counts.values())
