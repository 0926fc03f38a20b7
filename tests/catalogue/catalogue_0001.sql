BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE face (
	id VARCHAR NOT NULL, 
	photo VARCHAR NOT NULL, 
	settings VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	x FLOAT NOT NULL, 
	y FLOAT NOT NULL, 
	width FLOAT NOT NULL, 
	height FLOAT NOT NULL, 
	probability FLOAT NOT NULL, 
	landmarks JSON NOT NULL, 
	crop JSON NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(photo) REFERENCES photo (sha256), 
	UNIQUE (photo, settings, number)
);
CREATE TABLE fetch (
	id VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	attempts INTEGER NOT NULL, 
	status INTEGER, 
	final_url VARCHAR NOT NULL, 
	content_type VARCHAR NOT NULL, 
	etag VARCHAR NOT NULL, 
	photo VARCHAR, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(photo) REFERENCES photo (sha256)
);
INSERT INTO "fetch" VALUES('700caca5ae8f856fc70b39312664d5c9','https://example.org/a.jpg','found','',0,NULL,'','','',NULL,'2026-11-23T03:15:23+00:00');
CREATE TABLE photo (
	sha256 VARCHAR NOT NULL, 
	format VARCHAR NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	n_bytes INTEGER NOT NULL, 
	phash BIGINT NOT NULL, 
	mirror_phash BIGINT NOT NULL, 
	hints JSON NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (sha256)
);
CREATE TABLE "query" (
	id VARCHAR NOT NULL, 
	phrase VARCHAR NOT NULL, 
	expression VARCHAR NOT NULL, 
	language VARCHAR NOT NULL, 
	ethnicity VARCHAR NOT NULL, 
	gender VARCHAR NOT NULL, 
	age VARCHAR NOT NULL, 
	"plan" VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "query" VALUES('9c648135b5befc9bc72eacbcac8a9d10','asian woman happy','happy','en','Asian','female','adult','v1');
CREATE TABLE release (
	name VARCHAR NOT NULL, 
	digest VARCHAR NOT NULL, 
	settings JSON NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE release_face (
	release VARCHAR NOT NULL, 
	file VARCHAR NOT NULL, 
	face VARCHAR NOT NULL, 
	expression VARCHAR NOT NULL, 
	PRIMARY KEY (release, file), 
	FOREIGN KEY(release) REFERENCES release (name)
);
CREATE TABLE search (
	id INTEGER NOT NULL, 
	"query" VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	asked INTEGER NOT NULL, 
	found INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY("query") REFERENCES "query" (id)
);
CREATE TABLE sighting (
	id INTEGER NOT NULL, 
	fetch VARCHAR NOT NULL, 
	"query" VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	page_url VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	licence VARCHAR NOT NULL, 
	licence_url VARCHAR NOT NULL, 
	author VARCHAR NOT NULL, 
	rank INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(fetch) REFERENCES fetch (id), 
	FOREIGN KEY("query") REFERENCES "query" (id), 
	UNIQUE (fetch, "query", source)
);
INSERT INTO "sighting" VALUES(1,'700caca5ae8f856fc70b39312664d5c9','9c648135b5befc9bc72eacbcac8a9d10','bing','https://example.org/a','','','','',1,'2026-11-23T03:15:23+00:00');
CREATE TABLE verdict (
	id INTEGER NOT NULL, 
	round VARCHAR NOT NULL, 
	photo VARCHAR NOT NULL, 
	face VARCHAR NOT NULL, 
	settings VARCHAR NOT NULL, 
	decision VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	expression VARCHAR NOT NULL, 
	reviewer VARCHAR NOT NULL, 
	keeper VARCHAR NOT NULL, 
	distance INTEGER, 
	undoes INTEGER, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(photo) REFERENCES photo (sha256)
);
CREATE INDEX ix_face_photo ON face (photo);
CREATE INDEX ix_fetch_photo ON fetch (photo);
CREATE INDEX ix_fetch_state ON fetch (state);
CREATE INDEX ix_search_source ON search (source);
CREATE INDEX ix_verdict_undoes ON verdict (undoes);
CREATE INDEX verdict_subject ON verdict (round, photo, face, settings);
COMMIT;
