"""Catalogues: creation, settings, the works manifest, and proofs of works and shares."""

from __future__ import annotations

import pytest
from _catalogues import (
    ARBITER,
    FILE,
    LONGEST,
    OTHER,
    OWNER,
    ROOT,
    ZERO,
    Manifest,
    World,
    merkle,
    settings,
    share_leaf,
    work_leaf,
)
from _mini import Contract, Reverted, keccak

HOUR = 3600


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def catalogues(world: World) -> Contract:
    return world.catalogues


def test_numbers_begin_at_one_and_name_splits(world: World, catalogues: Contract) -> None:
    assert catalogues.count() == 0
    assert catalogues.splits() == world.splits.address
    assert [world.create(), world.create()] == [1, 2]
    assert catalogues.count() == 2


def test_create_keeps_every_setting(world: World, catalogues: Contract) -> None:
    number = catalogues.create(settings(notice=5, dispute=HOUR, arbitration=2 * HOUR), sender=OWNER)
    assert catalogues.ownerOf(number) == OWNER
    assert catalogues.pendingOwnerOf(number) == ZERO
    assert catalogues.rulesOf(number) == (ARBITER, 5, HOUR, 2 * HOUR)
    assert catalogues.manifestOf(number) == (ROOT, FILE)
    assert catalogues.splitCount(number) == 0
    [(topic, data)] = catalogues.events("CatalogueCreated")
    assert topic == number.to_bytes(32, "big")
    assert data == (OWNER, ROOT, FILE, ARBITER, 5, HOUR, 2 * HOUR, "ipfs://manifest")


def test_create_takes_the_widest_settings(catalogues: Contract) -> None:
    widest = settings(arbiter=ZERO, notice=LONGEST, dispute=LONGEST, arbitration=LONGEST, uri="")
    number = catalogues.create(widest, sender=OWNER)
    assert catalogues.rulesOf(number) == (ZERO, LONGEST, LONGEST, LONGEST)
    assert catalogues.rulesOf(catalogues.create(settings(notice=0), sender=OWNER))[1] == 0


@pytest.mark.parametrize(
    ("given", "which"),
    [
        (settings(works_root=bytes(32)), 1),
        (settings(file_hash=bytes(32)), 2),
        (settings(notice=LONGEST + 1), 3),
        (settings(notice=2**32 - 1), 3),
        (settings(dispute=HOUR - 1), 4),
        (settings(dispute=LONGEST + 1), 4),
        (settings(dispute=0), 4),
        (settings(arbitration=HOUR - 1), 5),
        (settings(arbitration=LONGEST + 1), 5),
    ],
)
def test_create_refuses_a_setting_out_of_range(
    catalogues: Contract, given: tuple[object, ...], which: int
) -> None:
    with pytest.raises(Reverted) as refused:
        catalogues.create(given, sender=OWNER)
    assert (refused.value.name, refused.value.values) == ("Catalogues_BadSetting", (which,))
    assert catalogues.count() == 0


def test_create_refuses_a_field_wider_than_its_type(world: World, catalogues: Contract) -> None:
    calldata = bytearray(catalogues.data("create", settings()))
    notice = 4 + 32 + 3 * 32
    calldata[notice : notice + 32] = (2**32 + 5).to_bytes(32, "big")
    with pytest.raises(Reverted):
        world.chain.send(catalogues.address, bytes(calldata), OWNER)


def test_replace_manifest(world: World, catalogues: Contract) -> None:
    number = world.create()
    other = world.create()
    root, file = keccak(b"new works"), keccak(b"new file")
    catalogues.replaceManifest(number, root, file, "ipfs://new", sender=OWNER)
    assert catalogues.manifestOf(number) == (root, file)
    assert catalogues.manifestOf(other) == (ROOT, FILE)
    [(topic, data)] = catalogues.events("ManifestReplaced")
    assert topic == number.to_bytes(32, "big")
    assert data == (OWNER, root, file, "ipfs://new")


def test_replace_manifest_refuses(world: World, catalogues: Contract) -> None:
    number = world.create()
    for sender, catalogue, root, file, name, values in [
        (OTHER, number, ROOT, FILE, "Catalogues_NotOwner", (number, OTHER)),
        (ARBITER, number, ROOT, FILE, "Catalogues_NotOwner", (number, ARBITER)),
        (OWNER, number + 1, ROOT, FILE, "Catalogues_Unknown", (number + 1,)),
        (OWNER, number, bytes(32), FILE, "Catalogues_BadSetting", (1,)),
        (OWNER, number, ROOT, bytes(32), "Catalogues_BadSetting", (2,)),
    ]:
        with pytest.raises(Reverted) as refused:
            catalogues.replaceManifest(catalogue, root, file, "", sender=sender)
        assert (refused.value.name, refused.value.values) == (name, values)
    assert catalogues.manifestOf(number) == (ROOT, FILE)


