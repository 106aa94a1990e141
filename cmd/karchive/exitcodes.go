package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// leftOut says, of the commands that can finish and exit with exitIncomplete, when they do. What else exit codes mean stands in the description of a
// command whose own they are.
var leftOut = map[string]string{
	"capture": "records were lost before they could be read, a group was not there, or " + ofRules,
	"replay":  "not all of the archive is intact or complete, or " + ofRules,
	"verify":  "the archive is incomplete or parts of it are missing, though every file is right",
	"cat":     "not all of the archive is intact, or " + ofRules,
	"extract": "not all of the archive is intact, rows were left out, or " + ofRules,
	"import":  "rows were left out, or " + ofRules,
	"rules":   "a rule matched nothing or a filter decided nothing",
	"serve":   "not all of the archive is intact, or " + ofRules,
	"copy":    "an archive is incomplete, or " + ofRules,
	"export":  "the archive is incomplete",
	"unpack":  "parts or segments are missing",
	"recover": "something is lost",
}

// ofRules is what makes a finish incomplete wherever there are rules: [reshapeFlags] says which.
const ofRules = "rules withheld records, matched nothing or decided nothing"

const exitCodesTitle = "\nExit codes: "

// exitCodesOf are the exit codes of a command, or of all for nil.
func exitCodesOf(c *cli.Command) string {
	switch {
	case c == nil:
		return exitCodes
	case namesExitCodes(c):
		_, own, _ := strings.Cut(c.Description, exitCodesTitle)
		own, _, _ = strings.Cut(own, ".\n")
		return strings.Join(strings.Fields(own), " ")
	}
	text := "0 done, 1 failed, 2 wrong usage"
	if when := leftOut[c.Name]; when != "" {
		text += ", 3 finished but " + when
	}
	return text + ", 130 interrupted"
}

// namesExitCodes says that a command's description has exit codes that mean something else than those of the others.
func namesExitCodes(c *cli.Command) bool {
	return c != nil && strings.Contains(c.Description, exitCodesTitle)
}
