"""The codes of ISO 4217: those of today with their decimals, and those that are gone.

By list one ("current currency and funds") and list three ("historic denominations") of SIX, who
maintains them for ISO: list-one.xml and list-three.xml, both with the date below.
"""

from victor_ext.errors import Problem

PUBLISHED = "2026-01-01"
"""The date of both lists."""

_BY_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
""",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DECIMALS = {code: each for each, codes in _BY_DECIMALS.items() for code in codes.split()}
"""The decimals of each code of today that has some by list one."""

_WITHOUT_DECIMALS = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"
WITHOUT_DECIMALS = frozenset(_WITHOUT_DECIMALS.split())
"""Codes of today to which list one gives none: metals, units of account, tests."""

_WITHDRAWN = """
ADP 2003-07 EUR, AFA 2003-01 AFN, ALK 1989-12 ALL, ANG 2025-03 XCG, AOK 1991-03 AOA,
AON 2000-02 AOA, AOR 2000-02 AOA, ARA 1992-01 ARS, ARP 1985-07 ARS, ARY 1990 ARS, ATS 2002-03 EUR,
AYM 2005-10 AZN, AZM 2005-12 AZN, BAD 1998-07 BAM, BEC 1990-03 EUR, BEF 2002-03 EUR,
BEL 1990-03 EUR, BGJ 1990 EUR, BGK 1990 EUR, BGL 2003-11 EUR, BGN 2026-01 EUR, BOP 1987-02 BOB,
BRB 1986-03 BRL, BRC 1989-02 BRL, BRE 1993-03 BRL, BRN 1990-03 BRL, BRR 1994-07 BRL,
BUK 1990-02 MMK, BYB 2001-01 BYN, BYR 2017-01 BYN, CHC 2004-11, CSD 2006-10, CSJ 1990,
CSK 1993-03, CUC 2021-06 CUP, CYP 2008-01 EUR, DDM 1990-09 EUR, DEM 2002-03 EUR, ECS 2000-09 USD,
ECV 2000-09 USD, EEK 2011-01 EUR, ESA 1981 EUR, ESB 1994-12 EUR, ESP 2002-03 EUR, FIM 2002-03 EUR,
FRF 2002-03 EUR, GEK 1995-10 GEL, GHC 2008-01 GHS, GHP 2007-06 GHS, GNE 1989-12 GNF,
GNS 1986-02 GNF, GQE 1986-06 XAF, GRD 2002-03 EUR, GWE 1981 XOF, GWP 1997-05 XOF, HRD 1995-01 EUR,
HRK 2023-01 EUR, IEP 2002-03 EUR, ILP 1981 ILS, ILR 1990 ILS, ISJ 1990 ISK, ITL 2002-03 EUR,
LAJ 1979-12 LAK, LSM 1985-05 LSL, LTL 2014-12 EUR, LTT 1993-07 EUR, LUC 1990-03 EUR,
LUF 2002-03 EUR, LUL 1990-03 EUR, LVL 2014-01 EUR, LVR 1994-12 EUR, MGF 2004-12 MGA,
MLF 1984-11 XOF, MRO 2017-12 MRU, MTL 2008-01 EUR, MTP 1983-06 EUR, MVQ 1989-12 MVR,
MXP 1993-01 MXN, MZE 1981 MZN, MZM 2006-06 MZN, NIC 1990-10 NIO, NLG 2002-03 EUR, PEH 1990 PEN,
PEI 1991-07 PEN, PES 1986-02 PEN, PLZ 1997-01 PLN, PTE 2002-03 EUR, RHD 1981, ROK 1990 RON,
ROL 2005-06 RON, RUR 2004-01, SDD 2007-07 SDG, SDP 1998-06 SDG, SIT 2007-01 EUR, SKK 2009-01 EUR,
SLL 2023-12 SLE, SRG 2003-12 SRD, STD 2017-12 STN, SUR 1990-12, TJR 2001-04 TJS, TMM 2009-01 TMT,
TPE 2002-11 USD, TRL 2005-12 TRY, UAK 1996-09 UAH, UGS 1987-05 UGX, UGW 1990 UGX, USS 2014-03,
UYN 1989-12 UYU, UYP 1993-03 UYU, VEB 2008-01 VES, VEF 2018-08 VES, VNC 1990 VND, XEU 1999-01 EUR,
XFO 2006-10, XFU 2013-11, XRE 1999-11, YDD 1991-09, YUD 1990-01, YUM 2003-07, YUN 1995-11,
ZAL 1995-03 ZAR, ZMK 2012-12 ZMW, ZRN 1999-06 CDF, ZRZ 1994-02 CDF, ZWC 1989-12 ZWG,
ZWD 2008-08 ZWG, ZWL 2024-09 ZWG, ZWN 2006-09 ZWG, ZWR 2009-06 ZWG
"""

WITHDRAWN = {
    code: (withdrawn, "".join(successor))
    for code, withdrawn, *successor in map(str.split, _WITHDRAWN.split(","))
}
"""Of each code that is gone, the month (or year) in which list three withdraws it, and the currency
that its country has today by list one: empty where that is not one currency.
"""


def code_problem(field: str, code: str, own_decimals: int | None) -> Problem | None:
    """Return why an amount with this code cannot be sent: it has no decimals today, and the caller
    has given none. `field` is what the message names.
    """
    if own_decimals is not None or code in DECIMALS:
        return None
    kind, advice = "unknown", "Correct the code"
    if code in WITHDRAWN:
        withdrawn, successor = WITHDRAWN[code]
        kind, why = "gone", f"is gone: ISO 4217 withdrew it in {withdrawn}"
        if successor:
            advice = (
                f"Convert the amount to {successor}, which is in its place, or correct the code"
            )
    elif code in WITHOUT_DECIMALS:
        why = "has no decimals in ISO 4217"
    else:
        why = f"is not in ISO 4217 (list of {PUBLISHED})"
    message = f"{field} has the code {code}, which {why}. {advice}."
    hint = f"for one of your own, write Money.of('44.23', '{code}', own_decimals=2)"
    return Problem(field, kind, message, hint=hint)
