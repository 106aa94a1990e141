package reshape

// need begins to note which needs of a shape are met in an object or array. Every element needs nothing more than to be looked at.
func (w *walker) need(s *shape, array bool) (from int) {
	from = len(w.got)
	for _, p := range s.needs {
		st := &w.root.patterns[p.pattern][p.step]
		w.got = append(w.got, array && (st.kind == eachStep || st.kind == globStep && st.text == "*"))
	}
	return from
}

// meet notes what a member or element is taken by.
func (w *walker) meet(from int, c *shape) {
	for k, takes := range c.meets {
		w.got[from+k] = w.got[from+k] || takes
	}
}

// leave ends an object or array.
func (w *walker) leave(s *shape, from int) {
	w.depth--
	for k, p := range s.needs {
		if !w.got[from+k] {
			w.missing = append(w.missing, p.pattern)
		}
	}
	w.got = w.got[:from]
}

// lack notes that what stands here has nothing in it.
func (w *walker) lack(needs []position) {
	for _, p := range needs {
		w.missing = append(w.missing, p.pattern)
	}
}
