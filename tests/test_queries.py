import csv
import re
import shutil
import subprocess
import sys
import tomllib
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.queries import Query, find_plan, group_table, load_plan, plan_table, write_plan
from btfer.sources.search import SearchFeeder, SearchParser, Source

QUERIES = Path(__file__).parent.parent / "queries"
SAMPLE = Path(__file__).parent.parent / "btfer" / "sample" / "queries"
LANGUAGES = ["en", "es", "pt", "fr", "de", "hi", "zh"]
NEW = LANGUAGES[2:]

# What a speaker would type: a class, and some of its phrases.
PINNED = {
    "en": """
angry: South Asian man angry | little White girl angry | elderly Black woman angry
angry: Asian woman furious | Latino toddler boy furious | middle-aged White man shouting angrily
disgust: Latina toddler girl disgusted | middle-aged Asian man disgusted
disgust: Black woman with a look of disgust | little Latino boy grimacing in disgust
fear: little Asian girl fearful | elderly White man fearful | middle-aged Latino man scared
fear: South Asian woman scared | Black toddler boy screaming in fear | White woman screaming in fear
happy: little White girl happy | Asian man happy | Asian man smiling | little South Asian girl smiling
happy: Latina woman laughing | elderly Black man laughing
neutral: middle-aged White woman with a neutral expression | elderly Black woman with a serious face
neutral: South Asian toddler boy with a serious face | Asian man expressionless
sad: Black woman sad | middle-aged South Asian man sad | little White boy crying
sad: elderly Latina woman crying | elderly South Asian man heartbroken | Asian toddler girl heartbroken
surprise: White woman surprised | Latina woman surprised | little Asian boy amazed
surprise: middle-aged Black man amazed | little Black girl astonished
""",
    "es": """
angry: mujer blanca enfadada | niño negro enfadado | anciana asiática enfadada
angry: hombre latino enojado | niña de la India enojada | mujer negra furiosa
disgust: mujer de la India con cara de asco | niño pequeño latino con gesto de asco
disgust: hombre blanco de mediana edad con expresión de repulsión
fear: hombre latino con miedo | niña asiática con miedo | niña pequeña blanca asustada
fear: hombre de la India de mediana edad asustado | niño pequeño negro gritando de miedo
happy: niño asiático feliz | anciana de la India feliz | niña de la India sonriendo
happy: hombre blanco de mediana edad sonriendo | mujer latina riendo | anciano negro riendo
neutral: hombre de la India de mediana edad con expresión neutra | niña negra inexpresiva
neutral: mujer asiática de mediana edad con cara seria | anciano latino con cara seria
sad: hombre negro triste | niña pequeña latina triste | anciano de la India llorando
sad: mujer asiática llorando | anciana blanca desconsolada | niño de la India desconsolado
surprise: niña negra sorprendida | hombre asiático sorprendido | hombre blanco asombrado
surprise: mujer negra de mediana edad asombrada | anciana latina con cara de sorpresa
""",
    "pt": """
angry: mulher branca de meia-idade com raiva | menino negro irritado | idosa latina furiosa
disgust: menina indiana com nojo | idoso asiático com cara de nojo
disgust: homem negro com expressão de repulsa
fear: homem latino com medo | menininha branca assustada | menininho negro gritando de medo
happy: menina indiana sorrindo | idosa negra feliz | homem asiático de meia-idade rindo
neutral: mulher latina com expressão neutra | homem indiano com expressão séria
neutral: menina asiática inexpressiva
sad: homem negro triste | idosa latina chorando | mulher asiática desconsolada
surprise: menino branco com cara de surpresa | mulher indiana espantada | homem latino boquiaberto
""",
    "fr": """
angry: femme blanche d'âge moyen en colère | petit garçon noir furieux | femme indienne énervée
disgust: petite fille indienne avec une expression de dégoût
disgust: homme asiatique âgé grimaçant de dégoût | femme noire avec une moue de dégoût
fear: homme latino-américain apeuré | toute petite fille blanche effrayée
fear: tout petit garçon noir qui crie de peur
happy: petite fille indienne souriante | femme noire âgée heureuse
happy: homme asiatique d'âge moyen qui rit
neutral: femme latino-américaine avec une expression neutre | homme indien à l'air sérieux
neutral: petit garçon asiatique au visage inexpressif
sad: homme noir triste | femme latino-américaine âgée qui pleure | femme asiatique malheureuse
surprise: petit garçon blanc à l'air surpris | femme indienne étonnée | homme noir stupéfait
""",
    "de": """
angry: hellhäutige Frau mittleren Alters wütend | schwarzer Junge zornig
angry: indisches Mädchen mit wütendem Gesichtsausdruck
disgust: indisches Mädchen angeekelt | älterer asiatischer Mann mit angewidertem Gesichtsausdruck
disgust: schwarze Frau das Gesicht vor Ekel verziehend
fear: lateinamerikanischer Mann ängstlich | hellhäutiges Kleinkind Mädchen verängstigt
fear: schwarzes Kleinkind Junge vor Angst schreiend
happy: hellhäutiges Mädchen lächelnd | indische Frau lächelnd
happy: ältere schwarze Frau glücklich | asiatischer Mann mittleren Alters lachend
neutral: lateinamerikanische Frau mit neutralem Gesichtsausdruck
neutral: indischer Mann mit ernstem Gesichtsausdruck | asiatischer Junge mit ausdruckslosem Gesicht
sad: schwarzer Mann traurig | ältere lateinamerikanische Frau weinend
sad: asiatisches Mädchen unglücklich
surprise: hellhäutiger Junge überrascht | indische Frau erstaunt | schwarzer Mann verblüfft
""",
    "hi": """
angry: क्रोधित अधेड़ उम्र की श्वेत महिला | गुस्से में अश्वेत लड़का | गुस्से से चिल्लाता हुआ भारतीय पुरुष
disgust: घृणा भरे चेहरे वाली भारतीय लड़की | घिन से मुँह बनाता हुआ बुज़ुर्ग एशियाई पुरुष
disgust: नाक-भौं सिकोड़ती हुई श्वेत महिला
fear: भयभीत लैटिन अमेरिकी पुरुष | डरी हुई नन्ही श्वेत बच्ची | डर से चीखता हुआ नन्हा अश्वेत बच्चा
happy: मुस्कुराती हुई भारतीय लड़की | खुश बुज़ुर्ग अश्वेत महिला | हँसता हुआ अधेड़ उम्र का एशियाई पुरुष
neutral: भावहीन चेहरे वाली लैटिन अमेरिकी महिला | गंभीर चेहरे वाला भारतीय पुरुष
neutral: भावशून्य चेहरे वाला अश्वेत पुरुष
sad: उदास अश्वेत पुरुष | रोती हुई बुज़ुर्ग लैटिन अमेरिकी महिला | दुखी एशियाई महिला
surprise: हैरान श्वेत लड़का | आश्चर्यचकित भारतीय महिला | चौंकी हुई एशियाई लड़की
""",
    "zh": """
angry: 生气的白人中年女性照片 | 发怒的黑人男孩照片 | 怒气冲冲的印度男性照片
disgust: 露出厌恶表情的印度女孩照片 | 一脸嫌弃的亚裔老年男性照片 | 露出恶心表情的黑人女性照片
fear: 一脸惊恐的拉丁裔男性照片 | 害怕的白人女幼童照片 | 吓得尖叫的黑人男幼童照片
happy: 微笑的印度女孩照片 | 开心的黑人老年女性照片 | 大笑的亚裔中年男性照片
neutral: 面无表情的拉丁裔女性照片 | 表情严肃的印度男性照片 | 表情平静的亚裔女孩照片
sad: 伤心的黑人男性照片 | 哭泣的拉丁裔老年女性照片 | 难过的亚裔女性照片
surprise: 露出惊讶表情的白人男孩照片 | 吃惊的印度女性照片 | 目瞪口呆的黑人男性照片
""",
}


