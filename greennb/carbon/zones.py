"""Names of places: ISO 3166 codes, other spellings, cloud regions, and where a time zone lies."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

_CODES = """
    AD:AND AE:ARE AF:AFG AG:ATG AI:AIA AL:ALB AM:ARM AO:AGO AQ:ATA AR:ARG AS:ASM AT:AUT AU:AUS AW:ABW AX:ALA AZ:AZE
    BA:BIH BB:BRB BD:BGD BE:BEL BF:BFA BG:BGR BH:BHR BI:BDI BJ:BEN BL:BLM BM:BMU BN:BRN BO:BOL BQ:BES BR:BRA BS:BHS
    BT:BTN BV:BVT BW:BWA BY:BLR BZ:BLZ CA:CAN CC:CCK CD:COD CF:CAF CG:COG CH:CHE CI:CIV CK:COK CL:CHL CM:CMR CN:CHN
    CO:COL CR:CRI CU:CUB CV:CPV CW:CUW CX:CXR CY:CYP CZ:CZE DE:DEU DJ:DJI DK:DNK DM:DMA DO:DOM DZ:DZA EC:ECU EE:EST
    EG:EGY EH:ESH ER:ERI ES:ESP ET:ETH FI:FIN FJ:FJI FK:FLK FM:FSM FO:FRO FR:FRA GA:GAB GB:GBR GD:GRD GE:GEO GF:GUF
    GG:GGY GH:GHA GI:GIB GL:GRL GM:GMB GN:GIN GP:GLP GQ:GNQ GR:GRC GS:SGS GT:GTM GU:GUM GW:GNB GY:GUY HK:HKG HM:HMD
    HN:HND HR:HRV HT:HTI HU:HUN ID:IDN IE:IRL IL:ISR IM:IMN IN:IND IO:IOT IQ:IRQ IR:IRN IS:ISL IT:ITA JE:JEY JM:JAM
    JO:JOR JP:JPN KE:KEN KG:KGZ KH:KHM KI:KIR KM:COM KN:KNA KP:PRK KR:KOR KW:KWT KY:CYM KZ:KAZ LA:LAO LB:LBN LC:LCA
    LI:LIE LK:LKA LR:LBR LS:LSO LT:LTU LU:LUX LV:LVA LY:LBY MA:MAR MC:MCO MD:MDA ME:MNE MF:MAF MG:MDG MH:MHL MK:MKD
    ML:MLI MM:MMR MN:MNG MO:MAC MP:MNP MQ:MTQ MR:MRT MS:MSR MT:MLT MU:MUS MV:MDV MW:MWI MX:MEX MY:MYS MZ:MOZ NA:NAM
    NC:NCL NE:NER NF:NFK NG:NGA NI:NIC NL:NLD NO:NOR NP:NPL NR:NRU NU:NIU NZ:NZL OM:OMN PA:PAN PE:PER PF:PYF PG:PNG
    PH:PHL PK:PAK PL:POL PM:SPM PN:PCN PR:PRI PS:PSE PT:PRT PW:PLW PY:PRY QA:QAT RE:REU RO:ROU RS:SRB RU:RUS RW:RWA
    SA:SAU SB:SLB SC:SYC SD:SDN SE:SWE SG:SGP SH:SHN SI:SVN SJ:SJM SK:SVK SL:SLE SM:SMR SN:SEN SO:SOM SR:SUR SS:SSD
    ST:STP SV:SLV SX:SXM SY:SYR SZ:SWZ TC:TCA TD:TCD TF:ATF TG:TGO TH:THA TJ:TJK TK:TKL TL:TLS TM:TKM TN:TUN TO:TON
    TR:TUR TT:TTO TV:TUV TW:TWN TZ:TZA UA:UKR UG:UGA UM:UMI US:USA UY:URY UZ:UZB VA:VAT VC:VCT VE:VEN VG:VGB VI:VIR
    VN:VNM VU:VUT WF:WLF WS:WSM XK:XKX YE:YEM YT:MYT ZA:ZAF ZM:ZMB ZW:ZWE
