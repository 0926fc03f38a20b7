import pytest

from btfer.licences import RULES, terms

LICENCES = [
    # name, address, the strictest rule that lets it pass
    ("CC0 1.0", "", "free"),
    ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", "free"),
    ("CC BY-SA 3.0", "", "free"),
    ("Public domain", "", "free"),
    ("PDM", "", "free"),
    ("No known copyright restrictions", "", "free"),
    ("United States Government Work", "", "free"),
    ("GFDL", "", "free"),
    ("", "http://creativecommons.org/publicdomain/zero/1.0/", "free"),
    ("by-nc-sa", "", "derivatives"),
    ("Attribution-NonCommercial License", "", "derivatives"),
    ("CC BY-ND 2.0", "", "stated"),
    ("by-nc-nd 4.0", "", "stated"),
    ("Attribution-NoDerivs License", "", "stated"),
    ("Editorial use", "", "stated"),
    ("All rights reserved", "", "any"),
    ("All rights reserved by A. N. Other", "", "any"),
    ("", "", "any"),
]


@pytest.mark.parametrize(("licence", "url", "strictest"), LICENCES)
def test_a_licence_passes_the_rules_up_to_what_it_allows(
    licence: str, url: str, strictest: str
) -> None:
    rules = list(RULES)
    passed = [rule for rule in rules if RULES[rule](terms(licence, url))]
    assert passed == rules[: rules.index(strictest) + 1]


@pytest.mark.parametrize(
    ("licence", "credit", "forbids"),
    [
        ("CC BY 4.0", True, False),
        ("CC BY-ND 4.0", True, True),
        ("CC0", False, False),
        ("", False, False),
        ("All rights reserved by X", False, False),
    ],
)
def test_credit_and_derivatives(licence: str, credit: bool, forbids: bool) -> None:
    read = terms(licence)
    assert (read.credit, read.forbids_derivatives) == (credit, forbids)
