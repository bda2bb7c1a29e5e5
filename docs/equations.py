"""Equations as docstrings spell them, in LaTeX: `e_i = |f(g·x_i)|²` is `e_{i} = |f(g\\cdot x_{i})|^{2}`."""

from __future__ import annotations

import re
import unicodedata

RELATIONS = re.compile(r"(?<![<>=!])=|<-|<=|>=|←|≈|∝|±|Σ|∫|->|sum_|mean_| ~ ")
SYMBOLS = {
    "<-": r"\leftarrow ",
    "←": r"\leftarrow ",
    "->": r"\to ",
    "<=": r"\leq ",
    ">=": r"\geq ",
    "!=": r"\neq ",
    "~": r"\sim ",
    "·": r"\cdot ",
    "×": r"\times ",
    "*": r"\ast ",
    "Σ": r"\sum ",
    "Π": r"\prod ",
    "∫": r"\int ",
    "∂": r"\partial ",
    "∇": r"\nabla ",
    "∈": r"\in ",
    "±": r"\pm ",
    "≈": r"\approx ",
    "∝": r"\propto ",
    "⊗": r"\otimes ",
    "⊕": r"\oplus ",
    "⊥": r"\perp ",
    "|": r"\vert ",
    "&": r"\& ",
    "%": r"\% ",
    "#": r"\# ",
}
GREEK = {letter: f"\\{unicodedata.name(letter).split()[-1].lower()} " for letter in "αβγδεζηθκλμνπρστφχψωΔ"}
GREEK |= {"λ": r"\lambda ", "Δ": r"\Delta ", "Λ": r"\Lambda ", "Ω": r"\Omega ", "ℓ": r"\ell "}
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀ", "0123456789-+T")
LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
ACCENTS = {"\u0304": r"\bar", "\u0302": r"\hat", "\u0303": r"\tilde"}
FUNCTIONS = {
    "exp",
    "log",
    "sin",
    "cos",
    "cot",
    "max",
    "min",
    "argmax",
    "argmin",
    "var",
    "Var",
    "KL",
    "tr",
    "softmax",
    "mod",
}
TOKEN = re.compile(
    r"(?P<root>sqrt\()|(?P<power>\^\(|\^-?[A-Za-z0-9α-ω]+(?:_[A-Za-z0-9]+)?|\^[⊥+])|(?P<index>_\{|_[A-Za-z0-9α-ω]+)|(?P<group>\^\{)"
    r"|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀ]+)|(?P<lowered>[₀₁₂₃₄₅₆₇₈₉]+)|(?P<accented>[^\W\d_][\u0304\u0302\u0303])"
    r"|(?P<gap> {2,})|(?P<word>[A-Za-z]{2,})|(?P<symbol><-|->|<=|>=|!=|.)",
    re.DOTALL,
)


def is_equation(lines: list[str]) -> bool:
    """Whether an indented paragraph states equations, and not a table, a command or code."""
    return all(RELATIONS.search(line) and "`" not in line and ":  " not in line for line in lines)


def latex(line: str) -> str:
    """One line in LaTeX.

    Example:
        >>> latex("L(N, D) = E + A N^-a + sqrt(B)")
        'L(N, D) = E + A N^{-a} + \\\\sqrt{B}'
    """
    found, closing = [], []
    text = unicodedata.normalize("NFD", line.strip())
    for match in TOKEN.finditer(text):
        kind, token = match.lastgroup, match[0]
        if kind in ("root", "power", "index", "group") and token[-1] in "({":
            found.append({"root": r"\sqrt{", "power": "^{", "index": "_{", "group": "^{"}[kind])
            closing.append("}")
        elif token in "([{" and kind == "symbol":
            found.append(r"\{" if token == "{" else token)
            closing.append({"(": ")", "[": "]", "{": r"\}"}[token])
        elif token in ")]}" and kind == "symbol":
            found.append(closing.pop() if closing else token)
        elif token == " " and (
            re.search(r"[A-Za-z]{2}$", text[: match.start()]) or re.match(r"[A-Za-z]{2}", text[match.end() :])
        ):
            found.append(r"\ ")  # in mathematics, blanks count for nothing
        else:
            found.append(_plain(str(kind), token))
    return "".join(found)


def _plain(kind: str, token: str) -> str:
    """A token that opens and closes nothing."""
    match kind:
        case "power":
            return f"^{{{latex(token[1:])}}}"
        case "index":
            return f"_{{{_letters(token[1:])}}}"
        case "raised":
            return f"^{{{token.translate(RAISED)}}}"
        case "lowered":
            return f"_{{{token.translate(LOWERED)}}}"
        case "accented":
            return f"{ACCENTS[token[1]]}{{{_letters(token[0])}}}"
        case "gap":
            return r"\quad "
        case "word" if token in ("dt", "dg", "dh"):
            return token
        case "word":
            return f"\\operatorname{{{token}}}" if token in FUNCTIONS else f"\\mathrm{{{token}}}"
    return SYMBOLS.get(token, _letters(token))


def _letters(text: str) -> str:
    """Letters of an index, with a long one as a word."""
    if re.fullmatch(r"[A-Za-z]{4,}", text):
        return f"\\mathrm{{{text}}}"
    return "".join(GREEK.get(letter, SYMBOLS.get(letter, letter)) for letter in text)