def pinned(language: str) -> list[tuple[str, str]]:
    """Pairs of class and phrase."""
    lines = (line.split(": ") for line in PINNED[language].strip().splitlines())
    pairs = [(label, phrase) for label, phrases in lines for phrase in phrases.split(" | ")]
    return [(label, unicodedata.normalize("NFC", phrase)) for label, phrase in pairs]


@cache
def asked(language: str) -> dict[tuple[str, str], Query]:
    queries = load_plan(QUERIES, [language]).queries
    return {(query.expression, query.phrase): query for query in queries}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(QUERIES, tmp_path / "plan")
    return tmp_path / "plan"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


PAPER = QUERIES / "paper"


def test_every_class_is_asked_equally_often_in_every_cell() -> None:
    plan = load_plan(QUERIES)
    assert len(plan.queries) == 2 * 21 * 5 * 2 * 5
    assert len({query.id for query in plan.queries}) == len(plan.queries)
    assert set(Counter(query.cell for query in plan.queries).values()) == {3}


def test_the_papers_own_plan_has_exactly_its_terms_and_its_grid() -> None:
    expressions = tomllib.loads((PAPER / "expressions.toml").read_text(encoding="utf-8"))
    assert {label: terms["en"] for label, terms in expressions.items()} == {
        "angry": ["angry"],
        "disgust": ["disgusted"],
        "fear": ["fearful", "scared", "screaming"],
        "happy": ["happy", "smiling", "laughing"],
        "neutral": ["neutral", "serious"],
        "sad": ["sad", "crying", "sorrowful"],
        "surprise": ["surprised", "amazed"],
    }
    plan = load_plan(PAPER)
    assert len(plan.queries) == 2 * 15 * 5 * 2 * 5
    assert plan.additions == {}
    phrases = {query.phrase for query in plan.queries}
    assert {"White man angry", "Asian man happy", "Latina woman surprised"} <= phrases


