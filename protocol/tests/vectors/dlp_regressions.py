#!/usr/bin/env python3
"""Texts on which the reference's regular expressions and hand-written scanners could differ.

    python3 -m venv venv && venv/bin/pip install sernixa==0.2.0
    venv/bin/python dlp_regressions.py --seed 1 --count 400 --out dlp_regressions.json

The cases have the form of dlp.json. With `--every-character` there is one case for each assigned
character instead, at every place where its class matters. Run on Python 3.11 (Unicode 14): newer
ones call later characters letters, too.
"""
import argparse
import json
import random
import unicodedata

from sernixa.dlp import protect_metadata

DIGITS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "０１２３４５６７８９", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡"]
# Combining marks, joiners, superscripts, fractions, numerals, circled letters, and what folds to ASCII.
ODD = list("\u0301\u200d\u093f\u0345\u2de0\u0e31²½Ⅷßªǅé漢😀\ue000Ⓐⓐ") + list("İıſK") * 3
SPACES = list(" -\t\n\x0b\x0c\r\x1b\x1c\x1d\x1e\x1f\x85\xa0\u1680\u180e\u2000\u200b\u2011\u2028\u2029\u202f\u205f\u3000–")
ALNUM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def run(r, alphabet, low, high):
    return "".join(r.choice(alphabet) for _ in range(r.randint(low, high)))


def luhn(digits):
    total = 0
    for i, ch in enumerate(reversed(digits)):
        d = int(ch)
        total += d if i % 2 == 0 else d * 2 - 9 if d > 4 else d * 2
    return total % 10 == 0


def card(r):
    digits = r.choice(["4", "51", "37", "6011", "0", "9"]) + run(r, "0123456789", 9, 17)
    digits = next(digits + check for check in "0123456789" if luhn(digits + check))
    script = r.choice(DIGITS) if r.random() < 0.3 else DIGITS[0]
    gap = r.choice([0, 0.1, 0.3])
    return "".join(script[int(d)] + (r.choice([" ", "-", "  ", "- ", "     ", "x", "."] if r.random() < gap else [""])) for d in digits)


def chain(r):
    return run(r, list(r.choice(DIGITS)) + ["0"] * 6 + [" ", "-"] * 2, 10, 60)


def mail(r):
    odd = ODD[-12:] if r.random() < 0.5 else []
    return (run(r, list("aB9._%+-") + odd, 0, 5) + r.choice(["@", "@", "@", "@", "@@"]) + run(r, list("aB9.-") + odd, 0, 6)
            + r.choice([".", ".", "..", ""]) + run(r, list("abCD") + odd, 1, 4) + r.choice(["", "", ".", "-", "_", "1", "é", "\u0301", " "]))


def dense_mail(r):
    return run(r, list("@@@..aab-_1%é ı\u0301"), 3, 30)


def bearer(r):
    token = list(ALNUM) + list("._~+/=-" * 3) + (ODD if r.random() < 0.2 else [])
    return r.choice(["Bearer", "Bearer", "Bearer", "bearer", "Bearer Bearer", "BEARER", "xBearer"]) + run(r, SPACES, 0, 3) + run(r, token, 12, 24)


def key(r):
    word = r.choice(["sk", "api", "secret", "token", "key", "sK", "Api", "ſk", "sK", "apı", "APİ", "toKen", "Key", "ſecret", "keys"])
    body = list(ALNUM) + list("._-" * 4) + (ODD if r.random() < 0.3 else ["K"])
    return (r.choice(["", "", "", "_", "x", "-", ".", "é", "\u0301", "1"]) + word + r.choice(["_", "_", "_", "_", "__", "-"])
            + run(r, body, 12, 22) + r.choice(["", "", "-", ".", " ", "é", "_", "\u0301"]))


def dense_key(r):
    return run(r, ["sk_", "key_", ".", "-", "_", "a", "b", "é", "ſk_", "aaaaaaa"], 3, 20)


def any_text(r):
    pieces = [card, card, chain, mail, mail, mail, dense_mail, bearer, key, key, dense_key, lambda r: r.choice(ODD + SPACES)]
    return "".join(r.choice(pieces)(r) + r.choice(["", "", " ", ",", r.choice(SPACES)]) for _ in range(r.randint(1, 4)))


def at_every_place(c):
    return (f"{c}sk_abcdefghijklmno{c} sk_abcdefgh{c}ijklmno {c}k_abcdefghijklmno ap{c}_abcdefghijklmno "
            f"a@b.co{c} {c}@b.co x{c}a@b.co a@b.{c}o Bearer{c}abcdefghijklmnop x{c}Bearer abcdefghijklmnop{c} "
            f"{c}4242424242424242 4000000000000{c} 424242424242424{c}")


def case(text, mode):
    result = protect_metadata({"x": text}, mode=mode)
    return {"metadata": {"x": text}, "mode": mode, "protected": result.metadata, "findings": result.findings, "blocked": result.blocked}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--every-character", action="store_true")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    r = random.Random(options.seed)
    if options.every_character:
        characters = (chr(c) for c in range(0x110000))
        assigned = (c for c in characters if unicodedata.category(c) not in ("Cn", "Cs"))
        cases = [case(at_every_place(c), mode) for c in assigned for mode in ("mask", "block")]
    else:
        cases = [case(any_text(r), r.choice(["mask", "mask", "warn", "block"])) for _ in range(options.count)]
    with open(options.out, "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


if __name__ == "__main__":
    main()