@pytest.mark.parametrize(
    "view", ["ownerOf", "pendingOwnerOf", "rulesOf", "manifestOf", "splitCount", "ownerAndSplit"]
)
@pytest.mark.parametrize("number", [0, 2, 2**256 - 1])
def test_views_refuse_an_unknown_catalogue(
    world: World, catalogues: Contract, view: str, number: int
) -> None:
    world.create()
    with pytest.raises(Reverted) as refused:
        getattr(catalogues, view)(number)
    assert (refused.value.name, refused.value.values) == ("Catalogues_Unknown", (number,))


@pytest.mark.parametrize("view", ["splitAt", "splitByPosition"])
def test_split_views_refuse_an_unknown_catalogue(catalogues: Contract, view: str) -> None:
    with pytest.raises(Reverted) as refused:
        getattr(catalogues, view)(7, 0)
    assert (refused.value.name, refused.value.values) == ("Catalogues_Unknown", (7,))


@pytest.mark.parametrize("works", [1, 2, 3, 7, 16])
def test_every_work_is_provable_and_no_other(catalogues: Contract, works: int) -> None:
    manifest = Manifest.of(works, holders=3)
    for index, work in enumerate(manifest.works):
        proof = manifest.work_proof(index)
        assert catalogues.provesWork(manifest.root, work, proof)
        assert not catalogues.provesWork(manifest.root, work, [*proof, ROOT])
        assert not catalogues.provesWork(keccak(manifest.root), work, proof)
        for place in range(4):
            forged = (*work[:place], keccak(b"forged"), *work[place + 1 :])
            assert not catalogues.provesWork(manifest.root, forged, proof)
        if proof:
            assert not catalogues.provesWork(manifest.root, work, proof[:-1])


@pytest.mark.parametrize(("works", "holders"), [(1, 1), (2, 3), (5, 4)])
def test_every_share_is_provable_and_no_other(catalogues: Contract, works: int, holders: int) -> None:
    manifest = Manifest.of(works, holders)
    for index, work in enumerate(manifest.works):
        for place, share in enumerate(manifest.shares[index]):
            proofs = manifest.work_proof(index), manifest.share_proof(index, place)
            assert catalogues.provesShare(manifest.root, work, proofs[0], share, proofs[1])
            holder, payee, ppm, right = share
            for forged in [
                (keccak(holder), payee, ppm, right),
                (holder, OTHER, ppm, right),
                (holder, payee, ppm + 1, right),
                (holder, payee, ppm, keccak(right)),
            ]:
                assert not catalogues.provesShare(manifest.root, work, proofs[0], forged, proofs[1])
            assert not catalogues.provesShare(keccak(manifest.root), work, proofs[0], share, proofs[1])
            assert not catalogues.provesShare(manifest.root, work, [*proofs[0], ROOT], share, proofs[1])
            if works > 1:
                elsewhere = (index + 1) % works
                other = manifest.works[elsewhere], manifest.work_proof(elsewhere)
                assert not catalogues.provesShare(manifest.root, *other, share, proofs[1])


def test_an_unmatched_share_has_no_payee_and_is_provable(catalogues: Contract) -> None:
    share = (keccak(b"holder"), ZERO, 1_000_000, keccak(b"master"))
    manifest = Manifest.of(2, 1)
    work = (*manifest.works[0][:3], share_leaf(share))
    root, proofs = merkle([work_leaf(work), work_leaf(manifest.works[1])])
    assert catalogues.provesShare(root, work, proofs[0], share, [])


def test_an_inner_node_is_no_work(catalogues: Contract) -> None:
    """Leaves are hashed twice, so that the 64 bytes under an inner node cannot be told as half a work."""
    manifest = Manifest.of(4, 1)
    leaves = [work_leaf(work) for work in manifest.works]
    pair = merkle(leaves[2:])[0]
    forged = (min(leaves[:2]), max(leaves[:2]), bytes(32), bytes(32))
    assert not catalogues.provesWork(manifest.root, forged, [pair])
