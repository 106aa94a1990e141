package foreign

import "bufio"

// Begin looks at the first bytes of in, at most as many as it holds, until enough is true of them or no more come. Of a pipe it waits for no more
// than that: whoever writes a line may wait for what is done with it. An error comes again when in is read.
func Begin(in *bufio.Reader, most int, enough func([]byte) bool) []byte {
	for n := 1; ; {
		begin, err := in.Peek(n)
		if err != nil {
			return begin
		}
		begin, _ = in.Peek(min(in.Buffered(), most))
		if len(begin) == most || enough(begin) {
			return begin
		}
		n = len(begin) + 1
	}
}
