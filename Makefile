# Plain `make test` needs Go alone. test-kafka, crash, kill-replay and rss also need Java 17 and mvn; readers and iceberg need Python 3.10 or newer; examples needs both, and a JDK; race needs a C compiler.

GO          ?= go
PYTHON      ?= python3
FUZZTIME    ?= 10s
VERSITYGW    = github.com/versity/versitygw/cmd/versitygw@v1.8.0
FAKE_GCS     = github.com/fsouza/fake-gcs-server@v1.56.1
AZURITE      = azurite@3.37.0
AZURITE_DIR  = build/azurite/node_modules/azurite/dist/src/blob/main.js
KUSTOMIZE    = sigs.k8s.io/kustomize/kustomize/v5@v5.8.2
KUBERNETES   = 1.37.0
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
VENV         = build/venv

CRASH_RUNS  ?= 10000
KILLS       ?= 1000
KILL_TIME   ?= 20m
MEMBERS     ?= 8
MEMBERS_TIME ?= 3m

# The newest release that Maven Central has: mvn org.codehaus.mojo:versions-maven-plugin:display-dependency-updates -f test/kafkatest/pom.xml -Dkafka.version=4.1.1
KAFKA_NEWEST ?= 4.4.0

# Of the records of stock serializers.
REGISTRY_TESTS ?= OfStock

.PHONY: build man test test-registry test-buckets test-clients test-kafka test-kafka-newest test-cluster crash kill-replay kill-members race lint fuzz readers demo rss bench bench-check bench-check-proof bench-growth bench-size bench-groups bench-peers timing examples profile release release-check release-test image clean

build: ## the command, in bin/
	$(GO) build -o bin/karchive ./cmd/karchive

man: build ## the manual pages, in bin/man
	mkdir -p bin/man
	bin/karchive man -o bin/man

test: ## no time limit of a package is for the speed of the machine: a limit ends what hangs
	$(GO) test -timeout 20m ./...

test-kafka: ## against a real Apache Kafka, fetched once from Maven Central
	$(GO) test -tags kafka -count=1 -timeout 40m ./internal/connect ./test/kafkatest ./test/realkafka

test-clients: ## Python libraries and Java's consumer read from a real Apache Kafka, and from the archive of it that is served, the same
	KARCHIVE_CLIENTS=1 $(GO) test -tags kafka -count=1 -timeout 15m -run TestPythonAndJava ./test/realkafka

test-kafka-newest: ## the round trip and the exactly-once replays on the newest Apache Kafka
	KARCHIVE_KAFKA_VERSION=$(KAFKA_NEWEST) KARCHIVE_REPLAY_KILLS=2 $(GO) test -tags kafka -count=1 -timeout 15m \
		-run 'TestEveryRecordComesThrough|TestExactlyOnceReplays|TestRecordsDeleted' ./test/realkafka

test-cluster: ## captures and replays on three real brokers that are killed in turn, in a few minutes
	$(GO) test -tags kafka -count=1 -timeout 15m ./test/cluster

test-registry: $(VENV)/installed ## records of stock serializers in Python and Java, by Apicurio Registry, which is fetched once from Maven Central; REGISTRY_TESTS says which tests
	KARCHIVE_PYTHON=$(CURDIR)/$(VENV)/bin/python $(GO) test -tags kafka -count=1 -timeout 20m -run '$(REGISTRY_TESTS)' ./test/realkafka

build/bin/versitygw:
	GOBIN=$(CURDIR)/build/bin $(GO) install $(VERSITYGW)

test-buckets: build/bin/versitygw ## captures into a real object store, versitygw, both killed again and again: KARCHIVE_KILLS of captures; the store is built once, in two minutes
	@test -x build/bin/fake-gcs-server || GOBIN=$(CURDIR)/build/bin $(GO) install $(FAKE_GCS)
	@test -e $(AZURITE_DIR) || ! command -v npm > /dev/null || npm install --silent --no-audit --no-fund --prefix build/azurite $(AZURITE)
	KARCHIVE_VERSITYGW=$(CURDIR)/build/bin/versitygw KARCHIVE_FAKE_GCS=$(CURDIR)/build/bin/fake-gcs-server KARCHIVE_AZURITE=$$(ls $(CURDIR)/$(AZURITE_DIR) 2> /dev/null) \
		$(GO) test -tags buckets -count=1 -timeout 60m -v ./test/buckets

