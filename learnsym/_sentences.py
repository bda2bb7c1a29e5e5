"""What the parser of configurations says, as one sentence that starts with the key as it is typed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

LONGEST = 400
"""Characters of a sentence, so that a long value does not hide what is wrong with it."""
WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "NoneType": "null",
    "list": "a list such as [a, b]",
    "dict": "keys with values such as {a: 1}",
}
"""Types as they are written in files."""
REPHRASED = {
    r"<class '(.+?)'>": r"\1",
    r"typing\.": "",
    r"^Group '(.+?)' does not accept option '(.+?)'.*": r"\1.\2: unknown key; see --help",
    r"^unrecognized arguments: --([^\s=]+).*": r"\1: unknown key; see --help",
    r"^unrecognized arguments: (.*)": r"\1: belongs to no key; put a value with blanks in quotes, or see --help",
    r"^argument --(\S+): expected one argument": r"\1: got no value; write --\1 VALUE",
    r"^.*Unable to load config .* - (?=Parser key)": "",
    r"^Parser key \"(.+?)\": Unable to load config \"?(.*?)\"?$": r"\1: got \2, must hold keys with values; see --help",
    r"^Parser key \"(.+?)\": ": r"\1: ",
    r"Does not validate against any of the Union subtypes Subtypes: \[(.*?)\] .* Given": r"Expected \1. Given",
    r"Exceeds the limit \((\d+) digits\).*": r"got a number of more than \1 digits; write a smaller one",
}


def sentence(message: str) -> str:
    """The parser's message in one line that starts with the key.

    Example:
        >>> from learnsym._sentences import sentence
        >>> sentence('Parser key "train.steps": Expected a <class \\'int\\'>. Got value: 3.5')
        'train.steps: got 3.5, must be a whole number; see --help'
    """
    text = " ".join(message.split())
    for pattern, replacement in REPHRASED.items():
        text = re.sub(pattern, replacement, text)
    expected = re.fullmatch(r"(\S+): Expected (?:an? )?(.+?)\. (?:Got|Given) value: ?(.*)", text)
    if expected:
        key, kinds, value = expected.groups()
        text = f"{key}: got {_short(value) or 'nothing'}, must be {_in_words(kinds)}; see --help"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def check_once(arguments: Sequence[str]) -> None:
    """Refuse options that stand twice in a command, since only one of them could count.

    Raises:
        ValueError: with the key.
    """
    keys = [word.removeprefix("--").partition("=")[0] for word in arguments if word.startswith("--")]
    key, count = max(Counter(keys).items(), key=lambda item: item[1], default=("", 0))
    if count > 1:
        raise ValueError(f"{key}: stands {count} times in the command; give it once")


def _in_words(kinds: str) -> str:
    literal = re.fullmatch(r"Literal\[(.*)\]", kinds)
    if literal:
        return f"one of {literal[1].replace(chr(39), '')}"
    return " or ".join(WORDS.get(kind, kind) for kind in kinds.split(", "))


def _short(value: str) -> str:
    return value if len(value) <= LONGEST // 4 else f"{value[: LONGEST // 8]}..."
