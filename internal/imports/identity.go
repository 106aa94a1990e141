package imports

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/google/uuid"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/reshaping"
)

// NameByContents gives an archive the same id for the same rows, by the fingerprint of their import, and the same rules, nil for none. So a
// replay that goes on knows an archive again that was made anew.
func NameByContents(a *format.Archive, fingerprint string, rules reshaping.Reshaper) error {
	raw, err := hex.DecodeString(fingerprint)
	if err != nil {
		return err
	}
	if rules != nil {
		both := sha256.Sum256([]byte(fingerprint + " " + rules.Rules(fingerprint)))
		raw = both[:len(raw)]
	}
	id, err := uuid.FromBytes(raw)
	if err != nil {
		return err
	}
	identity := a.Identity()
	identity.ArchiveID = id.String()
	return a.SetIdentity(identity)
}
