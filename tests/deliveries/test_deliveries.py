"""A delivery leaves what was ordered, once, and says exactly what it left."""

from __future__ import annotations

import gzip
import hashlib
import io
import json

import pytest

from ingest_core.deliveries.order import Column, Order
from ingest_core.deliveries.recipes import recipe
from ingest_core.errors import InputError, StateError
from ingest_core.files import PathSource
from tests.deliveries.conftest import PEOPLE, deliveries_of
from tests.deliveries.shelf import lost

HASHED = (
    Column(name="id", attribute="crmid"),
    Column(name="em", attribute="email", recipe="google_email"),
    Column(name="ph", attribute="phone", recipe="meta_phone"),
)


def order(kind: str = "segment", given: str = "EVERYBODY", **more) -> Order:
    return Order(kind=kind, object=given, destination="Partner", **more)


def rows_of(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


def audit(workspace, action: str) -> list[dict]:
    with workspace.engine.session() as session:
        found = session.rows("SELECT detail FROM audit WHERE action = ? ORDER BY seq", [action])
    return [json.loads(detail) for (detail,) in found]


def test_the_people_of_a_segment_arrive_in_the_columns_that_were_chosen(deliveries, shelf, people):
    done = deliveries.deliver(order(columns=HASHED, key="id", file_name="out/{name}"))
    assert (done.status, done.people, done.lines) == ("delivered", 3, 4)
    sha = recipe("sha256_exact")
    assert rows_of(shelf.text("out/EVERYBODY.tsv")) == [
        ["id", "em", "ph"],
        ["C1", sha("anna@example.com"), sha("4915112345678")],
        ["C2", sha("beno@gmail.com"), ""],
        ["C3", "", ""],
    ]


def test_by_itself_personal_data_is_hashed_or_left_out(deliveries, shelf, people, workspace):
    done = deliveries.deliver(order(file_name="x"))
    assert rows_of(shelf.text("x.tsv"))[0] == ["profile_id", "crmid", "email", "phone", "city"]
    assert "nna" not in shelf.text("x.tsv")
    assert recipe("sha256_email")("anna@example.com") in shelf.text("x.tsv")
    assert done.order.key == "profile_id"
    assert audit(workspace, "reveal") == []
    assert audit(workspace, "deliver")[0]["columns"]["email"] == "email:sha256_email"


def test_the_stored_rows_of_an_upload_are_its_people_in_the_columns_of_its_mapping(deliveries, shelf, people, kernel):
    later = kernel.load("crmid\tcity\nC1\tBonn\nC9\tOslo\n", {"crmid": "crmid", "city": "city"})
    deliveries.deliver(order("upload", later.request_id, file_name="later"))
    assert rows_of(shelf.text("later.tsv")) == [
        ["profile_id", "crmid", "city"], ["1-2", "C1", "Bonn"], ["2-3", "C9", "Oslo"],
    ]  # fmt: skip
    assert deliveries.get(deliveries.list()[0].delivery_id).people == later.stored


def test_plain_personal_data_needs_a_word_and_a_reason_and_is_a_reveal_of_its_own(deliveries, shelf, people, workspace):
    plain = (Column(name="crmid", attribute="crmid"), Column(name="mail", attribute="email"))
    with pytest.raises(InputError) as refused:
        deliveries.order(order(columns=plain))
    assert refused.value.code == "plain_personal_data"
    with pytest.raises(InputError) as refused:
        deliveries.order(order(columns=plain, is_plain=True))
    assert refused.value.code == "needs_reason"
    assert deliveries.list() == []
    deliveries.deliver(order(columns=plain, is_plain=True, reason="Contract 4711", file_name="p"))
    assert "anna@example.com" in shelf.text("p.tsv")
    assert audit(workspace, "reveal") == [
        {"by": "delivery", "people": 3, "columns": ["mail"], "reason": "Contract 4711"}
    ]


def test_a_reason_that_names_somebody_sends_nothing_and_is_kept_nowhere(deliveries, shelf, people, workspace):
    plain = (Column(name="crmid", attribute="crmid"), Column(name="mail", attribute="email"))
    done = deliveries.deliver(order(columns=plain, is_plain=True, reason="for anna@example.com"))
    assert (done.status, done.error["code"], done.order.reason) == ("failed", "personal_reason", None)
    assert shelf.files() == []
    with workspace.engine.session() as session:
        assert session.value("SELECT count(*) FROM delivery WHERE content LIKE '%anna@%'") == 0
    assert audit(workspace, "reveal") == []


def test_rejected_rows_go_out_as_they_came_for_a_reason(deliveries, shelf, kernel, workspace):
    bad = kernel.load("crmid\temail\nC1\ta@example.com\nC2\t=nonsense\n", {"crmid": "crmid", "email": "email"})
    with pytest.raises(InputError) as refused:
        deliveries.order(order("rejects", bad.request_id))
    assert refused.value.code == "plain_personal_data"
    deliveries.deliver(order("rejects", bad.request_id, is_plain=True, reason="Back to the agency", file_name="r"))
    assert shelf.text("r.tsv").splitlines()[1].endswith("\tC2\t=nonsense")
    deliveries.deliver(
        order("rejects", bad.request_id, form="spreadsheet", is_plain=True, reason="Back to them", file_name="s")
    )
    assert "'=nonsense" in shelf.text("s.csv")
    assert [one["by"] for one in audit(workspace, "reveal")] == ["delivery", "delivery"]


def test_a_file_goes_out_as_it_is(deliveries, shelf, tmp_path):
    path = tmp_path / "price list.csv"
    path.write_bytes(b"a,b\r\n1,2")
    done = deliveries.deliver(order("file", "price list.csv", file_name="{name}"), file=PathSource(path))
    assert (done.status, done.lines, done.bytes) == ("delivered", 2, 8)
    assert (shelf.folder / "price_list.csv").read_bytes() == b"a,b\r\n1,2"


def test_the_control_file_comes_last_and_agrees_with_what_arrived(deliveries, shelf, people):
    done = deliveries.deliver(order(gzip=True, file_name="{name}_{id}"))
    assert shelf.puts == [f"EVERYBODY_{done.delivery_id}.tsv.gz", f"EVERYBODY_{done.delivery_id}.info"]
    data = (shelf.folder / str(done.file)).read_bytes()
    (told,) = json.loads(shelf.text(str(done.control_file)))["Files"]
    assert (told["FileByteSize"], told["md5"]) == (len(data), hashlib.md5(data).hexdigest()) == (done.bytes, done.md5)
    assert told["FileLineCount"] == gzip.decompress(data).count(b"\n") == done.lines == 4
    assert done.sha256 == hashlib.sha256(data).hexdigest()


def test_the_same_key_twice_is_one_delivery(deliveries, shelf, people):
    first = deliveries.deliver(order(), idempotency_key="k")
    assert deliveries.deliver(order(), idempotency_key="k") == first
    assert len(shelf.puts) == 2
    assert len(deliveries.list()) == 1


def test_a_place_that_does_not_answer_is_asked_again_with_the_same_bytes(deliveries, shelf, people):
    shelf.fails["after"] = lost()
    first = deliveries.deliver(order(file_name="{name}_{id}", control_file=False))
    assert (first.status, first.attempts, first.error["code"]) == ("waiting", 1, "place_unreachable")
    assert first.due_at > first.created_at
    assert deliveries.send_due() == 0
    deliveries.retry(first.delivery_id)
    assert deliveries.send_due() == 1
    done = deliveries.get(first.delivery_id)
    assert (done.status, done.sha256, done.file) == ("delivered", first.sha256, first.file)
    assert shelf.puts == [first.file]


def test_it_gives_up_after_so_many_attempts_and_tells(deliveries, shelf, people, workspace):
    shelf.fails["connect"] = lost("login_refused", is_retryable=False)
    done = deliveries.deliver(order(notify=("asha@example.com",)))
    assert (done.status, done.error["code"]) == ("failed", "login_refused")
    shelf.fails["connect"] = lost()
    with workspace.engine.session() as session:
        session.run("UPDATE delivery SET status = 'waiting', attempts = 7, due_at = created_at")
    deliveries.send_due()
    assert deliveries.get(done.delivery_id).status == "failed"
    with workspace.engine.session() as session:
        told = session.rows("SELECT kind, data FROM notice")
    assert [(kind, json.loads(data)["delivery_id"]) for kind, data in told] == [
        ("delivery_failed", done.delivery_id)
    ] * 2


def test_never_the_same_name_with_other_bytes(deliveries, shelf, people):
    (shelf.folder / "x.tsv").write_text("somebody else's")
    done = deliveries.deliver(order(file_name="x"))
    assert (done.status, done.error["code"]) == ("failed", "file_exists")
    assert shelf.text("x.tsv") == "somebody else's"
    again = [deliveries.deliver(order(file_name="same")).file for _ in range(3)]
    assert again == ["same.tsv", "same_2.tsv", "same_3.tsv"]
    packed = deliveries.deliver(order(file_name="same", form="csv", gzip=True))
    assert (packed.file, packed.control_file) == ("same_4.csv.gz", "same_4.info")


def test_a_process_that_ends_on_the_way_leaves_a_delivery_that_the_next_finishes(workspace, shelf, people):
    deliveries = deliveries_of(workspace, shelf)
    shelf.fails["after"] = SystemExit()
    with pytest.raises(SystemExit):
        deliveries.deliver(order(control_file=False))
    assert deliveries.list()[0].status == "running"
    opened = deliveries_of(workspace, shelf)
    assert opened.list()[0].status == "waiting"
    opened.send_due()
    done = opened.list()[0]
    assert (done.status, len(shelf.puts)) == ("delivered", 1)


def test_nothing_of_it_stays_here_when_it_arrived(deliveries, shelf, people, workspace):
    deliveries.deliver(order())
    assert list((workspace.home / "outgoing").iterdir()) == []


def test_bytes_that_wait_are_encrypted(deliveries, shelf, people, workspace):
    plain = (Column(name="crmid", attribute="crmid"), Column(name="mail", attribute="email"))
    shelf.fails["before"] = lost()
    deliveries.deliver(order(columns=plain, is_plain=True, reason="Contract 4711"))
    kept = b"".join(path.read_bytes() for path in (workspace.home / "outgoing").iterdir())
    assert kept
    assert b"anna@" not in kept


def test_after_an_erasure_nothing_made_before_is_sent(deliveries, shelf, people, workspace):
    shelf.fails["before"] = lost()
    first = deliveries.deliver(order())
    with workspace.engine.session() as session:
        session.run("INSERT INTO suppression VALUES (uuid(), 2, now()::TIMESTAMP)")
    again = deliveries.retry(first.delivery_id)
    assert (again.again_of, again.delivery_id != first.delivery_id) == (first.delivery_id, True)
    deliveries.send(again.delivery_id)
    assert deliveries.get(again.delivery_id).file != first.file


def test_undone_uploads_and_deleted_segments_are_not_sent(deliveries, shelf, people, workspace):
    waiting = deliveries.order(order())
    workspace.segments.delete("EVERYBODY")
    assert deliveries.send(waiting).error["code"] == "segment_gone"
    workspace.undo.undo(people)
    with pytest.raises(StateError) as refused:
        deliveries.order(order("upload", people))
    assert refused.value.code == "undone"
    assert shelf.files() == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"columns": (Column(name="a", attribute="nothing"),)}, "unknown_attribute"),
        ({"columns": (Column(name="a", attribute="city"), Column(name="a", attribute="crmid"))}, "bad_columns"),
        ({"columns": (Column(name="a", attribute="city", recipe="rot13"),)}, "no_such_recipe"),
        ({"columns": (Column(name="a", attribute="city"),), "scope": "changed"}, "needs_key"),
        ({"key": "colour"}, "no_such_key"),
        ({"file_name": "../../etc/passwd"}, "bad_file_name"),
        ({"file_name": "{password}"}, "bad_file_name"),
        ({"reason": "x" * 201}, "bad_reason"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is_kept(deliveries, people, more, code):
    with pytest.raises(InputError) as refused:
        deliveries.order(order(**more))
    assert refused.value.code == code
    assert deliveries.list() == []


def test_a_key_that_is_plain_personal_data_is_refused(deliveries, people):
    columns = (Column(name="mail", attribute="email"),)
    with pytest.raises(InputError) as refused:
        deliveries.order(order(columns=columns, key="mail", is_plain=True, reason="Contract"))
    assert refused.value.code == "plain_key"


def test_a_preview_is_masked_and_leaves_nothing(deliveries, people, workspace, shelf):
    columns = (
        Column(name="id", attribute="crmid"),
        Column(name="mail", attribute="email"),
        Column(name="em", attribute="email", recipe="sha256_email"),
    )
    shown = deliveries.preview(order(columns=columns), limit=1)
    sha = recipe("sha256_email")("anna@example.com")
    assert shown.rows == (("C1", "a•••@example.com", sha[:10] + "…"),)
    assert (shown.people, shown.plain, shown.last) == (3, ("mail",), None)
    assert deliveries.list() == []
    assert shelf.files() == []


def test_the_history_is_found_by_what_where_who_and_when(deliveries, people, workspace, shelf):
    sent = deliveries.deliver(order())
    shelf.fails["connect"] = lost("login_refused", is_retryable=False)
    failed = deliveries.deliver(order("upload", people))
    assert [one.delivery_id for one in deliveries.list()] == [failed.delivery_id, sent.delivery_id]
    assert deliveries.count() == 2
    assert [one.delivery_id for one in deliveries.list(status="failed")] == [failed.delivery_id]
    assert [one.delivery_id for one in deliveries.list(search="everyb")] == [sent.delivery_id]
    assert len(deliveries.list(upload=people)) == 2
    assert deliveries.list(destination="elsewhere") == deliveries.list(user="nobody") == []
    assert len(deliveries.list(limit=1, offset=1)) == 1


def test_tabs_and_breaks_in_cells_keep_the_shape_and_are_counted(deliveries, shelf, kernel, workspace):
    kernel.load('crmid,city\nC1,"two\nlines"\n', {"crmid": "crmid", "city": "city"}, name="people.csv")
    workspace.segments.add("ALL", {"all": []})
    done = deliveries.deliver(order(given="ALL", file_name="x", columns=(Column(name="c", attribute="city"),)))
    assert (shelf.text("x.tsv"), done.flattened) == ("c\ntwo lines\n", 1)


def test_a_stopped_delivery_ends_and_can_be_tried_again(deliveries, people):
    waiting = deliveries.order(order())
    assert deliveries.cancel(waiting).status == "failed"
    assert deliveries.retry(waiting).status == "waiting"
    assert deliveries.send(waiting).status == "delivered"
    with pytest.raises(StateError):
        deliveries.retry(waiting)


def test_members_files_and_deliveries_have_the_same_people(deliveries, shelf, people, workspace):
    deliveries.deliver(order(form="csv", file_name="x", columns=(Column(name="crmid", attribute="crmid"),)))
    members = io.StringIO()
    workspace.segments.write_members("EVERYBODY", members)
    assert [line.split(",")[1] for line in members.getvalue().splitlines()] == shelf.text("x.csv").split()
    assert len(PEOPLE.splitlines()) == len(shelf.text("x.csv").splitlines())


def test_an_undo_names_the_files_that_went_out_with_people_of_the_upload(deliveries, shelf, people, kernel):
    other = kernel.load("crmid\nC77\n", {"crmid": "crmid"}, "Shop")
    kernel.workspace.segments.add("SHOP", {"source": "Shop"})
    deliveries.deliver(order())
    deliveries.deliver(order("upload", other.request_id))
    shelf.fails["connect"] = lost("login_refused", is_retryable=False)
    deliveries.deliver(order(given="SHOP"))
    undo = kernel.workspace.undo.preview(other.request_id)
    assert [(one.kind, one.label, one.destination) for one in undo.went_out] == [
        ("upload", "people.tsv", "Partner"), ("segment", "EVERYBODY", "Partner"),
    ]  # fmt: skip
    assert [one.label for one in kernel.workspace.undo.preview(people).went_out] == ["EVERYBODY"]


class TestOpenPgp:
    """Files encrypted for the owner of a key."""

    @pytest.fixture
    def partner(self, workspace):
        import pysequoia

        key = pysequoia.Tsk.generate(user_id="P <p@example.com>", profile=pysequoia.Profile.RFC4880)
        workspace.pgp_keys.add("partner", str(key.extract_certificate()))
        return key

    def test_only_the_receiver_can_open_it_and_the_control_file_is_about_what_was_sent(
        self, deliveries, shelf, people, partner
    ):
        import pysequoia

        done = deliveries.deliver(order(columns=HASHED, key="id", file_name="x", pgp=("partner",)))
        data = (shelf.folder / "x.tsv.pgp").read_bytes()
        assert (done.file, done.bytes, done.lines) == ("x.tsv.pgp", len(data), 4)
        assert hashlib.sha256(data).hexdigest() == done.sha256
        assert b"C1" not in data
        plain = pysequoia.decrypt(bytes=data, decryptor=partner.decryptor()).bytes
        assert [row[0] for row in rows_of(plain.decode())] == ["id", "C1", "C2", "C3"]
        told = json.loads(shelf.text("x.info"))
        assert told["Files"][0]["md5"] == hashlib.md5(data).hexdigest()

    def test_a_key_that_is_not_there_is_told_before_anything_is_ordered(self, deliveries, people):
        with pytest.raises(InputError) as caught:
            deliveries.deliver(order(pgp=("nobody",)))
        assert caught.value.code == "no_such_pgp_key"
        assert deliveries.count() == 0
