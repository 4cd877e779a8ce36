"""The errors of contracts/Attributions.sol: signature, plain sentence, remedy; part of revert_table.TABLE."""

from __future__ import annotations

ATTRIBUTIONS: tuple[tuple[str, str, str], ...] = (
    (
        "Attributions_TermsMismatch(uint256 licence)",
        "The terms given are not those of licence {licence}.",
        "Take the terms from the licence's acceptance on chain.",
    ),
    (
        "Attributions_MayNotRecord(uint256 licence,address caller)",
        "{caller} neither holds licence {licence} nor, for outputs, is the attributor that its terms name.",
        "Send it from the licensee's key, or outputs from the attributor's.",
    ),
    (
        "Attributions_OutsideScope(uint256 licence,uint256 scope,uint256 wanted)",
        "The scope of licence {licence} ({scope}) has none of the bits {wanted}.",
        "See `licence-ledger licence show`: this use is not licensed.",
    ),
    (
        "Attributions_OutsideTerm(uint256 licence,uint256 start,uint256 until)",
        "Under licence {licence} this is recorded from {start} to {until}.",
        "Training is recorded within the term, outputs until the last report is due.",
    ),
    (
        "Attributions_WrongModel(uint256 licence,bytes32 model,bytes32 licensed)",
        "Licence {licence} covers the model {licensed}, not {model}.",
        "Compare the model's name and version with the terms; another version needs a new licence.",
    ),
    (
        "Attributions_BadRecord(uint256 which)",
        "Field {which} is out of range (1 kind, 2 model, 3 root, 4 leaves, 5 outputs).",
        "Build the record again from its file.",
    ),
)