"""

ALPHA3: Mapping[str, str] = dict(pair.split(":") for pair in _CODES.split())
"""ISO 3166-1 alpha-2 to alpha-3 codes, and XK, which many use for Kosovo."""

ALPHA2: Mapping[str, str] = {alpha3: alpha2 for alpha2, alpha3 in ALPHA3.items()}
"""The other way round."""

ALIASES: Mapping[str, str] = {
    "uk": "GBR", "great britain": "GBR", "britain": "GBR", "united states of america": "USA", "us": "USA",
    "the netherlands": "NLD", "holland": "NLD", "czech republic": "CZE", "turkiye": "TUR", "korea": "KOR",
    "republic of korea": "KOR", "russian federation": "RUS", "viet nam": "VNM", "uae": "ARE", "macau": "MAC",
    "ivory coast": "CIV", "burma": "MMR", "cabo verde": "CPV", "timor-leste": "TLS", "swaziland": "SWZ",
    "democratic republic of the congo": "COD", "republic of the congo": "COG", "brunei darussalam": "BRN",
    "lao": "LAO", "syrian arab republic": "SYR", "macedonia": "MKD", "the gambia": "GMB", "the bahamas": "BHS",
}  # fmt: skip
"""Spellings that people use beside the table's English names."""

CLOUD_PLACES: Mapping[str, str] = {
    "aws/us-east-1": "USA/Virginia", "aws/us-east-2": "USA/Ohio", "aws/us-west-1": "USA/California",
    "aws/us-west-2": "USA/Oregon", "aws/ca-central-1": "CAN/Quebec", "aws/ca-west-1": "CAN/Alberta",
    "aws/mx-central-1": "MEX", "aws/sa-east-1": "BRA", "aws/eu-west-1": "IRL", "aws/eu-west-2": "GBR",
    "aws/eu-west-3": "FRA", "aws/eu-central-1": "DEU", "aws/eu-central-2": "CHE", "aws/eu-north-1": "SWE",
    "aws/eu-south-1": "ITA", "aws/eu-south-2": "ESP", "aws/af-south-1": "ZAF", "aws/me-south-1": "BHR",
    "aws/me-central-1": "ARE", "aws/il-central-1": "ISR", "aws/ap-south-1": "IND", "aws/ap-south-2": "IND",
    "aws/ap-east-1": "HKG", "aws/ap-southeast-1": "SGP", "aws/ap-southeast-2": "AUS", "aws/ap-southeast-3": "IDN",
    "aws/ap-southeast-4": "AUS", "aws/ap-southeast-5": "MYS", "aws/ap-southeast-7": "THA",
    "aws/ap-northeast-1": "JPN", "aws/ap-northeast-2": "KOR", "aws/ap-northeast-3": "JPN",
    "azure/eastus": "USA/Virginia", "azure/eastus2": "USA/Virginia", "azure/centralus": "USA/Iowa",
    "azure/northcentralus": "USA/Illinois", "azure/southcentralus": "USA/Texas", "azure/westus": "USA/California",
    "azure/westcentralus": "USA/Wyoming", "azure/westus2": "USA/Washington", "azure/westus3": "USA/Arizona",
    "azure/canadacentral": "CAN/Ontario", "azure/canadaeast": "CAN/Quebec", "azure/brazilsouth": "BRA",
    "azure/mexicocentral": "MEX", "azure/northeurope": "IRL", "azure/westeurope": "NLD", "azure/uksouth": "GBR",
    "azure/ukwest": "GBR", "azure/francecentral": "FRA", "azure/francesouth": "FRA", "azure/germanynorth": "DEU",
    "azure/germanywestcentral": "DEU", "azure/switzerlandnorth": "CHE", "azure/switzerlandwest": "CHE",
    "azure/norwayeast": "NOR", "azure/norwaywest": "NOR", "azure/swedencentral": "SWE", "azure/polandcentral": "POL",
    "azure/italynorth": "ITA", "azure/spaincentral": "ESP", "azure/israelcentral": "ISR", "azure/uaenorth": "ARE",
    "azure/uaecentral": "ARE", "azure/qatarcentral": "QAT", "azure/southafricanorth": "ZAF",
    "azure/southafricawest": "ZAF", "azure/centralindia": "IND", "azure/southindia": "IND", "azure/westindia": "IND",
    "azure/eastasia": "HKG", "azure/southeastasia": "SGP", "azure/japaneast": "JPN", "azure/japanwest": "JPN",
    "azure/koreacentral": "KOR", "azure/koreasouth": "KOR", "azure/australiaeast": "AUS",
    "azure/australiasoutheast": "AUS", "azure/australiacentral": "AUS", "azure/newzealandnorth": "NZL",
}  # fmt: skip
"""Where the providers' own pages say that a region is, for regions that codecarbon's cloud table does not have."""