crash: ## crashes in memory, CRASH_RUNS seeds and every operation, every flipped bit, then KILLS kill -9 of captures from a real Apache Kafka within KILL_TIME
	KARCHIVE_CRASH_RUNS=$(CRASH_RUNS) KARCHIVE_FLIPS=all $(GO) test -count=1 -timeout 60m -v -run 'Crash|Fails|SealedAtOnce|Disk|Remounted|Killed|Flipped' ./format ./capture ./bucket
	KARCHIVE_KILLS=$(KILLS) KARCHIVE_KILL_TIME=$(KILL_TIME) $(GO) test -tags kafka -count=1 -timeout 60m -v -run 'Kill|Stopped|SecondCapture' ./test/realkafka

kill-replay: KILLS := $(if $(filter file,$(origin KILLS)),200,$(KILLS))
kill-replay: ## KILLS (here 200) kill -9 of exactly-once replays into a real Apache Kafka within KILL_TIME: the target equals the archive
	KARCHIVE_REPLAY_KILLS=$(KILLS) KARCHIVE_KILL_TIME=$(KILL_TIME) $(GO) test -tags kafka -count=1 -timeout 60m -v -run 'ExactlyOnceReplays/killed' ./test/realkafka

kill-members: ## MEMBERS processes of each group protocol on a real Apache Kafka, of which one is killed or ended every second or two for MEMBERS_TIME: the archive is that of one capture
	KARCHIVE_MEMBERS=$(MEMBERS) KARCHIVE_MEMBERS_TIME=$(MEMBERS_TIME) $(GO) test -tags kafka -count=1 -parallel 1 -timeout 60m -v \
		-run TestMembersThatAreKilled ./test/realkafka

# Packages with tests in bubbles of virtual time.
BUBBLES = $$($(GO) list -f '{{range .TestImports}}{{if eq . "testing/synctest"}}{{$$.ImportPath}} {{end}}{{end}}{{range .XTestImports}}{{if eq . "testing/synctest"}}{{$$.ImportPath}} {{end}}{{end}}' ./...)

# In a bubble all timers share one state of the race detector (runtime/time.go, unlockAndRun), which two processors damage when they use it at
# once: tests ended with SIGSEGV in the runtime, with "CHECK failed: tsan_rtl.cpp", or not at all. So these have one processor.
race: ## with a tenth of the crashes and flips, which only repeat what races could be in; those that take longest begin first; the detector's second at the end of each process is cut
	@rc=0; bubbles="$(BUBBLES)"; others=$$($(GO) list ./... | grep -vxF "$$(printf '%s\n' $$bubbles)"); export GORACE=atexit_sleep_ms=20; set -x; \
	$(GO) test -race -short -timeout 20m -cpu 1 ./replay ./cmd/karchive $$bubbles || rc=1; \
	$(GO) test -race -short -timeout 20m ./format $$others || rc=1; \
	exit $$rc

lint:
	$(GO) vet -tags kafka ./...
	$(GO) build -tags iceberg ./iceberg
	$(GO) run $(STATICCHECK) -tags kafka ./...
	cd test/clients && $(GO) vet ./...
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt needed: $$unformatted"; exit 1; }

fuzz: ## every fuzz target for FUZZTIME
	GO=$(GO) .ci/fuzz $(FUZZTIME)

readers: $(VENV)/installed build ## DuckDB, pandas, pyarrow and Polars read what the format package writes, DuckDB finds what extract finds, and a model masks what karchive masks
	rm -rf build/readers
	$(GO) run ./test/readers build/readers
	$(VENV)/bin/python test/readers/check.py testdata build/readers
	$(VENV)/bin/python test/readers/extract.py bin/karchive build/readers
	$(VENV)/bin/python test/maskmodel/model.py bin/karchive build/readers/masks

.PHONY: iceberg
iceberg: build/venv-iceberg/installed ## tables of the golden archives, read by PyIceberg and DuckDB; the program with Iceberg in it takes some minutes to be built, once
	$(GO) vet -tags iceberg ./iceberg ./cmd/karchive
	$(GO) test -tags iceberg -count=1 -timeout 10m ./iceberg
	$(GO) test -tags iceberg -count=1 -timeout 10m -run TestScripts/iceberg ./cmd/karchive
	rm -rf build/iceberg && mkdir -p build/iceberg
	$(GO) build -tags iceberg -o build/iceberg/karchive ./cmd/karchive
	build/venv-iceberg/bin/python test/iceberg/read.py build/iceberg/karchive build/iceberg testdata/golden-1.0 testdata/golden-1.0-ledger testdata/golden-1.2-bucket testdata/golden-1.4-pruned

