package connect

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/karchive/karchive/test/peak"
	"github.com/karchive/karchive/test/testpki"
)

// A hostile number anywhere in a key store of a kilobyte must not ask for gigabytes.
func TestForgedNumbersInAKeyStoreAskForNoMemory(t *testing.T) {
	const bound = 4 << 20
	ca := testpki.NewAuthority(t)
	for name, good := range map[string][]byte{"trusted": ca.TrustJKS("secret"), "with a key": ca.Issue("127.0.0.1").JKS("secret", "secret")} {
		if !jksFits(good) {
			t.Fatalf("%s: a key store as it should be does not fit", name)
		}
		for at := 4; at+4 <= len(good); at++ {
			bad := bytes.Clone(good)
			binary.BigEndian.PutUint32(bad[at:], math.MaxUint32-uint32(at))
			if n := peak.Allocated(func() { storeIdentities(bad, "secret", "") }); n > bound {
				t.Fatalf("%s: forged at %d: allocated %d bytes to read %d", name, at, n, len(good))
			}
			if n := peak.Allocated(func() { jksCertificates(bad, "") }); n > bound {
				t.Fatalf("%s: forged at %d: allocated %d bytes to read %d", name, at, n, len(good))
			}
		}
	}
}
