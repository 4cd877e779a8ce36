"""The demonstration's real data: what counts as a work, who is unmatched, and how the trace is cut."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ledger.demo.datasets import manifest_document, read_datasets, repository_of, unmatched_names
from ledger.demo.stage import data
from ledger.demo.traffic import SCALE, read_trace
from ledger.domain.manifest_file import parse_manifest_json

HEADER = "dataset_id,creators,hf_downloads,hf_url\n"


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        (
            "https://huggingface.co/datasets/THUDM/AgentInstruct/viewer/default/alfworld",
            "THUDM/AgentInstruct",
        ),
        ("https://huggingface.co/datasets/gsm8k", "gsm8k"),
        ("https://huggingface.co/datasets/gsm8k/viewer/main", "gsm8k"),
        ("https://hf.co/datasets/arbml/CIDAR", "arbml/CIDAR"),
        ("https://huggingface.co/datasets/a/b?row=1#x", "a/b"),
        ("https://huggingface.co/project-baize", None),
        ("https://huggingface.co/datasets/", None),
        ("see https://huggingface.co/datasets/a/b for more", None),
        ("https://example.org/datasets/a/b", None),
        ("", None),
    ],
)
def test_a_repository_is_read_out_of_its_url(url: str, repository: str | None) -> None:
    assert repository_of(url) == repository


def test_rows_of_one_repository_are_one_work() -> None:
    text = (
        HEADER
        + "one,Ada|Ben,10,https://huggingface.co/datasets/x/y\n"
        + "two,Ben|Cyd,30,https://huggingface.co/datasets/x/y/viewer/z\n"
        + "three,,5,https://huggingface.co/datasets/x/w\n"
        + "four,Dee,5,\n"
        + "one,Eve,7,https://huggingface.co/datasets/x/v\n"
    )
    found = read_datasets(text)
    assert [(work.id, work.downloads, work.creators) for work in found.works] == [
        ("x/y", 30, {"Ada", "Ben", "Cyd"})
    ]
    assert [(one.line, one.why) for one in found.unmatched] == [
        (4, "it names no creator"),
        (5, "it names no repository"),
        (6, "its id stands at line 2 too"),
    ]


def test_the_catalogue_is_large_enough_and_names_its_unmatched() -> None:
    found = read_datasets(data("catalogue", "ai_datasets.csv"))
    manifest = parse_manifest_json(json.dumps(manifest_document(found.works)))
    units = manifest.units()
    assert len(manifest.works) >= 60
    assert len(units.units) >= 100
    assert {holder for _, holder, _ in units.unmatched} <= unmatched_names()
    assert units.unmatched
    # Every row of the source is in a work or told as unmatched.
    assert sum(work.rows for work in found.works) + len(found.unmatched) == 2_312


def test_matching_a_name_gives_it_units() -> None:
    found = read_datasets(data("catalogue", "ai_datasets.csv"))
    before = parse_manifest_json(json.dumps(manifest_document(found.works))).units()
    matched = {"Meta": "Meta", "Facebook AI Research": "Meta"}
    after = parse_manifest_json(json.dumps(manifest_document(found.works, matched=matched))).units()
    assert len(after.units) == len(before.units) + 1
    assert after.unmatched_part < before.unmatched_part


def test_every_request_of_the_trace_counts_in_one_slice() -> None:
    slices = read_trace(data("usage", "AzureLLMInferenceTrace_conv.csv"))
    assert len(slices) == 12
    assert sum(one.requests for one in slices) == 19_366
    text = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    text += "2023-11-16 18:00:00.0000000,1000000,0\n2023-11-16 18:00:10.0000000,0,1000000\n"
    first, last = read_trace(text, 2)
    assert (first.gross, last.gross) == (Decimal("0.50") * SCALE, Decimal("1.50") * SCALE)