def test_the_papers_terms_weigh_the_same_in_every_class() -> None:
    plan = load_plan(PAPER)
    asked = Counter[str]()
    for query in plan.queries:
        asked[query.expression] += plan.images_of(query, 20)
    assert set(asked.values()) == {2 * 50 * 60}
    own = load_plan(QUERIES)
    assert {own.images_of(query, 20) for query in own.queries} == {20}
    assert own.images_of(Query("a phrase of no plan"), 20) == 20


def test_a_plan_is_found_by_its_name(tmp_path: Path) -> None:
    assert find_plan(QUERIES, "") == QUERIES
    assert find_plan(QUERIES, "paper") == PAPER
    assert find_plan(tmp_path, "paper") == PAPER  # comes with btfer
    with pytest.raises(UsageError, match=r"unknown plan 'papre' in .*; choose one of paper"):
        find_plan(QUERIES, "papre")


@pytest.mark.parametrize("n", [7, 10, 20, 50, 70, 100, 333])
@pytest.mark.parametrize("languages", [["en", "es"], LANGUAGES, ["hi"]], ids=["two", "all", "one"])
def test_any_beginning_of_the_plan_is_balanced(n: int, languages: list[str]) -> None:
    first = load_plan(QUERIES, languages).queries[:n]
    for kind, groups in (("expression", 7), ("age", 5), ("ethnicity", 5), ("gender", 2)):
        counts = Counter(getattr(query, kind) for query in first)
        assert len(counts) == groups
        assert max(counts.values()) - min(counts.values()) <= 2
    counts = Counter(query.language for query in first)
    assert len(counts) == len(languages)
    assert max(counts.values()) - min(counts.values()) <= 2


