"""What stands above a column of a meter file, in the languages of those who export them."""

import re

END = {"end", "ende", "bis", "to", "until", "ending", "fin", "fino", "hasta", "till", "tot", "slut", "do", "einde"}
START = {"start", "beginn", "begin", "von", "from", "ab", "beginning", "debut", "début", "desde", "van", "inizio"}
CLOCK = {"time", "uhrzeit", "zeit", "hour", "stunde", "hora", "heure", "ora", "tijd", "klokkeslæt", "tid", "hr", "he",
         "godzina"}  # fmt: skip
DATE = {"date", "datum", "day", "tag", "fecha", "data", "jour", "dato", "giorno", "dag", "día"}
TIME = {"time", "timestamp", "datetime", "zeitstempel", "zeitpunkt", "datumuhrzeit", "ts", "unix", "unixtime", "epoch",
        "utc", "horodate", "last_changed", "changed", "updated", "when", "start_ts", "start", "end", "end_ts",
        "horodatage", "tidspunkt", "messzeitpunkt", "ablesezeitpunkt", "zeit", "read", "date", "datum"}  # fmt: skip
SERIES = {"meter", "zähler", "zaehler", "zählpunkt", "zählernummer", "mpan", "mprn", "nmi", "device", "feed", "ean",
          "cups", "pod", "statistic_id", "entity_id", "sensor", "messlokation", "malo", "melo", "customer", "lclid",
          "metering", "zählpunktbezeichnung", "meterid", "meter_id", "id", "compteur", "prm", "pdl", "contador",
          "node", "channel", "kanal", "site", "building", "standort"}  # fmt: skip
SURE_SERIES = {"statistic_id", "entity_id", "mpan", "mprn", "nmi", "lclid", "cups", "prm", "pdl", "ean", "meter_id",
               "meterid", "zählernummer", "zählpunkt", "zählpunktbezeichnung"}  # fmt: skip
UNIT = {"unit", "units", "einheit", "uom", "unité", "unidad", "unità", "eenheid", "enhed", "unit_of_measurement"}
TEMPERATURE = {"temperature", "temperatur", "temp", "température", "temperatura", "outdoor", "aussentemperatur",
               "außentemperatur", "lufttemperatur", "temperatuur", "drybulb", "degrees"}  # fmt: skip
VALUE = {"value", "kwh", "wh", "mwh", "kw", "w", "consumption", "verbrauch", "usage", "energy", "energie", "demand",
         "load", "power", "leistung", "state", "sum", "import", "export", "wert", "zählerstand", "zaehlerstand",
         "bezug", "einspeisung", "lieferung", "delivered", "received", "reading", "messwert", "consumo", "energia",
         "energía", "consommation", "verbruik", "forbrug", "förbrukning", "stand", "index", "total", "cumulative",
         "generation", "grid", "last", "menge", "active"}  # fmt: skip
COUNTER = {"zählerstand", "zaehlerstand", "counter", "cumulative", "register", "index", "stand", "total", "sum",
           "lifetime", "meterstand", "zählerstände", "kumuliert", "odometer", "relevé"}  # fmt: skip
INTERVAL = {"consumption", "verbrauch", "usage", "interval", "demand", "load", "forbrug", "consommation", "consumo",
            "verbruik", "lastgang", "change", "delta", "förbrukning", "bezug", "einspeisung"}  # fmt: skip
LEFT_OUT = {"price", "preis", "prix", "cost", "costs", "kosten", "coût", "tariff", "tarif", "rate", "quality",
            "status", "flag", "holiday", "weekday", "wochentag", "number", "nr", "no", "row", "zeile", "count",
            "quality_code", "qualität", "co2", "voltage", "spannung", "current", "strom_a", "humidity", "wind", "rain",
            "solar_radiation", "irradiance", "pressure", "factor", "year", "month", "jahr", "monat", "week", "woche",
            "min", "max", "last_reset", "last_reset_ts", "created_ts", "postcode", "plz", "workday",
            "balance", "betrag", "amount", "reactive", "blindarbeit", "gas", "water", "wasser"}  # fmt: skip
TOTALS = {"total", "totals", "sum", "summe", "gesamt", "gesamtsumme", "somme", "totale", "suma", "totaal", "i alt",
          "average", "mean", "mittelwert", "durchschnitt", "grand total", "subtotal", "zwischensumme", "max", "min",
          "minimum", "maximum", "yhteensä", "moyenne"}  # fmt: skip


def words(title: str) -> set[str]:
    """The words of a header, without what stands in brackets, and those that hang together by underlines."""
    bare = re.sub(r"[(\[{].*?[)\]}]", " ", title.casefold())
    return set(re.findall(r"[^\W\d_]+\d?", bare)) | set(re.findall(r"[^\W]+", bare))


def is_end(title: str) -> bool:
    found = words(title)
    return bool(found & END) and not found & START


def says_utc(title: str) -> bool:
    return bool(words(title) & {"utc", "gmt", "zulu"})


def is_total(text: str) -> bool:
    """Whether a line that begins so sums others up."""
    low = " ".join(re.findall(r"[^\W\d_]+", text.casefold()))
    return bool(low) and (low in TOTALS or low.split()[0] in TOTALS)


def kind_of(title: str) -> tuple[str, str]:
    """ "counter" or "interval" by a word of the header, and the word; or two empty texts."""
    found = words(title)
    for kind, some in (("counter", COUNTER), ("interval", INTERVAL)):
        if both := sorted(found & some):
            return kind, both[0]
    return "", ""