build/venv-iceberg/installed: test/iceberg/requirements.txt
	$(PYTHON) -m venv build/venv-iceberg
	build/venv-iceberg/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/installed: test/readers/requirements.txt examples/pytest/requirements.txt test/realkafka/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(addprefix -r ,$^)
	touch $@

demo:
	$(GO) run ./cmd/karchive demo

rss: build build/bin/versitygw ## peak memory of capture and replay over 1 GB, in one partition and in 1,000, of captures into a bucket and their spool, of work with archives of 1 GB, and of serving one and 10,000 segments
	KARCHIVE_RSS=1000 $(GO) test -count=1 -v -timeout 30m ./test/archives
	KARCHIVE_RSS=1 $(GO) test -tags kafka -count=1 -v -timeout 30m -run TestPeakMemory ./test/realkafka
	KARCHIVE_RSS=1 KARCHIVE_VERSITYGW=$(CURDIR)/build/bin/versitygw $(GO) test -tags buckets -count=1 -v -timeout 30m -run TestPeakMemory ./test/buckets

bench: ## the tables of docs/performance.md, in under ten minutes; BENCH_BROKER=embedded needs no Java
	$(GO) run ./test/bench

bench-check: ## the ratios that must not rot, in under two minutes on a machine of its own
	$(GO) run ./test/bench -check

bench-check-proof: ## bench-check fails for mistakes that are planted, and does not while other work has every core; in five minutes
	$(GO) run ./test/bench -proof

bench-growth: ## the same commands on archives of ever more partitions, topics and segments, in half an hour
	$(GO) run ./test/bench -growth -n 1

bench-size: ## captures, checks and replays of 1, 5 and 20 million records, in ten minutes and 45 GB of disk
	$(GO) run ./test/bench -size -n 1

bench-peers: ## captures and replays next to kafka-backup, which cargo builds once in half an hour, and kcat where it is installed
	CARGO_TARGET_DIR=$(CURDIR)/build/peers cargo build --release --manifest-path test/peers/Cargo.toml
	$(GO) run ./test/bench -peers $(CURDIR)/build/peers/release/peers

bench-groups: ## 50 members of each group protocol that share 1,000 partitions, come, end and are killed, in virtual time, against the embedded broker and a bucket in memory; in minutes
	KARCHIVE_BENCH_GROUPS=1 $(GO) test -count=1 -timeout 60m -v -run TestManyMembersShareManyPartitions ./capture

timing: ## how well a timed replay keeps time, as the tables of docs/replay.md, in about five minutes, against the embedded broker
	$(GO) run ./test/timing

examples: build $(VENV)/installed ## programs outside this module that are tested with archives, in Go, Python and Java
	cd examples/go && $(GO) vet ./... && $(GO) test ./...
	KARCHIVE=$(CURDIR)/bin/karchive $(VENV)/bin/python -m pytest -q -p no:cacheprovider examples/pytest
	cd examples/junit && mvn -q -B -Dkarchive=$(CURDIR)/bin/karchive test

profile: ## what release builds are optimised by, from captures, replays and checks; in three minutes
	$(GO) run ./test/bench -share 0.5 -profile release/default.pgo

release: ## every file of a release, in build/release: VERSION, or the tag of the commit; PLATFORMS, or all
	$(GO) run -C release . -files $(CURDIR)/build/release -version=$(VERSION) -platforms=$(PLATFORMS)

image: ## the container image, in build/image, as an OCI layout: VERSION and PLATFORMS as for a release, of which those of Linux count
	$(GO) run -C release . -image $(CURDIR)/build/image -version=$(VERSION) -platforms=$(PLATFORMS)

release-check: ## everything twice, from another directory and an empty build cache: the same bytes; very long
	release/check $(PLATFORMS)

release-test: ## the recipe of releases and images, with a small program
	cd release && $(GO) test .

.PHONY: kubernetes
kubernetes: build/kubernetes/installed ## the manifests of every overlay, built and checked against the schemas of Kubernetes' API
	@set -e; for dir in deploy/kubernetes/overlays/*; do \
		echo "$$dir"; $(GO) run $(KUSTOMIZE) build $$dir > build/kubernetes/$$(basename $$dir).yaml; done
	build/kubernetes/venv/bin/kubernetes-validate --strict --quiet --kubernetes-version $(KUBERNETES) build/kubernetes/*.yaml

build/kubernetes/installed: Makefile
	mkdir -p build/kubernetes
	$(PYTHON) -m venv build/kubernetes/venv
	build/kubernetes/venv/bin/python -m pip install --quiet --disable-pip-version-check kubernetes-validate==$(KUBERNETES)
	touch $@

clean:
	rm -rf bin build
