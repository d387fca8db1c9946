# Yagura.  `make run` starts it with sample data; `make test` tests everything.
# Meson does the building; this file only says it in one word.
# DATA=DIR with run: real logs and indicators to take in too.
# BUILD=DIR: another build folder.
.PHONY: all run test bench fuzz lint screenshots install deb clean setup setup-test
.DEFAULT_GOAL := all
BUILD ?= build
DATA ?=
PREFIX ?= /usr/local

all: setup $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet yagura

setup:
	@tools/setup run

setup-test:
	@tools/setup run build test

$(BUILD)/build.ninja:
	@meson setup $(BUILD) --prefix $(PREFIX) >/dev/null

run: all
	@tools/run $(BUILD)/yagura $(DATA)

test:
	@tools/test

bench:
	@tools/setup run build test bench
	@tools/bench

fuzz: setup-test
	@tools/fuzz

lint: setup-test
	@tools/lint

screenshots: setup-test $(BUILD)/build.ninja
	@tools/screenshots $(BUILD)

deb:
	@tools/setup run build
	@tools/deb

install: all
	@meson install -C $(BUILD)

clean:
	rm -rf build build-*
