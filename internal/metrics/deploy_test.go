package metrics

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metricsql"
	"go.yaml.in/yaml/v3"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/replay"
)

// alerts is a rules file of Prometheus, as far as ours goes.
type alerts struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr         string
			For                 time.Duration
			Labels, Annotations map[string]string
		}
	}
}

// dashboard is the part of Grafana's that asks Prometheus.
type dashboard struct {
	Title  string
	UID    string
	Panels []struct {
		ID      int
		Title   string
		Targets []struct{ Expr string }
	}
}

func readDeployed(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../deploy/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// expressions are all that the rules and the dashboard ask, by where.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	var rules alerts
	decoder := yaml.NewDecoder(bytes.NewReader(readDeployed(t, "prometheus-alerts.yaml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&rules); err != nil {
		t.Fatal(err)
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || r.Annotations["summary"] == "" || r.Labels["severity"] == "" {
				t.Errorf("group %s has a rule without a name, a summary or a severity: %+v", g.Name, r)
			}
			all["alert "+r.Alert] = r.Expr
		}
	}
	var shown dashboard
	if err := json.Unmarshal(readDeployed(t, "grafana-dashboard.json"), &shown); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range shown.Panels {
		if ids[p.ID] || len(p.Targets) == 0 {
			t.Errorf("panel %s has the id of another, or asks nothing", p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			all["panel "+p.Title+": "+target.Expr] = strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", ".*").Replace(target.Expr)
		}
	}
	return all
}

var ourMetric = regexp.MustCompile(`\bkarchive_\w+`)

func TestAlertsAndDashboardAskForWhatTheProgramHas(t *testing.T) {
	s := listen(t)
	s.Replay().Set(replay.Progress{})
	s.Capture().Set(capture.Progress{Topics: []capture.TopicProgress{{Topic: "orders", Offsets: 1, LastSeal: time.Unix(1, 0)}}})
	var served []string
	for line := range strings.Lines(scrape(t, s)) {
		served = append(served, ourMetric.FindString(line))
	}
	asked := map[string]bool{}
	all := expressions(t)
	for where, expr := range all {
		if _, err := metricsql.Parse(expr); err != nil {
			t.Errorf("%s: %v", where, err)
		}
		for _, name := range ourMetric.FindAllString(expr, -1) {
			asked[name] = true
			if !slices.Contains(served, name) {
				t.Errorf("%s asks for %s, which the program does not have", where, name)
			}
		}
	}
	if len(all) < 20 || len(asked) < 15 {
		t.Errorf("%d expressions ask for %d metrics: they were not read", len(all), len(asked))
	}
}
