"""The rule builder: a rule as groups and conditions that are changed by clicking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ingest_core.segments import editing
from pages.ui import rule_values
from pages.ui.kept import shown
from pages.ui.rule_choices import NAMED, NEW, Choices, is_unfinished, new_condition, subject_of, told, with_operator
from pages.ui.segment_draft import change_rule
from pages.ui.text import count, escape

LEVELS = 4
"""Groups in groups on screen; deeper ones are shown as what they are, and changed as JSON."""
MOST_ROWS = 30
KINDS = {
    "all": "All of these are true",
    "any": "At least one of these is true",
    "none": "None of these is true",
    "not all": "Not all of these are true",
}
ASKED = {
    "attribute": "Choose what to ask about.",
    "source": "Choose a source.",
    "segment": "Choose a segment.",
    "upload": "Choose an upload.",
    "trait": "Choose a trait.",
}
UP, DOWN, TWICE, GROUP, NOT, DISSOLVE, REMOVE = (
    "Move up", "Move down", "Repeat", "Put into a group", "Say the opposite", "Dissolve the group", "Remove",
)  # fmt: skip


@dataclass
class Tree:
    """One drawing of a rule. ``problems``: by the path of the part they are in; ``rows``: how many were drawn."""

    rule: Any
    choices: Choices
    problems: dict[str, dict[str, Any]]
    rows: int = 0

    def draw(self) -> None:
        """The whole rule, which is a group."""
        self._group(editing.ROOT, self.rule, 1)

    def _group(self, path: str, part: Any, level: int) -> None:
        kind, parts = str(editing.kind_of(part)), editing.parts_of(self.rule, path)
        with st.container(border=True, gap="small"):
            with st.container(horizontal=True, vertical_alignment="center"):
                key = shown(f"{path}:kind", kind)
                st.selectbox(
                    "How the conditions count together", list(KINDS), format_func=KINDS.__getitem__, key=key,
                    label_visibility="collapsed", width=270, on_change=_regroup, args=(path, key),
                )  # fmt: skip
                if path != editing.ROOT:
                    _menu(path, part, [UP, DOWN, TWICE, NOT, DISSOLVE, REMOVE])
            self._problem(path, part, None)
            if not parts:
                st.caption(f"No condition yet: {'everybody' if kind in ('all', 'none') else 'nobody'} is in it.")
            for below, one in parts:
                self._part(below, one, level)
            _buttons(path, parts, kind, may_nest=level < LEVELS)

    def _part(self, path: str, part: Any, level: int) -> None:
        if self.rows >= MOST_ROWS:
            if self.rows == MOST_ROWS:
                st.caption("There is more to this rule than fits on a screen. Change the rest under “Rule as JSON”.")
            self.rows += 1
            return
        self.rows += 1
        if editing.kind_of(part) and level < LEVELS:
            self._group(path, part, level + 1)
            return
        bare, is_opposite = editing.bare(part)
        if editing.kind_of(part) or not self._is_condition(bare):
            self._as_it_is(path, part)
        else:
            self._condition(path + (".not" if is_opposite else ""), bare, path, part, is_opposite=is_opposite)

    def _is_condition(self, bare: Any) -> bool:
        keys = set(bare) if isinstance(bare, dict) else set()
        return len(keys & {"attribute", *NAMED}) == 1 and keys <= {"attribute", "operator", "value", *NAMED}

    def _as_it_is(self, path: str, part: Any) -> None:
        """What is deeper than the screen goes, or is no part of a rule."""
        with st.container(horizontal=True, vertical_alignment="center"):
            inside = sum(1 for _ in editing.conditions(part))
            words = (
                f"A group of {count(inside, 'condition')}" if inside and editing.kind_of(part) else "A part of the rule"
            )
            st.markdown(f":gray[:material/account_tree: {words}. Change it under “Rule as JSON”.]", width="stretch")
            _menu(path, part, [UP, DOWN, TWICE, NOT, REMOVE])
        self._problem(path, part, None)

    def _condition(self, inner: str, bare: dict[str, Any], path: str, part: Any, *, is_opposite: bool) -> None:
        takes = None
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            subject = subject_of(bare)
            if is_opposite and "attribute" in bare:
                st.markdown(":orange-badge[not]", width="content")
            self._subject(inner, subject)
            if subject in NAMED:
                self._named(path, inner, bare, subject, is_opposite=is_opposite)
            elif subject is not None:
                takes = self._attribute(inner, bare)
            _menu(path, part, [UP, DOWN, TWICE, GROUP, NOT, REMOVE])
        self._problem(path, bare, takes)

    def _subject(self, inner: str, subject: str | None) -> None:
        subjects = self.choices.subjects()
        options = list(subjects)
        if subject is not None and subject not in subjects:
            options.append(subject)
        key = shown(f"{inner}:subject", subject)
        st.selectbox(
            "What the condition is about", options, index=None, key=key, label_visibility="collapsed", width=210,
            required=True,
            format_func=lambda name: subjects.get(name, name.partition(":")[2]), placeholder="Attribute, source, …",
            on_change=_about, args=(inner, key, self.choices),
        )  # fmt: skip

    def _named(self, path: str, inner: str, bare: dict[str, Any], kind: str, *, is_opposite: bool) -> None:
        """In, or not in, a source, segment or upload."""
        words = (
            {False: "is", True: "is not"} if kind != "upload" else {False: "brought them", True: "did not bring them"}
        )
        key = shown(f"{inner}:in", is_opposite)
        st.selectbox(
            "In or not in", list(words), format_func=words.__getitem__, key=key, label_visibility="collapsed",
            width=110 if kind != "upload" else 180, on_change=_negate, args=(path, key, is_opposite),
        )  # fmt: skip
        names = self.choices.names(kind)
        name = str(bare[kind]) or None
        options = list(names) if name is None or name in names else [*names, name]
        which = shown(f"{inner}:{kind}", name)
        st.selectbox(
            NAMED[kind], options, index=None, key=which, format_func=lambda one: names.get(one, one), width=300,
            required=True,
            placeholder=ASKED[kind].rstrip("."), label_visibility="collapsed", on_change=_name,
            args=(inner, kind, which),
        )  # fmt: skip

    def _attribute(self, inner: str, bare: dict[str, Any]) -> str | None:
        """Operator and value; returns what the operator takes."""
        asked = self.choices.fields.get(str(bare["attribute"]))
        if asked is None:
            return None
        operators = {one["name"]: one for one in asked["operators"]}
        operator = bare.get("operator")
        options = list(operators) if operator in operators or not operator else [*operators, str(operator)]
        key = shown(f"{inner}:operator", operator or None)
        st.selectbox(
            "Operator", options, index=None, key=key, label_visibility="collapsed", width=180, required=True,
            format_func=lambda name: _words(operators, name), on_change=_operate, args=(inner, key, operators),
        )  # fmt: skip
        takes = operators[str(operator)]["takes"] if operator in operators else None
        if takes is not None:
            rule_values.draw(inner, bare, asked, takes)
        return takes

    def _problem(self, path: str, bare: Any, takes: str | None) -> None:
        """What is wrong with a part, below it."""
        problem = self.problems.get(path) or self.problems.get(f"{path}.not")
        if problem is None:
            return
        if is_unfinished(bare, takes):
            empty = next((kind for kind in ASKED if bare.get(kind) == ""), None)
            st.caption(f":orange[:material/edit: {ASKED[empty] if empty else 'Enter a value.'}]")
        else:
            st.caption(f":red[:material/error: {escape(told(problem))}]")


def _words(operators: dict[str, dict[str, Any]], name: str) -> str:
    return str(operators[name]["words"]).replace(" {}", "") if name in operators else name


def _buttons(path: str, parts: list[tuple[str, Any]], kind: str, *, may_nest: bool) -> None:
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Condition", icon=":material/add:", key=f"{path}:add", type="tertiary", help="Add a condition here.",
            on_click=_add, args=(path, len(parts), dict(NEW)),
        )  # fmt: skip
        if may_nest:
            inside = editing.group_of([dict(NEW)], "any" if kind in ("all", "not all") else "all")
            st.button(
                "Group", icon=":material/add:", key=f"{path}:group", type="tertiary",
                help="Add a group of conditions that count together.", on_click=_add, args=(path, len(parts), inside),
            )  # fmt: skip


def _menu(path: str, part: Any, actions: list[str]) -> None:
    key = f"{path}:menu"
    st.menu_button(
        "", actions, key=key, icon=":material/more_horiz:", type="tertiary", help="Move, repeat, group or remove it.",
        on_click=_act, args=(path, part, key),
    )  # fmt: skip


# ── callbacks ────────────────────────────────────────────────────────────────────────────────────────────


def _add(path: str, there: int, part: Any) -> None:
    """A second click finds one more part there than it saw, and adds nothing."""
    change_rule(lambda rule: editing.added(rule, path, part) if len(editing.parts_of(rule, path)) == there else rule)


def _act(path: str, seen: Any, key: str) -> None:
    """What was chosen in the menu of a part, if that part is still the one that was seen."""
    actions: dict[str, Callable[[Any], Any]] = {
        UP: lambda rule: editing.moved(rule, path, -1),
        DOWN: lambda rule: editing.moved(rule, path, 1),
        TWICE: lambda rule: editing.repeated(rule, path),
        GROUP: lambda rule: editing.grouped(rule, path, "any"),
        NOT: lambda rule: editing.opposite(rule, path),
        DISSOLVE: lambda rule: editing.dissolved(rule, path),
        REMOVE: lambda rule: editing.removed(rule, path),
    }
    edit = actions[st.session_state[key]]
    change_rule(lambda rule: edit(rule) if editing.at(rule, path) == seen else rule)


def _regroup(path: str, key: str) -> None:
    change_rule(lambda rule: editing.regrouped(rule, path, st.session_state[key]))


def _negate(path: str, key: str, was: bool) -> None:
    if st.session_state[key] != was:
        change_rule(lambda rule: editing.opposite(rule, path))


def _about(inner: str, key: str, choices: Choices) -> None:
    change_rule(
        lambda rule: editing.replaced(
            rule, inner, new_condition(st.session_state[key], choices, editing.at(rule, inner))
        )
    )


def _name(inner: str, kind: str, key: str) -> None:
    change_rule(lambda rule: editing.replaced(rule, inner, {kind: st.session_state[key] or ""}))


def _operate(inner: str, key: str, operators: dict[str, dict[str, Any]]) -> None:
    chosen = st.session_state[key]

    def edit(rule: Any) -> Any:
        part = editing.at(rule, inner)
        took = operators.get(str(part.get("operator")), {"takes": "nothing"})["takes"]
        return editing.replaced(rule, inner, with_operator(part, chosen, took, operators[chosen]["takes"]))

    if chosen in operators:
        change_rule(edit)
