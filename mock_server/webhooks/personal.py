"""Which names and which letters stand for credentials and personal data."""

from __future__ import annotations

import re

SECRET_HEADER = re.compile(
    r"(?:.*[-_])?(?:authorization|authentication|cookie|token|secret|password|api-?key|access-?key|credentials?|jwt|session)",
    re.IGNORECASE,
)
CLIENT_HEADER = re.compile(
    r"forwarded|x-forwarded-for|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|cf-connecting-ipv6|fastly-client-ip",
    re.IGNORECASE,
)


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# Names of members in lower case and without anything between their words.
SECRETS = _words(
    "password passwd secret clientsecret token accesstoken refreshtoken idtoken authtoken apikey key signingkey",
    "secretkey authorization auth code cvc cvv cvv2 pin sessionid sig signature",
)
# Innocent as members of a body, and not as parameters of a URL.
ONLY_IN_QUERIES = _words("key code auth sig signature")
IN_BODIES = SECRETS - ONLY_IN_QUERIES
PERSONAL = _words(
    "firstname lastname fullname middlename givenname familyname surname maidenname displayname customername username",
    "cardholder cardholdername billingname shippingname recipientname businessname companyname organizationname",
    "orgname login legalname phone phonenumber mobile fax telephone dob birthday birthdate dateofbirth birthyear",
    "taxid taxids taxnumber vatid vatnumber ssn",
    "last4 lastfour cardlastfour fingerprint iban bic accountnumber routingnumber sortcode bankaccount cardnumber pan",
    "address address1 address2 addressline1 addressline2 addressline3 line1 line2 street streetaddress city town",
    "locality sublocality postalcode postcode zip zipcode administrativedistrictlevel1 administrativedistrictlevel2",
    "latitude longitude",
)
EMAILS = _words("email customeremail receiptemail useremail billingemail buyeremailaddress emailaddress")
IPS = _words("ip ipaddress clientip purchaseip remoteip customeripaddress")
WHOLE = _words("shippingdetails billingdetails")
OF_THINGS = _words(
    "product products price prices plan plans variant coupon discount tier addon feature repository item items"
)
STAYS = _words("country countrycode object id type createdat updatedat created")
PAGES = _words(
    "hostedinvoiceurl invoicepdf receipturl invoiceurl portalurl customerportal customerportalurl updatepaymentmethod",
    "customerportalupdatesubscription updatecustomerportal",
)
PAGE_LISTS = _words("managementurls urls")

EMAIL = re.compile(r"(?<![\w.%+-])([\w.%+-]++)@[\w-]++(?:\.[\w-]++)++")
KEY = re.compile(
    r"\b((?:sk|rk|pk)_(?:live|test)_|whsec_|whsk_|polar_whs_|pdl_ntfset_|pdl_(?:live|sdbx)_apikey_)([\w+/=-]++)"
)
JWT = re.compile(r"\beyJ[\w-]++\.[\w-]++\.[\w-]*+")
BEARER = re.compile(r"\b(Bearer|Basic) +([\w.~+/=-]{8,})")
CARD = re.compile(r"(?<![\w.-])[3-6](?:[ -]?\d){13,18}(?![\w-])")
NO_LETTER = re.compile(r"[\W_]+")


def is_card(text: str) -> bool:
    """Whether its last digit is the check digit that card numbers have."""
    digits = [int(each) for each in text if each.isdigit()]
    doubled = [each * 2 - 9 * (each > 4) for each in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0
