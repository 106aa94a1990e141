package main

import "testing"

func TestSecretsThatAreLearnedOneAfterTheOtherAreAllHidden(t *testing.T) {
	var h hider
	h.learn([]string{"swordfish"})
	h.learn([]string{"swordfish77", "a<b>c&d"})
	h.learn([]string{"open sesame"})
	h.learn(nil)
	got := h.text("swordfish, swordfish77, a<b>c&d, a&lt;b&gt;c&amp;d, a%3Cb%3Ec%26d, open sesame, fish")
	if want := "[hidden], [hidden], [hidden], [hidden], [hidden], [hidden], fish"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
