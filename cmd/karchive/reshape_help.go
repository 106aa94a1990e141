package main

import "github.com/karchive/karchive/internal/reshape"

// reshapeHelp explains the rules that leave records out and change them.
var reshapeHelp = `Rules leave records out and change them on their way. Each record goes through four steps, in this order, and every step is counted.

filter   --filter EXPR keeps records of which a CEL expression is true: karchive help filter.
sample   --sample 5% keeps one of twenty entities with all their records. An entity is named by the key, or by --sample-by: headers.NAME
         or a path such as value.user.id, the first that is there. An entity is kept when its XXH3-64 is below 5% of 2^64, so every
         topic, run and machine keeps the same ones. --sample-by random:SEED takes records by chance instead, always the same ones.
mask     --mask PATH=ACTION hides what is at a path. Of two rules for one field the first holds, and one on an object is about all in it.
` + reshape.ActionHelp("           ") + `
         With --mask TOPIC:PATH=ACTION it is for one topic, or for those that a glob fits.
map      --set PATH=VALUE, --rename PATH=NAME, --remove PATH change fields and headers; then --key PATH and --value PATH make one field
         the whole key or value. A file of rules can also rewrite by a table and rewrite host names.

A PATH is value, key, headers.NAME, timestamp, partition, offset or topic; behind value and key it leads into their JSON: value.user.id,
value.items.0.price, value.items.#.email for every element, value.*.email for every member or element. A name with other characters than
letters, digits and _ - $ : stands in brackets and quotes, in every command and in filters: value["order.id"], value["@type"].
value.payload|json.email is a field of the JSON in a string. What is no path, such as value.items[0], is refused with the right spelling.
Everything that no rule is about stays byte for byte.
A rule that matches nothing in the whole run is probably misspelled, and makes exit code 3; one that may has a ? before its path:
--mask '?value.fax=redact', or in a file also optional: true.

Masks fail closed. A record that a rule cannot be applied to is withheld, counted by reason, and makes exit code 3: a rule is about a field
of its value, and that is neither strictly JSON (broken text, two equal names in an object) nor of a known schema (karchive help schemas), or
a time is none. --unmaskable pass lets that field or payload go as it is, --unmaskable redact redacts it; all other rules hold in any case, and
what was not done is not counted. Null has nothing to hide and stays null. A path that is not there is no fault, unless its rule says required:
true in a file, or --require-match is given: then a record is withheld in which a name on the way is missing, or something else than an object
stands there.
A summary says how often each mask matched, and what goes out that looks personal (e-mail, phone, card, IBAN, IP or postal address, telling
names) and that no rule has changed or kept. --require-coverage withholds such records, and those of which nobody can look at something:
binary, broken or compressed payloads, keys and headers without a rule about all of them. docs/privacy.md says what that promises.
Partitions are those of the keys before they were masked, by which a guess at a key can be tested: replay masked keys with --partitioner key.

--rules FILE holds all of it in YAML, under the names of the flags. Rules are text as flags take it, or mappings, which can name topics.
Files that it names lie beside it.

  filter: topic.startsWith("orders") && value.amount > 100
  sample: 5%
  sample-by: [value.user.id, {path: key, topics: users}]
  mask:
    - value.user.email=hash
    - {path: value.card, action: redact, topics: [payments-*], required: true}
  mask-key: env:MASK_KEY                # or "@FILE"
  require-coverage: true
  table: [{path: value.tenant, file: tenants.csv, else: redact}]          # else: withhold, keep or redact
  endpoints: [{from: "*.prod.example.com", to: "*.test.example.com", in: [value, headers.*]}]
  set: value.env=test
  rename: [value.mail=email]
  remove: [value.debug, headers.trace]
`
