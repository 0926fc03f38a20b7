"""The tables. Every arrow between two stages is one of these; a stage's queue is a query on them.

query      what was searched for, and what the phrase intends (intent is never an identity fact)
search     which query was answered by which source (or seemed so), and how many images were asked for
fetch      the journal: one row per image URL, what became of it
sighting   where an image URL was found: query, source, page, rank, size, licence, author
photo      a picture as found, named by the sha256 of its bytes; a row means that the file is complete
face       a box that MTCNN found in a photo, under one crop setting
verdict    keep, drop, relabel or undo, by a person or a stage; rows are only ever added
release    a frozen sample, and release_face its faces
withdrawal what must never be fetched or stored again, as keyed hashes; secret holds the key
pair_verdict two photos that a person says are the same picture or not: what dedup's threshold is measured on
review_plan how many people are to judge each picture of a round; lease who has which pictures before them
review_page how a page was judged: its time, what was never on the screen, the guidelines; gold_answer the
           answers on hidden gold pictures, which are no verdicts
photo_hash hashes of a photo and of its views, of one kind; comparison what comparing two pictures found, by
           name of photo or face; face_hash of level faces: all three can be computed again
erasure    a request to forget, as a keyed mark, and what became of it; forgotten_hash what copies are known by
stage_mark where the tables ended when nothing waited for a stage, or the review was read: it can be computed again
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

SCHEMA = "0013"
"""The newest migration; a catalogue at another one is upgraded, or refused when it is newer."""

HAS_KEEPER = text("keeper != ''")
"""Of a verdict; a query must say this, in these words, to go by the index of keepers."""

metadata = MetaData()

query = Table(
    "query",
    metadata,
    Column("id", String, primary_key=True),
    Column("phrase", String, nullable=False),
    Column("expression", String, nullable=False),  # '' = not labelled
    Column("language", String, nullable=False),
    Column("ethnicity", String, nullable=False),
    Column("gender", String, nullable=False),
    Column("age", String, nullable=False),
)

search = Table(
    "search",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("query", ForeignKey("query.id"), nullable=False),
    Column("source", String, nullable=False, index=True),
    Column("asked", Integer, nullable=False),
    Column("found", Integer, nullable=False),
    Column("at", String, nullable=False),
    Column("state", String, nullable=False),  # answered, suspicious
)

fetch = Table(
    "fetch",
    metadata,
    Column("id", String, primary_key=True),  # sha256 of the URL, 32 digits
    Column("url", String, nullable=False),
    Column("state", String, nullable=False, index=True),  # found, kept, refused, failed
    Column("reason", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("status", Integer),
    Column("final_url", String, nullable=False),
    Column("content_type", String, nullable=False),
    Column("etag", String, nullable=False),
    Column("photo", ForeignKey("photo.sha256"), index=True),
    Column("at", String, nullable=False),
)

sighting = Table(
    "sighting",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fetch", ForeignKey("fetch.id"), nullable=False),
    Column("query", ForeignKey("query.id"), nullable=False),
    Column("plan", String, nullable=False),  # version of the query plan
    Column("source", String, nullable=False),
    Column("page_url", String, nullable=False),
    Column("title", String, nullable=False),
    Column("licence", String, nullable=False),
    Column("licence_url", String, nullable=False),
    Column("author", String, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("at", String, nullable=False),
    Column(
        "copy_url", String, nullable=False
    ),  # what the source keeps, should the original be gone
    Column("width", Integer, nullable=False),  # as the source states it; 0 = it does not
    Column("height", Integer, nullable=False),
    UniqueConstraint("fetch", "query", "source"),
)

photo = Table(
    "photo",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("format", String, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("n_bytes", Integer, nullable=False),
    Column("phash", BigInteger, nullable=False),
    Column("mirror_phash", BigInteger, nullable=False),
    Column("hints", JSON, nullable=False),
    Column("at", String, nullable=False),
    Column("number", Integer, nullable=False, server_default="0"),  # in the order of coming
    Index("photo_number", "number", unique=True),
)

face = Table(
    "face",
    metadata,
    Column("id", String, primary_key=True),
    Column("photo", ForeignKey("photo.sha256"), nullable=False, index=True),
    Column("settings", String, nullable=False),  # digest of the crop settings
    Column("number", Integer, nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("width", Float, nullable=False),
    Column("height", Float, nullable=False),
    Column("probability", Float, nullable=False),
    Column("landmarks", JSON, nullable=False),
    Column("crop", JSON, nullable=False),  # the rectangle that was cut, what was clipped
    Column("hints", JSON, nullable=False),  # what may be wrong with it; never a verdict
    UniqueConstraint("photo", "settings", "number"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("round", String, nullable=False),  # dedup, photos, crop, faces, leaks
    Column("photo", ForeignKey("photo.sha256"), nullable=False),
    Column("face", String, nullable=False),  # '' = about the photo
    Column("settings", String, nullable=False),  # of the crop, or of a training set; '' = of none
    Column("decision", String, nullable=False),  # keep, drop, relabel, undo
    Column("reason", String, nullable=False),
    Column("expression", String, nullable=False),  # the new label of a relabel
    Column("reviewer", String, nullable=False),
    Column("keeper", String, nullable=False),  # of a duplicate
    Column("distance", Integer),  # to the keeper, in bits
    Column("undoes", Integer, index=True),
    Column("at", String, nullable=False),
    Column("uid", String, nullable=False),  # the same on every machine
    Column("final", Boolean, nullable=False),  # holds over votes: an adjudication, a withdrawal
    Column("note", String, nullable=False),  # what the person wrote beside it; '' = nothing
    Column("unsure", Boolean, nullable=False),  # the person asks for a second one's vote
    Index("verdict_uid", "uid", unique=True),
    Index("verdict_subject", "round", "photo", "face", "settings"),
    Index("verdict_keeper", "keeper", sqlite_where=HAS_KEEPER, postgresql_where=HAS_KEEPER),
)

release = Table(
    "release",
    metadata,
    Column("name", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("at", String, nullable=False),
)

release_face = Table(
    "release_face",
    metadata,
    Column("release", ForeignKey("release.name"), primary_key=True),
    Column("file", String, primary_key=True),
    Column("face", String, nullable=False),
    Column("expression", String, nullable=False),
)

withdrawal = Table(
    "withdrawal",
    metadata,
    Column("mark", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("at", String, nullable=False),
)

secret = Table(
    "secret",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

pair_verdict = Table(
    "pair_verdict",
    metadata,
    Column("id", Integer, primary_key=True),  # in the order of asking
    Column("one", ForeignKey("photo.sha256"), nullable=False),  # the smaller sha256 of the two
    Column("other", ForeignKey("photo.sha256"), nullable=False),
    Column("weight", Float, nullable=False),  # pairs that it stands for; 0 = of an earlier draw
    Column("same", Boolean),  # NULL = not answered
    Column("reviewer", String, nullable=False),
    Column("at", String, nullable=False),  # of the answer, or when it was taken back
    Column("asked_by", String, nullable=False, server_default="calibrate"),  # or dedup, which obeys
    UniqueConstraint("one", "other"),
    Index("pair_verdict_at", "at"),
)

review_plan = Table(
    "review_plan",
    metadata,
    Column("round", String, primary_key=True),
    Column("reviewers_per_image", Integer, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("round", String, primary_key=True),
    Column("subject", String, primary_key=True),  # a photo's sha256 or a face id
    Column("reviewer", String, primary_key=True),
    Column("until", String, nullable=False),
)

review_page = Table(
    "review_page",
    metadata,
    Column("reviewer", String, primary_key=True),
    Column("round", String, primary_key=True),
    Column("at", String, primary_key=True),  # of its verdicts
    Column("seconds", Float, nullable=False),  # from opening to sending; 0 = not known
    Column("unseen", Integer, nullable=False),  # pictures kept that were never on the screen
    Column("guidelines", String, nullable=False),  # the version that the reviewer had before them
)

gold_answer = Table(
    "gold_answer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String, nullable=False, unique=True),
    Column("reviewer", String, nullable=False, index=True),
    Column("round", String, nullable=False),
    Column("photo", ForeignKey("photo.sha256"), nullable=False),
    Column("face", String, nullable=False),
    Column("decision", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("expression", String, nullable=False),
    Column("correct", Boolean, nullable=False),
    Column("at", String, nullable=False),
    Column("note", String, nullable=False),  # as of a verdict
    Column("unsure", Boolean, nullable=False),
)

erasure = Table(
    "erasure",
    metadata,
    Column("id", String, primary_key=True),
    Column("mark", String, nullable=False, index=True),  # of what was asked, keyed
    Column("state", String, nullable=False),  # open, done
    Column("releases", JSON, nullable=False),  # each old release and the next version ('' = none)
    Column("at", String, nullable=False),
    Column("done_at", String, nullable=False),
)

forgotten_hash = Table(
    "forgotten_hash",
    metadata,
    Column("tag", String, primary_key=True),  # of a third of the bits, keyed
    Column("sealed", String, primary_key=True),  # all 64 bits, opened by the same third and the key
)

photo_hash = Table(
    "photo_hash",
    metadata,
    Column("photo", ForeignKey("photo.sha256"), primary_key=True),
    Column("kind", String, primary_key=True),  # the hash's name and version
    Column("wholes", Integer, nullable=False),  # how many of them are of the whole picture
    Column(
        "hashes", LargeBinary, nullable=False
    ),  # int64 [N, 2]: of each view and its mirror image
)

comparison = Table(
    "comparison",
    metadata,
    Column("one", String, primary_key=True),  # the smaller sha256, or face id
    Column("other", String, primary_key=True),
    Column("version", String, primary_key=True),  # of what compared them
    Column("same", Boolean, nullable=False),
    Column("difference", Float, nullable=False),  # the largest local one; 9 = not to be compared
    Column("same_scene", Boolean, nullable=False),
    Column("marked", String, nullable=False, server_default=""),  # which has letters over it
)

face_hash = Table(
    "face_hash",
    metadata,
    Column("face", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("hashes", LargeBinary, nullable=False),  # int64 [2]: of the level face, its mirror image
)

stage_mark = Table(
    "stage_mark",
    metadata,
    Column("stage", String, primary_key=True),
    Column("settings", String, primary_key=True),
    Column("version", JSON, nullable=False),  # `versions.CatalogueVersion`
    Column("found", JSON, nullable=False),
)
