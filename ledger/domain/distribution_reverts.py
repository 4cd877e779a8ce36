"""The errors of contracts/Distributions.sol: signature, plain sentence, remedy; part of revert_table.TABLE."""

from __future__ import annotations

DISTRIBUTIONS: tuple[tuple[str, str, str], ...] = (
    (
        "Distributions_TermsMismatch(uint256 licence)",
        "The terms given are not those of licence {licence}.",
        "Take the terms from the licence's acceptance on chain.",
    ),
    (
        "Distributions_Elsewhere(uint256 licence,address distributions)",
        "The periods of licence {licence} are not distributed here; its terms name {distributions} (zero: its "
        "money goes to the catalogue's split).",
        "Use the contract that the terms name.",
    ),
    (
        "Distributions_NoSuchPeriod(uint256 licence,uint256 period)",
        "Licence {licence} has no period {period}: it would start at or after the end.",
        "See `licence-ledger report list`.",
    ),
    (
        "Distributions_PeriodNotOver(uint256 licence,uint256 period,uint256 end)",
        "Period {period} of licence {licence} ends at {end}.",
        "Post its distribution after its end.",
    ),
    (
        "Distributions_Mismatch(uint256 licence,uint256 period,uint256 round)",
        "The distribution given for round {round} of period {period} of licence {licence} is not the one of "
        "that round.",
        "Take the distributions from the journal, one for each round in order.",
    ),
    (
        "Distributions_WrongStage(uint256 licence,uint256 period,uint256 round,uint256 stage)",
        "Round {round} of period {period} of licence {licence} is in stage {stage} (0 nothing posted, 1 open to "
        "objections, 2 objected to, 3 stood, 4 fell back), which does not allow this.",
        "Perhaps this was sent before; read the round again.",
    ),
    (
        "Distributions_RoundsUsedUp(uint256 licence,uint256 period)",
        "Period {period} of licence {licence} has as many settled rounds as a period may have.",
        "What is still held is released after the last date.",
    ),
    (
        "Distributions_MayNotPost(uint256 licence,uint256 period,address caller)",
        "{caller} may not post, replace or concede for period {period} of licence {licence} now.",
        "The licensor posts first, the licensee after the licensor's time; only the side that posted replaces or "
        "concedes.",
    ),
    (
        "Distributions_PostingClosed(uint256 licence,uint256 period,uint256 closedAt)",
        "Distributions for period {period} of licence {licence} could be posted until {closedAt}.",
        "Anyone may carry out the fallback after the last date.",
    ),
    (
        "Distributions_Replaced(uint256 licence,uint256 period,uint256 round)",
        "The one replacement for round {round} of period {period} of licence {licence} is used up.",
        "The posting stands or falls as it is.",
    ),
    (
        "Distributions_TooLate(uint256 licence,uint256 period,uint256 lastDate)",
        "The windows for objections and for the arbiter would not end by {lastDate}, the last date of period "
        "{period} of licence {licence}.",
        "Leave it to what stands, or to the fallback.",
    ),
    (
        "Distributions_SplitNotPublished(bytes32 splitId)",
        "The split {splitId} has pages that nobody has published.",
        "Publish the missing pages first: `licence-ledger catalogue publish`.",
    ),
    (
        "Distributions_TotalAboveAmount(uint256 total,uint256 amount)",
        "The split has {total} units, more than the {amount} base units that it is for.",
        "The units of a distribution are base units: split at most the amount.",
    ),
    (
        "Distributions_AmountAboveWaiting(uint256 amount,uint256 waits)",
        "The distribution is for {amount} base units; only {waits} wait for this round.",
        "Distribute what has arrived; what comes later goes the same way.",
    ),
    (
        "Distributions_WindowClosed(uint256 licence,uint256 period,uint256 closedAt)",
        "The time for this, for period {period} of licence {licence}, ended at {closedAt}.",
        "Anyone may settle the round now.",
    ),
    (
        "Distributions_WindowOpen(uint256 licence,uint256 period,uint256 until)",
        "Objections or the arbiter's choice for period {period} of licence {licence} are awaited until {until}.",
        "Try again after that.",
    ),
    (
        "Distributions_NotHolder(address caller,bytes32 splitId)",
        "{caller} has shown no leaf of its own in the posted or in the standing split; it showed one of "
        "{splitId}.",
        "Send it from the key of a payee of one of the two.",
    ),
    (
        "Distributions_ArbiterIsParty(address arbiter)",
        "The arbiter {arbiter} may not object, and may not choose where it is licensor, licensee or poster.",
        "Without a choice the fallback is carried out after the arbiter's time.",
    ),
    (
        "Distributions_NotArbiter(address caller)",
        "{caller} is not the catalogue's arbiter.",
        "Send it from the arbiter's key.",
    ),
    (
        "Distributions_CounterIsPosted(bytes32 splitId)",
        "The counter-split {splitId} is the posted one.",
        "Name another split, or none for the fallback.",
    ),
    (
        "Distributions_BadChoice(uint256 choice)",
        "There is no choice {choice} here (1 posted, 2 countered if a counter-split was named, 3 the fallback).",
        "Choose one that there is.",
    ),
    (
        "Distributions_BondTooSmall(uint256 arrived,uint256 bond)",
        "{arrived} base units arrived as the bond; it must be at least {bond}.",
        "Pay 1 % of the posted amount, rounded up, with a token that moves what it says.",
    ),
    (
        "Distributions_ObjectionMismatch(uint256 licence,uint256 period,uint256 round)",
        "The objection given is not the one to round {round} of period {period} of licence {licence}.",
        "Take the objection from the journal.",
    ),
    (
        "Distributions_NothingToMove(uint256 licence,uint256 period)",
        "There is nothing to be moved for period {period} of licence {licence}.",
        "Perhaps it was moved before; see what waits.",
    ),
    (
        "Distributions_NotYet(uint256 licence,uint256 period,uint256 until)",
        "This can be done for period {period} of licence {licence} only after {until}.",
        "Try again after that.",
    ),
    (
        "Distributions_UnexpectedCallback(address caller)",
        "{caller} called back although no bond was under way.",
        "Only Splits calls back.",
    ),
)