_ZONE_TABLES = ("zone.tab", "zone1970.tab")  # zone.tab first: it names one country a zone
_ZONEINFO_FOLDERS = ("usr/share/zoneinfo", "usr/share/lib/zoneinfo", "var/db/timezone/zoneinfo")
_OLD_PREFIXES = {"US": "USA", "Canada": "CAN", "Brazil": "BRA", "Mexico": "MEX", "Chile": "CHL", "Australia": "AUS"}
_COUNTRY_NAME = re.compile(r"[A-Z][a-z]{3,}")  # "Japan", but not "EST" or "GMT", which are no countries


def plain(text: str) -> str:
    """Lower case, without accents, "_" or repeated blanks."""
    decomposed = unicodedata.normalize("NFKD", text.replace("_", " "))
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).lower().split())


def time_zone(root: Path = Path("/"), environ: Mapping[str, str] = os.environ) -> str:
    """The IANA name of this machine's time zone ("Europe/Paris"); "" where it cannot be told.

    TZ goes first, then the link /etc/localtime, then /etc/timezone. Windows has none of them but names of its own,
    which span countries: they are not guessed from.
    """
    if environ.get("TZ"):
        return _iana(environ["TZ"].removeprefix(":"))
    try:
        return _iana(str((root / "etc/localtime").readlink()))
    except OSError:  # a copy instead of a link, or nothing
        pass
    try:
        return _iana((root / "etc/timezone").read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return ""


def country_of_time_zone(name: str, root: Path = Path("/")) -> str:
    """Alpha-3 code of the country that the time zone ``name`` lies in; "" for UTC and other zones of no country.

    "Japan" and the like, old names that are a country's, come back as they are.
    """
    for path in _zone_tables(root):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        code = _country_in(text.splitlines(), name)
        if code:
            return ALPHA3.get(code, "")
    return _OLD_PREFIXES.get(name.split("/")[0], name if _COUNTRY_NAME.fullmatch(name) else "")


def _country_in(lines: Iterable[str], name: str) -> str:
    """The first country of zone ``name`` in a zone table: "FR<tab>+4852+00220<tab>Europe/Paris"."""
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return next((row[0].split(",")[0] for row in rows if len(row) > 2 and row[2] == name), "")


def _zone_tables(root: Path) -> list[Path]:
    """The tables of the system, then those of the tzdata package."""
    folders = [root / folder for folder in _ZONEINFO_FOLDERS]
    spec = find_spec("tzdata")
    if spec is not None and spec.submodule_search_locations:
        folders.append(Path(next(iter(spec.submodule_search_locations)), "zoneinfo"))
    return [folder / table for folder in folders for table in _ZONE_TABLES]


def _iana(text: str) -> str:
    """The zone's name out of a path below a zoneinfo folder; "" for what is no name ("CET-1CEST")."""
    name = text.split("zoneinfo/")[-1].removeprefix("posix/").removeprefix("right/")
    return (
        name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]*", name) and not re.search(r"\d,|^[A-Z]{3,4}-?\d", name) else ""
    )
