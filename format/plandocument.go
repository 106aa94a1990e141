package format

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// revisionVersion is the lowest format version that has revisions. A writer of an older one would lose what their documents say.
const revisionVersion = "1.2"

// groupsVersion is the lowest format version that has consumer groups.
const groupsVersion = "1.2"

// schemasVersion is the first format version with schemas in karchive.json.
const schemasVersion = "1.3"

// prunedVersion is the first format version with pruned partitions in karchive.json.
const prunedVersion = "1.4"

// codecsVersion is the first format version with codecs of topics in karchive.json.
const codecsVersion = "1.5"

// readIdentityDocument reads the description that counts.
func readIdentityDocument(fsys storage.ReadFS) ([]byte, Identity, error) {
	content, err := readBounded(fsys, ondisk.Identity, maxIdentityBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Identity{}, fmt.Errorf("%w: %w", ErrNotArchive, err)
	}
	if err != nil {
		return nil, Identity{}, err
	}
	first, err := decodeIdentity(content)
	if err != nil || first.Revision == 0 {
		return content, first, err
	}
	newest, err := newestPlan(fsys, first.Revision)
	if err != nil || newest == first.Revision {
		return content, first, err
	}
	content, id, err := readPlan(fsys, newest, first.ArchiveID)
	if err != nil {
		return nil, Identity{}, fmt.Errorf("%s: %w", ondisk.PlanPath(newest), err)
	}
	return content, id, nil
}

// newestPlan is the highest revision that there is, at least that of karchive.json.
func newestPlan(fsys storage.ReadFS, revision int64) (int64, error) {
	entries, err := fsys.ReadDir(ondisk.Plans)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	for _, e := range entries {
		if n, ok := ondisk.ParsePlanName(e.Name()); ok {
			revision = max(revision, n)
		}
	}
	return revision, nil
}

func readPlan(fsys storage.ReadFS, revision int64, archiveID string) ([]byte, Identity, error) {
	content, err := readBounded(fsys, ondisk.PlanPath(revision), maxIdentityBytes)
	if err != nil {
		return nil, Identity{}, err
	}
	id, err := decodeIdentity(content)
	switch {
	case err != nil:
		return nil, Identity{}, err
	case id.ArchiveID != archiveID:
		return nil, Identity{}, corruptf("it is of archive %.40q, %s of %s", id.ArchiveID, ondisk.Identity, archiveID)
	case id.Revision != revision:
		return nil, Identity{}, corruptf("its revision is %d", id.Revision)
	}
	return content, id, nil
}

// setVersion fills in the lowest version that has what the archive holds.
func (id *Identity) setVersion() {
	id.Version = encodingNamed(id.Encoding).version
	id.needs(groupsVersion, id.Groups != nil)
	id.needs(revisionVersion, id.Revision > 0)
	id.needs(schemasVersion, len(id.Schemas) > 0)
	id.needs(prunedVersion, len(id.Pruned) > 0)
	id.needs(codecsVersion, slices.ContainsFunc(id.Topics, func(t origin.Topic) bool { return len(t.Codecs) > 0 }))
}

// needs raises the version to one that has what is there.
func (id *Identity) needs(version string, there bool) {
	if there && laterVersion(version, id.Version) {
		id.Version = version
	}
}
