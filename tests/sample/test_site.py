import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from bs4 import BeautifulSoup

from btfer.queries import load_plan
from btfer.sample import FOLDER, load_manifest, picture_path
from btfer.sample.site import ODDITIES, RESULTS_PER_PAGE, SLOW_S, Site, matches, serve_sample


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serve_sample() as running:
        yield running


def odd(site: Site, kind: str, **options: bool) -> requests.Response:
    return requests.get(f"{site.url}/{kind}/{ODDITIES[kind]}", timeout=60, **options)


def pages(site: Site, **parameters: str) -> list[list[dict[str, str]]]:
    """The results of every page, following the links."""
    url: str | None = requests.Request("GET", f"{site.url}/search", params=parameters).prepare().url
    found = []
    while url:
        soup = BeautifulSoup(requests.get(url, timeout=60).text, "lxml")
        found.append([json.loads(str(link["m"])) for link in soup.select("a.iusc")])
        following = soup.select_one('a[rel~="next"]')
        url = urljoin(url, str(following["href"])) if following else None
    return found


def test_paging_lists_every_picture_that_matches_once(site: Site) -> None:
    found = pages(site, q="happy", expression="happy")
    assert all(len(page) == RESULTS_PER_PAGE for page in found[:-1])
    paths = [urlsplit(one["murl"]).path for page in found for one in page]
    plain = [path.removeprefix("/img/") for path in paths if path.startswith("/img/")]
    wanted = [one.file for one in load_manifest() if one.expression == "happy"]
    assert sorted(plain) == sorted(wanted)
    assert len(found) > 1


def test_a_search_without_parameters_lists_all_pictures_and_all_oddities(site: Site) -> None:
    paths = [urlsplit(one["murl"]).path for page in pages(site) for one in page]
    assert len(paths) == len(load_manifest()) + len(ODDITIES)
    assert {f"/{kind}/{name}" for kind, name in ODDITIES.items()} <= set(paths)


def test_people_narrow_a_search(site: Site) -> None:
    parameters = {"expression": "sad", "gender": "female", "age": "child", "ethnicity": "Asian"}
    found = [one for page in pages(site, **parameters) for one in page]
    names = {urlsplit(one["murl"]).path.rsplit("/", 1)[1] for one in found}
    assert names == {one.file for one in load_manifest() if matches(one, parameters)}
    assert len(names) < sum(one.expression == "sad" for one in load_manifest())


def test_the_query_plan_finds_every_picture(site: Site) -> None:
    pictures = load_manifest()
    seen = {
        one.file
        for query in load_plan(FOLDER / "queries").queries
        for one in pictures
        if matches(one, vars(query))
    }
    assert seen == {one.file for one in pictures}


def test_an_unknown_class_finds_nothing_on_a_page_of_results(site: Site) -> None:
    text = requests.get(f"{site.url}/search?expression=bored", timeout=60).text
    soup = BeautifulSoup(text, "lxml")
    assert soup.select_one("#results") is not None
    assert not soup.select("a.iusc")


def test_a_page_number_that_is_none_is_refused(site: Site) -> None:
    for page in ("0", "-1", "two"):
        assert requests.get(f"{site.url}/search?page={page}", timeout=60).status_code == 400


def test_a_landing_page_names_title_author_and_licence(site: Site) -> None:
    one = load_manifest()[0]
    answer = requests.get(f"{site.url}/page/{one.file.removesuffix('.jpg')}", timeout=60)
    soup = BeautifulSoup(answer.text, "lxml")
    licence, author = soup.select_one('[rel~="license"]'), soup.select_one('[name="author"]')
    assert licence is not None
    assert author is not None
    assert licence.get_text() == one.licence
    assert "publicdomain/zero" in str(licence["href"])
    assert author["content"] == one.author
    assert one.title in soup.get_text()
    assert "Synthetic" in soup.get_text()


def test_an_image_is_the_bytes_of_the_file(site: Site) -> None:
    answer = requests.get(f"{site.url}/img/happy_01.jpg", timeout=60)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.content == picture_path("happy_01.jpg").read_bytes()


def test_a_path_out_of_the_folder_is_not_found(site: Site) -> None:
    for path in ("/img/..%2fmanifest.json", "/img/../manifest.json", "/img/", "/"):
        request = requests.Request("GET", site.url).prepare()
        request.url = site.url + path
        assert requests.Session().send(request, timeout=60).status_code == 404


def test_the_slow_image_comes_after_its_delay(site: Site) -> None:
    start = time.monotonic()
    assert odd(site, "slow").status_code == 200
    assert time.monotonic() - start >= SLOW_S


def test_the_missing_image_is_not_found(site: Site) -> None:
    assert odd(site, "missing").status_code == 404


def test_the_moved_image_redirects_to_the_picture(site: Site) -> None:
    assert odd(site, "moved", allow_redirects=False).status_code == 302
    assert odd(site, "moved").content == picture_path(ODDITIES["moved"]).read_bytes()


def test_one_image_opts_out_by_header(site: Site) -> None:
    assert odd(site, "optout").headers["X-Robots-Tag"] == "noai, noimageai"


def test_robots_txt_disallows_the_private_image(site: Site) -> None:
    rules = requests.get(f"{site.url}/robots.txt", timeout=60).text
    assert "Disallow: /private/" in rules
    assert odd(site, "private").status_code == 200


def test_a_port_that_is_taken_is_replaced_by_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve_sample(port) as site:
            assert urlsplit(site.url).port != port
            assert requests.get(f"{site.url}/robots.txt", timeout=60).status_code == 200


def test_a_request_leaves_nothing_on_stderr(capfd: pytest.CaptureFixture[str], site: Site) -> None:
    requests.get(f"{site.url}/img/happy_01.jpg", timeout=60)
    requests.get(f"{site.url}/nowhere", timeout=60)
    assert capfd.readouterr().err == ""
