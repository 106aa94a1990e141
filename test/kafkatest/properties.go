package kafkatest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// defaultProperties make one node do everything, in little memory and without the delays that suit a production cluster.
var defaultProperties = map[string]string{
	"process.roles":                            "broker,controller",
	"node.id":                                  "1",
	"controller.listener.names":                "CONTROLLER",
	"listener.security.protocol.map":           "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
	"auto.create.topics.enable":                "false",
	"offsets.topic.replication.factor":         "1",
	"offsets.topic.num.partitions":             "1",
	"transaction.state.log.replication.factor": "1",
	"transaction.state.log.min.isr":            "1",
	"transaction.state.log.num.partitions":     "1",
	"group.initial.rebalance.delay.ms":         "0",
	"log.cleaner.backoff.ms":                   "100",
	"log.cleaner.dedupe.buffer.size":           "4194304",
	"log.initial.task.delay.ms":                "100",
	"log.retention.check.interval.ms":          "300",
	"num.network.threads":                      "2",
	"num.io.threads":                           "4",
}

// writeProperties writes server.properties and the log configuration into dir.
func writeProperties(dir string, p ports, overrides map[string]string) error {
	props := maps.Clone(defaultProperties)
	props["log.dirs"] = filepath.Join(dir, "data")
	props["listeners"] = fmt.Sprintf("PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d", p.broker, p.controller)
	props["controller.quorum.voters"] = fmt.Sprintf("1@127.0.0.1:%d", p.controller)
	maps.Copy(props, overrides)
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(props)) {
		fmt.Fprintf(&b, "%s=%s\n", k, props[k])
	}
	if err := os.WriteFile(filepath.Join(dir, "server.properties"), []byte(b.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "log4j2.properties"), []byte(log4j), 0o644)
}

const log4j = `rootLogger.level = INFO
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.target = SYSTEM_ERR
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1} %m%n
`

type ports struct{ broker, controller int }

// freePorts picks ports below the range from which systems take those of outgoing connections: a broker that restarts must find its
// port free, and a client that dials a port nobody listens on could otherwise be given that very port and connect to itself.
func freePorts() (ports, error) {
	var found []int
	for range 200 {
		port := 12000 + mathrand.IntN(20000)
		if slices.Contains(found, port) || !portIsFree(port) {
			continue
		}
		if found = append(found, port); len(found) == 2 {
			return ports{found[0], found[1]}, nil
		}
	}
	return ports{}, fmt.Errorf("no free ports")
}

func portIsFree(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// newClusterID makes a UUID as Kafka writes it. One that begins with a dash would be read as an option.
func newClusterID() string {
	for {
		var b [16]byte
		rand.Read(b[:])
		if id := base64.RawURLEncoding.EncodeToString(b[:]); id[0] != '-' {
			return id
		}
	}
}
