"""ODRL 2.2 in JSON-LD: an Agreement for a licence, an Offer for a terms document that nobody accepted yet.

One permission a use, so that no processor needs to expand them. Duties that several permissions share are written once
and named by their id. What holds for the licence as a whole (royalties, reports, the end) are obligations.
"""

from __future__ import annotations

import json
from typing import Any

from ledger.domain.exports.odrl_terms import ODRL_CONTEXT, OWN, PREFIX, own_context
from ledger.domain.exports.subject import IN_PART, OWN_TERM, URN, Export, Subject, Unsaid, unsaid
from ledger.domain.money import parse_amount
from ledger.domain.terms_fields import (
    WORLD,
    AttributionDuty,
    OnTermination,
    ReportingPeriod,
    Scope,
    TierCount,
)

Node = dict[str, Any]

#: Our uses as actions: two are ODRL's own.
ACTIONS: dict[Scope, str] = {
    Scope.TRAIN: f"{PREFIX}:train",
    Scope.FINE_TUNE: f"{PREFIX}:fineTune",
    Scope.INFER: f"{PREFIX}:infer",
    Scope.RETRIEVE: f"{PREFIX}:retrieve",
    Scope.INDEX: "index",
    Scope.EVALUATE: f"{PREFIX}:evaluate",
    Scope.COMMERCIAL_OUTPUT: f"{PREFIX}:commercialOutput",
    Scope.DISTRIBUTE_WEIGHTS: f"{PREFIX}:distributeWeights",
    Scope.SUBLICENSE: "grantUse",
    Scope.SYNTHETIC_DATA: f"{PREFIX}:syntheticData",
}
_AT_END = {
    OnTermination.STOP_TRAINING: f"{PREFIX}:stopTraining",
    OnTermination.STOP_INFERENCE: f"{PREFIX}:stopInference",
    OnTermination.DELETE_DATA: "delete",
    OnTermination.RETIRE_MODEL: f"{PREFIX}:retireModel",
}
_LENGTHS = {
    ReportingPeriod.MONTH: "P1M",
    ReportingPeriod.QUARTER: "P3M",
    ReportingPeriod.HALF: "P6M",
    ReportingPeriod.YEAR: "P1Y",
}


def export_odrl(subject: Subject) -> Export:
    """The terms as ODRL 2.2."""
    return _Policy(subject).export()


def _decimal(text: str) -> Node:
    return {"@value": text, "@type": "xsd:decimal"}


def _percent(ppm: int) -> Node:
    text = f"{ppm // 10_000}.{ppm % 10_000:04}".rstrip("0").rstrip(".")
    return _decimal(text)


def _constraint(left: str, operator: str, right: Any, unit: str = "") -> Node:
    node = {"leftOperand": left, "operator": operator, "rightOperand": right}
    return node | {"unit": {"@id": unit}} if unit else node


def _act(action: str, refinements: list[Node]) -> Any:
    """An action, refined where there is something to refine; ODRL names the refined action by rdf:value."""
    if not refinements:
        return action
    name = action if ":" in action else f"odrl:{action}"
    return {"rdf:value": {"@id": name}, "refinement": refinements}


