# make demo    the main job on a portrait, as a before | after picture
# make test    install and run the tests
# make chromium  install the browser of the page's tests from Debian, if root may
# make far     install what stands for far folders in the tests
# make window  install OpenCV, and the screen on which the tests open a window
# make ray     install Ray, on which the tests run a batch
# make second  install the second reader of signed manifests, where there is npm
# make check   lint, types, tests, and whether the generated docs are fresh
PYTHON ?= python3
PHOTO ?= demo.png
# The build without CUDA is half the size; elsewhere it does not exist.
TENSORFLOW ?= $(if $(filter Linux-x86_64,$(shell uname -sm | tr ' ' -)),tensorflow-cpu,tensorflow)
# Processes that run the tests; each takes some 2 GB.
WORKERS ?= 2
OTHER = $(if $(filter tensorflow,$(TENSORFLOW)),tensorflow-cpu,tensorflow)

.PHONY: demo test chromium far window ray second check docs lint types lock
.DELETE_ON_ERROR:

.venv/.ready: requirements.lock pyproject.toml
	@echo "Installing into .venv what retouch needs, once: 1 GB to load, 3 on the disk, some minutes."
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	awk '/^[^ ]/ {other = /^$(OTHER)==/} !other' requirements.lock > .venv/requirements.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/requirements.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

demo: .venv/.ready $(PHOTO)
	@echo "Making demo-before-after.png: the first time takes some seconds longer."
	.venv/bin/retouch beautify "$(PHOTO)" --strength 2 --compare --force --out demo-before-after.png

# Head and shoulders of Eileen Collins, by NASA, public domain.
demo.png: .venv/.ready
	.venv/bin/python -c "import skimage.data as d; from PIL import Image; Image.fromarray(d.astronaut()).crop((116, 0, 336, 220)).resize((660, 660), Image.Resampling.LANCZOS).save('$@')"

test: .venv/.ready
	.venv/bin/python -m pytest -q --maxfail=20 -n $(WORKERS)

chromium:
	@command -v chromium || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } || echo "No chromium can be installed here: the page's tests are skipped."

far: .venv/.ready
	.venv/bin/python -m pip install --quiet --disable-pip-version-check aiohttp==3.14.5 s3fs==2026.9.0 "moto[server]==5.2.5" || echo "No server of far folders can be installed here: their tests are skipped."

window: .venv/.ready
	@command -v Xvfb && command -v xdotool || { apt-get update -qq && apt-get install -y -qq --no-install-recommends libgl1 libglib2.0-0 libsm6 xvfb xdotool; } || echo "No screen can be installed here: the window's tests are skipped."
	.venv/bin/python -m pip install --quiet --disable-pip-version-check opencv-python==5.0.0.93 || echo "No OpenCV can be installed here: the camera's and the window's tests are skipped."

ray: .venv/.ready
	.venv/bin/python -m pip install --quiet --disable-pip-version-check "ray[data]==2.60.0" || echo "No Ray can be installed here: its test is skipped."

# None of the packages' own scripts are run.
second:
	@npm install --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error @trustnxt/c2pa-ts@0.9.4 || echo "No second reader of manifests can be installed here: its tests are skipped."

lint: .venv/.ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/.ready
	.venv/bin/mypy

check: lint types test
	.venv/bin/python -m docs.make --check
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

docs: .venv/.ready
	.venv/bin/python -m docs.make

# Needs uv (pip install uv). Both builds of tensorflow are locked, one is installed.
lock:
	sed 's/^tensorflow==\(.*\)/&\ntensorflow-cpu==\1/' requirements.txt | uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command "make lock" --output-file requirements.lock -
