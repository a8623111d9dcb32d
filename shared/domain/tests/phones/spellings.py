#!/usr/bin/env python3
"""Writes spellings.tsv: telephone numbers as people write them, and what each of them is.

The numbers are the examples of libphonenumber's own metadata. What a spelling is, PyPI's `phonenumbers` says, which
reads the same metadata; the crate that reads numbers here is held to it by `shared/domain/src/phone/tests.rs`, without
Python. To write the table anew:

    pip install --require-hashes -r infra/requirements/phones.txt
    python3 shared/domain/tests/phones/spellings.py

Columns: zone, region, number, kind, E.164, spelling (a JSON string). A kind of `mobile` may be sent a text.
"""

import json
import pathlib
import unicodedata

import phonenumbers as pn
from phonenumbers import PhoneNumberFormat as Format
from phonenumbers import PhoneNumberType as Type

VERSION = "9.0.43"
TABLE = pathlib.Path(__file__).with_name("spellings.tsv")

# Every spelling of the numbers of these; of the others only some.
WHOLE = (
    "AE AR AT AU BD BR CA CH CL CN CO CZ DE DK EG ES FI FR GB GR HK HU ID IE IL IN IR IT JM JP KE KR KZ MA MO MX MY NG"
    " NL NO NZ PE PH PK PL PT RO RU SA SE SG TH TR TW UA US VN ZA"
).split()

TYPES = {
    Type.MOBILE: "mobile",
    Type.FIXED_LINE: "fixed line",
    Type.FIXED_LINE_OR_MOBILE: "mobile",
    Type.TOLL_FREE: "toll-free",
    Type.PREMIUM_RATE: "premium rate",
    Type.SHARED_COST: "shared cost",
    Type.VOIP: "voip",
    Type.PERSONAL_NUMBER: "personal",
    Type.PAGER: "pager",
    Type.UAN: "uan",
    Type.VOICEMAIL: "voicemail",
}

# The zeros of other scripts' digits.
SCRIPTS = {"wide": 0xFF10, "arabic": 0x660, "persian": 0x6F0, "devanagari": 0x966, "thai": 0xE50}


def in_script(text, zero):
    plus = "＋" if zero == 0xFF10 else "+"
    return "".join(chr(zero + int(c)) if c in "0123456789" else plus if c == "+" else c for c in text)


def grouped(digits, size, sign):
    return sign.join(digits[at : at + size] for at in range(0, len(digits), size))


def dialled_abroad(region):
    """What is dialled there for calls abroad, where that is always the same."""
    prefix = pn.PhoneMetadata.metadata_for_region(region).international_prefix or ""
    return prefix if prefix.isdigit() else None


def spellings(number, region):
    """Spellings of a number by name, each for the number's own calling code as the zone."""
    zone = number.country_code
    e164 = pn.format_number(number, Format.E164)
    abroad = pn.format_number(number, Format.INTERNATIONAL)
    home = pn.format_number(number, Format.NATIONAL)
    short = pn.national_significant_number(number)
    yield e164
    yield short
    yield home
    yield abroad
    yield e164[1:]
    yield f"00{e164[1:]}"
    yield grouped(short, 4, "-")
    yield grouped(short, 3, ".")
    yield f"(+{zone}){short}"
    yield f"\u202a{abroad}\u202c".replace(" ", "\u00a0")
    yield f"\u2066{home}\u2069\u200e"
    yield in_script(e164, SCRIPTS["wide"])
    yield in_script(short, SCRIPTS["arabic"])
    yield in_script(home, SCRIPTS["persian"])
    yield in_script(abroad, SCRIPTS["devanagari"])
    yield in_script(short, SCRIPTS["thai"])
    yield f"{zone} {home}"
    yield f"{grouped(short, 5, chr(0xAD))}\ufeff"
    if prefix := dialled_abroad(region):
        yield f"{prefix} {abroad[1:]}"


def normal(text):
    """Digits in ASCII and a plus; `phonenumbers` keeps letters, so nothing else may be left out here."""
    kept = ""
    for c in text:
        category = unicodedata.category(c)
        if category == "Nd":
            kept += str(unicodedata.digit(c))
        elif c in "+＋":
            kept += "+"
        else:
            assert category in ("Cf", "Pd", "Zs", "Ps", "Pe") or c in "./~", (text, c)
    return kept


def reading(zone, text):
    """The number that `phonenumbers` makes of a text in a zone, if there is one like it."""
    region = pn.region_code_for_country_code(zone)
    try:
        number = pn.parse(normal(text), region)
    except pn.NumberParseException:
        return None
    return number if pn.is_valid_number(number) else None


def rows():
    for region in sorted(pn.SUPPORTED_REGIONS):
        for kind in TYPES:
            number = pn.example_number_for_type(region, kind)
            if number is None or pn.number_type(number) != kind or pn.region_code_for_number(number) != region:
                continue
            e164 = pn.format_number(number, Format.E164)
            every = list(dict.fromkeys(spellings(number, region)))
            texts = TYPES[kind] == "mobile"
            if region not in WHOLE:
                every = every[:2] if texts else []
            elif not texts:
                every = every[:2]
            for text in every:
                read = reading(number.country_code, text)
                # Where `phonenumbers` takes the spelling for another number or for none, it is no reference for it.
                if read is not None and pn.format_number(read, Format.E164) == e164:
                    yield number.country_code, region, TYPES[kind], e164, text


def main():
    assert pn.__version__ == VERSION, f"phonenumbers is {pn.__version__}, and the table is made with {VERSION}"
    lines = [f"# Written by spellings.py with phonenumbers {VERSION}.", "# zone\tregion\tkind\tE.164\tspelling"]
    lines += ["\t".join([*map(str, row[:4]), json.dumps(row[4])]) for row in rows()]
    TABLE.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
