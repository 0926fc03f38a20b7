# The whole line on one page. Every target makes .venv by itself when it is missing.
PYTHON ?= python3
BIN := .venv/bin
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-annotate --no-strip-extras --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help setup crawl review build bench report demo test test-slow test-wheel lint docs notebooks release-check benchmark benchmark-catalogue benchmark-crawl benchmark-crop benchmark-dedup benchmark-faces benchmark-hints benchmark-intake benchmark-leaks benchmark-release benchmark-review benchmark-scale benchmark-train fuzz reliability soak scale screenshots lock clean

help:  ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A stamp is written last: an install that was cut off is done again.
.venv/.complete: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "btfer needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

# The developers' tools on top: tests, lint, lock.
.venv/.dev: .venv/.complete requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

setup: .venv/.complete  ## Make .venv with btfer and its benchmark, from the hashed lock

crawl: .venv/.complete  ## 1. Search the web with the query plan and fetch photos
	$(BIN)/btfer crawl

review: .venv/.complete  ## 2. and 4. Judge photos, then faces, in the browser
	$(BIN)/streamlit run review_app/app.py

build: .venv/.complete  ## 3. and 5. Dedup, crop, sample, release; stops where people must judge
	$(BIN)/btfer build --per-class 300

bench: .venv/.complete  ## 6. Train networks and rank them on the release
	$(BIN)/btfer bench

report: .venv/.complete  ## 7. Write the results beside the paper's: page, CSV, Markdown, LaTeX
	$(BIN)/btfer report

demo: .venv/.complete  ## The whole line on the built-in synthetic sample, in minutes
	$(BIN)/btfer demo

test: .venv/.dev  ## The tests; installs Chromium and PostgreSQL for them where it may
	sh tests/system_packages.sh
	$(BIN)/python -m pytest -n 3 --dist loadfile -m "not slow"

test-slow: .venv/.dev  ## The tests that take longer: training, kills, the whole line
	$(BIN)/python -m pytest -n 3 --dist loadfile -m slow

test-wheel: .venv/.dev  ## Build wheel and sdist, install the wheel alone elsewhere, run the line there
	bash tests/wheel.sh

docs: .venv/.dev  ## The documentation as a site, in site/; needs no network
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs site

release-check: .venv/.dev docs  ## What must hold before a release: wheel, metadata, docs, licences, bill of materials
	bash tests/release_check.sh

lint: .venv/.dev  ## Format, style, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmark-catalogue: .venv/.complete  ## How each part of the catalogue grows, to a million photos, on SQLite and PostgreSQL
	$(BIN)/python benchmarks/catalogue.py

benchmark-crawl: .venv/.complete  ## Speed of the crawl beside icrawler's own, on a loopback site
	$(BIN)/python benchmarks/crawl.py

benchmark-crop: .venv/.complete  ## CPU of the whole crop stage beside the mtcnn package's detection (PHOTOS=folder)
	$(BIN)/python benchmarks/crop.py $(if $(PHOTOS),--photos '$(PHOTOS)')

benchmark-dedup: .venv/.complete  ## Speed of the near-duplicate search beside its peers; which copies and expressions it merges (PHOTOS=folder)
	$(BIN)/python benchmarks/dedup.py
	$(BIN)/python benchmarks/expressions.py $(if $(PHOTOS),--photos '$(PHOTOS)')

benchmark-faces: .venv/.complete  ## Speed, boxes and memory of the face detector beside the mtcnn package
	$(BIN)/python benchmarks/faces.py

benchmark-hints: .venv/.complete  ## Which degraded faces the hints find, and false alarms; keeps curves in benchmarks/results (PHOTOS=folder WITHOUT=names HEADS=folder)
	$(BIN)/python benchmarks/hints.py --save $(if $(PHOTOS),--photos '$(PHOTOS)') $(foreach one,$(WITHOUT),--without '$(one)') $(if $(HEADS),--heads '$(HEADS)')

benchmark-intake: .venv/.complete  ## Speed of reading a photo beside imagehash's hash alone
	$(BIN)/python benchmarks/intake.py

benchmark-leaks: .venv/.complete  ## Precision and recall of the leak search on planted pairs (PHOTOS=folder of photos)
	$(BIN)/python benchmarks/leaks.py $(if $(PHOTOS),--photos $(PHOTOS))

benchmark-release: .venv/.complete  ## Speed of sample, release and verify, from 200,000 faces
	$(BIN)/python benchmarks/release.py

benchmark-review: .venv/.dev  ## Speed of the review app in a real Chromium, beside plain Streamlit
	$(BIN)/python benchmarks/review.py

benchmark-scale: .venv/.dev  ## What a second worker gains and what Ray costs: import, dedup, crop (PHOTOS=folder COUNT=400)
	$(BIN)/python benchmarks/scale.py --repeat 3 --hashes 1000000,2500000 --save $(if $(PHOTOS),--photos '$(PHOTOS)') $(if $(COUNT),--count $(COUNT))

benchmark-train: .venv/.complete  ## Training input beside the paper's generator, steps beside a loop by hand, hours of Tables 2 and 3 here
	$(BIN)/python benchmarks/train.py
	$(BIN)/python benchmarks/train_steps.py

benchmark: .venv/.complete  ## Speed of the heavy stages on drawn input, on this machine
	$(BIN)/python benchmarks/stages.py

reliability: .venv/.dev  ## Kill every command at random points, fill its disk, starve it; prints the table (KILLS=50 SEED=0)
	sh tests/system_packages.sh
	$(BIN)/python benchmarks/reliability.py --save $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

fuzz: .venv/.dev  ## Pictures, pages, tables and records with drawn damage: counts cases and crashes (MINUTES=20 or EXAMPLES=5000)
	$(BIN)/python benchmarks/fuzz.py $(if $(MINUTES),--minutes $(MINUTES)) $(if $(EXAMPLES),--examples $(EXAMPLES))

soak: .venv/.dev  ## Crawl, dedup and crop for an hour on a faulty loopback web: memory, descriptors, threads, URLs (MINUTES=60)
	$(BIN)/python benchmarks/soak.py --save $(if $(MINUTES),--minutes $(MINUTES))

scale: .venv/.complete  ## Make docs/scale.md of saved figures: what many photos take on many machines
	$(BIN)/python benchmarks/scale_model.py

screenshots: .venv/.dev  ## Make the pictures of the documents anew: the review app at three widths, the demo, the report
	test -f demo/index.html || $(BIN)/btfer demo
	$(BIN)/python docs/screenshots.py demo

notebooks: .venv/.dev  ## Run the notebooks of the documents and keep what they print
	$(BIN)/python docs/notebooks.py

lock: .venv/.dev  ## Renew both locks (versions and hashes, no host names)
	$(LOCK) --extra bench pyproject.toml --output-file requirements.lock
	$(LOCK) --extra bench --extra dev --constraint requirements.lock pyproject.toml \
	  --output-file requirements-dev.lock

clean:  ## Remove .venv and caches; data stay
	rm -rf site dist .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
