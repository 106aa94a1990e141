package main

// schemasHelp explains how payloads are read that are written by a schema.
var schemasHelp = `Keys and values that are written by a schema (Avro, Protobuf, JSON Schema) are read as JSON by every command that looks into them: filters, masks,
sample-by, extract, diff and cat. Masks write them by the same schema again; what no rule changed stays byte for byte.

Where schemas come from:
  the archive                what capture --schema-registry URL has put there: every schema that a record names
  the topic _schemas         when it is in the archive too, as a registry keeps its schemas there
  --schema TOPIC=FILE        the schema of all values of topics (a name or a glob); TOPIC:key=FILE of their keys
  --schema ID=FILE           the schema of an id that payloads name
FILE is Avro (.avsc), Protobuf (.proto, with imports beside it) or a set of descriptors of protoc (.desc, .binpb, .pb, .protoset). Of several
messages one is named: --schema orders=shop.proto#shop.Order.

A payload names its schema by the frame in front of it (a zero byte and an id in 4 bytes, of Protobuf also the message) or by the headers
__value_schema_id and __key_schema_id, which come first. --schema TOPIC=FILE comes before both, and takes the whole payload.

As JSON                      Avro                                     Protobuf
  numbers                    int, long, float, double, decimal        all of them, also those of 64 bits
  text                       string, enum, uuid                       string, enum
  text, of each byte one     bytes, fixed                             bytes are base64
  character up to U+00FF
  "NaN", "Infinity"          what JSON has no numbers for             the same
  objects                    records and maps, all fields in order    messages and maps; fields that are not set are left out where
                                                                      the type knows that
  the value itself           of a union
  "unknown-fields"           -                                        fields that the schema does not have, as [number, value] each
Dates and times are the numbers that they are stored as. Names are those of the schema.

import writes JSON by the schema of its topic. replay --schema-registry URL registers what records name in another registry, under the same ids where it can.

A mask that the type of its field cannot hold, such as a hash in an int, is refused. A payload whose schema is not known, or that is no value
of it, is as one that is not JSON: filters are not decided about it, and masks withhold its record. All of it is counted by reason.
`
