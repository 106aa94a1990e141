// Package docs holds what is written for people against the program: links, flags, commands with their output, and the tests that promises rest on.
package docs
