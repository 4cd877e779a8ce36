"""What our writer writes, our reader reads without a flaw, and it comes back byte for byte."""

from __future__ import annotations

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _files import NAME, body, usage, work, write
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.errors import AuditFailed, FindingsError, LedgerError, ValueRefused
from ledger.operations import usage_files
from ledger.operations.usage_files import Wanted, export, import_report
from ledger.usage.writer import UsageFile, head_values

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)
ID = st.text(st.characters(whitelist_categories=("Lu", "Ll", "Nd", "So")), min_size=1, max_size=8)
COUNT = st.one_of(st.integers(0, 10**6), st.integers(0, 10**36))
AMOUNT = st.one_of(
    st.integers(0, 10**25).map(str),
    st.tuples(st.integers(0, 10**20), st.text("0123456789", min_size=1, max_size=12)).map(
        lambda two: f"{two[0]}.{two[1]}"
    ),
)
IDENTIFIERS = ("", "GBAYE0601498", "0x" + "ab" * 32, "10.5281/zenodo.12", "us-rc1-76-07839")


@st.composite
def reports(draw):
    """Blocks of works, each with usages; weights of an output always sum to 1,000,000."""
    blocks = []
    output = 0
    for block in range(1, draw(st.integers(1, 5)) + 1):
        references = draw(st.lists(ID, min_size=1, max_size=4, unique=True))
        works = [(one, draw(ID), draw(st.sampled_from(IDENTIFIERS)), draw(TEXT)) for one in references]
        uses = []
        for _ in range(draw(st.integers(0, 3))):
            output += 1
            cuts = sorted(draw(st.lists(st.integers(0, 10**6), max_size=len(references) - 1)))
            weights = [b - a for a, b in zip([0, *cuts], [*cuts, 10**6], strict=True)]
            weighed = draw(st.booleans())
            uses += [
                (
                    reference,
                    f"o{output}",
                    draw(COUNT),
                    weight if weighed else "",
                    draw(st.one_of(st.just(""), AMOUNT)),
                )
                for reference, weight in zip(references, weights, strict=False)
            ]
        blocks.append((str(block), works, uses))
    return blocks


def written(folder: Path, blocks, name: str = NAME) -> Path:
    total = sum(use[2] for _, _, uses in blocks for use in uses)
    with UsageFile(folder / name) as file:
        file.head(head_values("M1", "2026-04-02T00:00:00Z", "2026-01-01", "2026-03-31", "P1", "Developer"))
        values = {
            "SummaryRecordId": "1",
            "LicenceId": 7,
            "UseType": "aill::AiTraining",
            "Territory": "Worldwide",
        }
        values |= {"ModelId": "m", "ModelVersion": "1", "Usages": total, "CurrencyOfReporting": "EUR"}
        file.summary(values | {"GrossRevenue": "10", "NetRevenue": "10"})
        for block, works, uses in blocks:
            for reference, held, identifier, title in works:
                file.work(
                    {
                        "BlockId": block,
                        "ResourceReference": reference,
                        "DspResourceId": held,
                        "Title": title,
                        "ISRC|DOI|ContentHash": identifier,
                        "RightsControllers": ["A|B", "C"],
                    }
                )
            for reference, output, count, weight, net in uses:
                file.usage(
                    {
                        "BlockId": block,
                        "SummaryRecordId": "1",
                        "SalesTransactionId": output,
                        "ResourceReference": reference,
                        "IsRoyaltyBearing": True,
                        "Usages": count,
                        "AttributionWeightPpm": weight,
                        "AllocatedNetRevenue": net,
                    }
                )
        file.close()
    return folder / name


@settings(max_examples=60, deadline=None)
@given(reports())
def test_any_report_of_ours_comes_back_byte_for_byte(blocks):
    with TemporaryDirectory() as place:
        folder = Path(place)
        path = written(folder, blocks)
        done = import_report([path], folder / "store", Wanted())
        kinds = {kind.value for kind in done.report.flaws.counts}
        assert kinds <= {"sum"}, list(done.report.flaws)
        uses = [use for _, _, held in blocks for use in held]
        assert done.report.accepted.lines == len(uses)
        assert done.report.accepted.usages == sum(use[2] for use in uses)
        assert done.folder is not None
        (back,) = export(done.folder, folder / "back")
        assert back.read_bytes() == path.read_bytes()


def test_a_file_with_comments_rights_and_two_parts_comes_back(tmp_path):
    lines = body()
    lines.insert(3, "#ASAI.01\tBlockId\tÄ")
    lines.insert(9, "#")
    path = write(tmp_path, lines)
    done = import_report([path], tmp_path / "store", Wanted(), strict=True)
    (back,) = export(done.folder, tmp_path / "back")
    assert back.read_bytes() == path.read_bytes()


def test_a_packed_file_comes_back_with_the_same_content_and_always_the_same_bytes(tmp_path):
    path = tmp_path / (NAME + ".gz")
    path.write_bytes(gzip.compress(write(tmp_path, body()).read_bytes()))
    done = import_report([path], tmp_path / "store", Wanted())
    first, again = (export(done.folder, tmp_path / name)[0].read_bytes() for name in ("a", "b"))
    assert first == again
    assert gzip.decompress(first) == gzip.decompress(path.read_bytes())


