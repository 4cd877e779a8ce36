"""Catalogues: created from a manifest, shown, given a new manifest or split, and works and shares proved."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.chain.requests import Outcome, Request
from ledger.chain.sender import Sender
from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO_ADDRESS, keccak256
from ledger.domain.catalogue_book import MAX_SECONDS, MIN_WINDOW, Settings
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.journal import event_shapes
from ledger.domain.manifest import Manifest, Share, Work
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.operations.manifests import keep_manifest, kept_manifest, shared_works, tree_of, twins
from ledger.operations.plan import Effect, Plan
from ledger.operations.session import Session, send_all
from ledger.operations.splits import missing_pages, publish_requests, short, sized
from ledger.operations.tokens import book_of_deployments


@dataclass(frozen=True, slots=True)
class Announcement:
    """A split in a catalogue's list."""

    position: int
    split_id: bytes
    effective: int


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """A catalogue as the chain holds it. Windows are seconds; an arbiter of zero is none."""

    number: int
    owner: str
    pending_owner: str
    arbiter: str
    notice: int
    dispute_window: int
    arbiter_window: int
    works_root: bytes
    file_hash: bytes
    splits: tuple[Announcement, ...]

    def in_force(self, time: int) -> Announcement | None:
        """The split in force at a time."""
        known = [one for one in self.splits if one.effective <= time]
        return known[-1] if known else None


@dataclass(frozen=True, slots=True)
class Registered:
    """What `create` and `announce` did: the catalogue, its split, when that takes effect, and what was
    sent.
    """

    catalogue: int
    tree: MerkleSumTree
    effective: int
    outcomes: tuple[Outcome, ...]


def state_of(session: Session, number: int) -> CatalogueState:
    """A catalogue's state. Raises LedgerError for an unknown one."""
    contract = session.ledger.catalogues
    owner = contract.view("ownerOf", number)
    rules, manifest = contract.view("rulesOf", number), contract.view("manifestOf", number)
    count = contract.view("splitCount", number)
    held = contract.views("splitByPosition", [(number, position) for position in range(count)])
    listed = []
    for position, one in enumerate(held):
        if isinstance(one, LedgerError):
            raise one
        listed.append(Announcement(position, one.splitId, one.effective))
    return CatalogueState(
        number,
        owner,
        contract.view("pendingOwnerOf", number),
        rules.arbiter,
        rules.notice,
        rules.disputeWindow,
        rules.arbiterWindow,
        manifest.worksRoot,
        manifest.fileHash,
        tuple(listed),
    )


def count(session: Session) -> int:
    """How many catalogues there are, numbered from 1."""
    return int(session.ledger.catalogues.view("count"))


# ---- creating


def check_settings(settings: Settings) -> None:
    """Refuses windows that the contract would refuse, in the words of the command line. Raises
    ValueRefused.
    """
    if settings.notice > MAX_SECONDS:
        raise ValueRefused("The notice is longer than 3650 days.", "--notice-days")
    for window, name in (
        (settings.dispute_window, "--dispute-days"),
        (settings.arbiter_window, "--arbiter-days"),
    ):
        if not MIN_WINDOW <= window <= MAX_SECONDS:
            raise ValueRefused("The window is not within one hour and 3650 days.", name)


def _create_request(session: Session, settings: Settings) -> Request:
    fields = {
        "worksRoot": settings.works_root,
        "fileHash": settings.file_hash,
        "arbiter": settings.arbiter,
        "notice": settings.notice,
        "disputeWindow": settings.dispute_window,
        "arbiterWindow": settings.arbiter_window,
        "uri": settings.uri,
    }
    # The same manifest under the same settings is one catalogue: a command that was killed is run again.
    return session.ledger.catalogues.create(fields, occasion="create")


def plan_create(session: Session, manifest: Manifest, settings: Settings) -> Plan:
    """What creating the catalogue would do. Announcing the split needs the number that creating it gives."""
    check_settings(settings)
    sender = session.address()
    tree = tree_of(manifest)
    who = checksum_address(sender)
    effects = [
        Effect(who, "publishes", f"split {short(tree.id)}", sized(tree.leaves, "payee")),
        Effect(who, "creates", "a catalogue", f"of {sized(len(manifest.works), 'work')}, which it owns"),
        Effect(who, "announces", f"split {short(tree.id)}", "in force at once"),
    ]
    requests = [*publish_requests(session, tree), _create_request(session, settings)]
    return Plan(sender, effects, requests, [*_warnings(manifest), *_elsewhere(session, manifest)])


def _warnings(manifest: Manifest) -> list[str]:
    found = []
    units = manifest.units()
    if units.unmatched:
        holders = len({holder for _, holder, _ in units.unmatched})
        part = float(units.unmatched_part) * 100
        found.append(
            f"{sized(holders, 'holder')} without a payee, with {part:.4g} % of the value, get no units."
        )
    same = twins(manifest)
    if same:
        one, other, name = same[0]
        more = f", and {sized(len(same) - 1, 'more pair')}" if len(same) > 1 else ""
        found.append(
            f"The works {one!r} and {other!r} have the same {name}{more}: use that is told by it alone counts for "
            "neither; if they are one work, keep one."
        )
    return found


