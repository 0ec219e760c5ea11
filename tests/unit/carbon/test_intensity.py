"""Which carbon intensity is in force, in which unit, and what an unknown place gets."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from greennb.carbon.intensity import guess_zone, resolve, static_intensity, world_intensity
from greennb.carbon.tables import CarbonTables, codecarbon_tables
from greennb.carbon.zones import ALPHA2, ALPHA3, CLOUD_PLACES, country_of_time_zone, time_zone
from greennb.model.errors import BadInputError, UnknownZoneError
from greennb.model.footprint import Origin
from greennb.settings import Settings


def write(root, path, content):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


@pytest.fixture
def tables(tmp_path) -> CarbonTables:
    """Small tables in codecarbon's own formats and units."""
    root = tmp_path / "data"
    world = {
        "AAA": {"carbon_intensity": 10.0, "country_name": "Aland", "total_TWh": 1.0, "year": 2023},
        "FRA": {"carbon_intensity": 50.0, "country_name": "France", "total_TWh": 94.0, "year": 2023},
        "DEU": {"carbon_intensity": 400.0, "country_name": "Germany", "total_TWh": 4.0, "year": 2022},
        "ZZZ": {"carbon_intensity": 900.0, "country_name": "Zedland", "total_TWh": 1.0, "year": 2021},
        "CAF": {
            "carbon_intensity": 0.0, "country_name": "Central African Republic", "total_TWh": 4.0, "fossil_TWh": 1.0,
            "hydroelectricity_TWh": 3.0, "gas_TWh": 1.0, "low_carbon_TWh": 3.0, "year": 2022,
        },
        "USA": {"carbon_intensity": 370.0, "country_name": "United States", "total_TWh": 0.0, "year": 2023},
    }  # fmt: skip
    per_source = {"unit": "gCO2.eq/kWh", "world_average": 475, "natural_gas": 740, "hydroelectricity": 20, "coal": 995}
    write(root, "private_infra/global_energy_mix.json", world)
    write(root, "private_infra/carbon_intensity_per_source.json", per_source)
    usa = {
        "_unit": {"emissions": "lbs/MWh", "regionCode": "2 digits"}, "_source": {"year": 2023},
        "california": {"emissions": 1000.0, "regionCode": "CA"}, "usa": {"emissions": 800.0, "regionCode": "US"},
    }  # fmt: skip
    write(root, "private_infra/2021/usa_emissions.json", {"_unit": {"emissions": "lbs/MWh"}})
    write(root, "private_infra/2023/usa_emissions.json", usa)
    quebec = {"hydro": 90.0, "coal": 0.0, "naturalGas": 5.0, "other": 5.0, "total": 100.0}
    write(root, "private_infra/2023/canada_energy_mix.json", {"quebec": quebec})
    header = "\ufeffprovider,providerName,offsetRatio,region,regionName,country_name,countryIsoCode,state,city,impact\n"
    write(root, "cloud/impact.csv", header + "gcp,Google,100,europe-west1,,Belgium,BEL,,St. Ghislain,122\n")
    return CarbonTables(root)


# Units and formats


def test_us_states_are_converted_from_pounds_a_megawatt_hour(tables):
    """1,000 lb/MWh are 453.59237 g/kWh."""
    california = static_intensity("USA/California", tables)
    assert california.g_per_kwh == pytest.approx(453.59237)
    assert california.as_of == "2023"
    assert california.zone == "USA/California"


def test_a_us_table_in_another_unit_is_refused(tables, tmp_path):
    content = {"_unit": {"emissions": "kg/MWh"}, "california": {"emissions": 1.0, "regionCode": "CA"}}
    write(tmp_path / "data", "private_infra/2024/usa_emissions.json", content)
    with pytest.raises(BadInputError, match="kg/MWh"):
        static_intensity("USA/California", tables)


def test_canadian_provinces_come_from_their_mix(tables):
    """90 parts hydro and 5 parts gas; what has no figure is left out of the mean, not counted as clean."""
    quebec = static_intensity("CAN/Québec", tables)
    assert quebec.g_per_kwh == pytest.approx((90 * 20 + 5 * 740) / 95)
    assert "mix" in quebec.note


def test_a_country_s_rounded_zero_is_no_figure(tables):
    """Three quarters hydro and one gas is not 0 g/kWh; the sums in the same row count nothing twice."""
    assert static_intensity("CAF", tables).g_per_kwh == pytest.approx((3 * 20 + 1 * 740) / 4)


