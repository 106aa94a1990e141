package format

// Schema is a schema of a registry, by which keys and values are written that name it.
type Schema struct {
	ID         int32             `json:"id"`             // greater than 0
	GUID       string            `json:"guid,omitempty"` // of newer registries; empty: none
	Type       SchemaType        `json:"type"`
	Text       string            `json:"text"`                 // as the registry has it
	References []SchemaReference `json:"references,omitempty"` // schemas that it names
	Versions   []SchemaVersion   `json:"versions,omitempty"`   // under which subjects it is registered; sorted
}

// SchemaType is the language of a schema.
type SchemaType string

// The languages of registries.
const (
	AvroSchema     SchemaType = "AVRO"
	ProtobufSchema SchemaType = "PROTOBUF"
	JSONSchema     SchemaType = "JSON"
)

// SchemaReference is a name in a schema and which other one is meant by it.
type SchemaReference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// SchemaVersion is a place in a registry.
type SchemaVersion struct {
	Subject string `json:"subject"`
	Version int    `json:"version"`
}