def _elsewhere(session: Session, manifest: Manifest, own: int = 0) -> list[str]:
    """Works that another catalogue has too, as far as the store holds its manifest."""
    found = []
    for number in range(1, count(session) + 1):
        file_hash = session.ledger.catalogues.view("manifestOf", number).fileHash
        if number == own or file_hash == keccak256(manifest.to_json()):
            continue  # the same manifest again: the same catalogue, or its copy on purpose
        try:
            other = kept_manifest(session.files, file_hash)
        except LedgerError:
            continue  # not here, so nobody can say
        shared = shared_works(manifest, other)
        if shared:
            work, theirs, name = shared[0]
            more = f", and {sized(len(shared) - 1, 'more work')}" if len(shared) > 1 else ""
            found.append(
                f"{work!r} ({name}) is in catalogue {number} too, as {theirs!r}{more}: who licenses both pays twice, "
                "unless they are different rights."
            )
    return found


def create(session: Session, sender: Sender, manifest: Manifest, settings: Settings) -> Registered:
    """Keeps the manifest file, publishes its split, creates the catalogue, announces the split. Raises
    LedgerError.
    """
    tree = tree_of(manifest)
    keep_manifest(session.files, manifest)
    first = send_all(sender, [*publish_requests(session, tree), _create_request(session, settings)])
    number = session.ledger.catalogues.created(first[-1].logs)
    effective, outcomes = _announce(session, sender, number, tree)
    return Registered(number, tree, effective, (*first, *outcomes))


# ---- a new manifest, a new split


def plan_announce(session: Session, number: int, manifest: Manifest | None, tree: MerkleSumTree) -> Plan:
    """What announcing a split (and, with a manifest, replacing the catalogue's) would do."""
    sender = session.address()
    state = state_of(session, number)
    who = checksum_address(sender)
    if state.owner != sender:
        raise LedgerError(
            f"Catalogue {number} belongs to {checksum_address(state.owner)}, not to {who}.",
            remedy="Give the owner's account: --from NAME.",
        )
    effects = []
    requests = publish_requests(session, tree)
    if requests:
        effects.append(Effect(who, "publishes", f"split {short(tree.id)}", sized(tree.leaves, "payee")))
    if manifest is not None and manifest.works_root != state.works_root:
        effects.append(
            Effect(who, "replaces", f"the manifest of catalogue {number}", sized(len(manifest.works), "work"))
        )
        requests.append(_manifest_request(session, number, manifest, ""))
    when = (
        f"in force after the notice of {state.notice / 86_400:g} days" if state.splits else "in force at once"
    )
    effects.append(Effect(who, "announces", f"split {short(tree.id)} for catalogue {number}", when))
    warnings = [*_warnings(manifest), *_elsewhere(session, manifest, number)] if manifest is not None else []
    return Plan(sender, effects, requests, warnings)


def standing_title(session: Session, number: int) -> str:
    """The title of a catalogue's manifest, as far as its file is in the store; else nothing."""
    try:
        return kept_manifest(session.files, state_of(session, number).file_hash).title
    except LedgerError:
        return ""


def announce(
    session: Session,
    sender: Sender,
    number: int,
    manifest: Manifest | None,
    tree: MerkleSumTree,
    *,
    uri: str = "",
) -> Registered:
    """Publishes what is missing of the split, replaces the manifest if it differs, announces the split."""
    requests = publish_requests(session, tree)
    if manifest is not None:
        keep_manifest(session.files, manifest)
        if manifest.works_root != state_of(session, number).works_root:
            requests.append(_manifest_request(session, number, manifest, uri))
    first = send_all(sender, requests) if requests else []
    effective, outcomes = _announce(session, sender, number, tree)
    return Registered(number, tree, effective, (*first, *outcomes))


def _manifest_request(session: Session, number: int, manifest: Manifest, uri: str) -> Request:
    # A manifest may come back after another: the one that it replaces makes the occasion.
    standing = session.ledger.catalogues.view("manifestOf", number)
    return session.ledger.catalogues.request(
        "replaceManifest",
        number,
        manifest.works_root,
        manifest.file_hash,
        uri,
        note=f"replace the manifest of catalogue {number}",
        occasion=standing.fileHash.hex(),
    )


def _announce(
    session: Session, sender: Sender, number: int, tree: MerkleSumTree
) -> tuple[int, list[Outcome]]:
    """Announces a split unless it is the last of the list already; when it takes effect."""
    state = state_of(session, number)
    outcomes: list[Outcome] = []
    if not state.splits or state.splits[-1].split_id != tree.id:
        last = state.splits[-1] if state.splits else None
        occasion = f"{len(state.splits)}/{last.split_id.hex()}/{last.effective}" if last else "first"
        outcomes = send_all(sender, [session.ledger.catalogues.announce(number, tree.id, occasion=occasion)])
        state = state_of(session, number)
    return state.splits[-1].effective, outcomes