def test_cloud_regions(tables):
    assert static_intensity("gcp/europe-west1", tables).g_per_kwh == 122
    assert static_intensity("GCP/Europe-West1", tables).zone == "gcp/europe-west1"
    elsewhere = static_intensity("aws/eu-west-3", tables)
    assert (elsewhere.g_per_kwh, elsewhere.zone) == (50, "aws/eu-west-3")
    assert "FRA" in elsewhere.note


@pytest.mark.parametrize("spelling", ["FRA", "fra", "FR", "fr", "France", "FRANCE", " france "])
def test_a_country_by_any_of_its_names(tables, spelling):
    france = static_intensity(spelling, tables)
    assert (france.zone, france.g_per_kwh, france.origin, france.as_of) == ("FRA", 50, Origin.STATIC, "2023")
    assert (france.low, france.high) == (None, None)


@pytest.mark.parametrize("spelling", ["USA/California", "usa/california", "USA/CA", "US-CA", "United States/CA"])
def test_a_state_by_any_of_its_names(tables, spelling):
    assert static_intensity(spelling, tables).zone == "USA/California"


# Unknown places


@pytest.mark.parametrize(
    ("zone", "says"),
    [
        ("Frnce", '"France"'),
        ("Germny", '"Germany"'),
        ("USA/Califrnia", '"California"'),
        ("gcp/europe-west9", '"gcp/europe-west1"'),
        ("FRA/Paris", 'use "FRA"'),
        ("AND", "no figure for AND"),
        ("Atlantis", "give a country"),
        ("XX", "give a country"),
        ("", "give a country"),
        ("/", "give a country"),
        ("../../etc/passwd", "give a country"),
        ("FRA\x1b[31m", "There is no place"),
        ("A" * 10_000, "..."),
    ],
)
def test_an_unknown_place_gets_the_nearest_names(tables, zone, says):
    with pytest.raises(UnknownZoneError) as error:
        static_intensity(zone, tables)
    message = str(error.value)
    assert says in message
    assert message.isprintable()
    assert len(message) < 300


def test_tables_that_are_not_there_or_broken_say_so(tmp_path):
    with pytest.raises(BadInputError, match="reinstall codecarbon"):
        static_intensity("FRA", CarbonTables(tmp_path))
    write(tmp_path, "private_infra/global_energy_mix.json", "{ not json")
    with pytest.raises(BadInputError, match="reinstall codecarbon"):
        static_intensity("FRA", CarbonTables(tmp_path))


# The world


def test_the_world_s_range_holds_95_percent_of_the_kilowatt_hours(tables):
    """The 1 % at either end, Aland and Zedland, is outside."""
    world = world_intensity(tables)
    assert (world.g_per_kwh, world.low, world.high) == (475, 50, 400)
    assert world.origin is Origin.WORLD
    assert "set zone" in world.note


# The installed tables


def test_the_installed_tables_are_what_we_take_them_for():
    """Every country's figure is a plausible one in g/kWh, so are the states', provinces' and clouds'."""
    tables = codecarbon_tables()
    assert len(tables.countries()) > 190
    rows = [*tables.countries().values(), *tables.clouds().values()]
    for country in ("USA", "CAN", "CHN", "SWE", "NOR"):
        rows += tables.regions(country).values()
    assert {row.name: row.g_per_kwh for row in rows if not 0 < row.g_per_kwh < 1500} == {}
    assert 300 < static_intensity("USA").g_per_kwh < 450
    assert 20 < static_intensity("FRA").g_per_kwh < 100
    # eGRID 2023 has California at 395 lb/MWh; forgetting the unit would give 395.
    assert 100 < static_intensity("USA/California").g_per_kwh < 300
    assert static_intensity("CAN/Alberta").g_per_kwh > 10 * static_intensity("CAN/Quebec").g_per_kwh


def test_the_installed_world_range_holds_its_average():
    world = world_intensity()
    assert world.low is not None
    assert world.high is not None
    assert 0 < world.low < world.g_per_kwh < world.high < 1000


@pytest.mark.parametrize("region", sorted(CLOUD_PLACES))
def test_every_cloud_region_that_we_place_is_somewhere_with_a_figure(region):
    assert static_intensity(region).g_per_kwh > 0


def test_every_code_has_one_other():
    assert len(ALPHA2) == len(ALPHA3) == 250
    assert all(len(two) == 2 and len(three) == 3 for two, three in ALPHA3.items())
    assert ALPHA3["DE"] == "DEU"


