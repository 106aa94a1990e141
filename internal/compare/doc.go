// Package compare runs programs against the same archives, each with a broker of its own, and keeps what they write.
//
// In the normal case give [Run] the programs and [Options], and compare the archives of the [Result] values by package diff. A program is done when
// it ends, or when its consumer groups have read all there is and what it writes has been quiet for a while; it is ended then, with the
// processes that it started. Programs run one after another, so that none takes time from another and their numbers can be compared.
package compare