def plan_publish(session: Session, tree: MerkleSumTree) -> Plan:
    """What publishing the missing pages of a split would do. Anyone may."""
    sender = session.address()
    missing = missing_pages(session, tree)
    who = checksum_address(sender)
    what = f"{sized(len(missing), 'page')} of split {short(tree.id)}"
    effects = [Effect(who, "publishes", what, sized(tree.leaves, "payee"))] if missing else []
    return Plan(sender, effects, publish_requests(session, tree, missing))


# ---- another owner


def plan_hand_over(session: Session, number: int, to: str) -> Plan:
    """Naming the next owner, who then has to take over; empty: nobody. Raises LedgerError."""
    sender, state = session.address(), state_of(session, number)
    who = checksum_address(sender)
    if state.owner != sender:
        raise LedgerError(
            f"Catalogue {number} belongs to {checksum_address(state.owner)}, not to {who}.",
            remedy="Give the owner's account: --from NAME.",
        )
    if (to or ZERO_ADDRESS) == state.pending_owner or to == sender:
        held = checksum_address(to) if to else "nobody"
        raise ValueRefused(
            f"Catalogue {number} is {'owned by' if to == sender else 'offered to'} {held} already.",
            remedy="Nothing has to be sent.",
        )
    request = session.ledger.catalogues.request(
        "offerOwnership",
        number,
        to or ZERO_ADDRESS,
        note=f"offer catalogue {number}",
        occasion=_moves(session, number),
    )
    effect = Effect(
        who,
        "offers" if to else "takes back its offer of",
        f"catalogue {number}, and with it the licensor's part in its licences",
        f"to {checksum_address(to)}, who has to take over" if to else "",
    )
    return Plan(sender, [effect], [request])


def _moves(session: Session, number: int) -> str:
    # The same successor may be named again: what happened to the ownership so far tells this time from every other.
    contract, reader = session.ledger.catalogues, session.reader
    first, last = book_of_deployments(session).first_block(), reader.head()
    many = 0
    for name in ("OwnershipOffered", "OwnershipMoved"):
        topics = ["0x" + event_shapes("Catalogues")[name].topic.hex(), f"0x{number:064x}"]
        many += sum(1 for _ in reader.logs([contract.address], first, last, topics=topics))
    return str(many)


def plan_take_over(session: Session, number: int) -> Plan:
    """Taking over a catalogue that was offered to the sender. Raises LedgerError."""
    sender, state = session.address(), state_of(session, number)
    if state.pending_owner != sender:
        held = "nobody" if state.pending_owner == ZERO_ADDRESS else checksum_address(state.pending_owner)
        raise LedgerError(
            f"Catalogue {number} is offered to {held}, not to {checksum_address(sender)}.",
            remedy=f"Its owner offers it: `licence-ledger catalogue hand-over {number} ADDRESS`.",
        )
    request = session.ledger.catalogues.request(
        "acceptOwnership",
        number,
        note=f"take over catalogue {number}",
        occasion=_moves(session, number),
    )
    effect = Effect(
        checksum_address(sender), "takes over", f"catalogue {number}", f"from {checksum_address(state.owner)}"
    )
    return Plan(sender, [effect], [request])


# ---- proving


@dataclass(frozen=True, slots=True)
class Proof:
    """That a work, and where one is named a share in it, belongs to a manifest; `on_chain`: the contract
    agrees.
    """

    works_root: bytes
    work: Work
    work_proof: tuple[bytes, ...]
    share: Share | None
    share_proof: tuple[bytes, ...]
    on_chain: bool


def prove(session: Session, manifest: Manifest, work_id: str, holder: str = "", right: str = "") -> Proof:
    """Proves a work, or the share of a holder in it, and has the contract check it. Raises ValueRefused."""
    contract, root = session.ledger.catalogues, manifest.works_root
    if not holder:
        work, work_proof = manifest.prove_work(work_id)
        agrees = contract.view("provesWork", root, work.words, work_proof)
        return Proof(root, work, tuple(work_proof), None, (), bool(agrees))
    rights = [one.right_type for one in manifest.work(work_id).shares if one.holder == holder]
    if not right and len(rights) > 1:
        raise ValueRefused(
            f"{holder!r} has several shares in {work_id!r}.",
            remedy=f"Give --right, one of {', '.join(rights)}.",
        )
    chosen = right or (rights[0] if rights else "work")
    work, work_proof, share, share_proof = manifest.prove_share(work_id, holder, chosen)
    words = (
        keccak256(share.holder.encode()),
        share.payee or ZERO_ADDRESS,
        share.ppm,
        keccak256(share.right_type.encode()),
    )
    agrees = contract.view("provesShare", root, work.words, work_proof, words, share_proof)
    return Proof(root, work, tuple(work_proof), share, tuple(share_proof), bool(agrees))