def test_an_import_is_the_same_folder_again_and_has_the_same_bytes_elsewhere(tmp_path):
    path = write(tmp_path, body())
    first = import_report([path], tmp_path / "store", Wanted())
    again = import_report([path], tmp_path / "store", Wanted())
    elsewhere = import_report([path], tmp_path / "other", Wanted())
    assert (first.known, again.known, elsewhere.known) == (False, True, False)
    assert first.id == again.id == elsewhere.id
    assert len(list((tmp_path / "store").iterdir())) == 1


def test_another_file_with_the_same_message_is_refused(tmp_path):
    import_report([write(tmp_path, body())], tmp_path / "store", Wanted())
    lines = body()
    lines[2] = work(title="Other")
    with pytest.raises(FindingsError, match="refused") as caught:
        import_report([write(tmp_path, lines)], tmp_path / "store", Wanted())
    assert "imported before" in str(caught.value)
    assert len(list((tmp_path / "store").iterdir())) == 1


def test_strict_refuses_what_an_import_would_set_aside(tmp_path):
    lines = body()
    lines[10] = usage("3", "R9", output="", count="20", weight="")
    path = write(tmp_path, lines)
    with pytest.raises(FindingsError) as caught:
        import_report([path], tmp_path / "store", Wanted(), strict=True)
    assert "line 11, SUAI.01, ResourceReference" in str(caught.value)
    assert list((tmp_path / "store").iterdir()) == []
    done = import_report([path], tmp_path / "store", Wanted())
    assert (done.report.accepted.lines, done.report.unmatched.lines) == (3, 1)
    assert pq.read_table(done.report.usage)["work"].to_pylist()[-1] is None


def test_a_changed_table_is_noticed(tmp_path):
    done = import_report([write(tmp_path, body())], tmp_path / "store", Wanted())
    (done.folder / "works.parquet").write_bytes(b"x")
    with pytest.raises(AuditFailed, match="not the one that was imported"):
        export(done.folder, tmp_path / "back")


FLAT = 'DspResourceId,UseType,Usages\r\nwork-1,aill::AiInference,7\r\n"work, 2",aill::AiTraining,007\r\nx,,-1\r\n'


def flat_files(folder):
    """A CSV with quotes, flaws and other ends of line; the same as Parquet; and a TSV of our own."""
    table, csv = folder / "table.parquet", folder / "table.csv"
    csv.write_bytes(FLAT.encode())
    pq.write_table(
        pa.table({"Usages": [7, 7], "DspResourceId": ["a", "b"], "UseType": ["aill::AiTraining"] * 2}), table
    )
    return csv, table, write(folder, body())


def test_tables_are_written_back_as_they_came(tmp_path):
    csv, table, tsv = flat_files(tmp_path)
    for name, files in (("one", [csv]), ("two", [table]), ("three", [csv, table, tsv])):
        done = import_report(files, tmp_path / "store", Wanted())
        back = export(done.folder, tmp_path / name)
        assert sorted(one.name for one in back) == sorted(one.name for one in files)
        for path in files:
            assert (tmp_path / name / path.name).read_bytes() == path.read_bytes()
        assert {one.name for one in (tmp_path / name).iterdir()} == {one.name for one in files}
    assert pq.read_table(tmp_path / "two" / "table.parquet").equals(pq.read_table(table))
    assert import_report([csv], tmp_path / "store", Wanted()).known


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"x"), lambda path: path.unlink()])
def test_a_table_that_was_changed_is_not_written_back(tmp_path, spoil):
    done = import_report([flat_files(tmp_path)[0]], tmp_path / "store", Wanted())
    spoil(done.folder / "originals" / "0")
    with pytest.raises(LedgerError, match="as it came"):
        export(done.folder, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_table_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    csv = flat_files(tmp_path)[0]
    monkeypatch.setattr(
        usage_files,
        "refuse",
        lambda report, strict: csv.write_bytes(csv.read_bytes() + b"y,aill::AiTraining,1"),
    )
    with pytest.raises(LedgerError, match="changed while it was read"):
        import_report([csv], tmp_path / "store", Wanted())
    assert list((tmp_path / "store").iterdir()) == []


def test_a_ddex_file_is_not_written_back(tmp_path):
    from test_ddex_samples import YOUTUBE

    done = import_report([YOUTUBE], tmp_path / "store", Wanted())
    with pytest.raises(LedgerError, match="not of our own format"):
        export(done.folder, tmp_path / "back")


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\0b", "\x7f", "\x1b[2J"])
def test_the_writer_refuses_control_characters(tmp_path, text):
    with UsageFile(tmp_path / NAME) as file, pytest.raises(ValueRefused, match="control characters"):
        file.head(head_values("M1", "2026-04-02T00:00:00Z", "2026-01-01", "2026-03-31", "P1", text))
    assert list(tmp_path.iterdir()) == []


def test_the_writer_refuses_unknown_and_missing_columns(tmp_path):
    with UsageFile(tmp_path / NAME) as file:
        with pytest.raises(ValueRefused, match="Colour"):
            file.summary({"Colour": "red"})
        with pytest.raises(ValueRefused, match="SummaryRecordId"):
            file.summary({})
