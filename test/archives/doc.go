// Package archives tests commands that need no broker on archives that are too large for every test run.
package archives
