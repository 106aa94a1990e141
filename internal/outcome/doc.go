// Package outcome says what became of code that ran against a broker: what its consumer groups have not read, how much is in the topics that it
// wrote, and an archive of that. Tests use it by way of package fixture, and the comparison of two versions of a program.
package outcome