@pytest.mark.parametrize(
    ("alias", "code"), [("UK", "GBR"), ("Great Britain", "GBR"), ("Türkiye", "TUR"), ("US", "USA")]
)
def test_spellings_that_people_use(alias, code):
    assert static_intensity(alias).zone == code


# The time zone


@pytest.mark.parametrize(
    ("name", "country"),
    [
        ("Europe/Paris", "FRA"),
        (":Asia/Kolkata", "IND"),
        ("America/Los_Angeles", "USA"),
        ("US/Pacific", "USA"),
        ("Japan", "Japan"),
        ("/usr/share/zoneinfo/Europe/Berlin", "DEU"),
        ("UTC", None),
        ("Etc/UTC", None),
        ("Etc/GMT+3", None),
        ("GMT", None),
        ("EST", None),
        ("EST5EDT", None),
        ("CET-1CEST,M3.5.0,M10.5.0/3", None),
        ("<-03>3", None),
        ("Nowhere/At_All", None),
        ("../../etc/passwd", None),
    ],
)
def test_a_guess_from_tz(name, country):
    """UTC, fixed offsets and POSIX rules are no country; "EST" is not Estonia."""
    assert guess_zone(environ={"TZ": name}) == country


def test_a_guess_from_the_link_then_the_file(tmp_path):
    tab = "#code\tcoordinates\tTZ\nFR\t+4852+00220\tEurope/Paris\nIT\t+4154+01229\tEurope/Rome\n"
    write(tmp_path, "usr/share/zoneinfo/zone.tab", tab)
    write(tmp_path, "etc/timezone", "Europe/Rome\n")
    assert guess_zone(tmp_path, {}) == "ITA"
    (tmp_path / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Paris")
    assert guess_zone(tmp_path, {}) == "FRA"
    assert guess_zone(tmp_path, {"TZ": "Europe/Rome"}) == "ITA"


def test_a_mac_s_link_is_read_too(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/localtime").symlink_to("/var/db/timezone/zoneinfo/Europe/Lisbon")
    assert time_zone(tmp_path, {}) == "Europe/Lisbon"


def test_no_time_zone_at_all_is_no_guess(tmp_path):
    assert guess_zone(tmp_path, {}) is None
    assert country_of_time_zone("", tmp_path) == ""


# Which one is in force


def test_your_own_figure_beats_everything(tables):
    settings = Settings(intensity=123, zone="Atlantis", live="uk")
    yours = resolve(settings, tables=tables, guess=lambda: "FRA")
    assert (yours.g_per_kwh, yours.origin) == (123, Origin.USER)


def test_your_zone_beats_the_guess(tables):
    found = resolve(Settings(zone="Germany"), tables=tables, guess=lambda: "FRA")
    assert (found.zone, found.origin) == ("DEU", Origin.STATIC)


def test_a_guess_is_labelled_as_a_guess(tables):
    found = resolve(Settings(), tables=tables, guess=lambda: "FRA")
    assert (found.zone, found.g_per_kwh, found.origin) == ("FRA", 50, Origin.GUESSED)
    assert "time zone" in found.note


@pytest.mark.parametrize("guessed", [None, "AND", "Nowhere"])
def test_without_a_usable_guess_the_world_stands_in(tables, guessed):
    assert resolve(Settings(), tables=tables, guess=lambda: guessed).origin is Origin.WORLD


def test_a_zone_that_does_not_exist_is_an_error_not_the_world(tables):
    with pytest.raises(UnknownZoneError):
        resolve(Settings(zone="Atlantis"), tables=tables, guess=lambda: "FRA")


def test_asking_again_is_cheap_and_gives_the_same():
    """Each cell asks: no file is read the second time."""
    import time

    settings = Settings(zone="FRA")
    first = resolve(settings)
    start = time.perf_counter()
    for _ in range(100):
        assert resolve(settings) is first
    assert time.perf_counter() - start < 0.05


def test_no_socket_no_codecarbon_and_no_pandas_by_default():
    """The whole static path in a fresh interpreter, with an audit hook on sockets."""
    code = (
        "import sys; seen = []; sys.addaudithook(lambda e, a: seen.append(e) if e.startswith('socket.') else None)\n"
        "from greennb.carbon.intensity import resolve, static_intensity, world_intensity\n"
        "from greennb.settings import Settings\n"
        "resolve(Settings()); static_intensity('USA/California'); world_intensity()\n"
        "heavy = [m for m in ('codecarbon', 'pandas', 'requests', 'urllib.request', 'pycountry') if m in sys.modules]\n"
        "print(seen, heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
