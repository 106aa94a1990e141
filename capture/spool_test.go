package capture

import "testing"

func TestASpoolThatFillsHasTheLargestSegmentsSealedAndLetsNobodyWriteUntilTheyAre(t *testing.T) {
	s := newSpool(100)
	small, large, late := &lane{due: make(chan struct{}, 1)}, &lane{due: make(chan struct{}, 1)}, &lane{due: make(chan struct{}, 1)}
	s.set(small, 30)
	s.set(large, 45)
	if s.full() != nil || len(small.due)+len(large.due) != 0 {
		t.Fatal("at three quarters: got lanes that wait or seal, want none")
	}
	s.set(large, 60)
	if len(small.due) != 0 || len(large.due) != 1 {
		t.Errorf("past three quarters: got %d of the small and %d of the large to seal, want the large one", len(small.due), len(large.due))
	}
	if s.full() != nil {
		t.Error("at 90 of 100 lanes wait, want room")
	}
	s.set(late, 20)
	freed := s.full()
	if freed == nil {
		t.Fatal("at 110 of 100, of which 60 are being sealed, there is room: want none")
	}
	if len(small.due)+len(late.due) != 0 {
		t.Error("the others are asked to seal too, though there will be room without")
	}
	s.set(large, 70) // it goes on until it sees that it is asked
	select {
	case <-freed:
		t.Error("got room before anything was sealed")
	default:
	}
	s.set(large, 0)
	select {
	case <-freed:
	default:
		t.Error("got no room after the large one was sealed")
	}
	if s.full() != nil {
		t.Error("at 50 of 100 lanes wait, want room")
	}
}

func TestASpoolThatOverflowsAtOnceGetsRoomByWhatItAskedFor(t *testing.T) {
	s := newSpool(100)
	var lanes []*lane
	for range 10 {
		l := &lane{due: make(chan struct{}, 1)}
		lanes = append(lanes, l)
		s.set(l, 40)
	}
	freed := s.full()
	if freed == nil {
		t.Fatal("at 400 of 100 there is room: want none")
	}
	for _, l := range lanes {
		if len(l.due) == 1 {
			s.set(l, 0)
		}
	}
	select {
	case <-freed:
	default:
		t.Error("got no room, though all that were asked have sealed: lanes would wait for ever")
	}
}