def test_a_source_gets_its_own_words_beside_a_phrase() -> None:
    plan = load_plan(QUERIES, ["es"])
    bing = Source("bing", "", SearchFeeder, SearchParser, additions=plan.additions["bing"])
    asked = bing.worded(plan.queries[0])
    assert asked.phrase.startswith(f"{plan.queries[0].phrase} rostro -cartoon ")
    assert "-stock" in asked.phrase
    assert "before:" in plan.additions["google"]["all"]
    assert Source("x", "", SearchFeeder, SearchParser).worded(asked) == asked


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('bing = "face"', 1, "'bing' must be a table of all, de"),
        ("[bing]\nall = 3", 2, "'bing.all' must be words, got 3"),
        ('[bing]\nall = "a"\neo = "vizaĝo"', 3, "unknown key 'eo'; choose one of all, de, en"),
    ],
)
def test_words_of_a_source_that_cannot_be_right_are_refused(
    folder: Path, text: str, line: int, message: str
) -> None:
    (folder / "sources.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=rf"sources.toml:{line}: {re.escape(message)}"):
        load_plan(folder)


@pytest.mark.parametrize(("language", "least"), [("en", 30), ("es", 30), *((c, 16) for c in NEW)])
def test_phrases_are_those_a_speaker_would_type(language: str, least: int) -> None:
    assert len(set(pinned(language))) == len(pinned(language)) >= least
    assert set(pinned(language)) - set(asked(language)) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pinned_phrases_have_every_group_and_every_term(language: str) -> None:
    queries = [asked(language)[pair] for pair in pinned(language)]
    for kind, groups in (("age", 5), ("ethnicity", 5), ("gender", 2), ("expression", 7)):
        assert len({getattr(query, kind) for query in queries}) == groups
    expressions = tomllib.loads((QUERIES / "expressions.toml").read_text(encoding="utf-8"))
    for label, terms in expressions.items():
        for term in terms[language]:
            forms = set(term.values()) if isinstance(term, dict) else {term}
            assert any(one == label and form in p for one, p in pinned(language) for form in forms)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("label", EXPRESSIONS)
def test_every_class_has_every_group_in_every_language_once(language: str, label: str) -> None:
    queries = [query for query in asked(language).values() if query.expression == label]
    english = [query for query in asked("en").values() if query.expression == label]
    assert len({query.phrase for query in queries}) == len(queries) == len(english)
    assert len({(one.age, one.gender, one.ethnicity) for one in queries}) == 50


def test_phrases_have_neither_double_nor_outer_spaces_and_chinese_has_none() -> None:
    for query in load_plan(QUERIES, LANGUAGES).queries:
        assert query.phrase == " ".join(query.phrase.split())
        assert not (query.language == "zh" and " " in query.phrase)


def test_german_adjectives_follow_the_noun_and_not_the_person() -> None:
    girl, woman = (
        [q.phrase for q in load_plan(QUERIES, ["de"]).queries if (q.gender, q.age) == person]
        for person in (("female", "child"), ("female", "adult"))
    )
    assert {len(re.findall(r"\b\S+es\b", phrase)) for phrase in girl} == {1}
    assert not any(re.search(r"es\b", phrase.replace("das ", "")) for phrase in woman)


def test_only_english_and_spanish_are_searched_unless_asked() -> None:
    assert load_plan(QUERIES).languages == ["en", "es"]
    assert load_plan(QUERIES, ["hi"]).languages == ["hi"]


def test_nobody_has_reviewed_a_language_yet() -> None:
    assert load_plan(QUERIES).unreviewed == ["en", "es"]
    assert load_plan(QUERIES, LANGUAGES).unreviewed == LANGUAGES


def test_every_class_comes_early_so_that_a_stopped_crawl_is_balanced() -> None:
    first = [query.expression for query in load_plan(QUERIES, ["es"]).queries[:7]]
    assert sorted(first) == sorted(EXPRESSIONS)


def test_the_plan_is_counted_by_class_and_language() -> None:
    table = plan_table(load_plan(QUERIES, ["en", "zh"]))
    assert table[:2] == [["angry", "en", 150], ["angry", "zh", 150]]
    assert ["sad", "zh", 150] in table
    assert sum(row[2] for row in table) == 2 * 1050


def test_the_plan_is_counted_by_group_with_a_column_per_language(folder: Path) -> None:
    change(folder / "expressions.toml", '    "en colère",', '    "en colère",\n    "fâché",')
    table = group_table(load_plan(folder, ["fr", "en"]))
    assert table[0] == ["ethnicity", "White", 220, 210, 430]
    assert table[5:7] == [["gender", "female", 550, 525, 1075], ["gender", "male", 550, 525, 1075]]
    assert [row[1] for row in table[7:]] == ["toddler", "child", "adult", "middle-aged", "elderly"]


def test_the_sample_has_a_small_english_plan() -> None:
    plan = load_plan(SAMPLE)
    assert len(plan.queries) == 7 * 3 * 2 * 4
    assert {query.language for query in plan.queries} == {"en"}
    assert plan.queries[0].phrase == "White girl angry"


def test_the_version_changes_with_a_word_and_is_carried_by_every_query(folder: Path) -> None:
    before = load_plan(folder)
    change(folder / "expressions.toml", '"smiling"', '"beaming"')
    after = load_plan(folder)
    assert before.version == load_plan(QUERIES).version != after.version
    assert {query.plan for query in after.queries} == {after.version}


def test_the_version_changes_when_a_term_moves_to_another_class(folder: Path) -> None:
    change(folder / "expressions.toml", '"scared", "screaming in fear"]', '"scared"]')
    change(
        folder / "expressions.toml",
        '["angry", "furious"',
        '["angry", "screaming in fear", "furious"',
    )
    before, after = load_plan(QUERIES), load_plan(folder)
    assert {one.phrase for one in before.queries} == {one.phrase for one in after.queries}
    assert before.version != after.version


def test_the_version_stays_with_comments_spaces_and_order(folder: Path) -> None:
    for path in folder.rglob("*.toml"):
        text = path.read_text(encoding="utf-8").replace(" = ", "   =  ")
        path.write_bytes(f"# happy = read again\n{text}\n".replace("\n", "\r\n").encode())
    change(folder / "people.toml", '"White", "Black"', '"Black", "White"')
    text = (folder / "expressions.toml").read_text(encoding="utf-8")
    start, end = text.index("[happy]"), text.index("[neutral]")
    text = f"{text[:start]}{text[end:]}\n{text[start:end]}"
    (folder / "expressions.toml").write_text(text, encoding="utf-8")
    assert load_plan(folder).version == load_plan(QUERIES).version


def test_the_version_is_the_same_in_another_process() -> None:
    code = "import pathlib, sys, btfer.queries as q; print(q.load_plan(pathlib.Path(sys.argv[1])).version)"
    arguments = [sys.executable, "-c", code, str(QUERIES)]
    found = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == load_plan(QUERIES).version


def test_the_same_letters_typed_in_pieces_are_the_same_plan(folder: Path) -> None:
    path = folder / "languages" / "es.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(unicodedata.normalize("NFD", text), encoding="utf-8-sig")
    assert path.read_text(encoding="utf-8-sig") != text
    assert load_plan(folder).version == load_plan(QUERIES).version


def test_the_plan_is_written_as_csv(tmp_path: Path) -> None:
    plan = load_plan(QUERIES, ["es", "hi"])
    write_plan(plan, tmp_path / "plan.csv")
    with (tmp_path / "plan.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [Query(**row) for row in rows] == plan.queries


EN, ES, DE = "languages/en.toml", "languages/es.toml", "languages/de.toml"
WORDS, PEOPLE = "expressions.toml", "people.toml"
AGE = "[age]  # what the noun does not say already"
NO_MALE = {', male = "asiático"': ""}

# What is changed in a file; the table and the beginning of the line to be named; the message.
BROKEN: dict[str, tuple[str, dict[str, str], str, str, str]] = {
    "class unknown": (WORDS, {"[happy]": "[hapy]"}, "[hapy]", "[hapy]", "unknown key 'hapy'"),
    "key unknown": (
        ES,
        {"name =": "nom ="},
        "",
        "nom =",
        "unknown key 'nom'; choose one of name, default",
    ),
    "age unknown": (
        ES,
        {AGE: f"{AGE}\nbaby = 1"},
        "[age]",
        "baby",
        "unknown key 'baby'; choose one of todd",
    ),
    "table unknown": (
        EN,
        {AGE: "[agge]"},
        "[agge]",
        "[agge]",
        "unknown key 'agge'; choose one of name",
    ),
    "table a number": (
        *(EN, {"name =": "agreement = 1\nname ="}),
        *("", "agreement", "'agreement' must be a table of toddler, child"),
    ),
    "class a number": (
        *(
            WORDS,
            {
                '[angry]\nen = ["angry", "furious", "shouting angrily"]': "angry = 1\n[disgust.angry]"
            },
        ),
        *("", "angry = 1", "'angry' must have a list of terms per language"),
    ),
    "form unknown": (
        *(ES, {'Asian = { female = "asiática"': 'Asian = { femme = "x", female = "asiática"'}),
        *(
            "[ethnicity]",
            "Asian",
            "'ethnicity.Asian': unknown form 'femme'; choose one of female, male",
        ),
    ),
    "form of another language": (
        *(WORDS, {'"asustada", male': '"asustada", neuter = "x", male'}),
        *("[fear]", "es = [", "'fear.es': unknown form 'neuter'"),
    ),
    "list of terms empty": (
        *(WORDS, {'en = ["angry", "furious", "shouting angrily"]': "en = []"}),
        *("[angry]", "en = []", "class 'angry' has no term in language 'en'"),
    ),
    "list of terms missing": (
        *(
            WORDS,
            {'en = ["with a neutral expression", "with a serious face", "expressionless"]': ""},
        ),
        *("[neutral]", "[neutral]", "class 'neutral' has no term in language 'en'"),
    ),
    "language unknown": (
        *(WORDS, {'en = ["happy"': 'xx = ["en"]\nen = ["happy"'}),
        *("[happy]", "xx =", "'happy': unknown language 'xx': there is no languages/xx.toml"),
    ),
    "terms no list": (
        *(
            WORDS,
            {
                'en = ["disgusted", "with a look of disgust", "grimacing in disgust"]': 'en = "disgusted"'
            },
        ),
        *("[disgust]", "en =", "'disgust.en' must be a list of terms, got 'disgusted'"),
    ),
    "term a number": (
        WORDS,
        {'"scared"': "3"},
        "[fear]",
        "en =",
        "'fear.en' must be a word, or one",
    ),
    "term blank": (
        WORDS,
        {'"expressionless"': '" "'},
        "[neutral]",
        "en =",
        "'neutral.en' must be a word",
    ),
    "term without a form": (
        *(WORDS, {', male = "asustado"': ""}),
        *("[fear]", "es = [", "'fear.es' has no form for 'male'"),
    ),
    "word without a form": (
        ES,
        NO_MALE,
        "[ethnicity]",
        "Asian",
        "'ethnicity.Asian' has no form for",
    ),
    "noun without a form": (
        *(EN, {', male = "boy"': ""}),
        *("[noun]", "child", "'noun.child' has no form for 'male'"),
    ),
    "noun empty": (EN, {'"boy"': '""'}, "[noun]", "child", "'noun.child' must be a word"),
    "word without the noun's form": (
        *(DE, {', neuter = "indisches"': ""}),
        *("[ethnicity]", "Indian", "'ethnicity.Indian' has no form for 'neuter'"),
    ),
    "term without the noun's form": (
        *(WORDS, {'"verblüfft"]': '\n    { female = "verblüfft", male = "verblüfft" },\n]'}),
        *("[surprise]", '    { female = "verblüfft"', "'surprise.de' has no form for 'neuter'"),
    ),
    "agreement of nobody": (
        *(DE, {"[agreement]\ntoddler": "[agreement]\nteenager"}),
        *("[agreement]", "teenager", "unknown key 'teenager'; choose one of toddler"),
    ),
    "agreement a number": (
        *(DE, {'child = { female = "neuter" }': "child = { female = 1 }"}),
        *("[agreement]", "child", "'agreement.child.female' must name a form, got 1"),
    ),
    "group twice": (
        *(PEOPLE, {'"elderly"]': '"elderly",\n  "adult",\n]'}),
        *("", '  "adult"', "'age' lists 'adult' twice"),
    ),
    "groups no list": (
        *(PEOPLE, {'gender = ["female", "male"]': 'gender = "female"'}),
        *("", "gender =", "'gender' must be a list of words, got 'female'"),
    ),
    "order without a slot": (ES, {"{noun} ": ""}, "", "order =", "'order' must have each of"),
    "order with a word": (
        ES,
        {"{noun} ": "la {noun} "},
        "",
        "order =",
        "'order' must have each of",
    ),
    "order with a format": (ES, {"{noun}": "{noun!r}"}, "", "order =", "'order' must have each of"),
    "reviewed a number": (
        ES,
        {"reviewed = false": "reviewed = 0"},
        "",
        "reviewed",
        "must be true or",
    ),
    "default a word": (DE, {"default = false": 'default = "no"'}, "", "default", "must be true or"),
    "name a list": (EN, {'name = "English"': "name = []"}, "", "name", "'name' must be text"),
    "TOML broken": (WORDS, {'en = ["happy"': 'en = "happy"'}, "[happy]", "en =", "at line "),
    "table twice": (WORDS, {"[neutral]": "[happy]"}, "[happy]", "[happy]", "twice (at line "),
    # From here on, the first line that has the word is not the line that is wrong.
    "comment above": (
        *(ES, {"name =": "# Asian = wrong below\nname =", **NO_MALE}),
        *("[ethnicity]", "Asian", "'ethnicity.Asian' has no form for 'male'"),
    ),
    "same key in another table": (
        *(
            EN,
            {'child = "little"': "child = 7"},
            "[age]",
            "child = 7",
            "'age.child' must be a word",
        ),
    ),
    "same key in a text": (
        *(EN, {'"English"': '"""\n[ethnicity]\nBlack = 1\n"""', '"Black"\nAsian': "[]\nAsian"}),
        *("[ethnicity]", "Black = []", "'ethnicity.Black' must be a word"),
    ),
    "same word in a comment": (
        *(WORDS, {"[angry]": "# sad desconsolada\n[angry]", ', male = "desconsolado"': ""}),
        *("[sad]", "es = ", "'sad.es' has no form for 'male'"),
    ),
    "same line in another class": (
        *(WORDS, {"[sad]": "# en = []\n[sad]", 'en = ["sad", "crying", "heartbroken"]': "en = []"}),
        *("[sad]", "en = []", "class 'sad' has no term in language 'en'"),
    ),
    "list that goes on below": (
        *(WORDS, {'"happy", "smiling", "laughing"]': ' # "glad]"\n  "happy",\n\n  3.5,\n]'}),
        *("[happy]", "  3.5", "'happy.en' must be a word"),
    ),
}


@pytest.mark.parametrize(
    ("file", "changes", "table", "line", "message"), BROKEN.values(), ids=BROKEN.keys()
)
def test_a_broken_plan_is_refused_with_its_file_and_line(
    folder: Path, file: str, changes: dict[str, str], table: str, line: str, message: str
) -> None:
    for old, new in changes.items():
        change(folder / file, old, new)
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        load_plan(folder, LANGUAGES)
    found = re.match(rf"{re.escape(str(folder / file))}:(\d+): ", str(caught.value))
    assert found, str(caught.value)
    above = (folder / file).read_text(encoding="utf-8").splitlines()[: int(found[1])]
    assert above[-1].startswith(line)
    assert (["", *re.findall(r"(?m)^\[\w+\]", "\n".join(above))])[-1] == table


def test_a_group_that_a_language_has_no_word_for_is_missing_in_its_table(folder: Path) -> None:
    change(folder / PEOPLE, '"elderly"]', '"elderly", "teenager"]')
    lines = (folder / EN).read_text(encoding="utf-8").splitlines()
    number = lines.index("[noun]  # one form per gender") + 1
    with pytest.raises(UsageError, match=rf"en.toml:{number}: 'teenager' is missing in \[noun\]"):
        load_plan(folder)


def test_a_phrase_that_comes_twice_names_both_intents_and_both_lines(folder: Path) -> None:
    change(folder / WORDS, '["sad", "crying", "heartbroken"]', '["sad", "smiling", "heartbroken"]')
    with pytest.raises(UsageError) as caught:
        load_plan(folder)
    lines = (folder / WORDS).read_text(encoding="utf-8").splitlines()
    sad = lines.index('en = ["sad", "smiling", "heartbroken"]') + 1
    happy = lines.index('en = ["happy", "smiling", "laughing"]') + 1
    text = str(caught.value)
    assert re.search(r": '.* smiling' occurs twice in language 'en': for (happy|sad) \(", text)
    assert {text.split(": ")[0], text.split(" at ")[-1]} == {
        f"{folder / WORDS}:{sad}",
        f"{folder / WORDS}:{happy}",
    }


def test_two_groups_with_one_word_are_a_phrase_that_comes_twice(folder: Path) -> None:
    change(folder / EN, 'Black = "Black"', 'Black = "White"')
    with pytest.raises(UsageError, match=r"occurs twice .* \((White|Black) .* \((White|Black) "):
        load_plan(folder)


def test_a_language_that_is_not_asked_may_be_half_done(folder: Path) -> None:
    change(folder / DE, ', neuter = "indisches"', "")
    assert load_plan(folder).version == load_plan(QUERIES).version


def test_a_list_without_its_end_names_the_last_line(folder: Path) -> None:
    change(folder / PEOPLE, '"elderly"]', '"elderly"')
    last = len((folder / PEOPLE).read_text(encoding="utf-8").splitlines())
    with pytest.raises(UsageError, match=rf"people.toml:{last}: "):
        load_plan(folder)


def test_a_file_that_is_not_utf8_is_named_with_its_line(folder: Path) -> None:
    text = (folder / ES).read_text(encoding="utf-8")
    (folder / ES).write_bytes(text.encode("latin-1"))
    number = next(n for n, line in enumerate(text.splitlines(), start=1) if not line.isascii())
    with pytest.raises(UsageError, match=rf"es.toml:{number}: not UTF-8"):
        load_plan(folder)


def test_in_a_file_of_many_lines_no_line_is_looked_for(folder: Path) -> None:
    (folder / PEOPLE).write_text("".join(f"c{number} = 0\n" for number in range(50_000)))
    with pytest.raises(
        UsageError, match=r"people.toml: "
    ):  # each line would be read with all above it
        load_plan(folder)


@pytest.mark.parametrize("file", [WORDS, PEOPLE])
def test_a_missing_file_says_what_is_expected(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(UsageError, match=rf"there is no .*{file}: a query plan is a folder with"):
        load_plan(folder)


def test_a_missing_folder_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expressions.toml, people.toml and languages/<code>"):
        load_plan(tmp_path / "nowhere")


def test_an_unknown_language_lists_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match=r"unknown language 'eo' .* choose one of de, en, es, fr, hi, pt, zh"
    ):
        load_plan(QUERIES, ["eo"])


def test_a_plan_without_a_default_language_asks_for_one(folder: Path) -> None:
    for file in (EN, ES):
        change(folder / file, "default = true", "default = false")
    with pytest.raises(UsageError, match="has no language with 'default = true': pass --language"):
        load_plan(folder)


def test_a_language_that_does_not_say_whether_it_is_a_default_is_named(folder: Path) -> None:
    change(folder / DE, "default = false", "")
    with pytest.raises(
        UsageError, match=r"de.toml: 'default' is missing: write default = true, or false"
    ):
        load_plan(folder)


def test_a_folder_where_a_file_should_be_is_named(folder: Path) -> None:
    (folder / PEOPLE).unlink()
    (folder / PEOPLE).mkdir()
    with pytest.raises(UsageError, match=r"people.toml cannot be read: "):
        load_plan(folder)
