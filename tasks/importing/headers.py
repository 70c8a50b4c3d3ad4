"""Words that stand over columns, in the languages of those who export: what each of them means."""

import re
from functools import cache

# Longer phrases are looked for first; what only begins or ends with a word counts less.
MONEY = {
    "date": "date|datum|fecha|data|dato|pvm|päivä|transaction date|booking date|posting date|posted date|"
        "date de l opération|date operation|date opération|buchungstag|buchungsdatum|buchung|"
        "fecha operación|fecha de operación|fecha valor|data operazione|data contabile|boekdatum|"
        "transactiedatum|transaktionsdatum|bokföringsdag|bogført|data transakcji|data operacji|"
        "kirjauspäivä|datum zaúčtování|datum provedení|date started|completed date|started date|on|"
        "day",
    "value date": "valuta|value date|wertstellung|valutadatum|rentedatum|interest date|data valuta|"
        "date de valeur|date valeur",
    "amount": "amount|betrag|umsatz|bedrag|montant|importe|importo|valor|beløb|belopp|beloeb|summa|kwota|"
        "částka|valore|transaction amount|amount eur|amount usd|amount gbp|betrag eur|umsatz eur|"
        "bedrag eur|total|value|quantia|money",
    "debit": "debit|debits|soll|belastung|af|paid out|money out|withdrawal|withdrawals|ausgang|débit|cargo|"
        "cargos|dare|uscite|debit amount|withdrawal amt|amount debit|lastschrift|ud|ut|outflow|spent|"
        "addebiti|obciążenia|charge",
    "credit": "credit|credits|haben|gutschrift|bij|paid in|money in|deposit|deposits|eingang|crédit|abono|"
        "abonos|avere|entrate|credit amount|deposit amt|amount credit|ind|in|inflow|received|"
        "accrediti|uznania",
    "sign": "debit credit|af bij|soll haben|credit debit|dr cr|cr dr|debit credit indicator|s h|sh|"
        "type indicator|d k|debit/credit|dc|afbij|credit debit indicator",
    "currency": "currency|währung|waehrung|devise|moneda|valuta code|munt|muntsoort|divisa|waluta|měna|"
        "valuuta|currency code|currency_code|moeda",
    "payee": "payee|name|merchant|counterparty|recipient|beneficiary|description merchant|"
        "auftraggeber empfänger|empfänger|empfaenger|begünstigter zahlungspflichtiger|"
        "beguenstigter zahlungspflichtiger|zahlungspflichtiger|zahlungsempfänger|auftraggeber|"
        "name zahlungsbeteiligter|tegenpartij|naam tegenpartij|naam|naam omschrijving|tiers|"
        "bénéficiaire|beneficiario|ordenante|proveedor|modtager|mottagare|saaja maksaja|saaja|"
        "kontrahent|odbiorca|partner name|counter party|opposing name|payee name|paid to|vendor|shop|"
        "store|gegenpartei|beguenstigter auftraggeber|begünstigter auftraggeber|name des partners|"
        "partnername",
    "note": "note|notes|memo|description|text|details|verwendungszweck|buchungstext|omschrijving|"
        "mededelingen|libellé|libelle|concepto|descrizione|causale|descrição|descripción|beskrivelse|"
        "meddelelse|beskrivning|selite|viesti|opis|tytuł|zpráva|popis|narrative|reference|"
        "transaction description|remarks|particulars|narration|zahlungsreferenz|payment reference|"
        "comment|betreff|referenz|communication|libellé simplifié|descricao|historico|histórico|"
        "message",
    "category": "category|kategorie|categorie|catégorie|categoría|categoria|kategori|kategoria|hauptkategorie|"
        "category name",
    "purse": "account|account name|konto|auftragskonto|rekening|eigene iban|iban auftragskonto|"
        "account number|iban|compte|cuenta|conto|account iban|bezeichnung auftragskonto|"
        "iban kontoinhaber|rekeningnummer|kontonummer",
    "ignore": "balance|saldo|saldo nach buchung|kontostand|running balance|solde|saldo disponible|"
        "stan konta|bic|swift|gläubiger id|glaeubiger id|mandatsreferenz|kundenreferenz|id|"
        "transaction id|status|state|iban zahlungsbeteiligter|kontonummer iban|tegenrekening|sequence|"
        "counterparty iban|partner iban|exchange rate|cleared|fee|product|split_amount|category_group",
}  # fmt: skip
PRODUCTS = {
    "sku": "sku|product id|productid|article number|article no|item number|item code|item no|code|"
        "artikelnummer|artnr|part number|ipn|product code|référence|codigo|articolo|artikelnr|"
        "product no|productnumber|pk",
    "name": "name|product name|productname|product|article|item|title|bezeichnung|artikel|description|"
        "produkt|producto|prodotto|part name|part|naam|nom|nombre|label|item name|artikelbezeichnung",
    "unit": "unit|quantity per unit|units|einheit|eenheid|unité|unidad|uom|packaging|size",
    "category": "category|category id|categoryid|category name|kategorie|warengruppe|group|type|department|"
        "categorie|catégorie|categoría",
    "barcode": "barcode|ean|gtin|upc|ean13|ean code|strichcode|isbn|ean gtin",
    "price": "price|unit price|unitprice|selling price|sale price|preis|verkaufspreis|vk|prix|precio|"
        "prezzo|retail price|prijs",
    "cost": "cost|purchase price|buying price|einkaufspreis|ek|cost price|kosten|coste|unit cost|"
        "minimum price",
    "supplier": "supplier|supplier id|supplierid|vendor|supplier name|lieferant|leverancier|fournisseur|"
        "proveedor|fornitore|default supplier|supplier code",
    "reorder level": "reorder level|reorderlevel|minimum stock|min stock|minimum|meldebestand|mindestbestand|"
        "reorder point|min|minimum_stock|low stock|stock minimum|minimum voorraad|stock alert|"
        "par level",
    "target": "target|maximum|max stock|target stock|sollbestand|maximum stock|order up to|max|"
        "höchstbestand|full stock",
    "pack size": "pack size|packsize|pack|case size|units per pack|verpackungseinheit|ve|carton|order multiple|"
        "pack quantity",
    "lead days": "lead days|lead time|leadtime|lieferzeit|delivery days|lead time days|wiederbeschaffungszeit",
    "on hand": "units in stock|unitsinstock|stock|on hand|quantity|in stock|qty|bestand|lagerbestand|"
        "quantity on hand|total stock|voorraad|stock actuel|existencias|giacenza|total_in_stock|"
        "in_stock|amount|count|available",
    "on order": "units on order|unitsonorder|on order|ordering|bestellt|ordered|in bestelling|incoming|"
        "open orders",
    "discontinued": "discontinued|inactive|archived|ausgelaufen|obsolete|eingestellt",
    "active": "active|enabled|aktiv|purchaseable active|is active",
    "location": "location|shelf|bin|lagerort|regal|default location|place|storage|locatie|emplacement|"
        "ubicación",
    "perishable": "perishable|verderblich|expires",
    "expiry": "expiry|expiry date|best before|expires on|mhd|use by",
}  # fmt: skip
SUPPLIERS = {
    "code": "supplier id|supplierid|id|code|supplier code|number|lieferantennummer|kreditor|pk|vendor id|"
        "supplier no",
    "name": "name|company|company name|companyname|supplier|supplier name|vendor|firma|lieferant|"
        "fournisseur|proveedor",
    "email": "email|e mail|mail|email address|mailadresse",
    "phone": "phone|telephone|tel|telefon|phone number|téléphone|teléfono|telefoon",
    "lead days": "lead days|lead time|lieferzeit|delivery days|lead time days",
    "note": "note|notes|contact|contact name|contact title|address|street|city|region|postal code|"
        "postalcode|zip|country|notiz|adresse|ort|plz|land|website|homepage|description|contactname|"
        "contacttitle",
    "ignore": "fax",
}  # fmt: skip
MOVEMENTS = {
    "sku": PRODUCTS["sku"] + "|product|article|item|part",
    "barcode": PRODUCTS["barcode"],
    "date": MONEY["date"] + "|order date|orderdate|sold at|sold on|moved on|created|shipped date|invoice date|time",
    "kind": "kind|type|movement|movement type|art|bewegungsart|reason|action|transaction type|what",
    "quantity": "quantity|qty|amount|units|menge|anzahl|aantal|quantité|cantidad|pieces|stück|count|quantità|"
        "sold|change",
    "price": "price|unit price|unitprice|preis|prix|precio|prijs|unit cost|cost",
    "note": "note|notes|comment|remark|reference|notiz|order id|orderid|order|invoice|receipt|document",
    "location": PRODUCTS["location"],
    "expiry": PRODUCTS["expiry"],
    "ignore": "discount|tax|vat|total|currency|name|product name",
}  # fmt: skip
WORDS = {"expenses": MONEY, "products": PRODUCTS, "suppliers": SUPPLIERS, "movements": MOVEMENTS}
MANY = {"note"}  # roles that several columns may have


def plain(text: str) -> str:
    """A header without case, signs and units in brackets."""
    bare = re.sub(r"[(\[{].*?[)\]}]", " ", text.casefold())
    return " ".join(re.sub(r"[\W_]+", " ", bare).split()) or " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


@cache
def known(subject: str) -> dict[str, tuple[str, int]]:
    """Each word with its role and its place among the role's words: the earlier, the surer."""
    found: dict[str, tuple[str, int]] = {}
    for role, words in WORDS[subject].items():
        for place, word in enumerate(words.split("|")):
            found.setdefault(plain(word), (role, place))
    return found


def means(subject: str, header: str) -> tuple[str, int]:
    """What stands under this header, and how sure that is: 0 not at all, else the more the surer."""
    bare = plain(header)
    table = known(subject)
    if bare in table:
        role, place = table[bare]
        return role, 1000 - place
    for size in range(min(4, len(bare.split())), 0, -1):
        words = bare.split()
        for start in (0, len(words) - size):
            phrase = " ".join(words[start : start + size])
            if phrase in table and (size > 1 or len(phrase) > 3):
                return table[phrase][0], 100 + size
    return "", 0
