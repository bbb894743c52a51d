"""Draw the flow as Mermaid, from its own data, so that the picture in ARCHITECTURE.md can never drift from the code."""

from flows.script import SAME, Script


def mermaid(script: Script) -> str:
    """A state diagram: solid arrows are answers, labelled with the shortest word accepted; touchpoints open states."""
    lines = ["stateDiagram-v2", f"    [*] --> {script.start}"]
    for name, touchpoint in script.touchpoints.items():
        if touchpoint.opens:
            lines.append(f"    ready --> {touchpoint.opens}: due {name}")
    for name, state in script.states.items():
        seen: dict[str, list[str]] = {}
        for answer in state.answers:
            target = name if answer.to == SAME else answer.to
            seen.setdefault(target, []).append(min(answer.words, key=lambda word: (len(word), word)))
        for target, words in seen.items():
            lines.append(f"    {name} --> {target}: {' / '.join(dict.fromkeys(words))}")
    lines += ["    ready --> offer: cannot be told discreetly", "    ready --> choose: several topics",
              "    ready --> which: several visits on his phone"]  # fmt: skip
    lines += ["    ready --> told: no visit known here"]
    lines += [f"    ready --> {answer.to}: {min(answer.words)}" for answer in script.anywhere if answer.to != SAME]
    return "\n".join(dict.fromkeys(lines)) + "\n"