class _Policy:
    """The policy of one subject while it is put together."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.document = subject, subject.document
        self.said = {
            *("works_root", "licensor", "licensee", "scope", "title"),
            *("reach.start", "reach.end", "reach.territories.include", "reach.territories.exclude"),
        }
        self.notes: list[Unsaid] = []
        self.described = False
        self.assigner = subject.account(self.document.licensor)
        self.assignee = subject.account(subject.licensee) if subject.licensee else None

    def export(self) -> Export:
        subject, document = self.subject, self.document
        policy: Node = {
            "@context": [ODRL_CONTEXT, own_context()],
            "@type": "Agreement" if subject.granted else "Offer",
            "uid": subject.uid,
            "profile": OWN.rstrip(":"),
        }
        if document.title:
            policy["dct:title"] = document.title
        policy["dct:source"] = {"@id": f"{URN}:terms:0x{document.hash.hex()}"}
        policy["permission"] = self._permissions()
        if refused := [one for one in Scope if one not in document.scope]:
            policy["prohibition"] = [self._rule(ACTIONS[one]) for one in refused]
        if obligations := [*self._royalties(), *self._exclusive(), *self._end()]:
            policy["obligation"] = obligations
        self._own("scope", "the uses as actions, but for index and sublicense")
        missing = unsaid(document, self.said, self.notes)
        policy[f"{PREFIX}:notExpressed"] = [str(one) for one in missing]
        text = json.dumps(policy, indent=2, ensure_ascii=False) + "\n"
        return Export("odrl", "application/ld+json", text, policy, missing)

    def _own(self, field: str, what: str) -> None:
        self.notes.append(Unsaid(field, what, OWN_TERM))

    def _id(self, name: str) -> str:
        return f"{self.subject.uid}#{name}"

    def _rule(self, action: Any, **parts: Any) -> Node:
        rule: Node = {"assigner": self.assigner}
        if self.assignee:
            rule["assignee"] = self.assignee
        root = self.document.works_root
        works: Node = {"@type": "AssetCollection", "uid": f"{URN}:works:{root}", f"{PREFIX}:worksRoot": root}
        # Written out once; later rules name it.
        rule["target"], self.described = (works["uid"] if self.described else works), True
        return rule | {"action": action} | parts

    def _obliged(self, name: str, action: Any, **parts: Any) -> Node:
        rule: Node = {"uid": self._id(name), "assigner": self.assigner}
        if self.assignee:
            rule["assignee"] = self.assignee
        return rule | {"action": action} | parts

    # ---- permissions

    def _permissions(self) -> list[Node]:
        constraints, duties = self._constraints(), self._duties()
        found = []
        for number, use in enumerate(self.document.scope):
            rule = self._rule(ACTIONS[use], constraint=constraints)
            if duties:
                # Written out once; later permissions name them.
                rule["duty"] = duties if number == 0 else [one["uid"] for one in duties]
            found.append(rule)
        return found

    def _constraints(self) -> list[Node]:
        reach, model = self.document.reach, self.document.model

        def moment(text: str) -> Node:
            return {"@value": text, "@type": "xsd:dateTime"}

        found = [_constraint("dateTime", "gteq", moment(reach.start))]
        if reach.end:
            found.append(_constraint("dateTime", "lt", moment(reach.end)))
        where = reach.territories
        if WORLD not in where.include:
            found.append(_constraint("spatial", "isAnyOf", where.include))
        if where.exclude:
            found.append(_constraint("spatial", "isNoneOf", where.exclude))
        found.append(_constraint(f"{PREFIX}:modelName", "eq", model.name))
        found.append(_constraint(f"{PREFIX}:modelVersion", "eq", model.version))
        self._own("model.name", "the AI model that is covered")
        self._own("model.version", "the version of the model")
        if reach.user_class:
            found.append(_constraint(f"{PREFIX}:userClass", "eq", reach.user_class))
            self._own("reach.user_class", "the class of users")
        return found

    def _duties(self) -> list[Node]:
        money, duties = self.document.money, self.document.duties
        found: list[Node] = []
        if parse_amount(money.upfront_fee, money.decimals):
            amount = _constraint("payAmount", "eq", _decimal(money.upfront_fee), self.subject.token)
            fee: Node = {"uid": self._id("fee"), "action": _act("compensate", [amount])}
            self.said |= {"money.upfront_fee", "money.token"}
            if money.advance:
                fee[f"{PREFIX}:recoupable"] = True
                self._own("money.advance", "that the upfront fee is an advance")
            found.append(fee)
        if duties.attribution is not AttributionDuty.NONE:
            found.append({"uid": self._id("credit"), "action": "attribute"})
            kind = duties.attribution.value.lower().replace("_", " ")
            self.notes.append(Unsaid("duties.attribution", f"the manner of credit: {kind}", IN_PART))
        return found

    # ---- obligations

    def _royalties(self) -> list[Node]:
        money, period = self.document.money, self.document.duties.reporting_period
        if period is ReportingPeriod.NONE:
            return []
        length = {"@value": _LENGTHS[period], "@type": "xsd:duration"}
        every = _constraint("timeInterval", "eq", length)
        self.said.add("duties.reporting_period")
        found = [self._obliged("report", "inform", informedParty=self.assigner, constraint=[every])]
        refinements, parts = self._shares()
        if parse_amount(money.guarantee, money.decimals):
            refinements.append(
                _constraint("payAmount", "gteq", _decimal(money.guarantee), self.subject.token)
            )
            self.said |= {"money.guarantee", "money.token"}
        if not refinements and not parts:
            return found
        if money.late_rate_ppm:
            late = _constraint(
                "percentage", "eq", _percent(money.late_rate_ppm), f"{PREFIX}:openAmountPerYear"
            )
            parts["consequence"] = [{"uid": self._id("late"), "action": _act("compensate", [late])}]
            self._own("money.late_rate_ppm", "what the percentage of late interest is of")
        royalty = self._obliged(
            "royalty",
            _act("compensate", refinements),
            compensatedParty=self.assigner,
            constraint=[every],
            **parts,
        )
        return [*found, royalty]

    def _shares(self) -> tuple[list[Node], Node]:
        """The share of revenue: a plain percentage where there is one tier, else our own tiers."""
        tiers, over_life = self.document.money.tiers, self.document.money.tiers_count is TierCount.LIFE
        if not any(tier.rate_ppm for tier in tiers):
            return [], {}
        if len(tiers) == 1:
            self._own("money.tiers", "what the percentage is of: net revenue")
            share = _constraint("percentage", "eq", _percent(tiers[0].rate_ppm), f"{PREFIX}:netRevenue")
            if over_life:
                self.said.add("money.tiers_count")  # one rate is the same, however it is counted
            return [share], {}
        held = []
        for tier in tiers:
            limit = {f"{PREFIX}:upTo": _decimal(tier.up_to)} if tier.up_to is not None else {}
            held.append(limit | {f"{PREFIX}:percent": _percent(tier.rate_ppm)})
        self._own("money.tiers", "the tiers of the share of net revenue")
        return [], {f"{PREFIX}:royaltyTiers": held}

    def _exclusive(self) -> list[Node]:
        uses = self.document.reach.exclusive
        if not uses or not self.assignee:
            return []
        self._own("reach.exclusive", "which uses are exclusive")
        return [
            {
                "uid": self._id("exclusive"),
                "assigner": self.assignee,
                "assignee": self.assigner,
                "action": "ensureExclusivity",
                f"{PREFIX}:exclusiveUses": [ACTIONS[one] for one in uses],
            }
        ]

    def _end(self) -> list[Node]:
        found = []
        for one in self.document.control.on_termination:
            if one not in _AT_END:
                self.notes.append(Unsaid(f"control.on_termination.{one.value}", "that models may live on"))
                continue
            ended = _constraint("event", "gt", {"@id": f"{PREFIX}:endOfLicence"})
            found.append(self._obliged(one.value.lower(), _AT_END[one], constraint=[ended]))
        if found:
            self._own(
                "control.on_termination", "the duties at the end, but for delete, and the end as an event"
            )
        elif self.document.control.on_termination:
            self.said.add("control.on_termination")
        return found
