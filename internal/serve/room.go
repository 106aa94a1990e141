package serve

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// answerRoom is the memory for what is on its way to clients. Most of it is for whole answers. The rest is for answers of one batch, which is what there is
// when clients that do not read hold the whole ones.
type answerRoom struct {
	most         int64 // for whole answers
	whole, small *semaphore.Weighted
}

// smallAnswer is the most that an answer of one batch takes without room for a whole one.
const smallAnswer = batchBytes

func newAnswerRoom(size int64) answerRoom {
	small := max(size/4/smallAnswer, 1)
	most := max(size-small*smallAnswer, 1)
	return answerRoom{most, semaphore.NewWeighted(most), semaphore.NewWeighted(small)}
}

// takeRoom lets an answer be made, of one batch when there is no room for more.
func (f *fetching) takeRoom(ctx context.Context) error {
	room := min(f.most, f.responses.most)
	switch {
	case f.large:
		if err := f.responses.whole.Acquire(ctx, room); err != nil {
			return err
		}
	case !f.responses.whole.TryAcquire(room):
		if err := f.responses.small.Acquire(ctx, 1); err != nil {
			return err
		}
		f.left, f.giveBack = 1, func() { f.responses.small.Release(1) }
		f.hurried = true
		return nil
	}
	f.left, f.giveBack = int(f.most), func() { f.responses.whole.Release(room) }
	f.hurried = false
	return nil
}

// leaveRoom gives back what takeRoom took, if anything.
func (f *fetching) leaveRoom() {
	if f.giveBack != nil {
		f.giveBack()
		f.giveBack, f.hurried = nil, false
	}
}
