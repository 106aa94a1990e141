// Package group is what callers and a capture tell each other about a consumer group whose members fill one archive together: how to be one of
// them ([Member]), what a member got and gave up ([Handed]), and why a group did not take it in ([Error]).
package group
